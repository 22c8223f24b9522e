"""`dubcast bench sts`: how many live streams a speech service carries."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dubcast.cli.common import PEOPLE, ConfigOption, JsonOption, load_settings

if TYPE_CHECKING:
    from dubcast.measure.live_load import Level
    from dubcast.measure.live_streams import Capacity

Streams = Annotated[int, typer.Option(min=1, max=10_000, help="the most streams to try")]
Url = Annotated[str | None, typer.Option(help="the service; default: sts.url")]
Delay = Annotated[float, typer.Option(min=1.0, max=60.0, help="seconds until words are due")]
Seconds = Annotated[float, typer.Option(min=5.0, help="how long each number of streams speaks")]
Source = Annotated[str, typer.Option("--from", help="language that is spoken")]
To = Annotated[str, typer.Option("--to", help="language of the dub")]
Audio = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="what is said; default: the demo's English narration"
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group `bench`."""
    group = typer.Typer(help="Measure a speech service under load.", no_args_is_help=True)
    group.callback()(lambda: None)  # so that its only command has its own name
    group.command("sts")(sts)
    app.add_typer(group, name="bench", rich_help_panel=PEOPLE)


def sts(
    streams: Streams = 8,
    url: Url = None,
    delay: Delay = 8.0,
    seconds: Seconds = 30.0,
    source: Source = "en",
    to: To = "pt-BR",
    audio: Audio = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Find how many live streams, of at most --streams, a speech service dubs in time.

    Streams speak as on air, and a number counts if 95 % of their clauses are there before their
    words are due. Exit code 1 if not even one stream is in time.
    """
    from dubcast.measure import live_speech
    from dubcast.measure.live_streams import Target, capacity

    settings = load_settings(config, sts__url=url)
    key, sound = settings.sts.api_key, live_speech.samples(settings, audio)
    target = Target(settings.sts.url, key.get_secret_value() if key else None, source, to, delay)
    found = asyncio.run(
        capacity(target, lambda longest_s: live_speech.cut(sound, longest_s), streams, seconds)
    )
    if as_json:
        typer.echo(json.dumps(as_report(found), indent=2))
    else:
        typer.echo("\n".join(lines(found)))
    if not found.streams:
        raise typer.Exit(1)


def as_report(found: Capacity) -> dict[str, Any]:
    """What was found, for programs."""
    return {
        "streams": found.streams,
        "delay_s": found.target.delay_s,
        "streamed": found.target.streamed,
        "levels": [level.as_json() for level in found.levels],
    }


def lines(found: Capacity) -> list[str]:
    """What was found, for people."""
    kind = "clause by clause" if found.target.streamed else "as a whole"
    table = [
        f"{found.target.url}: replies come {kind}",
        "streams  in time  first clause  refused  failed",
        *map(_line, found.levels),
    ]
    return [*table, f"{found.streams} streams in time at a delay of {found.target.delay_s:g} s"]


def _line(level: Level) -> str:
    first = "-" if level.first_clause_ms is None else f"{level.first_clause_ms / 1000:.2f} s"
    failed = level.failed - level.refused
    return f"{level.streams:7}  {level.share:6.1%}  {first:>12}  {level.refused:7}  {failed:6}"
