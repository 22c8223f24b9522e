"""Children as processes of this machine.

Each is in a session of its own and is noted in a file, so that a killed orchestrator's children
play on, and the next one adopts them instead of starting a second worker.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpx2

from dubcast import log
from dubcast.addresses import host_port
from dubcast.certificates import trusted
from dubcast.errors import MissingPartError
from dubcast.listening import family_of
from dubcast.orchestrator.placement.driver import ChildSpec, Placement
from dubcast.processes.child import Child
from dubcast.processes.identity import ProcessRef, find_by_arguments
from dubcast.processes.lasting import LastingChild, LastingProcess, Notes, noted_ref

_STATUS_TIMEOUT_S = 1.0
_PORT_OPTION = "--status-port"
_logger = log.get("placement.local")


class LocalChild(LastingChild):
    """A process, and where its status window is."""

    port: int

    def __init__(
        self,
        key: str,
        process: ProcessRef,
        window: tuple[str, int],
        api: httpx2.AsyncClient,
        *,
        mode: str = "",
        popen: LastingProcess | None = None,
    ) -> None:
        super().__init__(key, process, popen, mode)
        host, self.port = window
        self._status_url = f"http://{host_port(host, self.port)}/status"
        self._api = api

    async def status(self) -> dict[str, Any] | None:
        try:
            reply = await self._api.get(self._status_url)
            value = reply.raise_for_status().json()
        except (httpx2.HTTPError, ValueError):
            return None
        return value if isinstance(value, dict) else None


class LocalPlacement(Placement):
    """Runs children on this machine. `host`: where their status windows are reached."""

    def __init__(self, folder: Path, max_streams: int, host: str = "127.0.0.1") -> None:
        self._notes = Notes(folder)
        self._host = host
        self._max_streams = max_streams
        self._api = httpx2.AsyncClient(timeout=_STATUS_TIMEOUT_S, trust_env=False, verify=trusted())

    async def start(self, spec: ChildSpec) -> Child:
        port = _free_port(self._host)
        note = {"mode": spec.mode, "host": self._host, "port": port}
        # Before it runs: killed between the two, its next orchestrator still finds it.
        self._notes.write(spec.key, note)
        try:
            popen = LastingProcess([*spec.argv, _PORT_OPTION, str(port)], spec.env)
        except OSError as error:
            self._notes.remove(spec.key)
            raise MissingPartError(f"{spec.argv[0]} cannot be started: {error}") from error
        process = popen.ref
        self._notes.write(spec.key, {**note, "pid": process.pid, "started": process.started})
        window = (self._host, port)
        return LocalChild(spec.key, process, window, self._api, mode=spec.mode, popen=popen)

    async def list(self) -> list[Child]:
        found = [self._noted(key, note) for key, note in self._notes.read()]
        return [child for child in found if child is not None]

    def forget(self, child: Child) -> None:
        self._notes.remove(child.key)

    def capacity(self) -> int:
        return self._max_streams

    async def close(self) -> None:
        await self._api.aclose()

    def _noted(self, key: str, note: dict[str, Any]) -> LocalChild | None:
        """The child of a note that an earlier orchestrator left; None, and no note, if it ended."""
        port = note.get("port")
        process = None
        if isinstance(port, int):
            known = "pid" in note
            process = noted_ref(note) if known else _by_port(port)
        if process is None or not isinstance(port, int):
            _logger.info("note.dropped", child=key)
            self._notes.remove(key)
            return None
        window = (str(note.get("host", self._host)), port)
        return LocalChild(key, process, window, self._api, mode=str(note.get("mode", "")))


def _by_port(port: int) -> ProcessRef | None:
    return find_by_arguments(_PORT_OPTION, str(port))


def _free_port(host: str) -> int:
    """A port that was free a moment ago; a child that loses it exits and is started again."""
    with socket.socket(family_of(host)) as one:
        try:
            one.bind((host, 0))
        except OSError as error:
            raise MissingPartError(f"worker.metrics_host {host}: {error.strerror}") from error
        return int(one.getsockname()[1])
