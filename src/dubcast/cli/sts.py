"""`dubcast sts` runs the speech service; `dubcast voices` lists its voices."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from dubcast.cli.common import ConfigOption, load_settings

Host = Annotated[str | None, typer.Option(help="address to listen on")]
Port = Annotated[int | None, typer.Option(help="port to listen on")]
Lease = Annotated[Path | None, typer.Option(hidden=True, help="file that notes who uses it")]
Language = Annotated[str | None, typer.Option(help="only voices that speak this language")]


_LOOK_S = 5.0


def register(app: typer.Typer) -> None:
    """Add `sts` and `voices`."""
    app.command("sts")(sts)
    app.command("voices")(voices)


def sts(
    host: Host = None, port: Port = None, lease: Lease = None, config: ConfigOption = None
) -> None:
    """Run the speech service."""
    from dubcast import log
    from dubcast.sts.server import serve

    settings = load_settings(config, sts_server__host=host, sts_server__port=port)
    log.setup(settings.log, "sts")
    if lease is not None:
        Thread(target=_end_with_users, args=(lease,), name="lease", daemon=True).start()
    serve(settings)


def _end_with_users(lease: Path) -> None:
    """End this process in order when nobody that is noted in `lease` runs any more: the last of
    them may have been killed, and ended nothing."""
    from dubcast.processes.shared import has_users

    while has_users(lease):
        time.sleep(_LOOK_S)
    signal.raise_signal(signal.SIGTERM)


def voices(language: Language = None, config: ConfigOption = None) -> None:
    """List the voices (no model is loaded)."""
    from dubcast.sts.build import offered

    for voice in offered(load_settings(config)).voices:
        if language is None or voice.speaks(language):
            mark = "  default" if voice.default else ""
            typer.echo(f"{voice.name:16} {voice.language:6} {voice.gender}{mark}")
