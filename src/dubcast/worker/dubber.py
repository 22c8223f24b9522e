"""Sends fragments to the speech service, a few at a time, and brings dubs to their tempo."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from dubcast import log
from dubcast.audio.pcm import Float
from dubcast.audio.stretch import stretch
from dubcast.clock import Clock, ns_to_s
from dubcast.contract.worker import Outcome
from dubcast.errors import StsError
from dubcast.worker.core import WorkerCore
from dubcast.worker.edges import Blocking
from dubcast.worker.fragments import Fragment
from dubcast.worker.work import DubReply, Work

_MAX_WAITING = 8  # fragments cut but not sent; more means that the service cannot keep up

_log = log.get("worker")


class DubClient(Protocol):
    """What has a fragment dubbed."""

    async def dub(self, work: Work) -> DubReply:
        """Raises StsError."""


class Dubber:
    """Fragments in, in order; the core learns what became of them. In the loop's thread only."""

    def __init__(
        self,
        core: WorkerCore,
        client: DubClient,
        clock: Clock,
        blocking: Blocking,
        max_inflight: int,
        to_tempo: Callable[[Float, float], Float] = stretch,
        on_failed: Callable[[int, StsError], None] = lambda sequence, error: None,
    ) -> None:
        """`on_failed` is told the sequence number and the error of each call in vain."""
        self._core = core
        self._client = client
        self._clock = clock
        self._blocking = blocking
        self._max_inflight = max_inflight
        self._to_tempo = to_tempo
        self._on_failed = on_failed
        self._waiting: deque[Fragment] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._last_call: asyncio.Task[None] | None = None  # of the fragment before
        self._finishing = False

    def submit(self, fragments: list[Fragment]) -> None:
        """Have these dubbed; those that wait longest are given up if too many do."""
        self._waiting.extend(fragments)
        while len(self._waiting) > _MAX_WAITING:
            self._core.failed(self._waiting.popleft(), Outcome.OVERLOAD, "queue_full")
        self._send_next()

    def finish(self) -> None:
        """The stream ends: what waits stays where it is, what is under way goes on."""
        self._finishing = True

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._calls:
            await asyncio.wait(self._calls)

    async def close(self) -> None:
        """Give up what is under way; closing twice is harmless."""
        self.finish()
        calls = list(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _send_next(self) -> None:
        while self._waiting and len(self._calls) < self._max_inflight:
            fragment, before = self._waiting.popleft(), self._last_call
            call = asyncio.create_task(self._dub_in_time(fragment, before), name=fragment.id)
            self._last_call = call
            self._calls.add(call)
            call.add_done_callback(self._called)

    def _called(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        if not call.cancelled() and (error := call.exception()) is not None:
            _log.error("fragment call failed", error=repr(error))
        if not self._finishing:
            self._send_next()

    async def _dub_in_time(self, fragment: Fragment, before: asyncio.Task[None] | None) -> None:
        """Have a fragment dubbed, then bring to their tempo all dubs that wait: each reply and
        each failure changes what room the others have."""
        patience_s = self._core.patience_s(fragment, self._clock.monotonic_ns())
        if before is not None and patience_s > 0:
            await asyncio.wait([before], timeout=patience_s)
        await self._dub(fragment)
        while (task := self._core.next_stretch()) is not None:
            to_tempo = partial(self._to_tempo, task.voice, task.factor)
            self._core.stretched(task, await self._blocking(to_tempo))

    async def _dub(self, fragment: Fragment) -> None:
        work = self._core.send(fragment)
        if work is None:
            return
        started = self._clock.monotonic_ns()
        try:
            reply = await self._client.dub(work)
        except StsError as error:
            waited_s = ns_to_s(self._clock.monotonic_ns() - started)
            self._core.call_failed(fragment, error, waited_s)
            self._on_failed(fragment.sequence, error)
            _log.warning(
                "fragment not dubbed",
                fragmentId=fragment.id,
                batchNumber=fragment.sequence,
                code=error.code,
                reason=str(error),
            )
            return
        self._core.replied(fragment, reply, self._clock.monotonic_ns())
