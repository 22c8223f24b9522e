"""Children as processes of this machine.

Each is in a session of its own and is noted in a file, so that a killed orchestrator's children
play on, and the next one adopts them instead of starting a second worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil

from dubcast import log
from dubcast.errors import MissingPartError
from dubcast.orchestrator.placement.base import Child, ChildSpec, Placement

_POLL_S = 0.25
_STATUS_TIMEOUT_S = 1.0
_logger = log.get("placement.local")


class LocalChild(Child):
    """A process. Its start time guards against a process id that was given anew."""

    def __init__(
        self,
        key: str,
        pid: int,
        port: int,
        api: httpx2.AsyncClient,
        process: asyncio.subprocess.Process | None = None,
        started: float | None = None,
    ) -> None:
        self.key = key
        self.pid = pid
        self.port = port
        self.adopted = process is None
        self.started = started if started is not None else _start_time(pid)
        self._api = api
        self._process = process

    @property
    def alive(self) -> bool:
        if self._process is not None:
            return self._process.returncode is None
        return self.started is not None and _start_time(self.pid) == self.started

    async def wait(self) -> int | None:
        if self._process is not None:
            return await self._process.wait()
        while self.alive:  # noqa: ASYNC110 - not our child: the kernel tells us nothing
            await asyncio.sleep(_POLL_S)
        return None

    async def status(self) -> dict[str, Any] | None:
        try:
            reply = await self._api.get(f"http://127.0.0.1:{self.port}/status")
            value = reply.raise_for_status().json()
        except (httpx2.HTTPError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self.alive:
            return
        with contextlib.suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(self.pid, number)  # its own session: its children go with it
            else:
                os.kill(self.pid, number)


class LocalPlacement(Placement):
    """Runs children on this machine."""

    def __init__(self, folder: Path, max_streams: int) -> None:
        self._folder = folder
        self._max_streams = max_streams
        self._api = httpx2.AsyncClient(timeout=_STATUS_TIMEOUT_S, trust_env=False)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def start(self, spec: ChildSpec) -> Child:
        port = _free_port()
        try:
            process = await asyncio.create_subprocess_exec(
                *spec.argv,
                "--status-port",
                str(port),
                env=dict(spec.env),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise MissingPartError(f"{spec.argv[0]} cannot be started: {error}") from error
        child = LocalChild(spec.key, process.pid, port, self._api, process)
        self._note(child)
        return child

    async def list(self) -> list[Child]:
        return [child for child in self._noted() if child.alive]

    def forget(self, child: Child) -> None:
        self._file(child.key).unlink(missing_ok=True)

    def capacity(self) -> int:
        return self._max_streams

    async def close(self) -> None:
        await self._api.aclose()

    def _file(self, key: str) -> Path:
        return self._folder / (key.replace(":", "+") + ".json")

    def _note(self, child: LocalChild) -> None:
        """Write the note aside and move it into place: a reader never sees half of it."""
        file = self._file(child.key)
        note = {
            "key": child.key,
            "pid": child.pid,
            "port": child.port,
            "started": child.started,
        }
        aside = file.with_suffix(".tmp")
        aside.write_text(json.dumps(note), encoding="utf-8")
        aside.replace(file)

    def _noted(self) -> Iterator[LocalChild]:
        """What earlier orchestrators noted; notes that make no sense are dropped."""
        for file in sorted(self._folder.glob("*.json")):
            try:
                note = json.loads(file.read_text(encoding="utf-8"))
                child = LocalChild(
                    str(note["key"]),
                    int(note["pid"]),
                    int(note["port"]),
                    self._api,
                    started=float(note["started"]),
                )
            except (OSError, ValueError, KeyError, TypeError):
                _logger.warning("note.unreadable", file=file.name)
                file.unlink(missing_ok=True)
                continue
            if not child.alive:
                file.unlink(missing_ok=True)
            yield child


def _start_time(pid: int) -> float | None:
    """When the process started; None if there is none (a zombie is none)."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None


def _free_port() -> int:
    """A port that was free a moment ago; a child that loses it exits and is started again."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
