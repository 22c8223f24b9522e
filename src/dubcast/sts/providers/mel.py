"""Whisper's input: the log-mel spectrogram.

Recipe of Whisper's `audio.py` (Radford et al. 2022, MIT): 16 kHz, Hann window of 400, hop 160,
power spectrum, mel bands on Slaney's scale with area normalisation, log10 limited to 8 decades
below the clip's peak, scaled by (x + 4) / 4.
"""

from __future__ import annotations

import functools

import numpy as np

from dubcast.sts.providers.interface import ASR_RATE, Float

N_FFT = 400
HOP = 160
FLOOR = 1e-10
DECADES = 8.0

# Slaney's mel scale: linear up to 1 kHz (15 mel), then logarithmic.
_HZ_PER_MEL = 200.0 / 3.0
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


@functools.cache
def mel_filters(bands: int) -> Float:
    """Triangular mel filters, shape (bands, 201), each of area 1 over Hz."""
    top_mel = _BREAK_MEL + np.log(ASR_RATE / 2 / _BREAK_HZ) / _LOG_STEP
    mels = np.linspace(0.0, top_mel, bands + 2)
    edges = np.where(
        mels < _BREAK_MEL,
        mels * _HZ_PER_MEL,
        _BREAK_HZ * np.exp(_LOG_STEP * (mels - _BREAK_MEL)),
    )
    bins = np.fft.rfftfreq(N_FFT, 1 / ASR_RATE)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    filters: Float = (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    return filters


def log_mel(samples: Float, seconds: int, bands: int) -> Float:
    """Log-mel of mono 16 kHz audio, padded with zeros to `seconds`: (bands, 100 * seconds).

    Raises ValueError if the audio is longer than that.
    """
    length = seconds * ASR_RATE
    if len(samples) > length:
        raise ValueError(f"{len(samples)} samples do not fit in {seconds} s")
    padded = np.pad(samples.astype(np.float32), (0, length - len(samples)))
    centred = np.pad(padded, N_FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(centred, N_FFT)[::HOP][:-1]
    window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    decades = np.log10(np.maximum(mel_filters(bands) @ power.T.astype(np.float32), FLOOR))
    limited = np.maximum(decades, decades.max() - DECADES)
    scaled: Float = ((limited + 4.0) / 4.0).astype(np.float32)
    return scaled
