"""Hears: decodes PCM, resamples it for the models, and gates on voice activity.

The gate is not an optimisation: without it Whisper makes up text on every kind of non-speech
(silence, noise, music, crowd), with it on none of those that were tried.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dubcast.audio.vad import WINDOW_16K as WINDOW
from dubcast.audio.vad import SileroVad
from dubcast.errors import MissingPartError
from dubcast.sts.providers.interface import (
    ASR_RATE,
    Capabilities,
    Float,
    Heard,
    HearProvider,
    PcmTask,
)
from dubcast.sts.providers.registry import Registration
from dubcast.sts.songs import tune_of

SPEECH_THRESHOLD = 0.5
# 96 ms. Less voice than this is a click or a breath, and Whisper would make words of it.
MIN_SPEECH_WINDOWS = 3
# The model needs a window of speech to be sure of it.
_ONSET_WINDOWS = 1
# Of a voice the model is sure within a few windows; a beep has 0.8, a whistle less.
_SURE = 0.9
# 192 ms: within a word it is never unsure for so long.
_PAUSE_WINDOWS = 6
# Where it is sure of nothing for a second, the first sound counts.
_DOUBT_WINDOWS = 32
# Speech has ended where the probability stays below this (Silero's own hysteresis).
_END_THRESHOLD = 0.35
# From a cold start the model needs a second of speech to follow a word to its end.
_TAIL_WINDOWS = 64
# The release of a last consonant is too soft for the model.
_RELEASE_WINDOWS = 1
_FULL_SCALE = 32768.0


class SileroHearing(HearProvider):
    """Silero VAD v6 (MIT) in the build that the worker uses too, and soxr for the rate."""

    capabilities = Capabilities(model="silero-vad-v6", thread_safe=True)

    def __init__(self) -> None:
        self._own = threading.local()  # the detector's state is that of one clip
        self._soxr: Any = None

    def load(self) -> None:
        try:
            import soxr
        except ImportError as error:
            raise MissingPartError(
                f"{error.name} is missing: pip install 'dubcast[sts]'"
            ) from error
        self._soxr = soxr
        self._own.vad = SileroVad()

    @property
    def _vad(self) -> SileroVad:
        """This thread's detector."""
        if not hasattr(self._own, "vad"):
            self._own.vad = SileroVad()
        vad: SileroVad = self._own.vad
        return vad

    def run(self, batch: Sequence[PcmTask]) -> list[Heard]:
        return [self._hear(task) for task in batch]

    def _hear(self, task: PcmTask) -> Heard:
        mono = to_mono(task.pcm, task.channels)
        if task.rate_hz != ASR_RATE:
            mono = self._soxr.resample(mono, task.rate_hz, ASR_RATE).astype(np.float32)
        own = task.around.without(mono)
        rows = windows(own)
        first = self._first(rows)
        if first is None:
            return Heard(mono, False)
        # A held "uhm" fills a fragment as a note does, but not what is said before and after it.
        tune = tune_of(mono) if task.tune else None
        if not task.bounds:
            return Heard(mono, True, tune=tune)
        start_s = first * WINDOW / ASR_RATE
        end_s = min(self._end(rows, first) * WINDOW, len(own)) / ASR_RATE
        return Heard(mono, True, (start_s, end_s), tune)

    def _first(self, rows: npt.NDArray[np.float32]) -> int | None:
        """The window in which speech begins, or None if there is none."""
        self._vad.reset()
        first = onset(self._vad.probability(window) for window in rows)
        return None if first is None else max(0, first - _ONSET_WINDOWS)

    def _end(self, rows: npt.NDArray[np.float32], first: int) -> int:
        """The window after the last one with speech.

        Asks about the last two seconds first: a fragment that was cut at a pause ends in speech,
        and the whole of it would cost four times as much.
        """
        for begin in (max(first, len(rows) - _TAIL_WINDOWS), first):
            self._vad.reset()
            spoken = [self._vad.probability(row) >= _END_THRESHOLD for row in rows[begin:]]
            if any(spoken):
                return begin + len(spoken) - spoken[::-1].index(True) + _RELEASE_WINDOWS
        return len(rows)


def onset(probabilities: Iterable[float]) -> int | None:
    """The first window of the speech, or None if less than three windows have speech.

    A sound that the model is not sure of, with a pause after it and then speech that it is sure
    of, was a beep or a whistle: the dub is not to begin with it. Takes no more than it needs.
    """
    first = start = None
    spoken = sure = pause = 0
    for i, probability in enumerate(probabilities):
        pause = 0 if probability >= _END_THRESHOLD else pause + 1
        if pause >= _PAUSE_WINDOWS:
            start, sure = None, 0
        if probability >= SPEECH_THRESHOLD:
            first = i if first is None else first
            start = i if start is None else start
            spoken += 1
            sure += probability >= _SURE
        if first is None or spoken < MIN_SPEECH_WINDOWS:
            continue
        if sure >= MIN_SPEECH_WINDOWS:
            return start
        if i - first >= _DOUBT_WINDOWS:
            return first
    return first if spoken >= MIN_SPEECH_WINDOWS else None


def to_mono(pcm: bytes, channels: int) -> Float:
    """Interleaved S16LE to mono float32 in [-1, 1): the mean of the channels."""
    frames = np.frombuffer(pcm, dtype="<i2").reshape(-1, channels)
    mono: Float = (frames.mean(axis=1) / _FULL_SCALE).astype(np.float32)
    return mono


def windows(samples: Float) -> npt.NDArray[np.float32]:
    """The samples in rows of 512; the last row is filled up with zeros."""
    padded = np.pad(samples, (0, -len(samples) % WINDOW))
    return padded.reshape(-1, WINDOW)


PROVIDER = Registration(
    create=lambda _: SileroHearing(), offers=lambda _: SileroHearing.capabilities
)
