"""Short-time Fourier transform of a stream, and its inverse by overlap-add.

Weighted overlap-add with the same window on both sides (Griffin and Lim, 1984): with an overlap of
three quarters both the square root of a Hann window and the Hann window itself add up to a
constant, so unchanged spectra give the input back. State runs across blocks; nothing is ever cut
at a block's border.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft  # stays in float32, several frames at once: 7 times as fast as NumPy's

from dubcast.audio.pcm import Float

Spectra = npt.NDArray[np.complex64]  # (channels, frames, bins)


def hann(size: int) -> Float:
    """A periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


def sqrt_hann(size: int) -> Float:
    """The square root of a periodic Hann window."""
    root: Float = np.sqrt(hann(size))
    return root


class Stft:
    """Analysis and synthesis of one stream of `channels`, aligned: no sample is lost or added.

    The first frame reaches `size - hop` samples into the silence before the stream. After n
    samples analysed and their spectra synthesised, at least n - `behind` samples are out.
    """

    def __init__(self, size: int, hop: int, window: Float, analysed: int, made: int) -> None:
        """`analysed` and `made`: channels in and channels out."""
        if size % hop:
            raise ValueError(f"a window of {size} samples is no multiple of the hop {hop}")
        self.size, self.hop = size, hop
        self.behind = size - 1
        self._window = window
        total = np.square(window).reshape(-1, hop).sum(axis=0)
        self._synthesis = window / np.tile(total, size // hop).astype(np.float32)
        self._channels = analysed, made
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        lead = self.size - self.hop
        self._input: Float = np.zeros((self._channels[0], lead), dtype=np.float32)
        self._tail: Float = np.zeros((self._channels[1], lead), dtype=np.float32)
        self._skip = lead

    def analyse(self, samples: Float) -> Spectra:
        """Spectra (channels, frames, bins) of the frames that `samples` (channels, n) complete."""
        self._input = np.concatenate([self._input, samples], axis=1)
        frames = max((self._input.shape[1] - self.size) // self.hop + 1, 0)
        if not frames:
            return np.zeros((self._channels[0], 0, self.size // 2 + 1), dtype=np.complex64)
        views = np.lib.stride_tricks.sliding_window_view(self._input, self.size, axis=1)
        windowed = views[:, : frames * self.hop : self.hop] * self._window
        self._input = self._input[:, frames * self.hop :]
        spectra: Spectra = fft.rfft(windowed)
        return spectra

    def synthesise(self, spectra: Spectra) -> Float:
        """Samples (channels, n) that no later frame can change any more."""
        frames = spectra.shape[1]
        if not frames:
            return np.zeros((self._channels[1], 0), dtype=np.float32)
        parts = fft.irfft(spectra, self.size) * self._synthesis
        parts = parts.reshape(*parts.shape[:2], -1, self.hop)
        overlap = parts.shape[2]
        added = np.zeros((parts.shape[0], frames + overlap - 1, self.hop), dtype=np.float32)
        added[:, : overlap - 1] = self._tail.reshape(parts.shape[0], -1, self.hop)
        for part in range(overlap):
            added[:, part : part + frames] += parts[:, :, part]
        out, tail = added[:, :frames], added[:, frames:]
        self._tail = tail.reshape(parts.shape[0], -1)
        samples: Float = out.reshape(parts.shape[0], -1)
        drop = min(self._skip, samples.shape[1])
        self._skip -= drop
        return samples[:, drop:]
