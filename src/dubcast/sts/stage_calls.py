"""The calls that one fragment makes to the stages: its deadline, and the time each stage took."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from dubcast.clock import NS_PER_MS, Clock
from dubcast.contract.sts import NoDub
from dubcast.errors import StsError
from dubcast.sts.capacity import Place
from dubcast.sts.engine import Done, StageThread

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass
class StageCalls:
    """Submits a fragment's tasks and adds up their times in milliseconds.

    `fragment`: its number in the order in which fragments came; `place`: what it was admitted for;
    `no_dub`: why it will have no dub, as soon as that is known.
    """

    stream_id: str
    clock: Clock
    started_ns: int
    deadline_ns: int
    fragment: int = 0
    place: Place = field(default_factory=Place)
    stage: str = "resample"
    ms: dict[str, float] = field(default_factory=lambda: {"queue": 0.0})
    no_dub: NoDub | None = None

    @asynccontextmanager
    async def within(self) -> AsyncIterator[None]:
        """What is done in here is done by the deadline. Raises StsError TIMEOUT."""
        timeout_ms = round((self.deadline_ns - self.started_ns) / NS_PER_MS)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                yield
        except TimeoutError:
            message = f"not done within {timeout_ms} ms"
            raise StsError("TIMEOUT", message, retryable=True, stage=self.stage) from None

    async def run(self, stage: StageThread[In, Out], task: In) -> Out:
        """One task's result. Raises StsError. Cancelling is safe."""
        return (await self.run_all(stage, [task]))[0]

    async def run_all(self, stage: StageThread[In, Out], tasks: Sequence[In]) -> list[Out]:
        """The results of tasks that may be done in any order. Raises StsError of the first."""
        begun_ns = self.clock.monotonic_ns()
        async with self.begun(stage, tasks) as futures:
            done = await asyncio.gather(*futures)
        self._count(stage.name, sum(one.ran_s for one in done), begun_ns)
        return [one.value for one in done]

    @asynccontextmanager
    async def begun(
        self,
        stage: StageThread[In, Out],
        tasks: Sequence[In],
        due_ns: Sequence[int | None] | None = None,
    ) -> AsyncIterator[list[asyncio.Future[Done[Out]]]]:
        """Futures of tasks that were submitted, to be given to `result`.

        `due_ns`: when each is wanted. Those that are not done at the end are taken back: nobody
        waits for them any more.
        """
        self.stage = stage.name
        self.place.expect(stage.name, len(tasks))
        futures: list[asyncio.Future[Done[Out]]] = []
        try:
            for task, due in zip(tasks, due_ns or [None] * len(tasks), strict=True):
                future = stage.submit(
                    task, self.stream_id, self.deadline_ns, due_ns=due, fragment=self.fragment
                )
                futures.append(asyncio.wrap_future(future))
                futures[-1].add_done_callback(lambda _: self.place.did(stage.name))
            yield futures
        finally:
            for one in futures:
                # Asking for the exception also marks it as seen: another one is told already.
                if not one.cancel() and not one.cancelled():
                    one.exception()

    async def result(self, stage: StageThread[In, Out], future: asyncio.Future[Done[Out]]) -> Out:
        """The result of a task that was begun. Raises StsError."""
        self.stage = stage.name
        begun_ns = self.clock.monotonic_ns()
        done = await future
        self._count(stage.name, done.ran_s, begun_ns)
        return done.value

    def left_ms(self) -> float:
        """Time until the deadline."""
        return (self.deadline_ns - self.clock.monotonic_ns()) / NS_PER_MS

    def took_ms(self) -> float:
        """Time since the fragment came."""
        return (self.clock.monotonic_ns() - self.started_ns) / NS_PER_MS

    def _count(self, stage: str, ran_s: float, begun_ns: int) -> None:
        """A stage ran for so long; what the fragment waited beyond that, it stood in a queue."""
        ran_ms = 1000 * ran_s
        waited_ms = (self.clock.monotonic_ns() - begun_ns) / NS_PER_MS
        self.ms[stage] = self.ms.get(stage, 0.0) + ran_ms
        self.ms["queue"] += max(0.0, waited_ms - ran_ms)
