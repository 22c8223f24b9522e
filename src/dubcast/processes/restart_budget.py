"""How often a worker may crash before something simpler takes its place. Pure; times in ns.

Three states, one line each: within the budget the worker runs; beyond it the passthrough does,
until a quiet period is over; then the worker is on trial, and one crash ends the trial.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from dubcast.clock import s_to_ns


@dataclass(frozen=True)
class BudgetPolicy:
    """`crashes` within `window_s` are one too many; `quiet_s` later the worker is tried again.

    0 crashes: there is nothing to run instead, and no budget.
    """

    crashes: int = 3
    window_s: float = 60.0
    quiet_s: float = 300.0


class RestartBudget:
    """Says whether the worker or the passthrough is to run."""

    def __init__(self, policy: BudgetPolicy) -> None:
        self._policy = policy
        self._crashes: deque[int] = deque()
        self._passthrough_since: int | None = None
        self._trial_since: int | None = None

    @property
    def spent(self) -> bool:
        """True while the passthrough is to run."""
        return self._passthrough_since is not None

    def crashed(self, now_ns: int) -> None:
        """The worker crashed, hung, or grew too large. The passthrough's own ends do not count."""
        if self.spent or not self._policy.crashes:
            return
        window = s_to_ns(self._policy.window_s)
        self._crashes.append(now_ns)
        while self._crashes[0] < now_ns - window:
            self._crashes.popleft()
        on_trial = self._trial_since is not None and now_ns - self._trial_since <= window
        if on_trial or len(self._crashes) >= self._policy.crashes:
            self.begin_passthrough(now_ns)

    def begin_passthrough(self, now_ns: int) -> None:
        """The passthrough runs from now on (or was found running)."""
        self._passthrough_since, self._trial_since = now_ns, None
        self._crashes.clear()

    def worker_is_due(self, now_ns: int) -> bool:
        """True once the quiet period is over."""
        since = self._passthrough_since
        return since is not None and now_ns - since >= s_to_ns(self._policy.quiet_s)

    def begin_trial(self, now_ns: int) -> None:
        """The worker is tried again."""
        self._passthrough_since, self._trial_since = None, now_ns
