"""`dubcast run SOURCE DEST`: one stream by hand, without orchestrator or media server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from dubcast import config as settings_module
from dubcast import log
from dubcast.addresses import is_this_machine
from dubcast.cli.common import PEOPLE, ConfigOption, load_settings
from dubcast.cli.worker import leave, run_until_signal
from dubcast.config import SecretUrl, Settings
from dubcast.errors import ConfigError, NotReachableError
from dubcast.processes.identity import ProcessRef
from dubcast.processes.lasting import LastingProcess
from dubcast.run_result import RunResult

if TYPE_CHECKING:
    from dubcast.contract.worker import AsRunEntry
    from dubcast.live_view import LiveView
    from dubcast.worker.worker import Worker

_MODEL_LOAD_S = 120.0
_STOP_S = 10.0


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PEOPLE)(run)


def run(
    source: Annotated[str, typer.Argument(help="rtmp, rtsp, srt or http-flv URL, or a file")],
    dest: Annotated[str, typer.Argument(help="RTMP URL to publish to")],
    source_language: Annotated[
        str | None, typer.Option("--from", help="spoken language, or auto")
    ] = None,
    target_language: Annotated[str | None, typer.Option("--to", help="language to dub to")] = None,
    voice: Annotated[str | None, typer.Option(help="voice; see `dubcast voices`")] = None,
    delay: Annotated[float | None, typer.Option(help="input to output in seconds, 3-15")] = None,
    config: ConfigOption = None,
) -> None:
    """Dub one stream or file to an RTMP URL. Starts the speech service if none is running.

    Exit codes: 0 delivered; 2 bad usage, setting, language or source format; 3 not reachable: the
    source or the speech service is not there, or nothing was delivered to the destination; 4 it was
    delivered, and nothing of what was said was dubbed.
    """
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
    # Here, and not above: `dubcast --help` and what is refused above need none of it.
    from dubcast.cli.service import check_policy
    from dubcast.live_view import LiveView
    from dubcast.metrics import WorkerMetrics
    from dubcast.worker.gst.edges import real_edges
    from dubcast.worker.source_url import scheme_of
    from dubcast.worker.spec import WorkerSpec
    from dubcast.worker.worker import Worker

    is_file, result = scheme_of(source) == "file", RunResult()

    def fragment(entry: AsRunEntry) -> None:
        view.fragment(entry)
        result.fragment(entry)

    with _speech_service(settings), LiveView(log.redact_url(source)) as view:
        check_policy(settings.sts, settings.stream)
        spec = WorkerSpec(
            "run", SecretUrl(source), SecretUrl(dest), settings.stream, settings.sts,
            end_with_input=is_file,
            dumps=settings.worker.dumps,
            models_dir=settings.models.dir,
            input_patience_s=settings.orchestrator.grace_s,
            must_begin=True,
        )  # fmt: skip
        worker = Worker(spec, WorkerMetrics("run"), real_edges(), fragment)
        asyncio.run(_run(worker, view))
    result.delivered_s = worker.status().output.delivered_s
    result.lost_for = worker.output_lost_for
    sys.stderr.write(f"dubcast: {result.line(log.redact_url(dest))}\n")
    leave(result.exit_code)


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
    """The configured service if it runs, else one of our own, as a process of its own. Several
    runs share it, and the last one ends it."""
    from dubcast.cli.service import is_ready, refuse_foreign, wait_until_ready
    from dubcast.processes.shared import SharedProcess

    refuse_foreign(settings.sts)
    parts = urlsplit(settings.sts.url)
    if not is_this_machine(parts.hostname):
        if not is_ready(settings.sts):
            raise NotReachableError(f"the speech service at {settings.sts.url} does not answer")
        yield
        return
    port = parts.port or 80
    folder = settings_module.state_dir() / f"sts-{port}"
    lease, lines = folder / "lease.json", folder / "log"

    def start() -> ProcessRef:
        where = ("--host", parts.hostname or "", "--port", str(port))
        command = [sys.executable, "-m", "dubcast", "sts", *where]
        with lines.open("w", encoding="utf-8") as out:
            env = settings_module.child_env(settings_module.settings_of("sts", settings))
            return LastingProcess([*command, "--lease", str(lease)], env, out, out).ref

    shared = SharedProcess(lease, start, _STOP_S)
    with shared.used(lambda: is_ready(settings.sts)) as process:
        if process is not None and not wait_until_ready(
            settings.sts, _MODEL_LOAD_S, lambda: process.alive
        ):
            raise NotReachableError(f"the speech service did not start: {_last(lines)}")
        yield


def _last(lines: Path) -> str:
    """The last thing that a process said in its log, and where the rest is."""
    text = lines.read_text(encoding="utf-8", errors="replace").strip()
    return f"{text.rpartition(chr(10))[2][:300]} (all of it in {lines})"
