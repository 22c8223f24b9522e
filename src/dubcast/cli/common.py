"""Options that several commands share."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dubcast import config
from dubcast.errors import DubcastError
from dubcast.standard_streams import ensure_standard_streams

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="settings file (default: ./dubcast.yaml)")
]
# Panels of `dubcast --help`, in its order.
PEOPLE = "For people"
ROLES = "Roles, which the commands above start"

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}

JsonOption = Annotated[bool, typer.Option("--json", help="JSON, for programs")]


def load_settings(file: Path | None, **flags: Any) -> config.Settings:
    """Settings of a command; `flags` names use `__` for dots (`stream__delay_s`).

    From then on this process reaches dubcast's own addresses without a proxy.
    """
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    settings = config.load(file, dotted).settings
    config.bypass_proxy(settings)
    return settings


def run(app: typer.Typer) -> None:
    """Run the command; a `DubcastError` becomes one clear line and its exit code.

    So does what a file system refuses: a folder that cannot be written, a full disk.
    """
    ensure_standard_streams()
    try:
        app(prog_name="dubcast")
    except DubcastError as error:
        sys.stderr.write(f"dubcast: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename is None and error.errno not in _FULL:
            raise
        where = "" if error.filename is None else f"{error.filename}: "
        sys.stderr.write(f"dubcast: {where}{error.strerror}\n")
        sys.exit(1)
