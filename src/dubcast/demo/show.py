"""The demo: build the programme, put it on air, record what a third party gets, and judge it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from dubcast.config import Settings
from dubcast.demo import report, verdict
from dubcast.demo.findings import DemoReport
from dubcast.demo.verdict import Take
from dubcast.measure import figures as figures_module
from dubcast.measure import stage
from dubcast.measure.material import Material
from dubcast.measure.narrated import LONG_GOP, narrated
from dubcast.measure.playing import Ends, OnStage, play
from dubcast.measure.stage import Usage
from dubcast.mediaserver.choice import ADVICE, EMBEDDED, named

_MAIN_ID, _LONG_GOP_ID = "demo", "demo250"
_MAIN_TITLE = "Main programme"
_LONG_GOP_TITLE = "Key frames 250 pictures apart"
_FRAGMENTS_NOTE = (
    "Fragments, tempo and lag are of both programmes together; the other figures of the media, and"
    " what the processes used, are of the main one."
)
_STEMS_NOTE = (
    "Background and dub cannot be heard apart here: writing them costs the worker about a hundredth"
    " of a core, which would show in its figure. The setting worker.dumps.dir writes them."
)


def run(settings: Settings, out: Path, setup_s: float | None, console: Console) -> bool:
    """Run the whole demo; whether every bar is met. Files go to `out`.

    Raises MissingPartError, MediaError or ProbeError if it cannot be run or measured.
    """
    stage.clear(out)
    server = named(settings)
    console.print(f"media server: {server.removeprefix('the ')}", highlight=False)
    if server == EMBEDDED:
        console.print(f"[bold yellow]warning:[/] {ADVICE}", highlight=False)
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
    shown = _measured(Shown(take, main), Shown(second, long_gop), usage, roles, setup_s)
    written = report.write(shown, out)
    verdicts = figures_module.judge(shown.figures, verdict.BARS)
    console.print(figures_module.table(verdicts, title="dubcast demo"))
    for label, path in (("recording", take.output), ("report", written.html)):
        console.print(f"{label}: {path}", highlight=False, soft_wrap=True)
    return written.passed


@dataclass(frozen=True)
class Shown:
    """A programme that was put on air, and what is left of it."""

    take: Take
    material: Material


def _measured(
    main: Shown, long_gop: Shown, usage: Usage, roles: Settings, setup_s: float | None
) -> DemoReport:
    programmes, found = [], []
    for one, title in ((main, _MAIN_TITLE), (long_gop, _LONG_GOP_TITLE)):
        measured = verdict.measure(one.take)
        said = [line.text for line in one.material.narration]
        heard = verdict.understood(one.take, said, roles)
        programmes.append(verdict.programme(title, measured, said, heard))
        found.append((measured, heard))
    (first, first_heard), (second, _) = found
    return DemoReport(
        figures=verdict.judged(first, second, usage, first_heard.chrf, setup_s),
        bars=verdict.BARS,
        programmes=programmes,
        summary=_summary(roles, main.take.delay_s),
        seed=main.material.seed,
        notes=[_FRAGMENTS_NOTE, _STEMS_NOTE, _server_note(roles)],
    )


def _server_note(roles: Settings) -> str:
    server = named(roles)
    advice = f" ({ADVICE.replace('`', '')})" if server == EMBEDDED else ""
    return f"The streams went through {server}{advice}; the third party is an embedded one."


def _summary(roles: Settings, delay_s: float) -> str:
    policy = roles.stream
    return (
        f"Two generated programmes were put on air and dubbed from {policy.source_language} to"
        f" {policy.target_language} at a delay of {delay_s:g} s, by the same processes as in"
        " production. Both were recorded where they came in and where a third party got them."
    )


def _take(
    where: OnStage, material: Material, stream_id: str, started_ns: int
) -> tuple[Take, Usage]:
    """Play one clip through everything and record both ends."""
    out, delay_s = where.out, where.roles.stream.delay_s
    ends = Ends(out / f"{stream_id}-source.flv", out / f"{stream_id}-dubbed.flv")
    played = play(
        where, stream_id, material.clip, ends, seconds=material.duration_s, delay_s=delay_s
    )
    take = Take(stream_id, ends.source, ends.output, played.fragments, delay_s, started_ns)
    return take, played.usage
