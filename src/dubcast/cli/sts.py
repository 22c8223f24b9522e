"""`dubcast sts` runs the speech service; `dubcast voices` lists its voices."""

from __future__ import annotations

from typing import Annotated

import typer

from dubcast.cli.common import ConfigOption, load_settings

Host = Annotated[str | None, typer.Option(help="address to listen on")]
Port = Annotated[int | None, typer.Option(help="port to listen on")]
Language = Annotated[str | None, typer.Option(help="only voices that speak this language")]


def register(app: typer.Typer) -> None:
    """Add `sts` and `voices`."""
    app.command("sts")(sts)
    app.command("voices")(voices)


def sts(host: Host = None, port: Port = None, config: ConfigOption = None) -> None:
    """Run the speech service."""
    from dubcast import log
    from dubcast.sts.server import serve

    settings = load_settings(config, sts_server__host=host, sts_server__port=port)
    log.setup(settings.log, "sts")
    serve(settings)


def voices(language: Language = None, config: ConfigOption = None) -> None:
    """List the voices (no model is loaded)."""
    from dubcast.sts.build import offered

    for voice in offered(load_settings(config)).voices:
        if language is None or voice.speaks(language):
            mark = "  default" if voice.default else ""
            typer.echo(f"{voice.name:16} {voice.language:6} {voice.gender}{mark}")
