"""How many retries a process may make, whatever its fragments would like. Pure.

Retries multiply the load of a service that is already in trouble. So they are paid for by calls
(the retry budget of Finagle and of the SRE book, chapter 21): each call earns a share of a retry.
"""

from __future__ import annotations

_FIRST = 1.0  # the first fault of a stream may be retried
_MOST = 10.0  # a long good time does not save up for a storm


class RetryBudget:
    """Tokens: a call earns `share`, a retry costs one. Not thread-safe."""

    def __init__(self) -> None:
        self._tokens = _FIRST

    def called(self, share: float) -> None:
        """A call was made; it earns `share` (0.1: one retry for ten calls)."""
        self._tokens = min(self._tokens + share, _MOST)

    def allows(self, share: float) -> bool:
        """Whether a retry can be paid for; never with a share of 0."""
        # Ten tenths are a little less than one in floating point.
        return share > 0 and self._tokens > 1 - 1e-9

    def retried(self) -> None:
        """A retry was made."""
        self._tokens = max(self._tokens - 1, 0.0)


# All clients of a process share it.
PROCESS_BUDGET = RetryBudget()
