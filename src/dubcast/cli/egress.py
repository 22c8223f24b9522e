"""`dubcast egress`: one destination of one stream, as the orchestrator starts it.

`dubcast passthrough`: the original, in place of a worker that keeps crashing.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dubcast import log
from dubcast.cli.common import ROLES, ConfigOption, load_settings
from dubcast.config import Settings
from dubcast.errors import ConfigError

if TYPE_CHECKING:
    from dubcast.egress.forwarder import Forwarder


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=ROLES)(egress)
    app.command(rich_help_panel=ROLES)(passthrough)


def egress(
    stream_id: Annotated[str, typer.Option(help="the stream's id")],
    input: Annotated[str, typer.Option(help="RTMP URL of the dubbed stream")],
    destination: Annotated[str, typer.Option(help="name of a destination in the settings")],
    status_port: Annotated[int, typer.Option(help="port of /status and /metrics; 0: any")] = 0,
    once: Annotated[bool, typer.Option(help="one try; the exit code says how it ended")] = False,
    patience: Annotated[
        float | None, typer.Option(help="end when the input is gone for so many seconds")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Forward one dubbed stream to one destination, for as long as it takes."""
    from dubcast.egress import targets
    from dubcast.egress.forwarder import EXIT_BAD_CONFIG, Forwarder
    from dubcast.egress.machine import EgressPolicy
    from dubcast.mediaserver.keys import with_key
    from dubcast.rtmp import address

    try:
        settings = load_settings(config)
        found = targets.find(settings, stream_id, destination)
        source = address.parse(with_key(input, settings.media_server.roles_key))
        target = targets.target(found)
    except ConfigError as error:
        sys.stderr.write(f"dubcast egress: {error}\n")
        raise typer.Exit(EXIT_BAD_CONFIG) from error
    log.setup(settings.log, "egress", streamId=stream_id)
    one = Forwarder(
        *(stream_id, destination, source, target),
        secrets=(found.url.get_secret_value(),),
        policy=EgressPolicy(patience_s=patience),
    )
    raise typer.Exit(_run(one, settings, status_port, once=once))


def passthrough(
    stream_id: Annotated[str, typer.Option(help="the stream's id")],
    input: Annotated[str, typer.Option(help="RTMP URL to read")],
    output: Annotated[str, typer.Option(help="RTMP URL to publish to")],
    status_port: Annotated[int, typer.Option(help="port of /status; 0: any")] = 0,
    patience: Annotated[
        float | None, typer.Option(help="end when the input is gone for so many seconds")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Publish the original as it is. Started by the orchestrator for a worker that crashes."""
    from dubcast.egress.forwarder import Forwarder
    from dubcast.egress.machine import passthrough_policy
    from dubcast.egress.outgoing import Target
    from dubcast.mediaserver.keys import with_key
    from dubcast.rtmp import address

    settings = load_settings(config)
    log.setup(settings.log, "passthrough", streamId=stream_id)
    key = settings.media_server.roles_key
    source, target = (address.parse(with_key(url, key)) for url in (input, output))
    one = Forwarder(
        *(stream_id, "passthrough", source, Target(target)),
        policy=passthrough_policy(patience),
    )
    raise typer.Exit(_run(one, settings, status_port))


def _run(one: Forwarder, settings: Settings, status_port: int, *, once: bool = False) -> int:
    """Run it with its status window until a signal; the exit code."""
    from dubcast.native import settle_memory
    from dubcast.statusd import StatusServer

    def status() -> dict[str, Any]:
        return one.status().model_dump(mode="json")

    host = settings.worker.metrics_host
    window = StatusServer(host, status_port, status, one.metrics.registry)
    window.start()
    settle_memory()
    try:
        return asyncio.run(_run_until_signal(one, once=once))
    finally:
        window.close()


async def _run_until_signal(one: Forwarder, *, once: bool) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, one.stop)
    return await one.run(once=once)
