"""The `dubcast` command. Each group of commands lives in a module of its own."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from dubcast import __version__
from dubcast.cli.common import run

app = typer.Typer(
    name="dubcast",
    help="Dubs a live stream while it is on air.",
    epilog=(
        "Examples:  dubcast doctor  |  dubcast up --to pt-BR  |  "
        "dubcast run talk.flv rtmp://host/app/key --from en --to pt-BR"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dubcast {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="print it and end"),
    ] = False,
) -> None:
    """Dubs a live stream while it is on air."""


# Each module has `register(app)`; what a command needs is imported when it runs.
_COMMANDS = (
    *("run", "orchestrator", "doctor", "demo", "probe"),
    *("sts", "models", "config", "destination", "worker", "egress"),
)
for _name in _COMMANDS:
    importlib.import_module(f"dubcast.cli.{_name}").register(app)


def main() -> None:
    """Run the command."""
    run(app)
