"""`dubcast sts` runs the speech service; `voices` and `languages` list what it can do."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from dubcast.cli.common import PEOPLE, ROLES, ConfigOption, JsonOption, load_settings

Host = Annotated[str | None, typer.Option(help="address to listen on")]
Port = Annotated[int | None, typer.Option(help="port to listen on")]
Lease = Annotated[Path | None, typer.Option(hidden=True, help="file that notes who uses it")]
OneOf = Annotated[bool, typer.Option("--one-of", hidden=True, help="one of several on the port")]
Language = Annotated[str | None, typer.Option(help="only voices that speak this language")]


_LOOK_S = 5.0


def register(app: typer.Typer) -> None:
    """Add `sts`, `voices` and `languages`."""
    app.command(rich_help_panel=PEOPLE)(voices)
    app.command(rich_help_panel=PEOPLE)(languages)
    app.command(rich_help_panel=ROLES)(sts)


def sts(
    host: Host = None,
    port: Port = None,
    lease: Lease = None,
    one_of: OneOf = False,
    config: ConfigOption = None,
) -> None:
    """Run the speech service."""
    from dubcast import log
    from dubcast.sts.server import serve
    from dubcast.sts.several import serve_several

    settings = load_settings(config, sts_server__host=host, sts_server__port=port)
    log.setup(settings.log, "sts")
    if lease is not None:
        Thread(target=_end_with_users, args=(lease,), name="lease", daemon=True).start()
    if settings.sts_server.processes > 1 and not one_of:
        serve_several(settings)
    else:
        serve(settings, shared=one_of)


def _end_with_users(lease: Path) -> None:
    """End this process in order when nobody that is noted in `lease` runs any more: the last of
    them may have been killed, and ended nothing."""
    from dubcast.processes.shared import has_users

    while has_users(lease):
        time.sleep(_LOOK_S)
    signal.raise_signal(signal.SIGTERM)


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
