"""One stream's actor: what its children do when something is seen of it."""

from __future__ import annotations

import asyncio
import inspect
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from process_fakes import ScriptedChild, ScriptedPlacement

from dubcast.config import Settings
from dubcast.contract.streams import StreamState
from dubcast.mediaserver.interface import PathSource
from dubcast.orchestrator.actor import Actor
from dubcast.orchestrator.children import ChildTasks, supervisor_policies
from dubcast.orchestrator.placement.driver import ChildSpec
from dubcast.orchestrator.stream import Stream, StreamPolicy
from dubcast.processes.child import Child
from dubcast.testing import virtual_loop

SOURCE = PathSource("live/abc/in", "1")
WORKER, EGRESS = "worker:abc", "egress:abc:one"
AGAIN = ("again",)


class Specs:
    """Stands where the launcher does."""

    def children(self, stream_id: str, source: PathSource | None) -> list[ChildSpec]:
        egress = ChildSpec("egress", "abc", "one", (), {})
        return [self.worker(stream_id, source), egress]

    def worker(self, stream_id: str, source: PathSource | None) -> ChildSpec:
        url = self.source_url(source) if source else "as it was"
        return ChildSpec("worker", "abc", "", (url,), {}, again=AGAIN)

    def source_url(self, source: PathSource) -> str:
        return f"by {source.source_type}"


@pytest.mark.parametrize("part", [Actor, Stream])
def test_no_step_of_a_stream_waits(part: type) -> None:
    """What the orchestrator claims: nothing can come between the parts of a step."""
    assert inspect.getmembers(part, inspect.iscoroutinefunction) == []
    assert inspect.getmembers(part, inspect.isasyncgenfunction) == []


class Scene:
    """An actor with scripted children; `gone` counts how often a look was asked for."""

    def __init__(self, loop: virtual_loop.VirtualLoop, group: asyncio.TaskGroup) -> None:
        self.placement = ScriptedPlacement()
        self.tasks = ChildTasks(self.placement, loop, supervisor_policies(Settings()))
        self.tasks.group = group
        self.gone = 0
        stream = Stream("abc", StreamPolicy(grace_s=5), loop.monotonic_ns())
        launcher: Any = Specs()
        self.actor = Actor(stream, launcher, self.tasks, loop, lambda _: None, self._look)

    def _look(self) -> None:
        self.gone += 1

    def started(self) -> list[str]:
        return [child.key for child in self.placement.started]


