"""From recordings, as-run records and samples to one row for each fault. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dubcast import flv
from dubcast.contract.worker import AsRunEntry, Outcome
from dubcast.measure.figures import Figure
from dubcast.measure.flashbeep import SyncPoint

_ROUNDING_MS = 2.0  # timestamps are whole milliseconds
NS_PER_S = 1_000_000_000
Span = tuple[int, int]  # from, until; ns of the monotonic clock


@dataclass(frozen=True)
class Tape:
    """One stream as it arrived: rows of (arrival in ns, connection, kind, DTS in ms), in order.

    `points`: the beeps heard, by when their flash arrived (ns), with the A/V offset in ms.
    `seams_ms`: by track, the hole that the source itself has where its clip begins again.
    """

    rows: NDArray[np.int64]
    points: tuple[tuple[int, float], ...] = ()
    seams_ms: Mapping[int, float] = field(default_factory=dict)

    def gap_ms(self, kind: int, span: Span) -> float:
        """The largest hole of a track in `span`, in ms beyond one nominal frame.

        Within a connection by the timestamps. Where it was made anew, by the arrivals: that is
        what a viewer waits. What is missing at the end of `span` counts as well.
        """
        inside = self._inside(kind, span)
        if len(inside) < 2:
            return (span[1] - span[0]) / 1e6
        over = float(_beyond(inside).max())
        silent = (span[1] - int(inside[-1, 0])) / 1e6 - _LATEST_MS
        return round(max(0.0 if over <= self._allowed_ms(kind) else over, silent, 0.0), 1)

    def stall_ms(self, span: Span) -> float:
        """The longest that nothing of a track arrived in `span`, whatever the timestamps say."""
        waits = [np.diff(self._inside(kind, span)[:, 0]) for kind in (flv.VIDEO, flv.AUDIO)]
        return round(max((int(one.max()) for one in waits if len(one)), default=0) / 1e6, 1)

    def steady_s(self, healed_ns: int, span: Span) -> float:
        """Seconds from the end of a fault to the end of the last hole or stall in `span`."""
        last = healed_ns
        for kind in (flv.VIDEO, flv.AUDIO):
            inside = self._inside(kind, span)
            late = np.diff(inside[:, 0]) / 1e6 > _LATEST_MS
            bad = (_beyond(inside) > self._allowed_ms(kind)) | late
            ended = not len(inside) or (span[1] - inside[-1, 0]) / 1e6 > _LATEST_MS
            last = max([last, *inside[1:][bad, 0].tolist(), *([span[1]] if ended else [])])
        return round((last - healed_ns) / 1e9, 2)

    def _allowed_ms(self, kind: int) -> float:
        return self.seams_ms.get(kind, 0.0) + _ROUNDING_MS

    def _inside(self, kind: int, span: Span) -> NDArray[np.int64]:
        track = self.rows[self.rows[:, 2] == kind]
        return track[(track[:, 0] >= span[0]) & (track[:, 0] <= span[1])]

    def back_s(self, after_ns: int) -> float | None:
        """Seconds from `after_ns` to the first picture of a connection made after it."""
        video = self.rows[(self.rows[:, 2] == flv.VIDEO) & (self.rows[:, 0] >= after_ns)]
        before = self.rows[self.rows[:, 0] < after_ns]
        if not len(video) or not len(before):
            return None
        fresh = video[video[:, 1] > before[-1, 1]]
        return round((int(fresh[0, 0]) - after_ns) / 1e9, 2) if len(fresh) else None

    def connections(self, span: Span) -> int:
        """How often the connection was made anew in `span`."""
        inside = self.rows[(self.rows[:, 0] >= span[0]) & (self.rows[:, 0] <= span[1])]
        return len(set(inside[:, 1].tolist())) - 1 if len(inside) else 0

    def monotone(self, span: Span) -> bool:
        """True if no timestamp of a track goes back in `span` while its connection lasts."""
        for kind in (flv.VIDEO, flv.AUDIO):
            rows = self.rows[self.rows[:, 2] == kind]
            rows = rows[(rows[:, 0] >= span[0]) & (rows[:, 0] <= span[1])]
            if ((np.diff(rows[:, 3]) < 0) & (np.diff(rows[:, 1]) == 0)).any():
                return False
        return True

    def av_offset_ms(self, span: Span) -> float | None:
        """The median A/V offset of the beeps in `span`; None if none was heard clearly."""
        found = [offset for at, offset in self.points if span[0] <= at <= span[1]]
        return round(statistics.median(found), 2) if found else None


# A window may end between two tags, and arrivals jitter.
_LATEST_MS = 500.0


def _beyond(track: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much each step of a track exceeds its nominal frame, in ms."""
    steps = np.diff(track[:, 3]).astype(float)
    anew = np.diff(track[:, 1]) != 0
    nominal = float(np.median(steps[~anew])) if (~anew).any() else 0.0
    steps[anew] = np.diff(track[:, 0])[anew] / 1e6
    return steps - nominal


def seams_ms(tags: Iterable[flv.Tag]) -> dict[int, float]:
    """The largest hole of each track, in ms beyond its usual step, in what a publisher sends."""
    tracks: dict[int, list[int]] = {flv.VIDEO: [], flv.AUDIO: []}
    for tag in tags:
        if tag.kind in tracks:
            tracks[tag.kind].append(tag.dts_ms)
    steps = {kind: np.diff(dts_ms) for kind, dts_ms in tracks.items() if len(dts_ms) > 1}
    return {kind: float(one.max() - np.median(one)) for kind, one in steps.items()}


