"""The speech service as several processes on one port, for a GPU that one cannot keep busy.

A process spends its time in Python's lock long before an H100-class GPU is busy. Each has models of
its own; the system spreads the connections. One that is killed is started again; one that gives up
by itself has told why, and ends them all. Their metrics lie in files that each of them reports
together.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from dubcast import log
from dubcast.config import Settings, child_env
from dubcast.errors import DubcastError
from dubcast.listening import listen
from dubcast.processes.ladder import end_popen
from dubcast.processes.parent_death import die_with_parent

_LOOK_S = 0.2
# One that is killed at every start is not started in a loop without a pause.
_PAUSE_S = 1.0
_END_S = 5.0
# prometheus_client's own name.
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_ONE = (sys.executable, "-m", "dubcast", "sts", "--one-of")


def serve_several(settings: Settings, command: Sequence[str] = _ONE) -> None:
    """Run `sts_server.processes` services until SIGTERM or SIGINT; they drain as one does.

    Raises ConfigError if the address cannot be bound, DubcastError if one of them gives up.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with (
        tempfile.TemporaryDirectory(prefix="dubcast-metrics-") as folder,
        _reserved(settings) as port,
    ):
        own = settings.sts_server.model_copy(update={"port": port})
        environment = child_env(settings.model_copy(update={"sts_server": own}))
        several = Several(command, {**environment, _METRICS_FOLDER: folder}, Path(folder))
        try:
            several.run(settings.sts_server.processes, stop.wait)
        finally:
            several.end(settings.sts_server.drain_s + _END_S)


@contextmanager
def _reserved(settings: Settings) -> Iterator[int]:
    """The port, which nobody else can take now: a bound socket that does not listen."""
    host, port = settings.sts_server.host, settings.sts_server.port
    listen(host, port, shared=True).close()  # with its own message if it cannot be bound
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, port))
        yield held.getsockname()[1]


class Several:
    """Processes of one command, kept running. For one thread."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], metrics: Path
    ) -> None:
        self._command = list(command)
        self._environment = environment
        self._metrics = metrics
        self._running: list[subprocess.Popen[bytes]] = []
        self._last_start = 0.0
        self._log = log.get("several")

    def run(self, count: int, stopped: Callable[[float], bool]) -> None:
        """Keep `count` of them running until `stopped`, which waits so many seconds, says so.

        Raises DubcastError if one gives up.
        """
        for _ in range(count):
            self._start()
        while not stopped(_LOOK_S):
            for process in [one for one in self._running if one.poll() is not None]:
                self._ended(process)
            missing = len(self._running) < count
            if missing and time.monotonic() >= self._last_start + _PAUSE_S:
                self._start()

    def end(self, within_s: float) -> None:
        """End them all, together."""
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + within_s
        for process in self._running:
            end_popen(process, max(0.0, until - time.monotonic()))
        self._running.clear()

    def _start(self) -> None:
        argv = die_with_parent(self._command, os.getpid())
        self._running.append(
            subprocess.Popen(argv, env=self._environment, stdin=subprocess.DEVNULL)
        )
        self._last_start = time.monotonic()

    def _ended(self, process: subprocess.Popen[bytes]) -> None:
        self._running.remove(process)
        mark_process_dead(process.pid, str(self._metrics))  # type: ignore[no-untyped-call]
        if process.returncode > 0:
            code = process.returncode
            raise DubcastError(f"a process of the speech service gave up with {code}; see its log")
        self._log.error("process_ended", code=process.returncode)
