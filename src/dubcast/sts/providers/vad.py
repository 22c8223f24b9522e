"""Hears: decodes PCM, resamples it for the models, and gates on voice activity.

The gate is not an optimisation: without it Whisper makes up text on every kind of non-speech
(silence, noise, music, crowd), with it on none of those that were tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dubcast.audio.vad import WINDOW_16K as WINDOW
from dubcast.audio.vad import SileroVad
from dubcast.errors import MissingPartError
from dubcast.sts.providers.base import ASR_RATE, Capabilities, Float, Heard, HearProvider, PcmTask

SPEECH_THRESHOLD = 0.5
# 96 ms. Less voice than this is a click or a breath, and Whisper would make words of it.
MIN_SPEECH_WINDOWS = 3
_FULL_SCALE = 32768.0


class SileroHearing(HearProvider):
    """Silero VAD v6 (MIT) in the build that the worker uses too, and soxr for the rate."""

    capabilities = Capabilities(model="silero-vad-v6")

    def __init__(self) -> None:
        self._vad: SileroVad
        self._soxr: Any = None

    def load(self) -> None:
        try:
            import soxr
        except ImportError as error:
            raise MissingPartError(
                f"{error.name} is missing: pip install 'dubcast[sts]'"
            ) from error
        self._soxr = soxr
        self._vad = SileroVad()

    def run(self, batch: Sequence[PcmTask]) -> list[Heard]:
        return [self._hear(task) for task in batch]

    def _hear(self, task: PcmTask) -> Heard:
        mono = to_mono(task.pcm, task.channels)
        if task.rate_hz != ASR_RATE:
            mono = self._soxr.resample(mono, task.rate_hz, ASR_RATE).astype(np.float32)
        return Heard(mono, self._has_speech(mono))

    def _has_speech(self, samples: Float) -> bool:
        """Stops at the third window of speech: a fragment that was cut at speech costs little."""
        self._vad.reset()
        spoken = 0
        for window in windows(samples):
            spoken += self._vad.probability(window) >= SPEECH_THRESHOLD
            if spoken >= MIN_SPEECH_WINDOWS:
                return True
        return False


def to_mono(pcm: bytes, channels: int) -> Float:
    """Interleaved S16LE to mono float32 in [-1, 1): the mean of the channels."""
    frames = np.frombuffer(pcm, dtype="<i2").reshape(-1, channels)
    mono: Float = (frames.mean(axis=1) / _FULL_SCALE).astype(np.float32)
    return mono


def windows(samples: Float) -> npt.NDArray[np.float32]:
    """The samples in rows of 512; the last row is filled up with zeros."""
    padded = np.pad(samples, (0, -len(samples) % WINDOW))
    return padded.reshape(-1, WINDOW)
