"""Loudness (by pyloudnorm) and true peak as ITU-R BS.1770-4 defines them, not by the product's own.

Sound is float of shape (frames, 2) at 48 kHz, full scale 1.0. Pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyloudnorm import Meter
from scipy import signal

from dubcast.audio.pcm import RATE

Sound = NDArray[Any]

# Its filters are those that the standard prints; pyloudnorm's own default only comes near them.
_FILTERS = "DeMan"
_BLOCK_S = 0.4
_OVERSAMPLING = 4
_NOTHING_DB = -120.0


def integrated(sound: Sound) -> float | None:
    """Gated loudness in LUFS; None when nothing is above the absolute gate.

    Sound shorter than one block of 0.4 s is measured as one block of its own length.
    """
    if not len(sound):
        return None
    meter = Meter(RATE, _FILTERS, min(_BLOCK_S, len(sound) / RATE))
    # In float64: it filters in place, and would round every stage to the type it is given.
    with np.errstate(divide="ignore"):
        lufs = float(meter.integrated_loudness(np.asarray(sound, dtype=np.float64)))
    return lufs if np.isfinite(lufs) else None


def true_peak_dbtp(sound: Sound) -> float:
    """The highest level between the samples too: four times oversampled, in dBTP."""
    if not len(sound):
        return _NOTHING_DB
    peaks = [float(np.abs(sound).max())]
    for start in range(0, len(sound), 10 * RATE):
        part = np.asarray(sound[max(0, start - 64) : start + 10 * RATE], dtype=np.float64)
        peaks.append(float(np.abs(signal.resample_poly(part, _OVERSAMPLING, 1, axis=0)).max()))
    return float(20 * np.log10(max(*peaks, 10 ** (_NOTHING_DB / 20))))