def tape(
    connections: Sequence[tuple[NDArray[np.int64], Iterable[SyncPoint]]],
    seams: Mapping[int, float] | None = None,
) -> Tape:
    """A stream's tape: of each connection its rows of (arrival, kind, DTS), and the beeps heard."""
    parts, points = [], []
    for number, (rows, beeps) in enumerate(connections):
        wide = np.insert(rows, 1, number, axis=1)
        parts.append(wide)
        video = wide[wide[:, 2] == flv.VIDEO]
        for beep in beeps:
            nearest = int(np.abs(video[:, 3] - 1000 * beep.t_s).argmin())
            points.append((int(video[nearest, 0]), beep.offset_ms))
    return Tape(
        np.concatenate(parts) if parts else np.zeros((0, 4), np.int64), tuple(points), seams or {}
    )


@dataclass(frozen=True)
class Events:
    """A stream's as-run entries, oldest first."""

    entries: Sequence[AsRunEntry]

    def _aired(self, dubbed: bool, after_ns: int) -> list[int]:
        return [
            one.air_ns
            for one in self.entries
            if one.air_ns is not None
            and one.air_ns >= after_ns
            and (one.outcome is Outcome.DUBBED) is dubbed
            and not one.outcome.original_is_right
        ]

    def fallback_onset_ms(self, span: Span) -> float | None:
        """From the fault to when the first fragment that it took the dub from is on air."""
        aired = self._aired(False, span[0])
        return round((aired[0] - span[0]) / 1e6, 1) if aired and aired[0] <= span[1] else None

    def dubbed_again_s(self, healed_ns: int) -> float | None:
        """From the end of the fault to the first dub that goes on air, if it was ever gone."""
        aired = self._aired(True, healed_ns)
        return round((aired[0] - healed_ns) / 1e9, 2) if aired else None

    def undecided(self) -> int:
        """Fragments of which nothing is known: neither a dub nor what stood in for it."""
        missing = 0
        runs: dict[str, list[int]] = {}
        for one in self.entries:
            run = one.fragment_id.rpartition("-")[0]
            runs.setdefault(run, []).append(one.sequence_number)
        for numbers in runs.values():
            missing += max(numbers) - min(numbers) + 1 - len(set(numbers))
        return missing


@dataclass
class Row:
    """One fault. `bars` hold what is asked of it, by key: the most that is allowed."""

    name: str
    gap_video_ms: float | None = None
    gap_audio_ms: float | None = None
    fallback_onset_ms: float | None = None
    recovery_s: float | None = None
    av_offset_after_ms: float | None = None
    restarts: int | None = None
    rss_peak_mb: float | None = None
    bars: dict[str, float] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    commit: str | None = None  # what was measured

    @property
    def missed(self) -> list[str]:
        """The keys whose bar is not met. What was not measured is not met."""
        values = {**asdict(self), **self.detail}
        return [
            key
            for key, most in self.bars.items()
            if values.get(key) is None or abs(float(values[key])) > most
        ]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the JSON file."""
        return {**asdict(self), "ok": not self.missed, "missed": self.missed}


def renewed(known: Iterable[Mapping[str, Any]], fresh: Sequence[Row]) -> list[Row]:
    """The rows of a document, those measured anew in their places and new ones at the end."""
    names = {one.name for one in fields(Row)}
    rows = {row["name"]: Row(**{k: v for k, v in row.items() if k in names}) for row in known}
    return list((rows | {row.name: row for row in fresh}).values())


def figures(rows: Sequence[Row]) -> dict[str, Figure]:
    """The keys of faults.json from the rows that are there."""
    known = {row.name: row for row in rows}

    def of(name: str, key: str) -> Figure:
        row = known.get(name)
        return None if row is None else {**asdict(row), **row.detail}.get(key)

    gaps = [
        max(row.gap_video_ms or 0.0, row.gap_audio_ms or 0.0)
        for row in rows
        if row.name.startswith(("sts_", "separation_"))
    ]
    return {
        "faults": [row.as_dict() for row in rows],
        "faults_missed": sum(bool(row.missed) for row in rows),
        "sts_fault_gap_max_ms": max(gaps) if gaps else None,
        "calls_to_dead_sts_60s": of("sts_gone", "calls"),
        "sts_back_recovery_s": of("sts_gone", "recovery_s"),
        "publisher_back_same_worker": _same(of("publisher_back", "restarts")),
        "publisher_back_av_offset_ms": of("publisher_back", "av_offset_after_ms"),
        "worker_kill_recovery_s": of("worker_killed", "recovery_s"),
        "media_server_recovery_s": of("media_server_killed", "recovery_s"),
        "orchestrator_kill_gap_ms": of("orchestrator_killed", "gap_video_ms"),
        "adopt_s": of("orchestrator_killed", "adopt_s"),
        "hook_orders_violations": of("hook_orders", "violations"),
        "bad_reply_crashes": of("bad_replies", "crashes"),
        "control_gap_ms": of("control", "gap_video_ms"),
    }


def _same(restarts: Figure) -> bool | None:
    return None if restarts is None else restarts == 0
