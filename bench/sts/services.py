"""Speech services as processes of their own, on two cores, and the CPU time that they take."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from dubcast.config import ENV_PREFIX
from dubcast.errors import MediaError
from dubcast.measure.stage import free_port
from dubcast.processes.ladder import end_popen

HERE = Path(__file__).parents[2]
CORES = 2
# On the first start the synthesis engines are measured.
_READY_S = 300.0
_STOP_S = 10.0
_ON_CORES = (
    "import os, sys; os.sched_setaffinity(0, map(int, sys.argv[1].split(',')));"
    "os.execv(sys.argv[2], sys.argv[2:])"
)


@dataclass(frozen=True)
class Running:
    """A service that is ready."""

    url: str
    process: psutil.Process

    def cpu_s(self) -> float:
        """CPU seconds so far, of its children too, those that have ended among them."""
        total = 0.0
        for one in (self.process, *self.process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total


@contextmanager
def service(out: Path, root: Path = HERE) -> Iterator[Running]:
    """`dubcast sts` of the tree at `root`, with its default settings."""
    port = free_port()
    argv = [sys.executable, "-m", "dubcast", "sts", "--port", str(port)]
    with process(argv, port, out / f"{root.name}.log", {"PYTHONPATH": str(root / "src")}) as one:
        yield one


@contextmanager
def process(
    argv: Sequence[str], port: int, log: Path, environment: Mapping[str, str]
) -> Iterator[Running]:
    """A service on two cores, once `/readyz` says so. Raises MediaError with the end of its log if
    it does not."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:CORES]))
    known = {name: one for name, one in os.environ.items() if not name.startswith(ENV_PREFIX)}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        child = subprocess.Popen(
            [sys.executable, "-c", _ON_CORES, cores, *argv],
            env={**known, **environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(child, url, log)
        yield Running(url, psutil.Process(child.pid))
    finally:
        end_popen(child, _STOP_S)


def _wait(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + _READY_S
    while child.poll() is None and time.monotonic() < end:
        with suppress(httpx2.HTTPError):
            if httpx2.get(f"{url}/readyz", timeout=2, trust_env=False).status_code == 200:
                return
        time.sleep(0.2)
    tail = log.read_text(encoding="utf-8", errors="replace")[-1500:]
    raise MediaError(f"{url} did not get ready; the end of {log.name}:\n{tail}")
