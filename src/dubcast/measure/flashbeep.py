"""Flashes in a picture and beeps in a sound, found and matched. Pure, on numpy arrays.

A flash is a step of the frame's mean luma to near white; a beep is a 1 kHz tone. Both mark the
same instant of the source, so their distance in a recording is its A/V offset.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

BEEP_HZ = 1000.0
# Luma of limited range: white is 235. A lit scene stays under `_WHITE`, a flash is over it.
_WHITE = 185.0
_LUMA_STEP = 45.0
_BASE_FRAMES = 6

_DETECT_S = 0.040
_REFINE_S = 0.005
# The least amplitude of a tone that counts (full scale 1.0), and its share of the energy.
_MIN_AMPLITUDE = 0.004
_MIN_SHARE = 0.55
_MIN_LENGTH_S = 0.025
_HOP_S = 0.002
# A beep under a fade has no onset to speak of: its 5 ms levels vary by more than this.
_STEADY = 0.7
# Nor has one far below the others: a codec's noise moves it. A beep under a dub is such a one.
_CLEAR_SHARE = 0.25
# And one whose beginning or end is hidden is shorter than the others.
_LENGTH_REACH_S = 0.010


def find_flashes(pts_ms: NDArray[np.float64], luma: NDArray[np.float64]) -> list[float]:
    """PTS in ms of the first frame of each flash. Frames in order of presentation."""
    found: list[float] = []
    lit = False
    base: list[float] = []
    for time, level in zip(pts_ms.tolist(), luma.tolist(), strict=True):
        dark = float(np.median(base)) if base else level
        bright = level >= _WHITE and level - dark >= _LUMA_STEP
        if bright and not lit:
            found.append(time)
        lit = bright
        if not bright:
            base = [*base[1 - _BASE_FRAMES :], level]
    return found


@dataclass(frozen=True)
class Beep:
    """A tone: its onset in s, exact to about 0.5 ms if it is `steady`; its length in s; its
    amplitude (full scale 1.0). Unsteady: its level changes while it sounds, as under a fade.
    """

    onset_s: float
    length_s: float
    level: float
    steady: bool


def find_beeps(samples: Samples, rate_hz: int, tone_hz: float = BEEP_HZ) -> list[Beep]:
    """Tones of `tone_hz` in mono `samples`.

    A tone must hold most of the energy for 25 ms or longer, so that music and speech (whose
    harmonics pass by 1 kHz) are not taken for it.
    """
    if len(samples) < rate_hz * _DETECT_S:
        return []
    turned = _turned(samples, rate_hz, tone_hz)
    return [_beep(turned, rate_hz, *span) for span in _tonal_spans(turned, rate_hz)]


def clear(beeps: list[Beep]) -> list[Beep]:
    """Those of one recording whose onset can be trusted: steady, not far below the loudest, and
    as long as most."""
    loudest = max((beep.level for beep in beeps), default=0.0)
    heard = [beep for beep in beeps if beep.steady and beep.level >= _CLEAR_SHARE * loudest]
    usual = statistics.median(beep.length_s for beep in heard) if heard else 0.0
    return [beep for beep in heard if abs(beep.length_s - usual) <= _LENGTH_REACH_S]


def _turned(samples: Samples, rate_hz: int, tone_hz: float) -> NDArray[np.complex64]:
    """The signal turned down by `tone_hz`: the tone becomes a constant."""
    phase = (np.arange(len(samples)) * (tone_hz / rate_hz)) % 1.0
    turn = np.exp(-2j * np.pi * phase).astype(np.complex64)
    turned: NDArray[np.complex64] = np.multiply(samples, turn, dtype=np.complex64)
    return turned


def _moving_sum(values: NDArray[Any], width: int, hop: int) -> NDArray[Any]:
    """Sums over `width` values, each `hop` values, as a difference of running sums."""
    wide = np.complex128 if np.iscomplexobj(values) else np.float64
    running = np.concatenate(([0], np.cumsum(values, dtype=wide)))
    return np.asarray(running[width::hop] - running[: len(running) - width : hop])


def _tonal_spans(turned: NDArray[np.complex64], rate_hz: int) -> list[tuple[float, float]]:
    """Where the tone prevails: centres of the first and the last window, in s.

    The tone is set against everything within about 1 kHz of it: hiss above does not count.
    """
    width, hop = round(_DETECT_S * rate_hz), round(_HOP_S * rate_hz)
    # Half a period: removes the tone's mirror at minus twice its frequency.
    half = round(rate_hz / BEEP_HZ / 2)
    near = _moving_sum(turned, half, 1) / half
    tone = np.abs(_moving_sum(near, width, hop)) / width
    power = np.real(_moving_sum(np.abs(near) ** 2, width, hop)) / width
    share = tone**2 / np.maximum(power, 1e-12)
    # A sine of amplitude A gives A/2 here.
    tonal = (2 * tone >= _MIN_AMPLITUDE) & (share >= _MIN_SHARE)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], tonal.astype(np.int8), [0]))))
    least = _MIN_LENGTH_S * rate_hz / hop
    spans = edges.reshape(-1, 2).tolist()
    return [
        ((begin * hop + width / 2) / rate_hz, ((end - 1) * hop + width / 2) / rate_hz)
        for begin, end in spans
        if end - begin >= least
    ]


def _beep(turned: NDArray[np.complex64], rate_hz: int, first_s: float, last_s: float) -> Beep:
    # The first and the last window that the tone fills by half are centred on its ends.
    width = round(_REFINE_S * rate_hz)
    inside = turned[round(first_s * rate_hz) + width : round(last_s * rate_hz) - width]
    levels = 2 * np.abs(_moving_sum(inside, width, width // 2)) / width
    level = float(np.median(levels))
    steady = bool(levels.min() >= _STEADY * levels.max())
    return Beep(_refine(turned, rate_hz, first_s), last_s - first_s, level, steady)


def _refine(turned: NDArray[np.complex64], rate_hz: int, near_s: float) -> float:
    """The onset in s: where the change of the complex amplitude is largest around `near_s`.

    Two neighbouring windows of 5 ms (whole periods of the tone) are compared; their distance
    peaks exactly at a step, and a steady bed cancels out.
    """
    width = round(_REFINE_S * rate_hz)
    low = max(0, round((near_s - 0.060) * rate_hz))
    high = min(len(turned), round((near_s + 0.045) * rate_hz))
    if high - low < 2 * width + 1:
        return near_s
    part = turned[low:high].astype(np.complex128)
    mean = _moving_sum(part, width, 1) / width
    change = np.abs(mean[width:]) - np.abs(mean[:-width])
    peak = int(np.argmax(change))
    return (low + width + _centre(change, peak, width // 2)) / rate_hz


def _centre(change: NDArray[np.float64], peak: int, reach: int) -> float:
    """The centre of gravity of the peak's upper half: steadier than the largest value."""
    low, high = max(0, peak - reach), min(len(change), peak + reach + 1)
    weight = np.maximum(change[low:high] - change[peak] / 2, 0.0)
    return float((np.arange(low, high) * weight).sum() / weight.sum())


@dataclass(frozen=True)
class SyncPoint:
    """A flash and its beep: the flash's PTS in s, the offset in ms (+ = audio early)."""

    t_s: float
    offset_ms: float


def match(
    flashes_ms: list[float], beeps_ms: list[float], reach_ms: float = 400.0
) -> tuple[list[SyncPoint], int]:
    """Each flash with its nearest beep within `reach_ms`; and how many flashes have none."""
    beeps = np.sort(np.asarray(beeps_ms, dtype=np.float64))
    points = []
    for flash in flashes_ms:
        if not len(beeps):
            break
        offset = flash - float(beeps[np.argmin(np.abs(beeps - flash))])
        if abs(offset) <= reach_ms:
            points.append(SyncPoint(flash / 1000, offset))
    return points, len(flashes_ms) - len(points)
