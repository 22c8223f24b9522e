"""Several speech services on one port: spread, started again, ended together. Models are fakes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

import sts_fakes

# What `dubcast sts --one-of` is to the one that starts it, with fake models.
ONE = """
import os, sys
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "broken":
    sys.exit(3)
import dubcast.sts.server as server
from dubcast.config import load
from sts_fakes import Script, fake_engine
server.build_engine = lambda settings: fake_engine(Script())
server.serve(load().settings, shared=True)
"""
ALL = """
import sys
from pathlib import Path
from dubcast.config import Settings
from dubcast.sts.several import serve_several
server = {"processes": 2, "port": int(sys.argv[2]), "nice": 0}
settings = Settings.model_validate({"sts_server": server})
one = [sys.executable, "-c", Path(sys.argv[4]).read_text(), sys.argv[1], sys.argv[3]]
serve_several(settings, one)
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], timeout_s: float = 40.0) -> None:
    """Wait for other processes; fails the test if it takes too long."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.05)


class Service:
    def __init__(self, folder: Path, mode: str = "") -> None:
        self.port = _free_port()
        (folder / "one.py").write_text(ONE)
        here = str(Path(sts_fakes.__file__).parent)
        command = [sys.executable, "-c", ALL, here, str(self.port), mode, str(folder / "one.py")]
        self.popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def replica(self) -> str | None:
        """Which process answers on a new connection."""
        try:
            reply = httpx2.post(
                f"http://127.0.0.1:{self.port}/api/v1/sts/process",
                content=sts_fakes.request().model_dump_json(),
                headers={"Content-Type": "application/json"},
                trust_env=False,
            )
        except httpx2.HTTPError:
            return None
        return reply.json()["metadata"]["replica"] if reply.status_code == 200 else None

    def replicas(self) -> set[str]:
        """Those that answered, of some connections."""
        return {one for one in (self.replica() for _ in range(24)) if one}

    def metric(self, name: str) -> float:
        text = httpx2.get(f"http://127.0.0.1:{self.port}/metrics", trust_env=False).text
        lines = [line for line in text.splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    running: list[Service] = []

    def start(mode: str = "") -> Service:
        running.append(Service(tmp_path, mode))
        return running[-1]

    yield start
    for one in running:
        if one.popen.poll() is None:
            one.popen.kill()
        one.popen.communicate()


def _pid(replica: str) -> int:
    return int(replica.rpartition("-")[2])


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_connections_are_spread_and_a_killed_one_comes_back(
    started: Callable[..., Service],
) -> None:
    service = started()
    wait_until(lambda: len(service.replicas()) == 2)
    # The metrics are those of both, whichever is asked.
    assert service.metric("dubcast_sts_requests_total") >= 2
    one, two = sorted(service.replicas())
    os.kill(_pid(one), signal.SIGKILL)
    wait_until(lambda: len(service.replicas() - {one}) == 2)
    assert two in service.replicas()
    pids = [_pid(replica) for replica in service.replicas()]
    service.popen.send_signal(signal.SIGTERM)
    assert service.popen.wait(30) == 0
    assert not any(map(_lives, pids))


def test_one_that_gives_up_ends_them_all(started: Callable[..., Service]) -> None:
    service = started("broken")
    _, told = service.popen.communicate(timeout=60)
    assert service.popen.returncode != 0
    assert "gave up with 3" in told


def test_the_children_do_not_outlive_the_one_that_started_them(
    started: Callable[..., Service],
) -> None:
    service = started()
    wait_until(lambda: len(service.replicas()) == 2)
    pids = [_pid(replica) for replica in service.replicas()]
    service.popen.kill()
    wait_until(lambda: not any(map(_lives, pids)))
