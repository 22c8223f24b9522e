"""The short soak: the demo's programme looped for many minutes, nothing broken; memory, sync and
gaps to the end. Everything is real, the speech service too.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from dubcast.config import Settings
from dubcast.measure import figures, stage
from dubcast.measure.asrun import fragment_figures
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.narrated import narrated
from dubcast.measure.playing import Ends, OnStage, Played, play
from dubcast.measure.probe import ProbeReport, probe
from dubcast.measure.stage import Sample

BARS = (
    Bar("rss_growth_max", "<=", 0.05, "of any process, first to last part"),
    Bar("av_offset_max_abs_ms", "<=", 10),
    Bar("av_offset_slope_ms_per_min", "<=", 1),
    Bar("av_points", ">=", 100, "beeps heard clearly: no dub over them"),
    Bar("output_gap_added_ms", "<=", 0, "beyond one frame and the source's own"),
)
_STREAM = "soak"
# Memory settles while models, caches and the delay fill up: the base is taken after that.
_SETTLED_SHARE = 0.2
_PART_SHARE = 0.15
_LEAST_SAMPLES = 40


def run(settings: Settings, out: Path, minutes: float, console: Console) -> bool:
    """Run it; whether every bar is met. Writes `soak.json` into `out`."""
    stage.clear(out)
    material = narrated(settings)
    roles, third = stage.stage_settings(settings, out, (_STREAM,))
    ends = Ends(out / "soak-source.flv", out / "soak-dubbed.flv")
    with stage.running(roles, third, out) as up_pid:
        where = OnStage(roles, third, up_pid, out)
        seconds, delay_s = 60 * minutes, roles.stream.delay_s
        played = play(
            where, _STREAM, material.clip, ends, seconds=seconds, delay_s=delay_s, loop=True
        )
    console.print("measuring", highlight=False)
    report = probe(ends.output)
    found = figures_of(report, probe(ends.source, sync=False), played, minutes)
    detail = {
        "rss_growth": {name: round(growth(one), 4) for name, one in played.samples.items()},
        "rss_mb": {name: _peak(one) for name, one in played.samples.items()},
        "sync": asdict(report.sync) if report.sync else None,
    }
    return figures.report(
        out / "soak.json", found, BARS, seed=material.seed, detail=detail, console=console
    )


def figures_of(
    report: ProbeReport, source: ProbeReport, played: Played, minutes: float
) -> dict[str, Figure]:
    """The figures of a run, from its output, its source and its processes."""
    sync = report.sync
    gap, own = report.gap_max_ms, source.gap_max_ms
    return {
        "minutes": minutes,
        "recorded_s": round(report.duration_s, 1),
        "rss_growth_max": round(max(growth(one) for one in played.samples.values()), 4),
        "av_offset_max_abs_ms": sync.max_abs_ms if sync else None,
        "av_offset_slope_ms_per_min": abs(sync.slope_ms_per_min or 0.0) if sync else None,
        "av_points": len(sync.points) if sync else 0,
        "output_gap_max_ms": gap,
        "source_gap_max_ms": own,  # the loop's seam: the clip's sound outlasts its picture
        "output_gap_added_ms": round(max(gap - own, 0.0), 1),
        **fragment_figures(played.fragments),
        **asdict(played.usage),
    }


def _peak(samples: Sequence[Sample]) -> float:
    return round(max(sample.rss_mb for sample in samples), 1)


def growth(samples: Sequence[Sample]) -> float:
    """Growth of the median RSS from a part after settling to the last part; 0 if too short."""
    if len(samples) < _LEAST_SAMPLES:
        return 0.0
    start, stop = samples[0].at_s, samples[-1].at_s
    span = stop - start

    def part(first: float, last: float) -> float:
        chosen = [s.rss_mb for s in samples if first <= (s.at_s - start) / span <= last]
        return statistics.median(chosen)

    before = part(_SETTLED_SHARE, _SETTLED_SHARE + _PART_SHARE)
    return part(1 - _PART_SHARE, 1.0) / before - 1
