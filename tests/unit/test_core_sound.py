"""The worker's core: the separated background, loudness, and the stems that pass, end to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from dubcast.audio.loudness import integrated
from dubcast.audio.pcm import RATE, Float, Int16, from_db, to_float
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings
from dubcast.worker.core import WorkerCore
from dubcast.worker.fragment import Fragment
from dubcast.worker.scheduler import Tracks
from worker_fakes import dub_reply

CHUNK = 960
SPEECH = (3 * RATE, 5 * RATE)
CROWD, TALK = 600, 6000


class LevelVad:
    def probability(self, window: Float) -> float:
        return 0.9 if float(np.abs(window).max()) > 0.1 else 0.0

    def reset(self) -> None:
        pass


def square(start: int, frames: int, level: int) -> Int16:
    wave = np.where(np.arange(start, start + frames) % 96 < 48, level, -level)
    return np.stack([wave, wave], axis=1).astype(np.int16)


def talk(at: int, loud_from: int = SPEECH[1]) -> Int16:
    """Words of 0.4 s, with 0.2 s between them, while there is speech."""
    spoken = SPEECH[0] <= at < SPEECH[1] and at % 28_800 < 19_200
    level = TALK if at < loud_from else 3 * TALK
    return square(at, CHUNK, level if spoken else 0)


@dataclass
class Stage:
    """Plays talk over a crowd into the core; separation runs one second behind."""

    settings: dict[str, Any] = field(default_factory=dict)
    separate: bool = True
    loud_from: int = SPEECH[1]
    heard_ms: int | None = None  # the service hears no speech after this

    def __post_init__(self) -> None:
        self.stems: dict[str, list[tuple[int, Any]]] = {}
        policy = StreamSettings(delay_s=6, **self.settings)
        self.core = WorkerCore(policy, "run", LevelVad(), 0, self.tap)
        self.core.set_output(Tracks.SOUND)
        self.cut: list[Fragment] = []
        self.sent: list[Int16] = []
        self.out: list[tuple[int, Int16]] = []

    def tap(self, stem: str, start: int, samples: Any) -> None:
        self.stems.setdefault(stem, []).append((start, samples))

    def play(self, seconds: float, voice: Float) -> None:
        origin = None
        for number in range(round(seconds * RATE / CHUNK)):
            at = number * CHUNK
            now = at * NS_PER_S // RATE
            pcm = square(at, CHUNK, CROWD) + talk(at, self.loud_from)
            for fragment in self.core.audio(now, pcm.tobytes(), now):
                work = self.core.dubs.send(fragment)
                assert work is not None
                self.sent.append(work.audio)
                self.cut.append(fragment)
            origin = self.stems["original"][0][0] if origin is None else origin
            if self.separate and at >= RATE:
                past = at - RATE
                self.core.background(
                    origin + past, square(past, CHUNK, CROWD), np.full(2, -40.0, np.float32)
                )
            for fragment in self.cut:
                if fragment.voice is None and at > fragment.span.stop - origin + RATE:
                    reply = dub_reply(voice, speech_end_ms=self.heard_ms)
                    self.core.dubs.replied(fragment, reply, now)
                    self.core.dubs.over(fragment)
            batch, _ = self.core.poll(now)
            self.out += [(block.start - origin, block.samples) for block in batch.audio]

    def heard(self, start_s: float, stop_s: float) -> Int16:
        whole = np.concatenate([samples for _, samples in self.out])
        first = self.out[0][0]
        return whole[round(start_s * RATE) - first : round(stop_s * RATE) - first]


def tone(seconds: float, level_db: float) -> Float:
    index = np.arange(round(seconds * RATE))
    return (from_db(level_db) * np.sin(2 * np.pi * 700 * index / RATE)).astype(np.float32)


def test_the_crowd_stays_where_the_talk_was_and_everything_else_is_untouched() -> None:
    one = Stage({"match_loudness": False, "dub_gain": 0.0})
    one.play(14, tone(1.5, -20))
    assert np.array_equal(one.heard(3.2, 5.2), square(round(3.2 * RATE), 2 * RATE, CROWD))
    assert np.array_equal(one.heard(1, 2.8), square(RATE, round(1.8 * RATE), CROWD))
    assert np.array_equal(one.heard(6.5, 8), square(round(6.5 * RATE), round(1.5 * RATE), CROWD))
    assert one.core.view().unseparated_samples == 0


def test_the_original_is_removed_wider_than_the_fragment_where_the_background_is_there() -> None:
    one = Stage({"match_loudness": False})
    one.play(14, tone(1.5, -20))
    (fragment,) = one.cut
    assert fragment.dub is not None
    assert fragment.dub.removed is not None
    first, last = fragment.dub.removed
    assert first < fragment.span.start
    assert last > fragment.span.stop
    without = Stage({"match_loudness": False}, separate=False)
    without.play(14, tone(1.5, -20))
    assert without.cut[0].dub is not None
    assert without.cut[0].dub.removed is None
    assert without.core.view().unseparated_samples > 1.5 * RATE


@pytest.mark.parametrize(("separate", "crowd"), [(True, 0.7 * CROWD), (False, CROWD)])
def test_the_recognizer_hears_the_background_turned_down_as_far_as_it_is_there(
    separate: bool, crowd: float
) -> None:
    one = Stage(separate=separate)
    one.play(8, tone(1.5, -20))
    (fragment,), (sent,) = one.cut, one.sent
    origin = one.stems["original"][0][0]
    place = origin + SPEECH[0] - fragment.span.start
    word, gap, end = sent[place : place + 96], sent[place + 20_000 : place + 20_096], sent[-96:]
    assert np.abs(word).max() == pytest.approx(TALK + crowd, abs=1)
    assert np.abs(gap).max() == pytest.approx(crowd, abs=1)
    assert np.abs(end).max() == CROWD  # the separator is a second behind


@pytest.mark.parametrize("separate", [True, False])
@pytest.mark.parametrize("level", [-22.0, -8.0])
def test_the_dub_is_as_loud_as_the_speech(separate: bool, level: float) -> None:
    one = Stage(separate=separate)
    one.play(14, tone(1.5, level))
    (fragment,) = one.cut
    assert fragment.dub is not None
    spoken = np.concatenate([talk(at) for at in range(*SPEECH, CHUNK)])
    speech = integrated(to_float(spoken))
    assert fragment.speech_lufs == pytest.approx(speech, abs=1.0)
    assert integrated(fragment.dub.samples) == pytest.approx(speech, abs=1.0)


def test_the_dub_is_as_loud_as_what_the_service_heard_of_the_fragment() -> None:
    half = (SPEECH[1] - SPEECH[0]) // 2
    one = Stage(loud_from=SPEECH[0] + half, heard_ms=round(1000 * half / RATE))
    one.play(14, tone(1.5, -20))
    (fragment,) = one.cut
    spoken = np.concatenate([talk(at) for at in range(SPEECH[0], SPEECH[0] + half, CHUNK)])
    assert fragment.speech_lufs == pytest.approx(integrated(to_float(spoken)), abs=1.0)


def test_every_stem_passes_the_tap_at_its_place() -> None:
    one = Stage()
    one.play(14, tone(1.5, -20))
    assert set(one.stems) == {"original", "background", "dub", "output"}
    assert len(one.stems["dub"]) == 1
    for stem in ("original", "background", "output"):
        ends = [start + len(samples) for start, samples in one.stems[stem]]
        assert ends[:-1] == [start for start, _ in one.stems[stem]][1:]


def test_dubs_of_overlapping_chunks_cross_over_in_their_stem() -> None:
    one = Stage({"fragments": {"mode": "fixed", "chunk_s": 1.0}, "match_loudness": False})
    one.play(14, np.ones(RATE, np.float32))
    dubs = one.stems["dub"]
    (at, first), (then, second) = dubs[:2]
    shared = at + len(first) - then
    assert shared == round(0.15 * RATE)
    power = first[-shared:] ** 2 + second[:shared] ** 2
    assert power == pytest.approx(1.0, abs=0.01)
    assert (first[shared:-shared] == 1).all()


def test_a_target_for_the_whole_output_is_reached() -> None:
    one = Stage({"target_lufs": -33.0}, separate=False)
    one.play(24, tone(1.5, -20))
    assert integrated(to_float(one.heard(14, 17))) == pytest.approx(-33, abs=1.0)


def test_what_waited_is_told_after_it_has_gone() -> None:
    one = Stage()
    one.play(14, tone(1.5, -20))
    assert one.core.view().depth == {"video_units": 0, "fragments_open": 0, "fragments_inflight": 0}
    assert one.core.view().peak == {"video_units": 0, "fragments_open": 1, "fragments_inflight": 1}
