"""Where a dub lies in a sound, found by its own shape: the same text spoken by the same voice.

Energy alone does not tell a quiet beginning from what a separator leaves; the rise and fall of a
whole sentence does. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from bench.mix.stems import level_db
from dubcast.audio.pcm import RATE, Float

STEP_S = 0.005
_RANGE_DB = 30.0
_REACH_S = 0.35
# Less alike than this is not the same sentence.
LEAST_LIKENESS = 0.5
_BANDS_HZ = ((150, 900), (900, 2500), (2500, 7000))


@dataclass(frozen=True)
class Found:
    """By how many s a clip lies later than it was looked for, and how alike it is (-1 to 1)."""

    later_s: float
    likeness: float

    @property
    def sure(self) -> bool:
        return self.likeness >= LEAST_LIKENESS


def find(sound: Float, clip: Float, start_s: float) -> Found:
    """Look for the mono `clip` in `sound` (frames, 2) within 0.35 s of `start_s`."""
    reach = round(_REACH_S * RATE)
    first = round(start_s * RATE) - reach
    wide = np.pad(sound.mean(axis=1), (reach, reach + len(clip)))[first + reach :]
    shape = _shape(clip)
    around = _shape(wide[: len(clip) + 2 * reach])
    steps = range(min(2 * round(_REACH_S / STEP_S), around.shape[1] - shape.shape[1]) + 1)
    scores = [_likeness(around[:, k : k + shape.shape[1]], shape) for k in steps]
    best = int(np.argmax(scores))
    return Found(best * STEP_S - _REACH_S, float(scores[best]))


def _shape(mono: Float) -> NDArray[np.float64]:
    """(bands, steps): the level in dB of three bands, no lower than 30 dB below its loudest."""
    rows = []
    for low, high in _BANDS_HZ:
        filtered = signal.sosfiltfilt(_band(low, high), mono)
        level = level_db(filtered, 2 * STEP_S, STEP_S)
        rows.append(np.maximum(level, level.max() - _RANGE_DB))
    return np.array(rows)


def _band(low: int, high: int) -> Any:
    return signal.butter(2, (low, high), "bandpass", fs=RATE, output="sos")


def _likeness(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Correlation of the two, each band about its own mean."""
    a = left - left.mean(axis=1, keepdims=True)
    b = right - right.mean(axis=1, keepdims=True)
    return float((a * b).sum() / max(np.sqrt((a * a).sum() * (b * b).sum()), 1e-9))


def shift_s(found: Sequence[Found]) -> float:
    """What all clips that were found have in common: the median of how much later they are."""
    sure = [one.later_s for one in found if one.sure]
    return float(np.median(sure)) if sure else 0.0
