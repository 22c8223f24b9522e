"""A dub as loud as the speech that it replaces, measured without holding up the output."""

from __future__ import annotations

from types import TracebackType

import numpy as np
import pytest

from dubcast.audio.bed import DuckedOriginal, StoredBed
from dubcast.audio.pcm import RATE, Float, Int16, from_db
from dubcast.audio.store import AudioStore
from dubcast.worker.dub_loudness import MatchedVoice, matched, speech_lufs

SECONDS = 3


class Lock:
    """Knows whether it is held, and how often it was taken."""

    def __init__(self) -> None:
        self.held = False
        self.taken = 0

    def __enter__(self) -> None:
        assert not self.held
        self.held = True
        self.taken += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.held = False


class GuardedStore(AudioStore):
    """May be read within the lock alone."""

    lock: Lock

    def read(self, start: int, stop: int) -> Int16:
        assert self.lock.held
        return super().read(start, stop)


def tone(level_db: float, frequency: int = 700) -> Float:
    wave = np.sin(2 * np.pi * frequency * np.arange(SECONDS * RATE) / RATE)
    return (from_db(level_db) * wave).astype(np.float32)


def talk(level_db: float) -> Float:
    """A tone with a pause in it: what stands still throughout is taken for background."""
    wave = tone(level_db)
    wave[RATE : RATE + RATE // 2] = 0
    return wave


def stereo(samples: Float) -> Int16:
    return np.stack([samples * 32767] * 2, axis=1).astype(np.int16)


def match(
    original: Float, voice: Float, background: Float | None = None
) -> tuple[MatchedVoice, Lock]:
    lock = Lock()
    store, bed = GuardedStore(10 * RATE), StoredBed(10 * RATE, DuckedOriginal(12), 480)
    store.lock = lock
    store.write(0, stereo(original))
    if background is not None:
        bed.write(0, stereo(background))
    return matched(speech_lufs(lock, store, bed, (0, SECONDS * RATE)), voice), lock


def gain_db(one: MatchedVoice, voice: Float) -> float:
    return float(20 * np.log10(np.abs(one.voice).max() / np.abs(voice).max()))


def test_a_dub_gets_the_loudness_of_the_speech() -> None:
    voice = tone(-24)
    one, other = match(talk(-18), voice)[0], match(talk(-21), voice)[0]
    assert gain_db(one, voice) - gain_db(other, voice) == pytest.approx(3, abs=0.1)
    assert one.speech_lufs is not None
    assert one.dub_lufs == pytest.approx(one.speech_lufs, abs=0.2)


def test_where_the_background_is_known_only_the_speech_counts() -> None:
    speech, crowd, voice = talk(-24), tone(-12, 1900), tone(-24)
    with_crowd, _ = match(speech + crowd, voice)
    without_crowd, _ = match(speech + crowd, voice, crowd)
    assert gain_db(with_crowd, voice) > 6
    assert gain_db(without_crowd, voice) == pytest.approx(0, abs=1)


def test_a_background_of_less_than_half_of_the_speech_says_too_little() -> None:
    speech, crowd, voice = talk(-24), tone(-12, 1900), tone(-24)
    short, _ = match(speech + crowd, voice, crowd[: len(crowd) // 3])
    none, _ = match(speech + crowd, voice)
    assert short.speech_lufs == none.speech_lufs


def test_silence_has_no_loudness_and_leaves_the_dub_as_it_came() -> None:
    voice = tone(-24)
    one, _ = match(np.zeros(SECONDS * RATE, np.float32), voice)
    assert (one.speech_lufs, one.dub_lufs) == (None, None)
    assert gain_db(one, voice) == 0


def test_the_lock_is_taken_hop_by_hop_and_free_while_the_dub_is_measured() -> None:
    """A dub of seconds takes long to measure; the output must not wait for it."""
    touched_while_held = []

    class Watched(np.ndarray):  # type: ignore[type-arg]
        lock: Lock | None = None

        def __array_finalize__(self, _: object) -> None:
            if Watched.lock is not None:
                touched_while_held.append(Watched.lock.held)

    voice = tone(-24).view(Watched)
    lock, store, bed = Lock(), GuardedStore(10 * RATE), StoredBed(10 * RATE, DuckedOriginal(12), 1)
    store.lock = Watched.lock = lock
    store.write(0, stereo(tone(-18)))
    matched(speech_lufs(lock, store, bed, (0, SECONDS * RATE)), voice)
    assert touched_while_held
    assert not any(touched_while_held)
    assert lock.taken > 10 * SECONDS
