"""Loudness and true peak as ITU-R BS.1770-4 defines them, independent of the product's own.

Sound is float of shape (frames, 2) at 48 kHz, full scale 1.0. Pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from dubcast.audio.pcm import RATE

Sound = NDArray[Any]

# The two stages of the K weighting at 48 kHz, as printed in BS.1770-4 (tables 1 and 2).
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285),
          (1.0, -1.69065929318241, 0.73248077421585))  # fmt: skip
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_OFFSET = -0.691
_BLOCK = round(0.4 * RATE)
_STEP = _BLOCK // 4
_ABSOLUTE_LUFS = -70.0
_RELATIVE_LU = -10.0
_OVERSAMPLING = 4
_NOTHING_DB = -120.0


def weighted(sound: Sound) -> NDArray[np.float64]:
    """The sound after both stages of the K weighting."""
    once = signal.lfilter(*_SHELF, np.asarray(sound, dtype=np.float64), axis=0)
    return np.asarray(signal.lfilter(*_HIGH_PASS, once, axis=0))


def integrated(sound: Sound) -> float | None:
    """Gated loudness in LUFS; None when nothing is above the absolute gate.

    Sound shorter than one block of 0.4 s is measured as one block of its own length.
    """
    power = _block_power(weighted(sound))
    loud = power[_lufs(power) > _ABSOLUTE_LUFS]
    if not len(loud):
        return None
    gate = _lufs(loud.mean()) + _RELATIVE_LU
    return float(_lufs(loud[_lufs(loud) > gate].mean()))


def _block_power(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean squares, summed over the channels, of blocks of 0.4 s that overlap by three quarters."""
    sums = np.concatenate([[0.0], np.cumsum((sound**2).sum(axis=1))])
    if len(sound) < _BLOCK:
        return np.array([sums[-1] / max(len(sound), 1)])
    first = np.arange(0, len(sound) - _BLOCK + 1, _STEP)
    return np.asarray((sums[first + _BLOCK] - sums[first]) / _BLOCK)


def _lufs(power: Any) -> Any:
    return _OFFSET + 10 * np.log10(np.maximum(power, 1e-15))


def true_peak_dbtp(sound: Sound) -> float:
    """The highest level between the samples too: four times oversampled, in dBTP."""
    if not len(sound):
        return _NOTHING_DB
    peaks = [float(np.abs(sound).max())]
    for start in range(0, len(sound), 10 * RATE):
        part = np.asarray(sound[max(0, start - 64) : start + 10 * RATE], dtype=np.float64)
        peaks.append(float(np.abs(signal.resample_poly(part, _OVERSAMPLING, 1, axis=0)).max()))
    return float(20 * np.log10(max(*peaks, 10 ** (_NOTHING_DB / 20))))
