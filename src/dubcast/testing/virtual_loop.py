"""An event loop in which nobody waits: when nothing can run, its clock jumps to the next timer.

For code that waits by `asyncio.sleep` and `asyncio.timeout` and touches neither sockets nor
threads: an hour of it takes as long as what it computes, and comes out the same every time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from dubcast.clock import s_to_ns

Result = TypeVar("Result")


class _Selector(selectors.SelectSelector):
    """Takes no time itself: it moves the clock instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is left that could ever happen")
        self.now_s += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; also a `Clock`, which shows the same time."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s

    def monotonic_ns(self) -> int:
        """Nanoseconds since the loop was made."""
        return s_to_ns(self.time())


def run(main: Coroutine[Any, Any, Result], loop: VirtualLoop) -> Result:
    """Run `main` to its end on `loop`, and close it; what `main` left running is cancelled."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)
