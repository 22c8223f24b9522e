"""Spleeter, 2 stems: a mask per bin from two U-nets, over windows with context on both sides.

Hennequin et al., "Spleeter: a fast and efficient music source separation tool", 2020. It takes
singing for speech. The nets know magnitudes of 4096-point frames at 44.1 kHz; at 48 kHz a frame of
4480 samples has the same bins and the same step to half a percent, so nothing is resampled.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dubcast.audio.pcm import CHANNELS, Float
from dubcast.separation.fifo import Fifo
from dubcast.separation.onnx_session import session
from dubcast.separation.separator import Burst
from dubcast.separation.stft import Spectra, Stft, hann

MODEL = "spleeter-2stems"
SIZE, HOP = 4480, 1120
BINS = 1024  # what the nets see: 11 kHz
WINDOW, CONTEXT, STEP = 64, 16, 32  # frames of one run, before what is kept, kept
_TRAINED_SIZE = 4096
_ABOVE = slice(700, BINS)  # whose mean mask goes to all bins above


class SpleeterCore:
    """The accompaniment of one stream. Raises MissingPartError without ONNX Runtime."""

    def __init__(self, folder: Path) -> None:
        self._session = session(folder / "nets.onnx")
        self._stft = Stft(SIZE, HOP, hann(SIZE), analysed=CHANNELS, made=CHANNELS)
        self.latency = self._stft.behind + (WINDOW - CONTEXT - 1) * HOP
        self.reset()

    def reset(self) -> None:
        self._stft.reset()
        self._frames: Spectra = np.zeros((CHANNELS, CONTEXT, SIZE // 2 + 1), dtype=np.complex64)
        self._mix = Fifo(CHANNELS)

    def advance(self, block: Float) -> Burst:
        self._mix.push(block)
        self._frames = np.concatenate([self._frames, self._stft.analyse(block.T)], axis=1)
        out = [np.zeros((0, CHANNELS), dtype=np.float32)]
        while self._frames.shape[1] >= WINDOW:
            kept = self._frames[:, CONTEXT : CONTEXT + STEP]
            masked = kept * self._masks(self._frames[:, :WINDOW])
            out.append(self._stft.synthesise(masked).T)
            self._frames = self._frames[:, STEP:]
        background = np.concatenate(out)
        return Burst(background, self._mix.pop(len(background)) - background)

    def _masks(self, frames: Spectra) -> Float:
        """The accompaniment's share of the frames that are kept, (channels, STEP, bins)."""
        scale = np.float32(_TRAINED_SIZE / SIZE)
        magnitudes = np.abs(frames[np.newaxis, :, :, :BINS]) * scale
        voice, rest = self._session.run(None, {"magnitudes": magnitudes})
        kept = slice(CONTEXT, CONTEXT + STEP)
        voice, rest = np.square(voice[0, :, kept]), np.square(rest[0, :, kept])
        share = rest / (voice + rest + np.float32(1e-10))
        above = share[:, :, _ABOVE].mean(axis=2, keepdims=True)
        missing = frames.shape[2] - BINS
        masks: Float = np.concatenate([share, np.repeat(above, missing, axis=2)], axis=2)
        return masks
