"""NSNet2 (48 kHz): a gain per bin from two recurrent layers, for little CPU.

Braun and Tashev, "Data augmentation and loss normalization for deep noise suppression", 2020;
model and front end of the DNS Challenge's baseline: log10 power, windows of 20 ms. The state of the
layers goes in and out, so a stream in pieces gives what the whole file gives.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import fft

from dubcast.audio.pcm import Float
from dubcast.separation.onnx_session import session
from dubcast.separation.stft import sqrt_hann

MODEL = "nsnet2-48k"
WINDOW, SIZE, HOP = 960, 1024, 512
FRAMES = 16  # in one call: one at a time costs four times as much CPU, 16 little more than 50
HIDDEN = 600


class Nsnet2:
    """Estimates the speech of one stream. Raises MissingPartError without ONNX Runtime."""

    behind = FRAMES * HOP - 1 + WINDOW - HOP

    def __init__(self, folder: Path) -> None:
        self._session = session(folder / "streaming.onnx")
        self._window = sqrt_hann(WINDOW)
        self._synthesis = _synthesis_window(self._window)
        self.reset()

    def reset(self) -> None:
        self._state = [np.zeros((1, 1, HIDDEN), dtype=np.float32) for _ in range(2)]
        # The first frame reaches back before the stream, so that every sample is covered twice.
        self._input: Float = np.zeros(WINDOW - HOP, dtype=np.float32)
        self._tail: Float = np.zeros(WINDOW - HOP, dtype=np.float32)
        self._skip = WINDOW - HOP

    def estimate(self, mid: Float) -> Float:
        self._input = np.concatenate([self._input, mid])
        out = []
        span = FRAMES * HOP
        while len(self._input) >= span + WINDOW - HOP:
            out.append(self._frames(self._input[: span + WINDOW - HOP]))
            self._input = self._input[span:]
        if not out:
            return np.zeros(0, dtype=np.float32)
        speech = np.concatenate(out)
        drop = min(self._skip, len(speech))
        self._skip -= drop
        return speech[drop:]

    def _frames(self, samples: Float) -> Float:
        views = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
        spectra = fft.rfft(views * self._window, SIZE)
        power = np.square(spectra.real) + np.square(spectra.imag)
        features = np.log10(np.maximum(power, np.float32(1e-12)))[np.newaxis]
        gains, *self._state = self._session.run(
            None, {"input": features, "state_0": self._state[0], "state_1": self._state[1]}
        )
        parts = fft.irfft(spectra * gains[0], SIZE)[:, :WINDOW] * self._synthesis
        out = np.zeros(FRAMES * HOP + WINDOW - HOP, dtype=np.float32)
        out[: WINDOW - HOP] = self._tail
        for frame, part in enumerate(parts):
            out[frame * HOP : frame * HOP + WINDOW] += part
        self._tail = out[FRAMES * HOP :]
        done: Float = out[: FRAMES * HOP]
        return done


def _synthesis_window(window: Float) -> Float:
    """The window that undoes `window` at hops of HOP: the frames add up to the input."""
    weight = np.zeros(HOP, dtype=np.float64)
    for at in range(0, WINDOW, HOP):
        part = np.square(window[at : at + HOP].astype(np.float64))
        weight[: len(part)] += part
    whole = np.concatenate([weight, weight])[:WINDOW]
    synthesis: Float = (window / whole).astype(np.float32)
    return synthesis
