"""Sends fragments to the speech service, a few at a time, and brings dubs to their tempo."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from dubcast import log
from dubcast.audio.pcm import Float
from dubcast.audio.stretch import stretch
from dubcast.clock import Clock, ns_to_s
from dubcast.contract.worker import Outcome
from dubcast.errors import StsError
from dubcast.worker.dubs import DubDesk
from dubcast.worker.edges import Blocking
from dubcast.worker.fragment import Fragment
from dubcast.worker.work import DubReply, Progress, SpokenClause, StreamEnd, Work

_MAX_WAITING = 8  # fragments cut but not sent; more means that the service cannot keep up

_log = log.get("worker")


@dataclass(frozen=True)
class _Sent:
    """A fragment that was taken from the queue. `is_known`: what is said in it, or that this will
    not be known."""

    fragment: Fragment
    is_known: asyncio.Event


class DubClient(Protocol):
    """What has a fragment dubbed."""

    async def dub(
        self, work: Work, on_progress: Callable[[Progress], None]
    ) -> DubReply | StreamEnd:
        """Of a streamed reply `on_progress` is told what has come. Raises StsError."""


class Dubber:
    """Fragments in, in order; the desk learns what became of them. In the loop's thread only."""

    def __init__(
        self,
        dubs: DubDesk,
        client: DubClient,
        clock: Clock,
        blocking: Blocking,
        max_inflight: int,
        to_tempo: Callable[[Float, float], Float] = stretch,
        on_failed: Callable[[int, StsError], None] = lambda sequence, error: None,
    ) -> None:
        """`on_failed` is told the sequence number and the error of each call in vain."""
        self._dubs = dubs
        self._client = client
        self._clock = clock
        self._blocking = blocking
        self._max_inflight = max_inflight
        self._to_tempo = to_tempo
        self._on_failed = on_failed
        self._waiting: deque[Fragment] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._stretches: set[asyncio.Task[None]] = set()  # while their calls go on
        self._last: _Sent | None = None  # the fragment before
        self._closed = False

    def submit(self, fragments: list[Fragment]) -> None:
        """Have these dubbed; those that wait longest are given up if too many do."""
        self._waiting.extend(fragments)
        while len(self._waiting) > _MAX_WAITING:
            self._dubs.failed(self._waiting.popleft(), Outcome.OVERLOAD, "queue_full")
        self._send_next()

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while under_way := self._calls | self._stretches:
            await asyncio.wait(under_way)

    async def close(self) -> None:
        """Give up what waits and what is under way; closing twice is harmless."""
        self._closed = True
        under_way = [*self._calls, *self._stretches]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _send_next(self) -> None:
        while self._waiting and len(self._calls) < self._max_inflight and not self._closed:
            sent, before = _Sent(self._waiting.popleft(), asyncio.Event()), self._last
            call = self._start(self._dub_in_time(sent, before), self._calls)
            call.add_done_callback(partial(_is_known, sent))
            self._last = sent

    def _start(
        self, part: Coroutine[Any, Any, None], held: set[asyncio.Task[None]]
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(part)
        held.add(task)
        task.add_done_callback(partial(self._ended, held))
        return task

    def _ended(self, held: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        held.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("fragment call failed", error=repr(error))
        self._send_next()

    async def _dub_in_time(self, sent: _Sent, before: _Sent | None) -> None:
        patience_s = self._dubs.patience_s(sent.fragment, self._clock.monotonic_ns())
        if before is not None and patience_s > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await before.is_known.wait()
        await self._dub(sent)
        await self._to_their_tempo()

    async def _to_their_tempo(self) -> None:
        """Bring to their tempo all dubs that wait: each reply and each failure changes what room
        the others have."""
        while (task := self._dubs.next_stretch()) is not None:
            to_tempo = partial(self._to_tempo, task.voice, task.factor)
            self._dubs.stretched(task, await self._blocking(to_tempo))

    async def _dub(self, sent: _Sent) -> None:
        fragment = sent.fragment
        work = self._dubs.send(fragment)
        if work is None:
            return
        started = self._clock.monotonic_ns()

        def came(progress: Progress) -> None:
            now = self._clock.monotonic_ns()
            self._dubs.took(fragment, progress, ns_to_s(now - started), now)
            sent.is_known.set()  # what comes first is what was heard
            if isinstance(progress, SpokenClause):
                self._start(self._to_their_tempo(), self._stretches)

        try:
            reply = await self._client.dub(work, came)
        except StsError as error:
            self._failed(fragment, error, started)
        else:
            self._dubs.replied(fragment, reply, self._clock.monotonic_ns())
        finally:
            self._dubs.over(fragment)

    def _failed(self, fragment: Fragment, error: StsError, started: int) -> None:
        now = self._clock.monotonic_ns()
        self._dubs.call_failed(fragment, error, ns_to_s(now - started), now)
        self._on_failed(fragment.sequence, error)
        _log.warning(
            "fragment not dubbed",
            fragmentId=fragment.id,
            batchNumber=fragment.sequence,
            code=error.code,
            reason=str(error),
        )


def _is_known(sent: _Sent, call: asyncio.Task[None]) -> None:
    sent.is_known.set()
