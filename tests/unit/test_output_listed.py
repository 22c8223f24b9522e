"""A stream is `live` from when its output can be read: the whole orchestrator in virtual time, with
a media server that lists what the test says, and workers that say from the start that media leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from process_fakes import ScriptedPlacement

from dubcast.config import Secret, Settings
from dubcast.errors import MediaServerError
from dubcast.mediaserver.interface import ControlPlane, MediaServer, PathSource
from dubcast.orchestrator.launch import Launcher
from dubcast.orchestrator.orchestrator import Orchestrator
from dubcast.orchestrator.placement.driver import ChildSpec
from dubcast.testing import virtual_loop

IN, OUT = "live/abc/in", "live/abc/out"
RECONCILE_S = 2.0
POLL_S = 0.5  # of a supervisor


class Server(MediaServer):
    """Lists `paths`; `looks` counts how often it was asked."""

    kind = "scripted"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.media_server, ControlPlane(None, Secret(""), "", True))
        self.paths: set[str] = set()
        self.away = False
        self.looks = 0

    async def ready_paths(self) -> dict[str, PathSource]:
        self.looks += 1
        if self.away:
            raise MediaServerError("away")
        return {path: PathSource(path, "source") for path in self.paths}

    async def start(self) -> None:
        """It runs."""

    async def wait(self) -> int:
        return 0

    async def stop(self) -> None:
        """It has no process."""

    async def close(self) -> None:
        """It has no connection."""

    async def kick(self, path: str) -> bool:
        return False


class OneWorker(Launcher):
    """A worker, without its command line."""

    def children(self, stream_id: str, source: PathSource | None) -> list[ChildSpec]:
        return [ChildSpec("worker", stream_id, "", (), {})]


class Plane:
    """The orchestrator, its server, and how its stream stands."""

    def __init__(self, loop: virtual_loop.VirtualLoop) -> None:
        own = {"grace_s": 5, "reconcile_s": RECONCILE_S}
        settings = Settings.model_validate({"orchestrator": own})
        self.server = Server(settings)
        self.orchestrator = Orchestrator(
            *(settings, self.server, ScriptedPlacement()),
            launcher=OneWorker(settings, self.server),
            clock=loop,
        )

    @property
    def stands(self) -> tuple[str, str]:
        told = self.orchestrator.stream("abc") or {}
        return told.get("state", ""), told.get("reason", "")


def play(story: Callable[[Plane], Coroutine[Any, Any, None]]) -> None:
    loop = virtual_loop.VirtualLoop()

    async def main() -> None:
        plane = Plane(loop)
        running = asyncio.create_task(plane.orchestrator.run())
        await story(plane)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    virtual_loop.run(main(), loop)


async def on_air(plane: Plane) -> None:
    plane.server.paths = {IN, OUT}
    await asyncio.sleep(RECONCILE_S + 2 * POLL_S)
    assert plane.stands == ("live", "on_air")


def test_until_the_output_is_listed_a_stream_is_starting() -> None:
    async def story(plane: Plane) -> None:
        plane.server.paths = {IN}
        for _ in range(60):
            await asyncio.sleep(0.25)
            assert plane.stands[0] in {"", "starting"}
        plane.server.paths = {IN, OUT}
        await asyncio.sleep(POLL_S + 0.2)  # sooner than the next turn of the reconciler
        assert plane.stands == ("live", "on_air")

    play(story)


def test_a_live_stream_is_not_looked_at_more_often_than_is_set() -> None:
    async def story(plane: Plane) -> None:
        await on_air(plane)
        before = plane.server.looks
        await asyncio.sleep(10 * RECONCILE_S)
        assert plane.server.looks - before <= 10

    play(story)


def test_an_output_that_is_no_longer_listed_is_told_until_it_is_back() -> None:
    async def story(plane: Plane) -> None:
        await on_air(plane)
        plane.server.paths = {IN}
        await asyncio.sleep(RECONCILE_S + 0.2)
        assert plane.stands == ("degraded", "output_not_ready")
        plane.server.paths = {IN, OUT}
        await asyncio.sleep(POLL_S + 0.2)
        assert plane.stands == ("live", "on_air")

    play(story)


def test_a_media_server_that_is_away_says_nothing_about_the_output() -> None:
    async def story(plane: Plane) -> None:
        await on_air(plane)
        plane.server.away = True
        await asyncio.sleep(5 * RECONCILE_S)
        assert plane.stands == ("live", "on_air")

    play(story)


def test_a_publisher_that_returns_is_live_when_its_output_is_listed() -> None:
    async def story(plane: Plane) -> None:
        await on_air(plane)
        plane.server.paths = {OUT}
        await asyncio.sleep(RECONCILE_S + 0.2)
        assert plane.stands[0] == "grace"
        plane.server.paths = {IN, OUT}
        await asyncio.sleep(RECONCILE_S + POLL_S)
        assert plane.stands == ("live", "on_air")

    play(story)