def play(story: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
    loop = virtual_loop.VirtualLoop()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            await story(Scene(loop, group))

    virtual_loop.run(main(), loop)


def test_a_publisher_starts_all_and_its_loss_ends_all() -> None:
    async def story(scene: Scene) -> None:
        actor = scene.actor
        actor.observed(SOURCE, output_ready=True)
        await asyncio.sleep(3)
        assert scene.started() == [WORKER, EGRESS]
        assert actor.stream.state is StreamState.LIVE
        assert (actor.worker is not None, len(actor.destinations)) == (True, 1)
        assert actor.has_running and actor.holds_place
        actor.observed(None, output_ready=False)
        await asyncio.sleep(5)
        actor.observed(None, output_ready=False)
        await asyncio.sleep(1)
        for child in scene.placement.started:
            assert [number for _, number in child.signals] == [signal.SIGTERM]
        assert (len(scene.placement.forgotten), scene.gone) == (2, 1)
        assert actor.stream.state is StreamState.IDLE
        assert (actor.children, actor.has_running, actor.holds_place) == ({}, False, False)

    play(story)


def test_a_worker_that_cannot_start_ends_the_rest_and_is_shown_as_it_was() -> None:
    async def story(scene: Scene) -> None:
        scene.actor.observed(SOURCE, output_ready=True)
        await asyncio.sleep(3)
        scene.placement.started[0].end(2)
        await asyncio.sleep(3)
        assert scene.actor.stream.state is StreamState.FAILED
        assert [number for _, number in scene.placement.started[1].signals] == [signal.SIGTERM]
        worker = scene.actor.worker
        assert worker is not None and worker.supervisor.life.exit_code == 2
        assert (scene.actor.has_running, scene.actor.holds_place) == (False, False)

    play(story)


def test_what_was_found_running_is_taken_over_and_the_rest_is_started() -> None:
    async def story(scene: Scene) -> None:
        found, stranger = ScriptedChild(WORKER), ScriptedChild("egress:abc:other")
        running: dict[str, Child] = {found.key: found, stranger.key: stranger}
        scene.actor.adopt(running)
        assert list(running) == [stranger.key]
        await asyncio.sleep(1)
        assert scene.started() == [EGRESS]
        scene.actor.release()
        for child in scene.actor.children.values():
            assert child.task is not None
            child.task.cancel()
        await asyncio.sleep(1)
        assert found.signals == scene.placement.started[0].signals == []  # left to the next

    play(story)


def test_one_that_nobody_wants_is_ended_by_the_ladder_and_then_forgotten() -> None:
    async def story(scene: Scene) -> None:
        stranger = ScriptedChild("egress:abc:other", deaf=True)
        scene.tasks.end_unwanted(stranger)
        await asyncio.sleep(4)
        assert scene.placement.forgotten == []
        await asyncio.sleep(2)
        assert [number for _, number in stranger.signals] == [signal.SIGTERM, signal.SIGKILL]
        assert scene.placement.forgotten == [stranger]

    play(story)


def test_a_publisher_back_by_another_protocol_has_a_worker_that_reads_that() -> None:
    async def story(scene: Scene) -> None:
        scene.actor.observed(PathSource("live/abc/in", "1", "rtmpConn"), output_ready=True)
        await asyncio.sleep(3)
        scene.actor.observed(None, output_ready=True)
        scene.actor.observed(PathSource("live/abc/in", "2", "rtmpConn"), output_ready=True)
        await asyncio.sleep(3)
        assert scene.started() == [WORKER, EGRESS]
        scene.actor.observed(None, output_ready=True)
        scene.actor.observed(PathSource("live/abc/in", "3", "rtspSession"), output_ready=True)
        await asyncio.sleep(3)
        assert scene.started() == [WORKER, EGRESS, WORKER]
        first, _, again = scene.placement.started
        assert [number for _, number in first.signals] == [signal.SIGTERM]
        assert scene.placement.specs[-1].argv == ("by rtspSession", *AGAIN)
        worker = scene.actor.worker
        assert worker is not None and worker.supervisor.life.fate == "replaced"
        assert again.signals == []
        for child in scene.actor.children.values():
            assert child.task is not None
            child.task.cancel()

    play(story)


def test_a_worker_that_was_found_running_is_not_replaced() -> None:
    async def story(scene: Scene) -> None:
        found = ScriptedChild(WORKER)
        scene.actor.adopt({found.key: found})
        await asyncio.sleep(1)
        scene.actor.observed(PathSource("live/abc/in", "1", "rtspSession"), output_ready=True)
        await asyncio.sleep(3)
        assert found.signals == []
        found.end(1)
        await asyncio.sleep(3)
        assert scene.placement.specs[-1].argv == ("by rtspSession", *AGAIN)
        for child in scene.actor.children.values():
            assert child.task is not None
            child.task.cancel()

    play(story)


@pytest.mark.parametrize(("track", "reason"), [("Opus", "no_video"), ("H264", "no_audio")])
def test_a_track_that_is_missing_is_the_reason(track: str, reason: str) -> None:
    async def story(scene: Scene) -> None:
        scene.actor.observed(PathSource("live/abc/in", "1", tracks=(track,)), output_ready=True)
        await asyncio.sleep(3)
        assert (scene.actor.stream.state, scene.actor.stream.reason) == ("degraded", reason)
        for child in scene.actor.children.values():
            assert child.task is not None
            child.task.cancel()

    play(story)


@pytest.mark.parametrize(
    ("came", "reason"),
    [
        ({"sessions": 1, "video": True}, "no_audio"),
        ({"sessions": 1, "audio": True}, "no_video"),
        ({"sessions": 1, "audio": True, "video": True}, "on_air"),
        ({}, "on_air"),  # an older worker does not say
    ],
)
def test_what_a_worker_lacks_is_the_reason_whatever_the_server_lists(
    came: dict[str, Any], reason: str
) -> None:
    async def story(scene: Scene) -> None:
        scene.placement.status = {"stream_id": "abc", "state": "live", "input": came}
        scene.actor.observed(PathSource("live/abc/in", "1"), output_ready=True)
        await asyncio.sleep(3)
        assert scene.actor.stream.reason == reason
        for child in scene.actor.children.values():
            assert child.task is not None
            child.task.cancel()

    play(story)


EXPECTED = PathSource("live/abc/in", "", "rtmpConn")


def test_what_was_prepared_is_what_reads_when_the_publisher_is_seen() -> None:
    async def story(scene: Scene) -> None:
        scene.actor.requested(EXPECTED)
        await asyncio.sleep(2)
        assert scene.started() == [WORKER]
        assert scene.actor.holds_place
        scene.actor.observed(PathSource("live/abc/in", "1", "rtmpConn"), output_ready=False)
        await asyncio.sleep(1)
        assert scene.started() == [WORKER, EGRESS]
        assert scene.actor.stream.state is StreamState.STARTING
        scene.actor.observed(PathSource("live/abc/in", "1", "rtmpConn"), output_ready=True)
        await asyncio.sleep(1)
        assert scene.actor.stream.state is StreamState.LIVE
        assert scene.placement.started[0].signals == []
        await end(scene)

    play(story)


def test_a_publisher_that_sends_something_else_has_a_worker_that_begins_as_the_first() -> None:
    async def story(scene: Scene) -> None:
        scene.actor.requested(EXPECTED)
        await asyncio.sleep(2)
        scene.actor.observed(PathSource("live/abc/in", "1", "other"), output_ready=False)
        await asyncio.sleep(2)
        assert scene.started() == [WORKER, EGRESS, WORKER]
        assert [number for _, number in scene.placement.started[0].signals] == [signal.SIGTERM]
        worker = scene.placement.specs[-1]
        assert (worker.argv, worker.again) == (("by other",), AGAIN)
        assert scene.actor.worker is not None
        assert scene.actor.worker.supervisor.life.restarts == 0
        await end(scene)

    play(story)


def test_a_publisher_that_is_never_seen_leaves_no_process_and_no_place_taken() -> None:
    async def story(scene: Scene) -> None:
        scene.actor.requested(EXPECTED)
        await asyncio.sleep(5)
        scene.actor.observed(None, output_ready=False)
        await asyncio.sleep(1)
        assert [number for _, number in scene.placement.started[0].signals] == [signal.SIGTERM]
        assert len(scene.placement.forgotten) == len(scene.placement.started) == 1
        assert scene.actor.stream.state is StreamState.IDLE
        assert (scene.actor.children, scene.actor.holds_place) == ({}, False)

    play(story)


async def end(scene: Scene) -> None:
    for child in scene.actor.children.values():
        assert child.task is not None
        child.task.cancel()
    await asyncio.sleep(1)
