"""`dubcast probe`: measure a recording or a live URL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dubcast.cli.common import PEOPLE

if TYPE_CHECKING:
    from rich.table import Table

    from dubcast.measure.probe import Comparison, ProbeReport, Sync, Track


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        "probe", help="Measure A/V offset, gaps, order and bit-exactness.", rich_help_panel=PEOPLE
    )(_probe)


def _probe(
    target: Annotated[str, typer.Argument(metavar="FILE_OR_URL", help="what to measure")],
    source: Annotated[
        Path | None, typer.Option("--source", help="recording that it was made from")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", help="how much of a live URL (default: 10)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable output")] = False,
    sync: Annotated[bool, typer.Option(help="decode, and look for flash and beep")] = True,
) -> None:
    from dubcast.measure.probe import probe

    report = probe(target, source=source, sync=sync, seconds=seconds)
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2))
        return
    from rich.console import Console

    Console().print(_table(report))
    for note in report.notes:
        typer.echo(f"note: {note}")


def _table(report: ProbeReport) -> Table:
    from rich.table import Table

    table = Table("what", "value", title=f"{report.duration_s:.2f} s")
    for name, track in (("video", report.video), ("audio", report.audio)):
        for key, value in _track_rows(track):
            table.add_row(f"{name} {key}", value)
    for key, value in [*_sync_rows(report.sync), *_comparison_rows(report.comparison)]:
        table.add_row(key, value)
    return table


def _track_rows(track: Track | None) -> list[tuple[str, str]]:
    if track is None:
        return [("track", "none")]
    timing = track.timing
    order = "monotone" if timing.monotone else f"goes back {timing.dts_backwards} times"
    return [
        ("codec", track.codec),
        ("units", f"{timing.count}, one each {timing.nominal_ms:.2f} ms"),
        ("largest gap", f"{timing.gap_max_ms:.1f} ms at {timing.gap_at_ms / 1000:.2f} s"),
        ("DTS", f"{order}, {timing.dts_repeats} repeated"),
    ]


def _sync_rows(sync: Sync | None) -> list[tuple[str, str]]:
    if sync is None:
        return []
    seen = f"{sync.flashes} flashes, {sync.unmatched_flashes} of them without a clear beep; "
    seen += f"{sync.beeps} beeps, {sync.unclear_beeps} of them unclear"
    if sync.max_abs_ms is None or sync.median_ms is None:
        return [("A/V offset", f"not measured: {seen}")]
    rows = [
        ("A/V offset (+ = audio early)", f"{sync.median_ms:+.1f} ms, at most {sync.max_abs_ms:.1f}")
    ]
    if sync.slope_ms_per_min is not None:
        rows.append(("A/V slope", f"{sync.slope_ms_per_min:+.2f} ms/min"))
    return [*rows, ("seen", seen)]


def _comparison_rows(found: Comparison | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    faults = f"{found.missing} missing, {found.changed} changed, {found.extra} extra"
    rows = [
        ("video bit-exact", "yes" if found.bit_exact else "NO"),
        ("units matched", f"{found.count}: source {found.first_source} to {found.last_source}"),
        ("units at fault", f"{faults}, {found.reordered} reordered"),
        ("timestamps", "one constant" if found.one_constant else f"{len(found.constants)} runs"),
    ]
    if found.delay is not None:
        spread = f"p99 of |d - median| {found.delay.spread_p99_ms:.1f} ms"
        rows.append(("delay", f"{found.delay.median_s:.3f} s, {spread}"))
    return rows
