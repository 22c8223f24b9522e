"""A background out of a speech estimate: a Wiener gain with over-subtraction on the mix.

The estimate S is never subtracted as a waveform: what it lacks would stay as audible speech. The
gain g = |M - S|^2 / (|M - S|^2 + (alpha |S|)^2), on the mid channel M, takes a whole bin down
where speech rules in it (Wiener filtering with over-subtraction, after Berouti et al., 1979). The
same gain goes to left and right, so the stereo image stays.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dubcast.audio.pcm import CHANNELS, Float
from dubcast.separation.fifo import Fifo
from dubcast.separation.separator import Burst
from dubcast.separation.stft import Spectra, Stft, sqrt_hann

_TINY: Float = np.array(1e-20, dtype=np.float32)


class Estimator(Protocol):
    """Estimates the speech in a mono stream."""

    behind: int  # after n samples fed, at least n - behind samples of the estimate are out

    def estimate(self, mid: Float) -> Float:
        """Feed (n,); get the aligned estimate as far as it is ready, (m,)."""

    def reset(self) -> None:
        """Forget the stream."""


def gain(mid: Spectra, speech: Spectra, alpha: float) -> Float:
    """The Wiener gain in [0, 1] of each bin; 1 where there is nothing at all."""
    rest = _power(mid - speech) + _TINY
    wiener: Float = np.divide(rest, rest + np.float32(alpha * alpha) * _power(speech))
    return wiener


def _power(spectra: Spectra) -> Float:
    power: Float = np.square(spectra.real) + np.square(spectra.imag)
    return power


class WienerCore:
    """The background of a stereo stream by an estimator on its mid channel."""

    def __init__(
        self, estimator: Estimator, alpha: float, size: int = 2048, hop: int = 512
    ) -> None:
        self._estimator = estimator
        self._alpha = alpha
        self._stft = Stft(size, hop, sqrt_hann(size), analysed=CHANNELS + 1, made=CHANNELS)
        self.latency = estimator.behind + self._stft.behind
        self._mix = Fifo(CHANNELS)

    def reset(self) -> None:
        self._estimator.reset()
        self._stft.reset()
        self._mix = Fifo(CHANNELS)

    def advance(self, block: Float) -> Burst:
        self._mix.push(block)
        speech = self._estimator.estimate(block.mean(axis=1))[:, np.newaxis]
        mix = self._mix.pop(len(speech))
        spectra = self._stft.analyse(np.concatenate([mix, speech], axis=1).T)
        stereo, estimate = spectra[:CHANNELS], spectra[CHANNELS]
        wiener = gain((stereo[0] + stereo[1]) * np.float32(0.5), estimate, self._alpha)
        return Burst(self._stft.synthesise(stereo * wiener).T, speech)
