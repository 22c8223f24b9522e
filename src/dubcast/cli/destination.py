"""`dubcast destination test`: what a destination says, without going live."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from dubcast.cli.common import PEOPLE, ConfigOption, load_settings
from dubcast.config import DestinationSettings
from dubcast.errors import ConfigError

_NOT_ACCEPTED = 3


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Try destinations.", no_args_is_help=True)
    group.callback()(_group)
    group.command("test")(test)
    app.add_typer(group, name="destination", rich_help_panel=PEOPLE)


def _group() -> None:
    """Try destinations."""


def test(
    which: Annotated[
        str,
        typer.Argument(
            metavar="NAME|URL|-",
            help="a destination's name in the settings, an rtmp://, rtmps:// or srt:// URL, or - "
            "to read the URL from standard input, where no process list shows it",
        ),
    ],
    stream_id: Annotated[str, typer.Option(help="NAME: of this stream's destinations, too")] = "",
    verify: Annotated[bool, typer.Option(help="URL: check the certificate")] = True,
    ca_file: Annotated[
        Path | None, typer.Option(help="URL: believe the authorities in this PEM file")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Connect, give the key, send no media: says what the destination says. Nothing goes live.

    Exit code 0 if it accepts, 3 if it does not.
    """
    from dubcast.egress import targets, trial

    if which == "-" or "://" in which:
        url = sys.stdin.readline().strip() if which == "-" else which
        one = _by_url(url, verify, ca_file)
    else:
        one = targets.find(load_settings(config), stream_id, which)
    verdict = asyncio.run(trial.tried(targets.target(one), one.url.get_secret_value()))
    for line in verdict.lines:
        typer.echo(line)
    raise typer.Exit(0 if verdict.accepted else _NOT_ACCEPTED)


def _by_url(url: str, verify: bool, ca_file: Path | None) -> DestinationSettings:
    values = {"name": "tried", "url": url, "verify": verify, "ca_file": ca_file}
    try:
        return DestinationSettings.model_validate(values)
    except ValidationError as error:
        told = "; ".join(one["msg"] for one in error.errors(include_input=False))
        raise ConfigError(f"the destination's URL: {told}") from None
