"""`dubcast run SOURCE DEST`: one stream by hand, without orchestrator or media server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from dubcast import config as settings_module
from dubcast import log
from dubcast.addresses import is_this_machine
from dubcast.cli.common import PEOPLE, ConfigOption, load_settings
from dubcast.cli.worker import leave, run_until_signal
from dubcast.config import SecretUrl, Settings
from dubcast.errors import ConfigError, MissingPartError
from dubcast.processes.ladder import end_popen

if TYPE_CHECKING:
    from dubcast.live_view import LiveView
    from dubcast.worker.worker import Worker

_MODEL_LOAD_S = 120.0
_STOP_S = 10.0


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PEOPLE)(run)


def run(
    source: Annotated[str, typer.Argument(help="rtmp, rtsp, srt or http-flv URL, or a file")],
    dest: Annotated[str, typer.Argument(help="RTMP URL to publish to")],
    source_language: Annotated[str | None, typer.Option("--from", help="spoken language")] = None,
    target_language: Annotated[str | None, typer.Option("--to", help="language to dub to")] = None,
    voice: Annotated[str | None, typer.Option(help="voice; see `dubcast voices`")] = None,
    delay: Annotated[float | None, typer.Option(help="input to output in seconds, 3-15")] = None,
    config: ConfigOption = None,
) -> None:
    """Dub one stream or file to an RTMP URL. Starts the speech service if none is running."""
    settings = load_settings(
        config,
        stream__source_language=source_language,
        stream__target_language=target_language,
        stream__voice=voice,
        stream__delay_s=delay,
    )
    log.setup(settings.log, "worker", streamId="run")
    if urlsplit(dest).scheme not in {"rtmp", "rtmps"}:
        raise ConfigError(f"destination {SecretUrl(dest)}: it must be an rtmp:// or rtmps:// URL")
    # Here, and not above: every role imports this module, and the worker keeps small.
    from dubcast.cli.service import check_policy
    from dubcast.live_view import LiveView
    from dubcast.metrics import WorkerMetrics
    from dubcast.worker.gst.edges import real_edges
    from dubcast.worker.source_url import scheme_of
    from dubcast.worker.spec import WorkerSpec
    from dubcast.worker.worker import Worker

    is_file = scheme_of(source) == "file"
    with _speech_service(settings), LiveView(log.redact_url(source)) as view:
        check_policy(settings.sts, settings.stream)
        spec = WorkerSpec(
            "run", source, dest, settings.stream, settings.sts,
            end_with_input=is_file,
            dumps=settings.worker.dumps,
            models_dir=settings.models.dir,
            input_patience_s=settings.orchestrator.grace_s,
            must_begin=True,
        )  # fmt: skip
        worker = Worker(spec, WorkerMetrics("run"), real_edges(), view.fragment)
        asyncio.run(_run(worker, view))
    leave()


async def _run(worker: Worker, view: LiveView) -> None:
    async def watch() -> None:
        while True:
            view.status(worker.status())
            await asyncio.sleep(0.5)

    watcher = asyncio.create_task(watch())
    try:
        await run_until_signal(worker)
    finally:
        watcher.cancel()


@contextmanager
def _speech_service(settings: Settings) -> Iterator[None]:
    """The configured service if it runs, else one of our own, as a process of its own."""
    from dubcast.cli.service import is_ready, refuse_foreign, wait_until_ready

    refuse_foreign(settings.sts)
    if is_ready(settings.sts):
        yield
        return
    parts = urlsplit(settings.sts.url)
    if not is_this_machine(parts.hostname):
        raise MissingPartError(f"the speech service at {settings.sts.url} does not answer")
    where = ("--host", parts.hostname or "", "--port", str(parts.port or 80))
    command = [sys.executable, "-m", "dubcast", "sts", *where]
    child = subprocess.Popen(command, env=settings_module.child_env(settings))
    try:
        if not wait_until_ready(settings.sts, _MODEL_LOAD_S, alive=lambda: child.poll() is None):
            raise MissingPartError("the speech service did not start; see its lines above")
        yield
    finally:
        end_popen(child, _STOP_S)
