"""Children and a placement that do as the test says."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from dubcast.orchestrator.placement.driver import ChildSpec, Placement
from dubcast.processes.child import Child
from dubcast.processes.standstill import Activity


class ScriptedChild(Child):
    """Ends when it is told to, unless it is deaf; answers, unless it is mute."""

    adopted = False

    def __init__(
        self, key: str = "worker:abc", *, deaf: bool = False, mute: bool = False, mode: str = ""
    ) -> None:
        self.key = key
        self.mode = mode
        self.memory = 1
        self.stopped = False
        self.cpu_ticks = 0
        self.answer: dict[str, Any] = {"stream_id": "abc", "state": "live"}
        self.deaf, self.mute = deaf, mute
        self.signals: list[tuple[float, signal.Signals]] = []
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int | None:
        return await asyncio.shield(self._ended)

    async def status(self) -> dict[str, Any] | None:
        return None if self.mute else self.answer

    def memory_bytes(self) -> int | None:
        return self.memory

    def activity(self) -> Activity | None:
        return Activity(self.stopped, self.cpu_ticks)

    def send(self, number: signal.Signals) -> None:
        self.signals.append((asyncio.get_running_loop().time(), number))
        if number is signal.SIGKILL or not self.deaf:
            self.end(-number)

    def end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)


class ScriptedPlacement(Placement):
    """Starts scripted children and keeps them all."""

    def __init__(self) -> None:
        self.started: list[ScriptedChild] = []
        self.specs: list[ChildSpec] = []
        self.status: dict[str, Any] | None = None  # what they answer, if not as usual
        self.found: list[Child] = []
        self.forgotten: list[Child] = []

    async def start(self, spec: ChildSpec) -> Child:
        child = ScriptedChild(spec.key)
        child.answer = self.status or child.answer
        self.specs.append(spec)
        self.started.append(child)
        return child

    async def list(self) -> list[Child]:
        return self.found

    def forget(self, child: Child) -> None:
        self.forgotten.append(child)

    def capacity(self) -> int:
        return 8

    async def close(self) -> None:
        """It holds nothing."""
