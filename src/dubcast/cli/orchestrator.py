"""`dubcast orchestrator`, `dubcast media-server`, and `dubcast up`: all roles on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from dubcast import log
from dubcast.addresses import is_this_machine, reachable
from dubcast.cli.common import PEOPLE, ROLES, ConfigOption, load_settings
from dubcast.config import DestinationSettings, Secret, Settings
from dubcast.errors import ConfigError, DubcastError
from dubcast.native import settle_memory

_LASTING_S = 5.0  # a media server that ends sooner is not started again by its role


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PEOPLE)(up)
    app.command(rich_help_panel=ROLES)(orchestrator)
    app.command("media-server", rich_help_panel=ROLES)(media_server)


def orchestrator(
    port: Annotated[int | None, typer.Option(help="port to listen on")] = None,
    config: ConfigOption = None,
) -> None:
    """Run the control plane. The media server runs elsewhere (`dubcast media-server`)."""
    settings = load_settings(config, orchestrator__port=port)
    log.setup(settings.log, "orchestrator")
    asyncio.run(_serve(settings, _hook_secret(settings)))


def _hook_secret(settings: Settings) -> Secret:
    """What hooks are signed with, and the roles' keys are made of."""
    from dubcast.orchestrator.up import hook_secret

    return hook_secret(settings)


async def _serve(settings: Settings, secret: Secret) -> None:
    import uvicorn

    from dubcast.listening import listen
    from dubcast.mediaserver.choice import create
    from dubcast.mediaserver.interface import control_plane
    from dubcast.orchestrator.app import create_app
    from dubcast.orchestrator.instance import InstanceLock, state_folder
    from dubcast.orchestrator.orchestrator import Orchestrator
    from dubcast.orchestrator.placement.local import LocalPlacement

    own = settings.orchestrator
    lock = InstanceLock(state_folder(settings))
    lock.acquire()
    server = create(settings, control_plane(settings, secret))
    placement = LocalPlacement(
        state_folder(settings), own.max_streams, reachable(settings.worker.metrics_host)
    )
    app = create_app(Orchestrator(settings, server, placement), settings, secret)
    listener = listen(own.host, own.port)  # uvicorn itself would leave IPv4 out where `::` is set
    web = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        limit_concurrency=256,
    )
    runner = uvicorn.Server(web)
    # In place of uvicorn's own handling, which ends the process by the signal: code 0 it is.
    runner.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, runner, "should_exit", True)
    settle_memory()
    try:
        await runner.serve(sockets=[listener])
    finally:
        await server.close()
        await placement.close()
        listener.close()
        lock.release()


