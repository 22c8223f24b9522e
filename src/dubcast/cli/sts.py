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
from dubcast.config import Settings
from dubcast.errors import ConfigError

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
    from dubcast.native import single_blas_thread

    single_blas_thread()
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
    """List the voices, and what they cost (no model is loaded)."""
    from dubcast.sts.build import offered
    from dubcast.sts.inventory import PIPER_HINT, voices_reply

    settings = load_settings(config)
    wanted = _tag_of(language) if language is not None else None
    found = [one for one in offered(settings).voices if wanted is None or one.speaks(wanted)]
    if as_json:
        told = voices_reply(found).model_dump()["voices"]
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for voice in found:
        mark = "  default" if voice.default else ""
        typer.echo(f"{voice.name:16} {voice.language:6} {voice.gender:7} {voice.engine}{mark}")
    _echo_costs(settings, roles=("tts", "voices"))
    _hint(f"no voice speaks {language}: {PIPER_HINT}" if not found else f"for more: {PIPER_HINT}")


def _tag_of(language: str) -> str:
    from dubcast.languages import catalogue

    found = catalogue.find(language)
    if found is None:
        tags = ", ".join(one.tag for one in catalogue.known())
        raise ConfigError(f"--language {language}: no such language is known; there are: {tags}")
    return found.tag


def languages(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the languages: who speaks them, what they are dubbed into, and what that costs (no
    model is loaded)."""
    from dubcast.sts.build import offered
    from dubcast.sts.inventory import PIPER_HINT, languages_reply

    settings = load_settings(config)
    reply = languages_reply(offered(settings))
    if as_json:
        typer.echo(reply.model_dump_json(indent=2))
        return
    typer.echo(f"{'tag':6} {'language':22} {'voices':22} dubbed into")
    for one in reply.languages:
        spoken = ", ".join(f"{count} {engine}" for engine, count in one.voices.items()) or "-"
        typer.echo(
            f"{one.tag:6} {one.name:22} {spoken:22} {', '.join(one.dubbed_into) or '-'}".rstrip()
        )
    _echo_costs(settings)
    if reply.missing:
        more, command = len(reply.missing), reply.missing[0].command
        _hint(f"{more} directions more, once their translation is here: {command}, for one")
    _hint(f"a language without a voice: {PIPER_HINT}")


def _echo_costs(settings: Settings, roles: tuple[str, ...] = ()) -> None:
    """The models, what they take, and the command that gets those that are not here."""
    from dubcast.models.store import ModelStore
    from dubcast.sts.build import needed_models
    from dubcast.sts.inventory import costs

    stored = ModelStore(settings.models).entries()
    known = [one for one in stored if not roles or one.entry.role in roles]
    typer.echo("")
    for one in costs(known, needed_models(settings)):
        takes = f"{one.cpu_s_per_s:.2f} CPU s per s of speech" if one.cpu_s_per_s else ""
        line = f"{one.name:24} {one.megabytes:6.1f} MB  {one.state:9}  {takes:27}"
        typer.echo(f"{line} {one.command or ''}".rstrip())


def _hint(text: str) -> None:
    typer.echo(f"{text} (docs/languages.md)", err=True)
