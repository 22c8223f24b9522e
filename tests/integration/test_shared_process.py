"""A process that several use ends with the last of them, however they end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dubcast.errors import ConfigError
from dubcast.processes.identity import ProcessRef
from dubcast.processes.lasting import LastingProcess
from dubcast.processes.shared import SharedProcess, has_users

SLEEP = "import time; time.sleep(60)"
USER = """
import sys, time
from pathlib import Path
from dubcast.processes.shared import SharedProcess
def start(): raise AssertionError("it runs already")
with SharedProcess(Path(sys.argv[1]), start, 5).used(lambda: False) as one:
    print(one.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def started() -> Iterator[list[LastingProcess]]:
    found: list[LastingProcess] = []
    yield found
    for one in found:
        one.kill()
        one.wait()


def shared(file: Path, started: list[LastingProcess]) -> SharedProcess:
    def start() -> ProcessRef:
        started.append(LastingProcess([sys.executable, "-c", SLEEP], os.environ))
        return started[-1].ref

    return SharedProcess(file, start, 5)


def nobody() -> bool:
    return False


def ended(process: ProcessRef, within_s: float = 5.0) -> bool:
    end = time.monotonic() + within_s
    while process.alive and time.monotonic() < end:
        time.sleep(0.02)
    return not process.alive


def other_user(file: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(file)], stdin=pipe, stdout=pipe, text=True
    )


def leave_in_order(user: subprocess.Popen[str]) -> None:
    user.communicate()


def be_killed(user: subprocess.Popen[str]) -> None:
    user.kill()
    user.communicate()


def test_the_first_starts_it_and_one_user_alone_ends_it(
    tmp_path: Path, started: list[LastingProcess]
) -> None:
    file = tmp_path / "new" / "lease.json"
    with shared(file, started).used(nobody) as process:
        assert process is not None
        assert process.alive
        assert has_users(file)
    assert not process.alive
    assert not has_users(file)
    assert len(started) == 1


@pytest.mark.parametrize("go", [leave_in_order, be_killed])
def test_it_outlives_the_first_user_and_ends_with_the_last(
    tmp_path: Path,
    started: list[LastingProcess],
    go: Callable[[subprocess.Popen[str]], None],
) -> None:
    file = tmp_path / "lease.json"
    with ExitStack() as first:
        process = first.enter_context(shared(file, started).used(nobody))
        assert process is not None
        second = other_user(file)
        assert second.stdout is not None
        assert second.stdout.readline() == f"{process.pid}\n"
        first.close()
        assert process.alive
        go(second)
    if go is leave_in_order:
        assert ended(process)
    else:
        assert not has_users(file)  # the process itself looks, and ends
        with shared(file, started).used(nobody) as again:
            assert again == process
        assert ended(process)
    assert len(started) == 1


def test_one_that_crashed_is_started_anew(tmp_path: Path, started: list[LastingProcess]) -> None:
    file = tmp_path / "lease.json"
    with shared(file, started).used(nobody) as first:
        started[0].kill()
        started[0].wait()
        with shared(file, started).used(nobody) as second:
            assert second != first
    assert len(started) == 2


def test_what_somebody_else_runs_is_neither_started_nor_ended(
    tmp_path: Path, started: list[LastingProcess]
) -> None:
    file = tmp_path / "lease.json"
    with shared(file, started).used(lambda: True) as process:
        assert process is None
        assert not has_users(file)
    assert started == []


def test_half_a_file_is_an_empty_lease(tmp_path: Path) -> None:
    file = tmp_path / "lease.json"
    for text in ('{"process": {"pid": 1', "[]", '{"users": [{"pid": "x"}], "process": 7}'):
        file.write_text(text)
        assert not has_users(file)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="XDG_STATE_HOME"):
        has_users(tmp_path / "file" / "lease.json")
