"""What samples of processes, taken from outside, say of a run."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from dubcast.measure.stage import Sample, Watcher, role_of, usage_of

# Two workers with a separation process each, in the shape of `dubcast up`'s children.
_UP = """
import subprocess, sys
worker = [sys.executable, "-m", "dubcast", "worker"]
children = [
    subprocess.Popen([*worker, name, "--status-port", "9"], stdin=subprocess.PIPE)
    for name in ("demo", "demo250")
]
sys.stdin.read()
"""
_WORKER = """
import subprocess, sys
separation = [sys.executable, "-m", "dubcast.separation.process"]
subprocess.Popen(separation, stdin=subprocess.PIPE)
sys.stdin.read()
"""


def used(rate: float, *, until_s: int = 60, from_s: int = 0, died_s: int = 0) -> list[Sample]:
    """A process with `rate` CPU seconds a second; replaced by a fresh one at `died_s`."""
    return [
        Sample(
            100.0 + t, 5.0 * (not died_s or t < died_s) + rate * (t - died_s * (t >= died_s)), 90
        )
        for t in range(from_s, until_s)
    ]


def test_the_separation_process_is_told_beside_the_worker() -> None:
    found = usage_of({"worker": used(0.11), "sts": used(0.7), "separation": used(0.08, from_s=3)})
    assert found.worker_cpu == pytest.approx(0.11)
    assert found.worker_cpu_with_separation == pytest.approx(0.19)
    assert found.sts_cpu == pytest.approx(0.7) and found.worker_rss_mb == 90


@pytest.fixture
def up_pid(tmp_path: Path) -> Iterator[int]:
    package = tmp_path / "dubcast" / "separation"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package.parent / "__main__.py").write_text(_WORKER)
    (package / "process.py").write_text("import sys; sys.stdin.read()")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    # Each reads its standard input, which ends with its parent: none is left behind.
    with subprocess.Popen([sys.executable, "-c", _UP], stdin=subprocess.PIPE, env=env) as process:
        yield process.pid


def test_only_the_processes_of_the_stream_are_followed(up_pid: int, tmp_path: Path) -> None:
    with Watcher(up_pid, "demo", tmp_path / "none") as watcher:
        end = time.monotonic() + 20
        while len(watcher.samples["separation"]) < 3 and time.monotonic() < end:
            time.sleep(0.05)
    workers, separations = watcher.samples["worker"], watcher.samples["separation"]
    assert 3 <= len(separations) <= len(workers) + 1
    assert all(later.at_s - one.at_s > 0.2 for one, later in pairwise(separations))


def test_a_process_that_was_replaced_counts_in_both_lives() -> None:
    found = usage_of({"worker": used(0.11), "separation": used(0.08, died_s=40)})
    assert found.worker_cpu_with_separation == pytest.approx(0.19, abs=0.002)


def test_what_was_not_seen_is_not_told_as_nothing() -> None:
    found = usage_of({"worker": used(0.11)})
    assert math.isnan(found.worker_cpu_with_separation) and math.isnan(found.sts_cpu)
    assert found.worker_cpu == pytest.approx(0.11)


@pytest.mark.parametrize(
    ("words", "role"),
    [
        (["/venv/bin/python3", "-m", "dubcast", "worker", "demo"], "worker"),
        (["/usr/bin/python3", "-m", "dubcast.separation.process", "--order", "x"], "separation"),
        (["/usr/bin/node", "server.mjs"], "node"),
        (["/bin/bash", "-c", "true"], ""),
        ([], ""),
    ],
)
def test_roles_by_command_line(words: list[str], role: str) -> None:
    assert role_of(words) == role
