"""What `dubcast up` does with the roles that an earlier one left: real processes, no role."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dubcast.orchestrator.up import Role, RoleSource
from dubcast.processes.lasting import LastingProcess, Notes

ROLE = Role("media-server", ("media-server",), term_s=5, env={"DUBCAST__LOG__LEVEL": "info"})


@pytest.fixture
def left() -> Iterator[LastingProcess]:
    process = LastingProcess([sys.executable, "-c", "import time; time.sleep(60)"], os.environ)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "up")


def note(notes: Notes, process: LastingProcess, role: Role) -> None:
    digest = RoleSource(role, notes)._digest()
    one = {"pid": process.pid, "started": process.ref.started, "settings": digest}
    notes.write(role.name, one)


async def test_one_with_the_same_settings_is_taken_over(notes: Notes, left: LastingProcess) -> None:
    note(notes, left, ROLE)
    child = await RoleSource(ROLE, notes).take_over()
    assert child is not None
    assert (child.pid, child.adopted) == (left.pid, True)
    assert left.poll() is None


@pytest.mark.parametrize(
    "role",
    [
        replace(ROLE, env={"DUBCAST__LOG__LEVEL": "debug"}),
        replace(ROLE, args=("media-server", "x")),
    ],
)
async def test_one_with_other_settings_is_ended(
    notes: Notes, left: LastingProcess, role: Role
) -> None:
    note(notes, left, ROLE)
    assert await RoleSource(role, notes).take_over() is None
    assert left.wait(5) == -signal.SIGTERM
    assert list(notes.read()) == []


async def test_what_else_is_in_the_environment_does_not_matter(
    notes: Notes, left: LastingProcess
) -> None:
    note(notes, left, ROLE)
    role = replace(ROLE, env={**ROLE.env, "TERM": "dumb"})
    assert await RoleSource(role, notes).take_over() is not None


async def test_where_nothing_was_left_nothing_is_found(notes: Notes, left: LastingProcess) -> None:
    assert await RoleSource(ROLE, notes).take_over() is None
    note(notes, left, ROLE)
    left.kill()
    left.wait()
    assert await RoleSource(ROLE, notes).take_over() is None
