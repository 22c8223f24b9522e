"""`dubcast config show|check`: the settings in force, and where each came from."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dubcast import config as settings_module
from dubcast.cli.common import PEOPLE, ConfigOption, load
from dubcast.errors import StsError


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Show and check settings.", no_args_is_help=True)
    group.command("show")(show)
    group.command("check")(check)
    group.command("reference")(reference)
    app.add_typer(group, name="config", rich_help_panel=PEOPLE)


def show(
    origin: Annotated[bool, typer.Option(help="say where each value came from")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    config: ConfigOption = None,
) -> None:
    """Print every setting in force; secrets are masked."""
    loaded = load(config)
    values = settings_module.masked(loaded.settings)
    if as_json:
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
        return
    for key, value in values.items():
        typer.echo(f"{key}: {_as_json(value)}{_origin(loaded, key) if origin else ''}")


def check(config: ConfigOption = None) -> None:
    """Exit 0 if the settings are valid, 2 with the reason if they are not.

    Languages and voices are checked with the speech service, if it answers.
    """
    from dubcast.cli.service import check_settings

    settings = load(config).settings
    if settings.sts_server.glossary is not None:
        settings_module.read_glossary(settings.sts_server.glossary)
    try:
        check_settings(settings)
    except StsError as error:
        typer.echo(f"settings are valid; languages and voices were not checked: {error}")
        return
    typer.echo("settings are valid, and the speech service offers the languages and voices")


def reference() -> None:
    """Print every setting with its default and meaning, as Markdown (docs/settings.md)."""
    typer.echo(settings_module.reference(), nl=False)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _origin(loaded: settings_module.Loaded, key: str) -> str:
    return f"    # {loaded.origins.get(key, 'default')}"
