"""Lets audio run a little slower or faster than it came, to follow a publisher's clock. Pure.

A windowed-sinc interpolator at a fractional position that moves on by `1 - rate` samples a sample
(band-limited interpolation, J. O. Smith). At rate 0 and a whole position it does nothing: what
goes in comes out, bit by bit, at once.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from dubcast.audio.pcm import CHANNELS, Float, Int16

Positions = npt.NDArray[np.float64]

HALF = 8  # samples that it looks ahead, and behind, while it is at work
_TAPS = 2 * HALF
_PHASES = 256  # between them the weights are interpolated: error below -95 dB
_LANDING = 4800  # outputs over which the position comes back to a whole number


def _weights() -> Float:
    """Row p: the weights at a fraction p / _PHASES. At 0 and 1 they are a single one."""
    away = np.arange(_TAPS) - (HALF - 1) - np.linspace(0, 1, _PHASES + 1)[:, np.newaxis]
    inside = np.sqrt(np.maximum(1 - np.square(away / HALF), 0))
    rows = np.sinc(away) * np.i0(8.0 * inside)
    table: Float = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    return table


class SlowResampler:
    """Resamples a stream of blocks at a rate that may change from block to block."""

    def __init__(self) -> None:
        self._table = _weights()
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next block begins afresh."""
        self._held: Int16 = np.zeros((HALF, CHANNELS), np.int16)
        self._at = float(HALF)  # position in `_held` of the next sample to come out
        self._landing = 0  # outputs until the position is a whole number

    @property
    def pending(self) -> float:
        """How many samples that came in have not gone out yet."""
        return len(self._held) - self._at

    @property
    def idle(self) -> bool:
        """True when blocks pass bit by bit."""
        return self._at.is_integer() and not self._landing

    def land(self) -> None:
        """Come back to a whole position within 0.1 s; `rate` has no effect until then."""
        if not self._at.is_integer():
            self._landing = _LANDING

    def feed(self, block: Int16, rate: float) -> Int16:
        """The output that `block` (frames, 2) completes: longer by `rate` times its length.

        `rate` stays within +-0.001: beyond, the pitch can be heard.
        """
        held = np.concatenate([self._held, block])
        if self.idle and not rate:
            out, self._at = held[int(self._at) :], float(len(held))
        else:
            positions = self._positions(len(held) - HALF, rate)
            out = self._interpolate(held, positions)
        keep = int(self._at) - HALF
        self._held, self._at = held[keep:], self._at - keep
        return out

    def _positions(self, limit: int, rate: float) -> Positions:
        """Where the next outputs lie, up to `limit`; moves on."""
        if not self._landing:
            return self._move(limit, 1 - rate)
        goal = round(self._at + self._landing)
        slow = self._move(limit, (goal - self._at) / self._landing, self._landing)
        self._landing -= len(slow)
        if self._landing:
            return slow
        self._at = float(goal)
        return np.concatenate([slow, self._move(limit, 1.0)])

    def _move(self, limit: int, step: float, most: int | None = None) -> Positions:
        count = max(math.ceil((limit - self._at) / step), 0)
        count = count if most is None else min(count, most)
        first, self._at = self._at, self._at + step * count
        return np.arange(count, dtype=np.float64) * step + first

    def _interpolate(self, held: Int16, positions: Positions) -> Int16:
        if not len(positions):
            return np.zeros((0, CHANNELS), np.int16)
        whole = np.floor(positions).astype(np.intp)
        phase = (positions - whole) * _PHASES
        row = phase.astype(np.intp)
        part = (phase - row).astype(np.float32)
        weights = self._table[row]
        weights += (self._table[row + 1] - weights) * part[:, np.newaxis]
        taps = np.lib.stride_tricks.sliding_window_view(held.T.astype(np.float32), _TAPS, axis=1)
        mixed = np.empty((CHANNELS, len(positions)), np.float32)
        # The position moves on by 1 but for a sample here and there: views, and nothing gathered.
        for first, stop in itertools.pairwise(_runs(whole)):
            at = whole[first] - (HALF - 1)
            around = taps[:, at : at + stop - first]
            np.einsum("cnt,nt->cn", around, weights[first:stop], out=mixed[:, first:stop])
        out: Int16 = np.clip(np.rint(mixed.T), -32768, 32767).astype(np.int16)
        return out


def _runs(whole: npt.NDArray[np.intp]) -> list[int]:
    """Where runs of consecutive numbers begin, and the end."""
    return [0, *(np.flatnonzero(np.diff(whole) != 1) + 1).tolist(), len(whole)]
