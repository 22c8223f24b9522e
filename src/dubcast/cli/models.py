"""`dubcast models`: pull, list and verify the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dubcast.cli.common import PEOPLE, ConfigOption, JsonOption, load_settings, progress_bars

Names = Annotated[list[str] | None, typer.Argument(help="model names; default: all that are usual")]
From = Annotated[str | None, typer.Option("--from", help="languages to translate from: en,pt-BR")]
To = Annotated[str | None, typer.Option("--to", help="languages to translate into: es,fr")]


def register(app: typer.Typer) -> None:
    """Add the group `models`."""
    group = typer.Typer(help="Fetch, list and verify the models.", no_args_is_help=True)
    group.command("pull")(pull)
    group.command("list")(list_models)
    group.command("verify")(verify)
    app.add_typer(group, name="models", rich_help_panel=PEOPLE)


def pull(
    names: Names = None,
    source: From = None,
    target: To = None,
    config: ConfigOption = None,
) -> None:
    """Download models, check and convert them; what is here and right is kept.

    Named ones; or the translations between the languages that are named; or else every model, and
    the translations that the streams of the settings ask for.
    """
    from dubcast.models import pull as puller
    from dubcast.models.pull_translations import pull_translations
    from dubcast.models.store import ModelStore
    from dubcast.sts.directions import asked

    settings = load_settings(config)
    store = ModelStore(settings.models)
    with progress_bars() as progress:

        def fetch(wanted: list[str] | None) -> list[Path]:
            own = settings.models
            return puller.pull(store, wanted, progress, own.source, mirror=own.translations_url)

        named = bool(source or target)
        paths = fetch(names or None) if names or not named else []
        directions = [] if names and not named else asked(settings, source, target)
        wanted = settings.sts_server.mt_model
        pulled = pull_translations(store, directions, wanted, lambda name: fetch([name])[0])
    if not paths and not pulled:
        typer.echo("nothing to pull: --from and --to name one language", err=True)
    for path in [*paths, *(one.path for one in pulled)]:
        typer.echo(f"ok {path}")
    for one in pulled:
        if one.caution:
            typer.echo(f"dubcast: warning: {one.caution}", err=True)


def list_models(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the models with size, licence and origin; of those that translate what is here."""
    store = _store(config)
    if as_json:
        typer.echo(json.dumps(_described(store), indent=2, ensure_ascii=False))
        return
    for model in store.entries():
        entry = model.entry
        typer.echo(f"{model.name:20} {model.state:9} {entry.size / 1e6:7.1f} MB  {entry.licence}")
        typer.echo(f"{'':20} {entry.attribution}; {entry.origin}")
    typer.echo(
        f"{len(store.translations)} more translate: dubcast models pull --from en --to es,fr"
    )
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
