"""`dubcast egress`: one destination of one stream, as the orchestrator starts it."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dubcast import log
from dubcast.cli.common import ConfigOption, load_settings
from dubcast.errors import ConfigError

if TYPE_CHECKING:
    from dubcast.egress.forwarder import Forwarder


def register(app: typer.Typer) -> None:
    app.command()(egress)


def egress(
    stream_id: Annotated[str, typer.Option(help="the stream's id")],
    input: Annotated[str, typer.Option(help="RTMP URL of the dubbed stream")],
    destination: Annotated[str, typer.Option(help="name of a destination in the settings")],
    status_port: Annotated[int, typer.Option(help="port of /status and /metrics; 0: any")] = 0,
    once: Annotated[bool, typer.Option(help="one try; the exit code says how it ended")] = False,
    config: ConfigOption = None,
) -> None:
    """Forward one dubbed stream to one destination, for as long as it takes."""
    from dubcast.egress import targets
    from dubcast.egress.forwarder import EXIT_BAD_CONFIG, Forwarder
    from dubcast.statusd import StatusServer

    try:
        settings = load_settings(config)
        target = targets.find(settings, stream_id, destination)
    except ConfigError as error:
        sys.stderr.write(f"dubcast egress: {error}\n")
        raise typer.Exit(EXIT_BAD_CONFIG) from error
    log.setup(settings.log, "egress", streamId=stream_id)
    one = Forwarder(stream_id, destination, input, target.url.get_secret_value())
    window = StatusServer("127.0.0.1", status_port, one.status, one.metrics.registry)
    window.start()
    try:
        code = asyncio.run(_run_until_signal(one, once=once))
    finally:
        window.close()
    raise typer.Exit(code)


async def _run_until_signal(one: Forwarder, *, once: bool) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, one.stop)
    return await one.run(once=once)
