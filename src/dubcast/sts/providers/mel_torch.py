"""Whisper's input for many clips at a time, made on the GPU. The recipe is that of `mel`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dubcast.sts.providers.interface import ASR_RATE, Float
from dubcast.sts.providers.mel import DECADES, FLOOR, HOP, N_FFT, mel_filters


class MelSpectrograms:
    """Log-mel spectrograms of one model, in batches."""

    def __init__(self, bands: int, device: str) -> None:
        self._device = device
        self._window = torch.hann_window(N_FFT, device=device)
        self._filters = torch.tensor(mel_filters(bands), device=device)

    def __call__(self, clips: Sequence[Float], seconds: int) -> Tensor:
        """Log-mel of mono 16 kHz clips, padded to `seconds`: (clips, bands, 100 * seconds).

        Raises ValueError if a clip is longer than that. It is done when this returns.
        """
        padded = np.zeros((len(clips), seconds * ASR_RATE), np.float32)
        for row, clip in zip(padded, clips, strict=True):
            if len(clip) > len(row):
                raise ValueError(f"{len(clip)} samples do not fit in {seconds} s")
            row[: len(clip)] = clip
        with torch.inference_mode():
            mels = self._of(torch.from_numpy(padded).to(self._device)).contiguous()
        _finish(mels)
        return mels

    def _of(self, samples: Tensor) -> Tensor:
        half = N_FFT // 2
        centred = torch.nn.functional.pad(samples[:, None], (half, half), mode="reflect")[:, 0]
        frames = centred.unfold(-1, N_FFT, HOP)[:, :-1] * self._window
        # Not the absolute value: torch would compile that for the GPU at its first use.
        power = torch.view_as_real(torch.fft.rfft(frames)).square().sum(-1)
        decades = (self._filters @ power.transpose(1, 2)).clamp_min(FLOOR).log10()
        peak = decades.amax(dim=(1, 2), keepdim=True)
        return (torch.maximum(decades, peak - DECADES) + 4.0) / 4.0


def _finish(tensor: Any) -> None:
    """Wait for the GPU: whoever takes the memory next works in another stream."""
    if tensor.is_cuda:
        torch.cuda.current_stream(tensor.device).synchronize()
