"""The one supervisor with scripted children, in virtual time: starts, restarts, and ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from process_fakes import ScriptedChild

from dubcast.backoff import BackoffPolicy
from dubcast.errors import MissingPartError
from dubcast.processes.child import PASSTHROUGH, Child, ChildSource, Start
from dubcast.processes.restart_budget import BudgetPolicy
from dubcast.processes.supervisor import ChildState, Fate, Supervisor, SupervisorPolicy
from dubcast.testing import virtual_loop

SOON = BackoffPolicy(first_s=0.0, cap_s=0.0)
ROLE = SupervisorPolicy(heartbeat_timeout_s=None, term_s=2, backoff=SOON)
WATCHED = SupervisorPolicy(term_s=2, heartbeat_timeout_s=3, backoff=SOON)


class Script(ChildSource):
    """Each start is answered by the next of the script: a child, an exit code, or an error."""

    key = "worker:abc"

    def __init__(self, *turns: Callable[[], ScriptedChild] | int | MissingPartError) -> None:
        self.turns = list(turns)
        self.starts: list[Start] = []
        self.children: list[ScriptedChild] = []
        self.forgotten: list[Child] = []

    async def start(self, which: Start) -> Child:
        self.starts.append(which)
        turn = self.turns.pop(0) if self.turns else ScriptedChild
        if isinstance(turn, MissingPartError):
            raise turn
        child = ScriptedChild() if isinstance(turn, int) else turn()
        self.children.append(child)
        if isinstance(turn, int):
            child.end(turn)
        return child

    def forget(self, child: Child) -> None:
        self.forgotten.append(child)


Play = Callable[[Supervisor, "asyncio.Task[None]"], Coroutine[Any, Any, None]]


def play(script: Script, policy: SupervisorPolicy, story: Play, adopt: bool = False) -> Supervisor:
    """Run a supervisor and a story beside it, then cancel it; the supervisor as it ended."""
    loop = virtual_loop.VirtualLoop()
    supervisor = Supervisor(script, loop, policy, lambda _: None)

    async def main() -> None:
        adopted = ScriptedChild(mode=PASSTHROUGH) if adopt else None
        running = asyncio.create_task(supervisor.run(adopted))
        await story(supervisor, running)
        running.cancel()
        await asyncio.wait({running})

    virtual_loop.run(main(), loop)
    return supervisor


async def ten_seconds(_: Supervisor, __: asyncio.Task[None]) -> None:
    await asyncio.sleep(10)


def test_one_that_ends_is_started_again_and_one_that_cannot_start_is_not() -> None:
    script = Script(1, 0, -9, 2)
    ended = play(script, ROLE, ten_seconds)
    assert script.starts == [Start.FIRST, Start.AGAIN, Start.AGAIN, Start.AGAIN]
    assert ended.life.state is ChildState.FAILED
    assert (ended.life.exit_code, ended.life.restarts) == (2, 3)
    assert script.forgotten == script.children


def test_what_is_missing_altogether_is_not_tried_again() -> None:
    script = Script(MissingPartError("no such program"))
    assert play(script, ROLE, ten_seconds).life.state is ChildState.FAILED
    assert script.starts == [Start.FIRST]


@pytest.mark.parametrize("policy", [ROLE, WATCHED])
@pytest.mark.parametrize(
    ("deaf", "sent"), [(False, [signal.SIGTERM]), (True, [signal.SIGTERM, signal.SIGKILL])]
)
def test_cancelled_it_ends_its_child_by_the_ladder(
    policy: SupervisorPolicy, deaf: bool, sent: list[signal.Signals]
) -> None:
    script = Script(lambda: ScriptedChild(deaf=deaf))
    supervisor = play(script, policy, ten_seconds)
    assert script.children[0].signals == list(zip((10.0, 12.0), sent, strict=False))
    assert script.forgotten == script.children
    assert supervisor.life.state is ChildState.STOPPED


def test_released_it_leaves_its_child() -> None:
    async def story(supervisor: Supervisor, _: asyncio.Task[None]) -> None:
        await asyncio.sleep(10)
        supervisor.release()

    script = Script()
    play(script, WATCHED, story)
    assert script.children[0].signals == []
    assert script.forgotten == []


def test_one_that_was_never_told_anything_is_not_missed_without_a_status_window() -> None:
    async def story(supervisor: Supervisor, _: asyncio.Task[None]) -> None:
        await asyncio.sleep(3600)
        assert supervisor.life.state is ChildState.RUNNING

    script = Script(lambda: ScriptedChild(mute=True))
    play(script, ROLE, story)
    assert script.starts == [Start.FIRST]


def test_one_that_goes_mute_is_killed_at_once() -> None:
    async def story(supervisor: Supervisor, _: asyncio.Task[None]) -> None:
        await asyncio.sleep(10)
        script.children[0].mute = True
        await asyncio.sleep(10)
        assert supervisor.life.fate is Fate.HUNG
        assert supervisor.status == {"stream_id": "abc", "state": "live"}  # of the next one

    script = Script()
    play(script, WATCHED, story)
    ((at_s, number),) = script.children[0].signals
    assert (number, 12.5 < at_s <= 13.5) == (signal.SIGKILL, True)
    assert script.starts == [Start.FIRST, Start.AGAIN]


class Stoppable(ScriptedChild):
    """Asked while it is stopped, it lets the question run out."""

    async def status(self) -> dict[str, Any] | None:
        if self.stopped:
            await asyncio.sleep(1)
            return None
        return await super().status()


def test_one_that_is_stopped_is_killed_long_before_the_heartbeat_runs_out() -> None:
    async def story(supervisor: Supervisor, _: asyncio.Task[None]) -> None:
        await asyncio.sleep(10.1)
        script.children[0].stopped = True
        await asyncio.sleep(1.2)
        assert supervisor.life.fate is Fate.HUNG
        assert script.starts == [Start.FIRST, Start.AGAIN]

    script = Script(Stoppable)
    play(script, WATCHED, story)
    assert [number for _, number in script.children[0].signals] == [signal.SIGKILL]


def test_one_that_is_stopped_for_a_moment_or_now_and_again_lives() -> None:
    async def story(supervisor: Supervisor, _: asyncio.Task[None]) -> None:
        await asyncio.sleep(1)
        child = script.children[0]
        for _again in range(100):
            child.stopped = True
            await asyncio.sleep(0.7)
            child.stopped = False
            await asyncio.sleep(0.6)
        assert supervisor.life.state is ChildState.RUNNING

    script = Script(Stoppable)
    play(script, WATCHED, story)
    assert script.starts == [Start.FIRST]


def test_one_that_a_busy_machine_starves_is_given_the_whole_heartbeat() -> None:
    async def story(supervisor: Supervisor, _: asyncio.Task[None]) -> None:
        await asyncio.sleep(10)
        script.children[0].mute = True
        await asyncio.sleep(2.9)
        script.children[0].mute = False
        await asyncio.sleep(10)
        assert supervisor.life.state is ChildState.RUNNING

    script = Script()
    play(script, WATCHED, story)
    assert script.starts == [Start.FIRST]


def test_crash_after_crash_brings_the_passthrough_and_a_quiet_time_the_worker() -> None:
    budget = BudgetPolicy(crashes=3, window_s=60, quiet_s=100)
    policy = SupervisorPolicy(term_s=2, backoff=SOON, budget=budget)

    async def story(supervisor: Supervisor, _: asyncio.Task[None]) -> None:
        await asyncio.sleep(50)
        assert supervisor.passthrough
        await asyncio.sleep(60)
        assert not supervisor.passthrough

    script = Script(1, 1, 1)
    play(script, policy, story)
    again = [Start.AGAIN, Start.AGAIN]
    assert script.starts == [Start.FIRST, *again, Start.PASSTHROUGH, Start.AGAIN]
    assert [number for _, number in script.children[3].signals] == [signal.SIGTERM]


def test_an_adopted_passthrough_is_known_for_what_it_is() -> None:
    budget = BudgetPolicy(crashes=3, window_s=60, quiet_s=100)

    async def story(supervisor: Supervisor, _: asyncio.Task[None]) -> None:
        await asyncio.sleep(50)
        assert supervisor.passthrough
        assert script.starts == []
        await asyncio.sleep(60)

    script = Script()
    play(script, SupervisorPolicy(backoff=SOON, budget=budget), story, adopt=True)
    assert script.starts == [Start.AGAIN]
