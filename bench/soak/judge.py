"""From recordings and samples to the soak's figures. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dubcast.measure.figures import Bar, Figure
from dubcast.measure.flashbeep import SyncPoint
from dubcast.measure.timing import robust_slope

BARS = (
    Bar("good_seconds_share", ">=", 0.9999, "of `air`: carry both tracks, as they arrive"),
    Bar("rss_slope_mb_per_h_max", "<", 1, "of any process that lived long enough to tell"),
    Bar("av_drift_ms", "<", 20, "any minute against the first"),
    Bar("av_points", ">=", 20, "beeps heard clearly"),
    Bar("zombies", "==", 0),
    Bar("left_behind", "==", 0, "processes that outlive the end"),
)
# Caches, models and the delay fill up at first, and the worker's heap takes 25-30 min to the size
# that it then keeps (measured: 145 to 154 MB, and flat for the 40 min after).
SETTLED_S = 1800.0
LEAST_SPAN_S = 1200.0
_MINUTE_S = 60.0


@dataclass(frozen=True)
class Seconds:
    """Whole seconds in which a stream's output was expected, and those that carried both tracks.

    `bad`: the others, counted from the first.
    """

    count: int
    bad: tuple[int, ...]


def seconds(video_ns: NDArray[np.int64], audio_ns: NDArray[np.int64], last_ns: int) -> Seconds:
    """Judge the arrivals from the first tag until `last_ns`, all on one monotonic clock."""
    if not len(video_ns) or not len(audio_ns):
        return Seconds(0, ())
    first = int(max(video_ns[0], audio_ns[0]))
    count = int((last_ns - first) // 1_000_000_000)
    carried = [
        {int(second) for second in (track - first) // 1_000_000_000}
        for track in (video_ns, audio_ns)
    ]
    bad = [second for second in range(count) if not all(second in one for one in carried)]
    return Seconds(count, tuple(bad))


def outages(bad: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of bad seconds as (first, how many)."""
    found: list[tuple[int, int]] = []
    for second in bad:
        if found and second == sum(found[-1]):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((second, 1))
    return found


def slope_mb_per_h(samples: Sequence[tuple[float, float]]) -> float | None:
    """Robust slope of (seconds, MB) after settling, over medians of minutes; None: too short."""
    start = samples[0][0] + SETTLED_S if samples else 0.0
    minutes: dict[int, list[float]] = {}
    for at, size in samples:
        if at >= start:
            minutes.setdefault(int((at - start) // _MINUTE_S), []).append(size)
    if (len(minutes) - 1) * _MINUTE_S < LEAST_SPAN_S:
        return None
    sizes = [statistics.median(sizes) for sizes in minutes.values()]
    return robust_slope([minute / 60 for minute in minutes], sizes)


def drift_ms(points: Iterable[SyncPoint]) -> float | None:
    """The largest difference between a minute's median offset and the first minute's."""
    minutes: dict[int, list[float]] = {}
    for point in points:
        minutes.setdefault(int(point.t_s // _MINUTE_S), []).append(point.offset_ms)
    if not minutes:
        return None
    medians = [statistics.median(offsets) for _, offsets in sorted(minutes.items())]
    return max(abs(median - medians[0]) for median in medians)


@dataclass(frozen=True)
class Part:
    """What one run of the soak gave. A soak may consist of several."""

    commit: str | None
    seed: int
    minutes: float
    air: Seconds
    struck: Seconds
    slopes: dict[str, float | None]
    drift_ms: float | None
    av_points: int
    zombies: int
    left_behind: int
    faults: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` reads it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Part:
        """What `as_dict` wrote."""
        streams = {
            name: Seconds(data[name]["count"], tuple(data[name]["bad"]))
            for name in ("air", "struck")
        }
        return cls(**{**data, **streams})


def figures(parts: Sequence[Part]) -> dict[str, Figure]:
    """The figures of all parts together."""
    slopes = [slope for part in parts for slope in part.slopes.values() if slope is not None]
    drifts = [part.drift_ms for part in parts if part.drift_ms is not None]
    struck = [length for part in parts for _, length in outages(part.struck.bad)]
    return {
        "minutes": round(sum(part.minutes for part in parts), 1),
        "faults": sum(len(part.faults) for part in parts),
        "good_seconds_share": _share(part.air for part in parts),
        "rss_slope_mb_per_h_max": round(max(slopes), 3) if slopes else None,
        "av_drift_ms": round(max(drifts), 2) if drifts else None,
        "av_points": sum(part.av_points for part in parts),
        "zombies": sum(part.zombies for part in parts),
        "left_behind": sum(part.left_behind for part in parts),
        "struck_good_seconds_share": _share(part.struck for part in parts),
        "struck_outages": len(struck),
        "struck_longest_outage_s": max(struck, default=0),
    }


def _share(streams: Iterable[Seconds]) -> float | None:
    known = list(streams)
    total = sum(one.count for one in known)
    if not total:
        return None
    return round(1 - sum(len(one.bad) for one in known) / total, 6)
