"""Pure sums over timestamps: gaps, order, straight lines, delays. Times in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MAX_LISTED = 20
# A gap below this is jitter of the container's whole milliseconds.
_LISTED_GAP_MS = 20.0
_MAX_PAIRS_POINTS = 1500
_OPENING_NS = 3_000_000_000
_BURST_MS = 15.0


@dataclass(frozen=True)
class Gap:
    """A hole in a track: where it begins, and how much longer than one frame the step is."""

    at_ms: float
    ms: float


@dataclass(frozen=True)
class TrackTiming:
    """The steps of one track. `gap_max_ms` is the largest step less one nominal frame."""

    count: int
    first_dts_ms: float
    last_dts_ms: float
    nominal_ms: float
    gap_max_ms: float
    gap_at_ms: float
    gaps: list[Gap]
    dts_backwards: int
    dts_repeats: int

    @property
    def monotone(self) -> bool:
        """Whether no DTS goes back."""
        return self.dts_backwards == 0


def track_timing(dts_ms: Sequence[int], nominal_ms: float | None = None) -> TrackTiming | None:
    """Gaps and order of a track in file order; the median step is nominal unless given.

    None for an empty track. A backward step counts as disorder, and the step after it is
    measured from the latest time so far, so that one disorder does not also count as a gap.
    """
    if not dts_ms:
        return None
    times = np.asarray(dts_ms, dtype=np.float64)
    steps = np.diff(times)
    nominal_ms = nominal_ms or _nominal(steps)
    holes = np.diff(np.maximum.accumulate(times)) - nominal_ms
    worst = int(np.argmax(holes)) if len(holes) else 0
    listed = [i for i in np.argsort(-holes)[:_MAX_LISTED] if holes[i] >= _LISTED_GAP_MS]
    return TrackTiming(
        count=len(times),
        first_dts_ms=float(times.min()),
        last_dts_ms=float(times.max()),
        nominal_ms=nominal_ms,
        gap_max_ms=max(0.0, float(holes[worst])) if len(holes) else 0.0,
        gap_at_ms=float(times[worst]),
        gaps=[Gap(float(times[i]), float(holes[i])) for i in sorted(listed)],
        dts_backwards=int((steps < 0).sum()),
        dts_repeats=int((steps == 0).sum()),
    )


def _nominal(steps: NDArray[np.float64]) -> float:
    """The usual step: whole milliseconds around the median, averaged (33, 33, 34 is 33.3)."""
    if not len(steps):
        return 0.0
    usual = steps[np.abs(steps - np.median(steps)) < 1.5]
    return float(usual.mean())


def robust_slope(x: ArrayLike, y: ArrayLike) -> float:
    """The median slope over all pairs of points (Theil-Sen); 0.0 with fewer than two."""
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(xs) > _MAX_PAIRS_POINTS:
        keep = np.linspace(0, len(xs) - 1, _MAX_PAIRS_POINTS).astype(int)
        xs, ys = xs[keep], ys[keep]
    first, second = np.triu_indices(len(xs), 1)
    run = xs[second] - xs[first]
    useful = run != 0
    if not useful.any():
        return 0.0
    return float(np.median((ys[second] - ys[first])[useful] / run[useful]))


@dataclass(frozen=True)
class ConstantRun:
    """From unit `start` on (counted among the matched), all deltas are these."""

    start: int
    count: int
    dts_delta_ms: int
    pts_delta_ms: int


def constant_runs(dts_deltas: Sequence[int], pts_deltas: Sequence[int]) -> list[ConstantRun]:
    """Maximal runs of equal (DTS, PTS) deltas; one run means one constant."""
    runs: list[ConstantRun] = []
    start = 0
    pairs = list(zip(dts_deltas, pts_deltas, strict=True))
    for index in range(1, len(pairs) + 1):
        if index == len(pairs) or pairs[index] != pairs[start]:
            runs.append(ConstantRun(start, index - start, *pairs[start]))
            start = index
    return runs


@dataclass(frozen=True)
class Delay:
    """Input to output, over the units that arrived in real time on both sides."""

    median_s: float
    spread_p99_ms: float
    min_s: float
    max_s: float
    count: int
    excluded: int
    points: list[tuple[float, float]]


def steady(arrival_ns: NDArray[np.int64], dts_ms: ArrayLike) -> NDArray[np.bool_]:
    """False for the units at the start that came in a burst (a server's cached GOP).

    Such units are late by up to a GOP; the burst is over when a unit is as early as the
    earliest of the first seconds.
    """
    lateness = arrival_ns / 1e6 - np.asarray(dts_ms, dtype=np.float64)
    opening = arrival_ns - arrival_ns[0] < _OPENING_NS
    first = int(np.argmax(lateness < lateness[opening].min() + _BURST_MS))
    return np.asarray(np.arange(len(lateness)) >= first)


def delay(
    in_ns: NDArray[np.int64],
    out_ns: NDArray[np.int64],
    usable: NDArray[np.bool_],
    out_ms: ArrayLike,
) -> Delay | None:
    """Delay of matched units; `out_ms` is their output time, for the plot. None without any."""
    seconds = (out_ns - in_ns)[usable] / 1e9
    if not len(seconds):
        return None
    times = np.asarray(out_ms, dtype=np.float64)[usable] / 1000
    median = float(np.median(seconds))
    step = max(1, len(seconds) // 500)
    return Delay(
        median_s=median,
        spread_p99_ms=float(np.percentile(np.abs(seconds - median), 99) * 1000),
        min_s=float(seconds.min()),
        max_s=float(seconds.max()),
        count=len(seconds),
        excluded=int((~usable).sum()),
        points=[
            (round(float(t), 3), round(float(d), 4))
            for t, d in zip(times[::step], seconds[::step], strict=True)
        ],
    )
