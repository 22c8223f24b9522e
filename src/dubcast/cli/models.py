"""`dubcast models`: pull, list and verify the models."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dubcast.cli.common import PEOPLE, ConfigOption, JsonOption, load_settings, progress_bars

Names = Annotated[list[str] | None, typer.Argument(help="model names; default: all that are usual")]


def register(app: typer.Typer) -> None:
    """Add the group `models`."""
    group = typer.Typer(help="Fetch, list and verify the models.", no_args_is_help=True)
    group.command("pull")(pull)
    group.command("list")(list_models)
    group.command("verify")(verify)
    app.add_typer(group, name="models", rich_help_panel=PEOPLE)


def pull(names: Names = None, config: ConfigOption = None) -> None:
    """Download models, check and convert them; what is here and right is kept."""
    from dubcast.models import pull as puller
    from dubcast.models.store import ModelStore

    settings = load_settings(config).models
    with progress_bars() as progress:
        paths = puller.pull(ModelStore(settings), names or None, progress, settings.source)
    for path in paths:
        typer.echo(f"ok {path}")


def list_models(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the models with size, licence and origin."""
    store = _store(config)
    if as_json:
        typer.echo(json.dumps(_described(store), indent=2, ensure_ascii=False))
        return
    for model in store.entries():
        entry = model.entry
        typer.echo(f"{model.name:20} {model.state:9} {entry.size / 1e6:7.1f} MB  {entry.licence}")
        typer.echo(f"{'':20} {entry.attribution}; {entry.origin}")
    typer.echo(f"folder: {store.dir}")


def _described(store: Any) -> dict[str, Any]:
    models = [
        {
            "name": model.name,
            "state": model.state,
            "size": model.entry.size,
            "licence": model.entry.licence,
            "attribution": model.entry.attribution,
            "origin": model.entry.origin,
        }
        for model in store.entries()
    ]
    return {"folder": str(store.dir), "models": models}


def verify(names: Names = None, config: ConfigOption = None) -> None:
    """Hash every installed file; exit code 1 if a model is missing or wrong."""
    report = _store(config).verify(names or None)
    for name, faults in report.items():
        typer.echo(f"{name}: {'; '.join(faults) or 'ok'}")
    if any(report.values()):
        raise typer.Exit(1)


def _store(config: Any) -> Any:
    from dubcast.models.store import ModelStore

    return ModelStore(load_settings(config).models)
