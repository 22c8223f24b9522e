"""The short soak: the programme looped for many minutes; memory, sync and gaps to the end."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from dubcast.config import Settings
from dubcast.contract.ids import ingest_path
from dubcast.demo import show, verdict
from dubcast.live_view import LiveView
from dubcast.measure import figures, stage
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.probe import ProbeReport, probe
from dubcast.measure.recorder import RecorderProcess
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


def soak(settings: Settings, out: Path, minutes: float, console: Console) -> bool:
    """Run it; whether every bar is met. Writes `soak.json` into `out`."""
    show.clean(out)
    material, _ = show.materials(settings)
    roles, third = stage.stage_settings(settings, out, (_STREAM,))
    ingest = f"rtmp://127.0.0.1:{roles.media_server.rtmp_port}/{ingest_path(_STREAM)}"
    asrun = out / "asrun" / f"{_STREAM}.asrun.jsonl"
    with stage.running(roles, third, out) as up_pid:
        source = RecorderProcess(ingest, out / "soak-source.flv")
        output = RecorderProcess(stage.third_party_url(third, _STREAM), out / "soak-dubbed.flv")
        publisher = stage.publish(material.clip, ingest, out, loop_s=minutes * 60)
        try:
            with LiveView(_STREAM) as view, stage.Watcher(up_pid, _STREAM, asrun) as watcher:
                show.show_until_published(publisher, view, watcher, minutes * 60)
                show.show_for(roles.stream.delay_s + 3, view, watcher)
        finally:
            publisher.stop()
            source.stop()
            output.stop()
    console.print("measuring", highlight=False)
    report = probe(output.path)
    found = _figures(report, probe(source.path, sync=False), watcher, minutes)
    detail = {
        "rss_growth": {name: round(_growth(one), 4) for name, one in watcher.samples.items()},
        "rss_mb": {name: _peak(one) for name, one in watcher.samples.items()},
        "sync": asdict(report.sync) if report.sync else None,
    }
    return figures.report(
        out / "soak.json", found, BARS, seed=material.seed, detail=detail, console=console
    )


def _figures(
    report: ProbeReport, source: ProbeReport, watcher: stage.Watcher, minutes: float
) -> dict[str, Figure]:
    sync = report.sync
    gap, own = verdict.largest_gap_ms(report), verdict.largest_gap_ms(source)
    return {
        "minutes": minutes,
        "recorded_s": round(report.duration_s, 1),
        "rss_growth_max": round(max(_growth(one) for one in watcher.samples.values()), 4),
        "av_offset_max_abs_ms": sync.max_abs_ms if sync else None,
        "av_offset_slope_ms_per_min": abs(sync.slope_ms_per_min or 0.0) if sync else None,
        "av_points": len(sync.points) if sync else 0,
        "output_gap_max_ms": gap,
        "source_gap_max_ms": own,  # the loop's seam: the clip's sound outlasts its picture
        "output_gap_added_ms": round(max(gap - own, 0.0), 1),
        **verdict.fragment_figures(watcher.fragments),
        **asdict(watcher.usage()),
    }


def _peak(samples: Sequence[Sample]) -> float:
    return round(max(sample.rss_mb for sample in samples), 1)


def _growth(samples: Sequence[Sample]) -> float:
    """Growth of the median RSS from a part after settling to the last part; 0 if too short."""
    if len(samples) < 40:
        return 0.0
    start, stop = samples[0].at_s, samples[-1].at_s
    span = stop - start

    def part(first: float, last: float) -> float:
        chosen = [s.rss_mb for s in samples if first <= (s.at_s - start) / span <= last]
        return statistics.median(chosen)

    before = part(_SETTLED_SHARE, _SETTLED_SHARE + _PART_SHARE)
    return part(1 - _PART_SHARE, 1.0) / before - 1