def media_server(
    install: Annotated[
        bool, typer.Option("--install", help="only install the embedded server")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Run the media server in the foreground: MediaMTX if it is found, else the embedded one."""
    settings = load_settings(config)
    if install:
        from dubcast.mediaserver import embedded_server

        embedded_server.install(settings.media_server)
        return
    log.setup(settings.log, "media-server")
    code = asyncio.run(_run_media_server(settings, _hook_secret(settings)))
    raise typer.Exit(code)


async def _run_media_server(settings: Settings, secret: Secret) -> int:
    from dubcast.mediaserver.auth import access_of
    from dubcast.mediaserver.auth_relay import AuthRelay
    from dubcast.mediaserver.choice import create
    from dubcast.mediaserver.interface import control_plane

    plane = control_plane(settings, secret)
    relay = AuthRelay(access_of(settings, secret), plane.auth_url)
    relay.start()
    # An attached server asks the orchestrator itself: who runs it knows no relay of ours.
    asking = plane if settings.media_server.attach else replace(plane, auth_url=relay.url)
    server = create(settings, asking)
    settle_memory()
    stop = asyncio.ensure_future(_stop_on_signals().wait())
    try:
        while not stop.done():
            began_s = time.monotonic()
            await server.start()
            ended = asyncio.ensure_future(server.wait())
            await asyncio.wait([ended, stop], return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            await server.stop()
            # Ended without being asked to. Started again at once: to start the role would take
            # longer, and who asks the relay need not wait. One that does not last is an error.
            if not stop.done() and time.monotonic() - began_s < _LASTING_S:
                return 1
        return 0
    finally:
        await server.stop()
        await server.close()
        relay.close()
        stop.cancel()


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # A closed terminal ends it as Ctrl-C does, unless `nohup` says that it is to go on.
    closed = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    for number in (signal.SIGTERM, signal.SIGINT, *closed):
        loop.add_signal_handler(number, stop.set)
    return stop


def up(
    destination: Annotated[
        list[str] | None,
        typer.Option(help="NAME=URL that every stream is pushed to; keys are safer in the file"),
    ] = None,
    sts: Annotated[bool, typer.Option(help="run the speech service here")] = True,
    source_language: Annotated[
        str | None, typer.Option("--from", help="spoken language, or auto")
    ] = None,
    target_language: Annotated[str | None, typer.Option("--to", help="language to dub to")] = None,
    voice: Annotated[str | None, typer.Option(help="voice; see `dubcast voices`")] = None,
    delay: Annotated[float | None, typer.Option(help="input to output in seconds, 3-15")] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="file written when everything is ready")
    ] = None,
    ready_timeout: Annotated[float, typer.Option(help="seconds to get ready in")] = 180.0,
    config: ConfigOption = None,
) -> None:
    """Run everything on this machine until Ctrl-C."""
    settings = load_settings(
        config,
        stream__source_language=source_language,
        stream__target_language=target_language,
        stream__voice=voice,
        stream__delay_s=delay,
    )
    log.setup(settings.log, "up")
    extra = _destinations(settings, destination or [])
    with_sts = sts and _is_local(settings.sts.url)
    if with_sts:
        from dubcast.cli.service import check_here

        check_here(settings)
    from dubcast.mediaserver.choice import create
    from dubcast.mediaserver.interface import control_plane
    from dubcast.orchestrator.instance import InstanceLock
    from dubcast.orchestrator.up import AllInOne, notes_folder, prepare

    lock = InstanceLock(notes_folder(settings))
    lock.acquire()
    kind = create(settings, control_plane(settings, Secret(""))).kind
    prepared = prepare(settings, kind=kind, destinations=extra)
    everything = AllInOne(prepared, with_sts=with_sts)

    async def run() -> None:
        await everything.run(_stop_on_signals(), lambda one: _tell(one, ready_file), ready_timeout)

    settle_memory()
    try:
        asyncio.run(run())
    except BaseExceptionGroup as group:
        # Task groups wrap what was raised inside them; people want the one clear line.
        ours = group.subgroup(DubcastError)
        if ours is None:
            raise
        raise _first(ours) from None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _destinations(settings: Settings, texts: list[str]) -> tuple[DestinationSettings, ...]:
    """Those of `--destination`. Raises ConfigError for one that is unusable or named twice."""
    given = tuple(_destination(text) for text in texts)
    names = [one.name for one in (*settings.orchestrator.destinations, *given)]
    for one in given:
        if names.count(one.name) > 1:
            raise ConfigError(f"--destination {one.name}: there is another one of that name")
    return given


def _destination(text: str) -> DestinationSettings:
    name, equals, url = text.partition("=")
    if not equals:
        raise ConfigError("--destination wants NAME=URL")
    try:
        return DestinationSettings.model_validate({"name": name, "url": url})
    except ValueError as error:
        raise ConfigError(
            f"--destination {name}: a name of a-z, 0-9, - and _, and an rtmp://, rtmps:// or "
            "srt:// URL"
        ) from error


def _is_local(url: str) -> bool:
    """True if the speech service is to run here: its URL is this machine's."""
    from urllib.parse import urlsplit

    return is_this_machine(urlsplit(url).hostname)


def _tell(summary: dict[str, Any], ready_file: Path | None) -> None:
    """One JSON line for scripts on standard output, a few words for people beside it.

    Streams may be on air already: who does not read this, or a full disk, must not end them.
    """
    line = json.dumps(summary)
    if ready_file is not None:
        try:
            _write_aside(ready_file, line + "\n")
        except OSError as error:
            log.get().error("ready_file.not_written", reason=str(error))
    with contextlib.suppress(OSError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        sys.stderr.write(
            f"\nPublish to   server {summary['publish_server']}"
            f"   stream key {summary['publish_key']}"
            f"\nDubbed at    {summary['play']}"
            f"\nState        {summary['orchestrator']}/v1/streams\n\n"
        )


def _write_aside(file: Path, text: str) -> None:
    """Written aside and moved into place: a reader never sees half of it."""
    aside = file.with_suffix(".tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(file)
