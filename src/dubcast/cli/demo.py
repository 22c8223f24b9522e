"""`dubcast demo`: dub a live stream end to end on this machine, and judge the result."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from dubcast import log
from dubcast.cli.common import PEOPLE, ConfigOption, load_settings


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PEOPLE)(demo)


def demo(
    out: Annotated[Path, typer.Option(help="folder for recordings and reports")] = Path(
        "build/demo"
    ),
    setup_s: Annotated[
        float | None, typer.Option(help="seconds that the set-up took, for the report")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Put a generated programme on air through all roles; exit 1 if a bar is missed."""
    from rich.console import Console

    from dubcast.demo.show import run

    settings = load_settings(config)
    log.setup(settings.log, "demo")
    # SIGTERM ends it as Ctrl-C does: with everything that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    passed = run(settings, out, setup_s, Console(stderr=True))
    raise typer.Exit(0 if passed else 1)
