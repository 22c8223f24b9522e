"""A look-ahead limiter for true peaks. Pure: blocks in, the same samples out, LATENCY later.

True peaks are found as in ITU-R BS.1770-4, Annex 2, but on 8 times the rate with 24 taps per
phase: at 4 times, the grid alone can miss 0.5 dB of what lies at 20 kHz. The gain is the least
that any peak within the look-ahead asks for, with a linear release, averaged over the
look-ahead: it is smooth, and never above what a peak needs. Where nothing asks for less it is
exactly 1, and the samples pass as they are.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from dubcast.audio.pcm import RATE, Float, from_db, ms_to_samples, scale

_AHEAD = ms_to_samples(5)
_TAPS = 24  # per phase
_PHASES = 8
_HALF = _TAPS // 2
LATENCY = _AHEAD + _HALF
# What the finer grid may still miss, and the rounding to 16 bits.
_MARGIN_DB = 0.1
_RELEASE_S = 0.2  # from silence to full gain
_CHUNK = ms_to_samples(50)  # looked at in one go, where there is anything to look for
_MISSED = float(np.cos(np.pi / 2 * 20_000 / RATE))
_KAISER = 6.0

_Depth = npt.NDArray[np.float64]


class Limiter:
    """Keeps a stereo stream at or below `ceiling_dbtp`; both channels get the same gain."""

    def __init__(self, ceiling_dbtp: float) -> None:
        self._ceiling = from_db(ceiling_dbtp - _MARGIN_DB)
        # No point between samples can exceed the largest of them by more than the sum of the
        # interpolator's coefficients: below this level there is nothing to look for.
        self._harmless = self._ceiling / float(np.abs(_interpolator()).sum(axis=0).max())
        self.reset()

    def reset(self) -> None:
        """Forget the stream: as if silence had come before what is next."""
        self._held = np.zeros((LATENCY, 2), dtype=np.float32)
        # 1 - gain: what peaks ahead ask for, and what was applied before the average.
        self._asked: _Depth = np.zeros(_AHEAD)
        self._eased: _Depth = np.zeros(_AHEAD)
        self._idle = True

    def process(self, block: Float) -> Float:
        """`block` (frames, 2) in, as many frames out that came LATENCY samples before."""
        frames = len(block)
        held = np.concatenate([self._held, block])
        self._held = held[frames:].copy()
        out: Float = held[:frames]
        # Peaks before this were judged with the blocks before.
        fresh = held[_AHEAD - _HALF :]
        if self._idle and max(fresh.max(initial=0), -fresh.min(initial=0)) <= self._harmless:
            return out
        gain = 1.0 - self._average(self._release(self._lowest_ahead(self._ask(held, frames))))
        scale(out, gain.astype(np.float32))
        return out

    def _ask(self, held: Float, frames: int) -> _Depth:
        """1 - gain for the `frames` samples whose surroundings have just become known."""
        level = np.maximum(np.abs(held[:, 0]), np.abs(held[:, 1]))
        between = _peaks_between(held, level, self._ceiling, self._harmless)
        peak = np.maximum(level[_AHEAD : _AHEAD + frames], between[:-1])
        np.maximum(peak, between[1:], out=peak)
        over = np.maximum(peak, self._ceiling).astype(np.float64)
        depth: _Depth = 1.0 - self._ceiling / over
        return depth

    def _lowest_ahead(self, fresh: _Depth) -> _Depth:
        asked = np.concatenate([self._asked, fresh])
        self._asked = asked[len(fresh) :]
        return _sliding_max(asked, _AHEAD + 1)

    def _release(self, depth: _Depth) -> _Depth:
        """Let the depth fall by no more than the release allows."""
        slope = np.arange(1, len(depth) + 1) / (_RELEASE_S * RATE)
        start = np.concatenate([self._eased[-1:], depth + slope])
        fallen = np.maximum.accumulate(start)[1:] - slope
        eased: _Depth = np.maximum(np.maximum(fallen, depth), 0.0)
        return eased

    def _average(self, depth: _Depth) -> _Depth:
        eased = np.concatenate([self._eased, depth])
        self._eased = eased[len(depth) :]
        self._idle = not (self._asked.any() or self._eased.any())
        total = np.concatenate([[0.0], np.cumsum(eased)])
        width = _AHEAD + 1
        mean: _Depth = (total[width:] - total[:-width]) / width
        return mean


def _peaks_between(held: Float, level: Float, ceiling: float, harmless: float) -> Float:
    """Largest magnitude between each sample and the next, from one before the first fresh one;
    0 where it cannot reach the ceiling."""
    first = _AHEAD - _HALF  # of the first window
    count = len(held) - first - _TAPS + 1
    peaks = np.zeros(count, dtype=np.float32)
    for at in range(0, count, _CHUNK):
        end = min(at + _CHUNK, count)
        reach = slice(first + at, first + end + _TAPS - 1)
        if level[reach].max() > harmless:
            peaks[at:end] = np.maximum(
                _look(held[reach, 0], ceiling), _look(held[reach, 1], ceiling)
            )
    return peaks


def _look(channel: Float, ceiling: float) -> Float:
    """Largest magnitude between the middle samples of each window of `channel`.

    The middle alone is looked at first. Up to 20 kHz, samples and middles together miss at most
    the factor `_MISSED` of a peak (1 / cos(pi / 2L), oversampled L-fold: Ehlich and Zeller).
    """
    taps = _interpolator().T
    channel = np.ascontiguousarray(channel)
    peaks: Float = np.abs(np.convolve(channel, taps[_PHASES // 2 - 1], "valid"))
    level = np.abs(channel[_HALF - 1 : _HALF + len(peaks)])
    close = np.flatnonzero(np.maximum(peaks, np.maximum(level[1:], level[:-1])) > ceiling * _MISSED)
    if len(close):
        # Phases by windows: reduced along the long axis, which is the quick one.
        points = np.dot(taps, sliding_window_view(channel, _TAPS)[close].T)
        peaks[close] = np.maximum(points.max(axis=0), -points.min(axis=0))
    return peaks


@cache
def _interpolator() -> Float:
    """Windowed sinc, (taps, phases - 1): the points between the two middle samples."""
    offset = np.arange(_TAPS)[:, np.newaxis] - (_HALF - 1) - np.arange(1, _PHASES) / _PHASES
    window = np.i0(_KAISER * np.sqrt(np.maximum(1 - (offset / _HALF) ** 2, 0)))
    taps = np.sinc(offset) * window
    unit: Float = (taps / taps.sum(axis=0)).astype(np.float32)
    return unit


def _sliding_max(values: _Depth, width: int) -> _Depth:
    """The largest of each `width` consecutive values, by doubling."""
    have = 1
    while have < width:
        step = min(have, width - have)
        values = np.maximum(values[:-step], values[step:])
        have += step
    return values
