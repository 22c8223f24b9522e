"""The `dubcast` command. Each group of commands lives in a module of its own."""

from __future__ import annotations

import errno
import importlib
import sys
from typing import Annotated

import typer

from dubcast import __version__
from dubcast.errors import DubcastError
from dubcast.standard_streams import ensure_standard_streams

# Module -> the commands that its `register(app)` adds, in the order of `dubcast --help`.
COMMANDS = {
    "run": ("run",),
    "orchestrator": ("up", "orchestrator", "media-server"),
    "doctor": ("doctor",),
    "demo": ("demo",),
    "probe": ("probe",),
    "sts": ("voices", "languages", "sts"),
    "bench": ("bench",),
    "models": ("models",),
    "mediamtx": ("mediamtx",),
    "config": ("config",),
    "destination": ("destination",),
    "worker": ("worker",),
    "egress": ("egress", "passthrough"),
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def application(command: str = "") -> typer.Typer:
    """The program, with `command` and those of its module alone; all of them if there is none.

    A role is started again while viewers wait, and keeps in memory what was imported: it does
    without what the other commands need.
    """
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
    app.callback()(_global)
    named = [module for module, commands in COMMANDS.items() if command in commands]
    for module in named or COMMANDS:
        importlib.import_module(f"dubcast.cli.{module}").register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dubcast {__version__}")
        raise typer.Exit


def _global(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="print it and end"),
    ] = False,
) -> None:
    """Dubs a live stream while it is on air."""


def main() -> None:
    """Run the command; a `DubcastError` becomes one clear line and its exit code.

    So does what a file system refuses: a folder that cannot be written, a full disk.
    """
    ensure_standard_streams()
    try:
        application(sys.argv[1] if len(sys.argv) > 1 else "")(prog_name="dubcast")
    except DubcastError as error:
        sys.stderr.write(f"dubcast: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename is None and error.errno not in _FULL:
            raise
        where = "" if error.filename is None else f"{error.filename}: "
        sys.stderr.write(f"dubcast: {where}{error.strerror}\n")
        sys.exit(1)
