"""The ladder to the end of a process: by plain data, in virtual time, and on real processes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import pytest

from dubcast.clock import s_to_ns
from dubcast.processes.ladder import (
    KILL,
    Climb,
    Rung,
    climb,
    climb_async,
    end_popen,
    end_subprocess,
    term_then_kill,
)
from dubcast.testing import virtual_loop

TERM, KILLED = signal.SIGTERM, signal.SIGKILL
# It says so once it no longer hears SIGTERM.
DEAF = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(60)"
)
GENTLE = "print('here', flush=True); import time; time.sleep(60)"


def test_each_signal_is_due_once_and_in_its_time() -> None:
    one = Climb(term_then_kill(5), s_to_ns(10))
    seen = [(second, one.due(s_to_ns(second))) for second in (10, 11, 14.9, 15, 16, 1000)]
    assert [told for told in seen if told[1]] == [(10, TERM), (15, KILLED)]


def test_one_that_looks_late_gives_the_whole_time() -> None:
    one = Climb(term_then_kill(5), 0)
    assert one.due(s_to_ns(100)) is TERM
    assert one.due(s_to_ns(104.9)) is None
    assert one.due(s_to_ns(105)) is KILLED


def test_a_rung_without_a_signal_is_only_waited_for() -> None:
    one = Climb((Rung(None, 2), Rung(TERM, 2), *KILL), 0)
    assert [one.due(s_to_ns(second)) for second in range(6)] == [
        None,
        None,
        TERM,
        None,
        KILLED,
        None,
    ]


@pytest.mark.parametrize(
    ("ends_at", "sent"), [(0, [TERM]), (1, [TERM, KILLED]), (9, [TERM, KILLED])]
)
def test_climbing_stops_when_it_has_ended(ends_at: int, sent: list[signal.Signals]) -> None:
    signals: list[signal.Signals] = []
    waits: list[float | None] = []

    def ended(wait_s: float | None) -> bool:
        waits.append(wait_s)
        return len(waits) > ends_at

    assert climb(term_then_kill(3), signals.append, ended) is (ends_at < 2)
    assert signals == sent
    assert waits == [3, None][: len(sent)]


@pytest.mark.parametrize(("lasts_s", "sent"), [(1, [TERM]), (3, [TERM, KILLED])])
def test_climbing_beside_other_tasks(lasts_s: float, sent: list[signal.Signals]) -> None:
    loop = virtual_loop.VirtualLoop()
    signals: list[signal.Signals] = []

    async def ended() -> int:
        await asyncio.sleep(lasts_s)
        return 7

    assert virtual_loop.run(climb_async(term_then_kill(2), signals.append, ended), loop) == 7
    assert signals == sent


@pytest.mark.parametrize(("program", "code"), [(GENTLE, -TERM), (DEAF, -KILLED)])
def test_a_child_is_ended(program: str, code: int) -> None:
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert end_popen(process, 0.2) == code
        assert end_popen(process, 0.2) == code  # harmless


@pytest.mark.parametrize(("program", "code"), [(GENTLE, -TERM), (DEAF, -KILLED)])
async def test_a_child_of_asyncio_is_ended(program: str, code: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    assert await end_subprocess(process, 0.2) == code
    assert await end_subprocess(process, 0.2) == code
