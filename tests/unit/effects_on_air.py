"""Effects of the settings of a stream: what is heard, what is separated, what is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from effect import Effect, Place
from effects_speech import asked

from dubcast.audio.pcm import RATE, Float
from dubcast.clock import NS_PER_S
from dubcast.config import Settings
from dubcast.contract.worker import Outcome
from dubcast.separation.client import SeparationClient
from dubcast.worker.core import WorkerCore
from dubcast.worker.scheduler import Tracks
from dubcast.worker.spec import separation_settings
from worker_fakes import dub_reply

CHUNK = 1024
# (from, to, level): a short word, a pause of 0.45 s, soft speech, running speech, a long pause.
PROGRAMME = (
    *((1.0, 2.0, 0.9), (2.45, 4.0, 0.9), (4.6, 5.6, 0.4), (6.2, 12.5, 0.9), (14.0, 15.0, 0.9)),
)
ROOM = 0.02  # what sounds between the words


class LevelVad:
    """The probability of speech is the window's level."""

    def probability(self, window: Float) -> float:
        return float(np.abs(window).max())

    def reset(self) -> None:
        pass


@cache
def programme(number: int) -> bytes:
    """A chunk of the programme, in stereo."""
    at = number * CHUNK / RATE
    level = next((v for a, b, v in PROGRAMME if a <= at < b), ROOM) if at < 15.5 else 0.0
    wave = np.sign(np.arange(CHUNK) % 48 - 23.5) * round(level * 32767)
    return np.stack([wave, wave], axis=1).astype(np.int16).tobytes()


@cache
def voice(length: int) -> Float:
    """A dub of so many samples: a tone, with pauses."""
    tone = 0.3 * np.sign(np.sin(np.arange(length) / 9)) * (np.arange(length) % RATE > 9000)
    made = tone.astype(np.float32)
    made.flags.writeable = False
    return made


def played(
    settings: Settings, _: Place, *, failing: bool = False, resume_s: float | None = None
) -> Iterator[tuple[int, int, str]]:
    """All that leaves: when, its place, a digest. Each fragment is dubbed a little too long.

    `failing`: every second fragment fails. No background ever comes.
    """
    core = WorkerCore(settings.stream, "run", LevelVad(), 0)
    if resume_s is not None:
        core.resume(resume_s)
    core.set_output(Tracks.SOUND)
    for number in range(22 * RATE // CHUNK):
        now = number * CHUNK * NS_PER_S // RATE
        for fragment in core.audio(now, programme(number), now):
            assert core.dubs.send(fragment) is not None
            if failing and fragment.sequence % 2:
                core.dubs.failed(fragment, Outcome.FAILED, "scripted")
                continue
            length = fragment.span.slot_stop - fragment.span.start + RATE // 2
            core.dubs.replied(fragment, dub_reply(voice(length)), now)
        batch, _ = core.poll(now)
        for block in batch.audio:
            yield now, block.start, hashlib.sha256(block.samples).hexdigest()


def played_with_failures(settings: Settings, place: Place) -> Iterator[tuple[int, int, str]]:
    return played(settings, place, failing=True)


def separated(settings: Settings, _: Place) -> list[str] | None:
    """The command line of the separation's process, or None: there is none."""
    chosen = separation_settings(settings.stream, settings.models.dir)
    if chosen is None:
        return None
    return SeparationClient(lambda *_: None, chosen)._arguments()[1:]


HEARD: dict[str, Any] = {
    "delay_s": 6.0,
    "bg_gain": 0.5,
    "dub_gain": 0.5,
    "duck_db": 40.0,
    "match_loudness": False,
    "crossfade_ms": 10,
    "true_peak_dbtp": -9.0,
    "target_lufs": -30.0,
    "ducking.enabled": False,
    "ducking.attack_ms": 100,
    "ducking.release_ms": 60,
    "ducking.depth_db": 20.0,
    "ducking.threshold_db": 0.0,
    "max_shift_s": 0.1,
    "fragments.mode": "fixed",
    "fragments.min_s": 2.5,
    "fragments.max_s": 2.0,
    "fragments.pause_ms": 700,
    "fragments.vad_threshold": 0.3,
}
FIXED = {"stream.fragments.mode": "fixed"}
EFFECTS = {
    **{f"stream.{key}": Effect(value, played) for key, value in HEARD.items()},
    "stream.fragments.chunk_s": Effect(1.5, played, FIXED),
    "stream.fragments.overlap_ms": Effect(100, played, FIXED),
    "stream.fallback": Effect("silence", played_with_failures),
    "stream.fallback_order": Effect(
        ["silence"], played_with_failures, {"stream.fallback": "background"}
    ),
    "stream.fallback_duck_db": Effect(30.0, played_with_failures, {"stream.fallback": "ducked"}),
    "stream.separation.on_failure": Effect("skip", played_with_failures),
    "stream.separation.separator": Effect("off", separated),
    "stream.separation.nice": Effect(9, separated),
    "stream.source_language": Effect("pt-BR", asked),
    "stream.target_language": Effect("en", asked),
    "stream.voice": Effect("pm_alex", asked),
    "stream.glossary": Effect([{"term": "Dubcast", "say": "dâb-quést"}], asked),
    "stream.dub_songs": Effect(True, asked),
    "stream.max_tempo": Effect(1.1, asked),
    "stream.duration_policy": Effect("match", asked),
}
