"""`dubcast sts` runs the speech service; `voices` and `languages` list what it can do."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dubcast.cli.common import PEOPLE, ROLES, ConfigOption, JsonOption, load_settings

Host = Annotated[str | None, typer.Option(help="address to listen on")]
Port = Annotated[int | None, typer.Option(help="port to listen on")]
Language = Annotated[str | None, typer.Option(help="only voices that speak this language")]


def register(app: typer.Typer) -> None:
    """Add `sts`, `voices` and `languages`."""
    app.command(rich_help_panel=PEOPLE)(voices)
    app.command(rich_help_panel=PEOPLE)(languages)
    app.command(rich_help_panel=ROLES)(sts)


def sts(host: Host = None, port: Port = None, config: ConfigOption = None) -> None:
    """Run the speech service."""
    from dubcast import log
    from dubcast.sts.server import serve

    settings = load_settings(config, sts_server__host=host, sts_server__port=port)
    log.setup(settings.log, "sts")
    serve(settings)


def voices(
    language: Language = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """List the voices (no model is loaded)."""
    from dubcast.sts.build import offered

    found = [
        voice
        for voice in offered(load_settings(config)).voices
        if language is None or voice.speaks(language)
    ]
    if as_json:
        told = [
            {
                "name": voice.name,
                "language": voice.language,
                "gender": voice.gender,
                "default": voice.default,
            }
            for voice in found
        ]
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for voice in found:
        mark = "  default" if voice.default else ""
        typer.echo(f"{voice.name:16} {voice.language:6} {voice.gender}{mark}")


def languages(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the directions that can be dubbed (no model is loaded)."""
    from dubcast.sts.build import offered

    pairs = offered(load_settings(config)).pairs
    if as_json:
        told = [{"source": source, "target": target} for source, target in pairs]
        typer.echo(json.dumps(told, indent=2))
        return
    for source, target in pairs:
        typer.echo(f"{source:6} to {target}")
