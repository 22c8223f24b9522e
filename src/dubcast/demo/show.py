"""The demo: build the programme, put it on air, record what a third party gets, and judge it."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from dubcast.config import Settings, cache_dir
from dubcast.contract.ids import ingest_path
from dubcast.demo import report, verdict
from dubcast.demo.verdict import Take
from dubcast.errors import MediaError
from dubcast.live_view import LiveView
from dubcast.measure import engines, stage
from dubcast.measure import figures as figures_module
from dubcast.measure.material import SENTENCES, Material, MaterialSpec, build
from dubcast.measure.recorder import RecorderProcess

MAIN = MaterialSpec()
LONG_GOP = replace(MAIN, gop=250, sentences=SENTENCES[:6], min_s=25.0, max_s=34.0)
_MAIN_ID, _LONG_GOP_ID = "demo", "demo250"
_TAIL_S = 3.0
_FIRST_DATA_S = 30.0
_PUBLISH_SLACK_S = 30.0


def run(settings: Settings, out: Path, setup_s: float | None, console: Console) -> bool:
    """Run the whole demo; whether every bar is met. Files go to `out`.

    Raises MissingPartError, MediaError or ProbeError if it cannot be run or measured.
    """
    clean(out)
    console.print("building the programme (kept for the next time)", highlight=False)
    main, long_gop = materials(settings)
    roles, third = stage.stage_settings(settings, out, (_MAIN_ID, _LONG_GOP_ID))
    started_ns = time.monotonic_ns()
    with stage.running(roles, third, out) as up_pid:
        take, usage = _take(roles, third, main, _MAIN_ID, up_pid, out, started_ns)
        console.print("second clip: key frames 250 pictures apart", highlight=False)
        second, _ = _take(roles, third, long_gop, _LONG_GOP_ID, up_pid, out, started_ns)
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


def materials(settings: Settings) -> tuple[Material, Material]:
    """Both clips, from the cache or made."""
    folder = cache_dir() / "demo"
    with engines.narrator(settings) as speak:
        return build(MAIN, speak, folder), build(LONG_GOP, speak, folder)


def clean(out: Path) -> None:
    """An empty folder but for older reports."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out / "asrun", ignore_errors=True)
    for pattern in ("*.flv", "*.arrivals", "*.log"):
        for path in out.glob(pattern):
            path.unlink()


def _take(
    roles: Settings,
    third: Settings,
    material: Material,
    stream_id: str,
    up_pid: int,
    out: Path,
    started_ns: int,
) -> tuple[Take, stage.Usage]:
    """Play one clip through everything and record both ends."""
    ingest = f"rtmp://127.0.0.1:{roles.media_server.rtmp_port}/{ingest_path(stream_id)}"
    source = RecorderProcess(ingest, out / f"{stream_id}-source.flv")
    output = RecorderProcess(
        stage.third_party_url(third, stream_id), out / f"{stream_id}-dubbed.flv"
    )
    asrun = out / "asrun" / f"{stream_id}.asrun.jsonl"
    publisher = stage.publish(material.clip, ingest, out)
    try:
        with LiveView(stream_id) as view, stage.Watcher(up_pid, stream_id, asrun) as watcher:
            show_until_published(publisher, view, watcher, material.duration_s)
            if not output.wait_for_data(_FIRST_DATA_S):
                raise MediaError(f"nothing reached the third party; logs are in {out}")
            show_for(roles.stream.delay_s + _TAIL_S, view, watcher)
    finally:
        publisher.stop()
        source.stop()
        output.stop()
    fragments = tuple(watcher.fragments)
    take = Take(source.path, output.path, fragments, roles.stream.delay_s, started_ns)
    return take, watcher.usage()


def show_until_published(
    publisher: stage.Role, view: LiveView, watcher: stage.Watcher, seconds: float
) -> None:
    """Show the stream until its publisher has ended."""
    end = time.monotonic() + seconds + _PUBLISH_SLACK_S
    while publisher.running and time.monotonic() < end:
        show_for(stage.POLL_S, view, watcher)


def show_for(seconds: float, view: LiveView, watcher: stage.Watcher) -> None:
    """Show the stream for so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        view.status(watcher.status)
        for entry in watcher.new_fragments():
            view.fragment(entry)
        time.sleep(min(stage.POLL_S, max(end - time.monotonic(), 0.0)))
