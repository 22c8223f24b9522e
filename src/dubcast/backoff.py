"""Waiting between tries: exponential with full jitter, the first try soon. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from dubcast.clock import s_to_ns


@dataclass(frozen=True)
class BackoffPolicy:
    """`first_s` bounds the first wait, `cap_s` every wait; `reset_s` of health starts anew."""

    first_s: float = 1.0
    floor_s: float = 0.0
    cap_s: float = 30.0
    reset_s: float = 30.0


class Backoff:
    """The waits of one thing that is tried again and again.

    Each wait is drawn evenly from `floor_s` to a bound that doubles, so that many that failed
    together do not come back together.
    """

    def __init__(self, policy: BackoffPolicy, rng: random.Random) -> None:
        self._policy = policy
        self._rng = rng
        self.failures = 0

    def failed(self, healthy_s: float) -> int:
        """The wait in ns before the next try, after `healthy_s` of good work."""
        if healthy_s >= self._policy.reset_s:
            self.failures = 0
        bound = min(self._policy.cap_s, self._policy.first_s * 2 ** min(self.failures, 16))
        self.failures += 1
        floor = min(self._policy.floor_s, bound)
        return s_to_ns(self._rng.uniform(floor, bound))
