"""The thread that pushes what is due to the output, and sleeps until the next is."""

from __future__ import annotations

import threading
from collections.abc import Callable

from dubcast.clock import Clock, ns_to_s
from dubcast.worker.core import WorkerCore
from dubcast.worker.edges import Output
from dubcast.worker.fragment import Fragment
from dubcast.worker.outlet import Taken
from dubcast.worker.scheduler import Batch

# Coded sound waits for its moment in the output: it leaves at most this late.
_LONGEST_WAIT_S = 0.025
_JOIN_S = 2


class OutputThread:
    """Drives the core's scheduler. `push` takes what is due, and the time, and says who got what.

    `on_decided`, `on_cut` (what is to be dubbed), `on_delay` (seconds from arrival to output),
    `on_pushed` (what an output took) and `on_broken` (why it ended of its own accord) are called
    from the thread.
    """

    def __init__(
        self,
        core: WorkerCore,
        clock: Clock,
        push: Callable[[Batch, int], Taken | None],
        on_decided: Callable[[list[Fragment]], None],
        on_delay: Callable[[float], None],
        on_pushed: Callable[[Output, Batch], None] = lambda output, batch: None,
        on_broken: Callable[[Exception], None] = lambda error: None,
        on_cut: Callable[[list[Fragment]], None] = lambda fragments: None,
    ) -> None:
        self._core = core
        self._clock = clock
        self._push = push
        self._on_decided = on_decided
        self._on_delay = on_delay
        self._on_pushed = on_pushed
        self._on_broken = on_broken
        self._on_cut = on_cut
        self._quit = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self.round_ns = clock.monotonic_ns()  # when it last came round

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the thread; harmless when repeated, or before `start`."""
        self._quit.set()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    def push_due(self) -> float:
        """One round: push what is due now; seconds until the next round."""
        now = self.round_ns = self._clock.monotonic_ns()
        batch, due = self._core.poll(now)
        if (taken := self._push(batch, now)) is not None:
            self._on_pushed(*taken)
        self._tell(batch)
        # Nothing that arrives now is due before the delay has passed: no need to be woken.
        if due is None:
            return _LONGEST_WAIT_S
        return min(ns_to_s(due - self._clock.monotonic_ns()), _LONGEST_WAIT_S)

    def _run(self) -> None:
        try:
            while not self._quit.is_set():
                wait_s = self.push_due()
                if wait_s > 0:
                    self._quit.wait(wait_s)
        except Exception as error:  # noqa: BLE001 - the thread's border: nothing leaves any more, so say why
            self._on_broken(error)

    def _tell(self, batch: Batch) -> None:
        if batch.delay_s is not None:
            self._on_delay(batch.delay_s)
        if batch.cut:
            self._on_cut(batch.cut)
        if batch.decided:
            self._on_decided(batch.decided)
