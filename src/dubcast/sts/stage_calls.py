"""The calls that one fragment makes to the stages: its deadline, and the time each stage took."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dubcast.clock import NS_PER_MS, Clock
from dubcast.contract.sts import NoDub
from dubcast.sts.engine import Done, StageThread

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass
class StageCalls:
    """Submits a fragment's tasks and adds up their times in milliseconds.

    `no_dub`: why it will have no dub, as soon as that is known.
    """

    stream_id: str
    clock: Clock
    started_ns: int
    deadline_ns: int
    stage: str = "resample"
    ms: dict[str, float] = field(default_factory=lambda: {"queue": 0.0})
    no_dub: NoDub | None = None

    async def run(self, stage: StageThread[In, Out], task: In) -> Out:
        """One task's result. Raises StsError. Cancelling is safe."""
        return (await self.run_all(stage, [task]))[0]

    async def run_all(self, stage: StageThread[In, Out], tasks: Sequence[In]) -> list[Out]:
        """The results of tasks that may be done in any order. Raises StsError of the first."""
        self.stage = stage.name
        begun_ns = self.clock.monotonic_ns()
        done = await self._all(stage, tasks)
        ran_ms = sum(1000 * one.ran_s for one in done)
        took_ms = (self.clock.monotonic_ns() - begun_ns) / NS_PER_MS
        self.ms[stage.name] = self.ms.get(stage.name, 0.0) + ran_ms
        self.ms["queue"] += max(0.0, took_ms - ran_ms)
        return [one.value for one in done]

    def left_ms(self) -> float:
        """Time until the deadline."""
        return (self.deadline_ns - self.clock.monotonic_ns()) / NS_PER_MS

    async def _all(self, stage: StageThread[In, Out], tasks: Sequence[In]) -> list[Done[Out]]:
        futures: list[asyncio.Future[Done[Out]]] = []
        try:
            for task in tasks:
                future = stage.submit(task, self.stream_id, self.deadline_ns)
                futures.append(asyncio.wrap_future(future))
            return await asyncio.gather(*futures)
        except BaseException:
            # Nobody waits for the rest any more: what has not begun is not computed.
            for one in futures:
                one.cancel()
            raise
