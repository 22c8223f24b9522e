"""`dubcast worker`: one stream, as the orchestrator starts it. `dubcast run`: one by hand."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from dubcast import log
from dubcast.cli.common import ROLES, ConfigOption, load_settings
from dubcast.config import SecretUrl

if TYPE_CHECKING:
    from dubcast.worker.worker import Worker


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=ROLES)(worker)


def worker(
    stream_id: Annotated[str, typer.Option(help="the stream's id")],
    input: Annotated[str, typer.Option(help="URL to read")],
    output: Annotated[str, typer.Option(help="RTMP URL to publish to")],
    status_port: Annotated[int, typer.Option(help="port of /status and /metrics; 0: any")] = 0,
    resume: Annotated[bool, typer.Option(help="the stream was on air: be back soon")] = False,
    patience: Annotated[
        float | None, typer.Option(help="end when the input is gone for so many seconds")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Dub one stream. Started by the orchestrator; `dubcast run` is for people."""
    settings = load_settings(config)
    log.setup(settings.log, "worker", streamId=stream_id)
    from dubcast.mediaserver.keys import with_key
    from dubcast.metrics import WorkerMetrics
    from dubcast.native import give_back_loading, settle_memory, tame_malloc
    from dubcast.statusd import StatusServer
    from dubcast.worker.asrun import AsRunLog
    from dubcast.worker.gst.edges import load_elements, real_edges
    from dubcast.worker.spec import WorkerSpec
    from dubcast.worker.worker import Worker

    tame_malloc()
    folder = settings.worker.asrun_dir
    asrun = AsRunLog(folder, stream_id) if folder is not None else None
    metrics = WorkerMetrics(stream_id)
    key = settings.media_server.roles_key  # not among the arguments, which everybody can see
    spec = WorkerSpec(
        *(stream_id, SecretUrl(with_key(input, key)), SecretUrl(with_key(output, key))),
        *(settings.stream, settings.sts),
        dumps=settings.worker.dumps,
        models_dir=settings.models.dir,
        input_patience_s=patience,
        resume_delay_s=settings.worker.resume_delay_s if resume else None,
        drain_s=settings.worker.drain_s,
    )
    one = Worker(
        spec,
        metrics,
        real_edges(with_opus=settings.media_server.whep),
        asrun.write if asrun else None,
    )

    def status() -> dict[str, Any]:
        return one.status().model_dump(mode="json")

    window = StatusServer(settings.worker.metrics_host, status_port, status, metrics.registry)
    load_elements(input)
    settle_memory()
    give_back_loading()  # no thread of ours runs yet
    window.start()
    try:
        asyncio.run(run_until_signal(one))
    finally:
        window.close()
        if asrun:
            asrun.close()
    leave()


def leave(code: int = 0) -> NoReturn:
    """End the process with this code at once, without the interpreter's own tear-down.

    GStreamer's plugins may still run threads of their own then, which do not take kindly to the
    libraries being unloaded under them; everything of ours is closed already.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def run_until_signal(one: Worker) -> None:
    """Run a worker; SIGTERM and SIGINT end it in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, one.stop)
    await one.run()
