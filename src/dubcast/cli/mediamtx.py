"""`dubcast mediamtx`: install the media server, print its config, check one that somebody runs."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from dubcast.cli.common import PEOPLE, ConfigOption, JsonOption, load_settings, progress_bars
from dubcast.config import Secret, Settings
from dubcast.errors import ConfigError, DubcastError
from dubcast.mediaserver.mediamtx_program import VERSION


def register(app: typer.Typer) -> None:
    """Add the group `mediamtx`."""
    group = typer.Typer(help="The media server MediaMTX.", no_args_is_help=True)
    group.command("install")(install)
    group.command("config")(config_)
    group.command("check")(check)
    app.add_typer(group, name="mediamtx", rich_help_panel=PEOPLE)


def install(
    optional: Annotated[
        bool, typer.Option("--optional", help="where it cannot be had, say so and exit with 0")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Install the official release, checked against its list of hashes; nothing if there is one."""
    from dubcast.mediaserver.mediamtx import find_binary
    from dubcast.mediaserver.mediamtx_install import install as install_release

    settings = load_settings(config).media_server
    try:
        program = find_binary(settings)
        if program is None:
            with progress_bars() as progress:
                program = install_release(settings, progress)
    except DubcastError as error:
        if not optional:
            raise
        reason = str(error).splitlines()[0]
        typer.echo(f"MediaMTX cannot be had ({reason}): the embedded media server is taken")
        return
    typer.echo(f"ok {program}")


def config_(
    out: Annotated[
        Path | None, typer.Option(help="file to write, readable by you alone; default: print it")
    ] = None,
    server_version: Annotated[
        str, typer.Option(help="of the server that is to read it: names differ")
    ] = VERSION,
    config: ConfigOption = None,
) -> None:
    """The config for a MediaMTX that you run yourself. It holds a key."""
    from dubcast.mediaserver.mediamtx_check import parse_version
    from dubcast.mediaserver.mediamtx_file import config_file

    settings = load_settings(config)
    version = parse_version(server_version)
    if version is None:
        raise ConfigError(f"--server-version {server_version}: wants three numbers, as 1.20.1")
    text = config_file(settings, _hook_secret(settings), version)
    if out is None:
        sys.stdout.write(text)
        return
    out.touch(mode=0o600)
    out.chmod(0o600)
    out.write_text(text, encoding="utf-8")


def check(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Whether the MediaMTX that the settings attach to is fit; exit code 1 if it is not."""
    from dubcast.mediaserver.interface import control_plane
    from dubcast.mediaserver.mediamtx import MediaMtx

    settings = load_settings(config)
    media = settings.media_server.model_copy(update={"attach": True})
    plane = control_plane(settings, _hook_secret(settings))

    async def unfit() -> list[dict[str, object]]:
        server = MediaMtx(media, plane, None)
        try:
            found = await server.unfit()
        finally:
            await server.close()
        return [{"what": one.what, "write": one.write, "fatal": one.fatal} for one in found]

    found = asyncio.run(unfit())
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for one in found:
            typer.echo(f"{'must' if one['fatal'] else 'should'} be mended: {one['what']}")
            typer.echo(
                "".join(f"    {line}\n" for line in str(one["write"]).splitlines()), nl=False
            )
        if not found:
            typer.echo("fit")
    if found:
        raise typer.Exit(1)


def _hook_secret(settings: Settings) -> Secret:
    from dubcast.orchestrator.up import hook_secret

    return hook_secret(settings)
