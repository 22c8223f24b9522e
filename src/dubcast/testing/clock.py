"""A clock that stands still until it is told to move, with timers: hours pass in a test at once."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from dubcast.clock import s_to_ns

# Turns of the event loop in which tasks may react to a timer before time goes on.
_TURNS = 20


@dataclass(order=True)
class Timer:
    """A call at a time; `cancel` takes it back."""

    due_ns: int
    number: int
    callback: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Not to be called any more; cancelling twice is harmless."""
        self.cancelled = True


class VirtualClock:
    """A `dubcast.clock.Clock` for tests. Not thread-safe."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns
        self._timers: list[Timer] = []
        self._numbers = itertools.count()

    def monotonic_ns(self) -> int:
        """The virtual time in nanoseconds."""
        return self._now_ns

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` when `seconds` have passed; those due together in the order given."""
        due_ns = self._now_ns + s_to_ns(max(seconds, 0.0))
        timer = Timer(due_ns, next(self._numbers), callback)
        heapq.heappush(self._timers, timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds` (>= 0); what falls due on the way is called at its time."""
        end = self._end(seconds)
        while self._fire_next(end):
            pass
        self._now_ns = end

    async def sleep(self, seconds: float) -> None:
        """Wait until `seconds` have passed on this clock; somebody else has to move it."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        timer = self.call_later(seconds, wake)
        try:
            await woken
        finally:
            timer.cancel()

    async def run(self, seconds: float) -> None:
        """Move forward by `seconds`; tasks that wait on this clock run at each time on the way."""
        end = self._end(seconds)
        await _let_run()
        while self._fire_next(end):
            await _let_run()
        self._now_ns = end
        await _let_run()

    def _end(self, seconds: float) -> int:
        if seconds < 0:
            raise ValueError(f"a clock cannot go back by {-seconds} s")
        return self._now_ns + s_to_ns(seconds)

    def _fire_next(self, end: int) -> bool:
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        if not self._timers or self._timers[0].due_ns > end:
            return False
        timer = heapq.heappop(self._timers)
        self._now_ns = max(self._now_ns, timer.due_ns)
        timer.callback()
        return True


async def _let_run() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)
