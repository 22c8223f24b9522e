"""When dubs are heard against what they replace. Pure; times in s of content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

EARLIEST_S, LATEST_S = -0.05, 0.4
BAND = (0.95, 1.15)
# Two floats that were calculated are equal if they differ by less than this.
_TINY = 1e-9
# A fragment that begins this much before the end of the one before begins with it.
_SEAM_S = 0.05
_LOOK_BACK_S = 1.0


@dataclass(frozen=True)
class Placed:
    """One fragment with speech, or the clauses of it that were dubbed one after the other: its span
    in the source, the true onset of the speech in it, and its dub (None where it has none).
    `onset_s`: when the dub is heard first.
    """

    source_start_s: float
    source_end_s: float
    source_onset_s: float | None
    dub_start_s: float | None = None
    dub_end_s: float | None = None
    onset_s: float | None = None
    tempo: float = 1.0

    def joined(self, other: Placed) -> Placed:
        """With the dub of its next clause."""
        spoken_s = self.tempo * self.dub_s + other.tempo * other.dub_s
        tempo = spoken_s / max(self.dub_s + other.dub_s, 1e-3)
        ends = {"source_end_s": other.source_end_s, "dub_end_s": other.dub_end_s}
        return replace(self, **ends, tempo=tempo)

    @property
    def dubbed(self) -> bool:
        return self.dub_start_s is not None and self.dub_end_s is not None

    @property
    def dub_s(self) -> float:
        """Length of the dub."""
        if self.dub_start_s is None or self.dub_end_s is None:
            return 0.0
        return self.dub_end_s - self.dub_start_s


Run = tuple[float, float]


def speech_onset(
    runs: Sequence[Run],
    start_s: float,
    end_s: float,
    before_s: float,
    lines: Sequence[Run] = (),
) -> float | None:
    """Where the speech of a fragment really begins; None if there is none in it.

    `runs`: the true spans of speech; `before_s`: end of the fragment before. What was said after
    that belongs to this fragment, even if it begins late; a cut within speech begins at the cut.
    Only the last words of a line (`lines`: the spans of the sentences that were spoken) belong to
    the fragment before, if it has the line's first ones and this one has nothing of it.
    """
    over = [line for line in lines if line[0] < before_s - _SEAM_S and line[1] <= start_s]
    for first, last in runs:
        own = first >= before_s - _SEAM_S and first >= start_s - _LOOK_BACK_S
        if own and first < end_s and not any(a <= first < b for a, b in over):
            return first
        if first < start_s + _SEAM_S < last:
            return start_s
    return None


def in_window_share(placed: Sequence[Placed]) -> float:
    """Share of all fragments whose dub is heard -50..+400 ms from the onset of their speech.

    A fragment without a dub counts as missed: dropping what is late wins nothing.
    """
    return sum(_in_window(one) for one in placed) / len(placed) if placed else 0.0


def _in_window(one: Placed) -> bool:
    if one.onset_s is None or one.source_onset_s is None:
        return False
    late = one.onset_s - one.source_onset_s
    return EARLIEST_S - _TINY <= late <= LATEST_S + _TINY


def tempo_in_band_share(placed: Sequence[Placed]) -> float:
    """Share of the dubbed time that is spoken at 0.95 to 1.15 times its natural tempo."""
    total = sum(one.dub_s for one in placed if one.dubbed)
    inside = sum(one.dub_s for one in placed if BAND[0] - _TINY <= one.tempo <= BAND[1] + _TINY)
    return inside / total if total else 0.0


def tempo_max(placed: Sequence[Placed]) -> float | None:
    """The fastest dub."""
    return max((one.tempo for one in placed if one.dubbed), default=None)


def backlogs(placed: Sequence[Placed]) -> list[tuple[float, float]]:
    """(end of the source span, s by which its dub still speaks when the next speech begins).

    After the last fragment nothing begins: there it is by how much the dub outlasts its source.
    """
    found = []
    for index, one in enumerate(placed):
        if one.dub_end_s is None:
            continue
        later = [p.source_onset_s for p in placed[index + 1 :] if p.source_onset_s is not None]
        limit = later[0] if later else one.source_end_s
        found.append((one.source_end_s, max(one.dub_end_s - limit, 0.0)))
    return found


def backlog_end_s(points: Sequence[tuple[float, float]], last_s: float = 20.0) -> float | None:
    """The largest backlog within the last seconds of the speech."""
    if not points:
        return None
    end = points[-1][0]
    return max(value for at, value in points if at >= end - last_s)


def backlog_slope_s_per_min(points: Sequence[tuple[float, float]]) -> float | None:
    """The trend of the backlog: least squares over all fragments."""
    if len(points) < 3:
        return None
    at, value = np.array(points).T
    return float(60 * np.polyfit(at, value, 1)[0])


def overlapping_s(placed: Sequence[Placed]) -> float:
    """How long two dubs speak at a time, in all."""
    spans = sorted((p.dub_start_s, p.dub_end_s) for p in placed if p.dub_start_s and p.dub_end_s)
    reached, total = 0.0, 0.0
    for first, last in spans:
        total += max(0.0, min(reached, last) - first)
        reached = max(reached, last)
    return total


def active_runs(
    level_db: NDArray[np.float64], step_s: float, above_db: float, close_s: float
) -> list[Run]:
    """Spans (s) where a level is above a threshold; gaps shorter than `close_s` are closed."""
    loud = np.flatnonzero(level_db > above_db)
    runs: list[Run] = []
    for index in loud.tolist():
        at = index * step_s
        if runs and at - runs[-1][1] < close_s:
            runs[-1] = (runs[-1][0], at + step_s)
        else:
            runs.append((at, at + step_s))
    return runs
