"""The demo: build the programme, put it on air, record what a third party gets, and judge it."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from dubcast.config import Settings
from dubcast.demo import report, verdict
from dubcast.demo.verdict import Take
from dubcast.measure import figures as figures_module
from dubcast.measure import stage
from dubcast.measure.material import Material
from dubcast.measure.narrated import LONG_GOP, narrated
from dubcast.measure.playing import Ends, OnStage, play
from dubcast.measure.stage import Usage

_MAIN_ID, _LONG_GOP_ID = "demo", "demo250"


def run(settings: Settings, out: Path, setup_s: float | None, console: Console) -> bool:
    """Run the whole demo; whether every bar is met. Files go to `out`.

    Raises MissingPartError, MediaError or ProbeError if it cannot be run or measured.
    """
    stage.clear(out)
    console.print("building the programme (kept for the next time)", highlight=False)
    main, long_gop = narrated(settings), narrated(settings, LONG_GOP)
    roles, third = stage.stage_settings(settings, out, (_MAIN_ID, _LONG_GOP_ID))
    started_ns = time.monotonic_ns()
    with stage.running(roles, third, out) as up_pid:
        where = OnStage(roles, third, up_pid, out)
        take, usage = _take(where, main, _MAIN_ID, started_ns)
        console.print("second clip: key frames 250 pictures apart", highlight=False)
        second, _ = _take(where, long_gop, _LONG_GOP_ID, started_ns)
    console.print("measuring", highlight=False)
    measured = verdict.measure(take, main.narration, roles)
    figures = dict(measured.figures)
    figures["video_bit_exact_gop250"] = verdict.pictures_exact(second)
    figures["worker_cpu"] = usage.worker_cpu
    figures["worker_rss_mb"] = usage.worker_rss_mb
    figures["sts_cpu"] = usage.sts_cpu
    figures["setup_s"] = setup_s
    written = report.write(verdict.report(take, measured, figures, main.seed), out)
    verdicts = figures_module.judge(figures, verdict.BARS)
    console.print(figures_module.table(verdicts, title="dubcast demo"))
    for label, path in (("recording", take.output), ("report", written.html)):
        console.print(f"{label}: {path}", highlight=False, soft_wrap=True)
    return written.passed


def _take(
    where: OnStage, material: Material, stream_id: str, started_ns: int
) -> tuple[Take, Usage]:
    """Play one clip through everything and record both ends."""
    out, delay_s = where.out, where.roles.stream.delay_s
    ends = Ends(out / f"{stream_id}-source.flv", out / f"{stream_id}-dubbed.flv")
    played = play(
        where, stream_id, material.clip, ends, seconds=material.duration_s, delay_s=delay_s
    )
    take = Take(ends.source, ends.output, played.fragments, delay_s, started_ns)
    return take, played.usage
