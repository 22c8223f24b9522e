"""Where a worker stands: its state, since when, and why."""

from __future__ import annotations

from dubcast import log
from dubcast.clock import Clock
from dubcast.contract.worker import WorkerState
from dubcast.metrics import WorkerMetrics
from dubcast.worker.state import next_state

_log = log.get("worker")


class Standing:
    """Steps through the table of states, and tells each change. From the loop's thread only."""

    def __init__(self, clock: Clock, metrics: WorkerMetrics) -> None:
        self._clock = clock
        self._up = metrics.up.labels(metrics.stream)
        self.state = WorkerState.WAITING
        self.reason = ""
        self.message = ""
        self.output_lost_for = ""  # why it was last lost
        self.since_ns = clock.monotonic_ns()

    def step(self, event: str, reason: str = "", message: str = "") -> None:
        """Apply `event`; `message` is for people. Raises ValueError if the table has no such
        transition."""
        state = next_state(self.state, event)
        if state is not self.state:
            _log.info("state", state=state.value, before=self.state.value, reason=reason)
            self.since_ns = self._clock.monotonic_ns()
        self.state, self.reason, self.message = state, reason, message
        if event == "output_down":
            self.output_lost_for = reason
        self._up.set(state is WorkerState.LIVE)
