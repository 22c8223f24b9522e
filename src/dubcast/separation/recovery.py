"""What follows when the separation process fails: wait, try again, step down, give up. Pure."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from dubcast.backoff import Backoff, BackoffPolicy
from dubcast.clock import s_to_ns

_BACKOFF = BackoffPolicy(first_s=1.0, floor_s=1.0, cap_s=30.0, reset_s=60.0)


@dataclass(frozen=True)
class RecoveryPolicy:
    """At most `restarts` of one separator within `window_s`; `backoff` between them."""

    restarts: int = 5
    window_s: float = 600.0
    backoff: BackoffPolicy = _BACKOFF


class Recovery:
    """Tells which separators may still run, best first; empty: separation is off."""

    def __init__(self, order: Sequence[str], policy: RecoveryPolicy, rng: random.Random) -> None:
        self.order = tuple(order)
        self._policy = policy
        self._rng = rng
        self._anew()

    def _anew(self) -> None:
        self._backoff = Backoff(self._policy.backoff, self._rng)
        self._restarts: deque[int] = deque()

    def failed(self, now_ns: int, name: str, healthy_s: float, final: bool) -> int | None:
        """The wait in ns before the next try, None when nothing is left to try.

        `name`: which separator ran; `final`: it cannot work here at all, so it is not tried again.
        """
        window = s_to_ns(self._policy.window_s)
        while self._restarts and now_ns - self._restarts[0] > window:
            self._restarts.popleft()
        if not final and len(self._restarts) < self._policy.restarts:
            self._restarts.append(now_ns)
            return self._backoff.failed(healthy_s)
        at = self.order.index(name) if name in self.order else 0
        self.order = self.order[at + 1 :]
        self._anew()
        return 0 if self.order else None
