"""Time. Everything that waits or compares times takes a `Clock`; only this module reads one.

Monotonic time only: a step of the wall clock changes nothing in dubcast.
"""

from __future__ import annotations

import time
from typing import Protocol

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


class Clock(Protocol):
    """A source of monotonic time."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary start; never goes back."""


class SystemClock:
    """The machine's monotonic clock (the same for all processes of one boot on Linux)."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


def s_to_ns(seconds: float) -> int:
    """Seconds to integer nanoseconds."""
    return round(seconds * NS_PER_S)


def ns_to_s(ns: int) -> float:
    """Nanoseconds to seconds."""
    return ns / NS_PER_S


def process_cpu_ns() -> int:
    """CPU time that this process has used so far, all threads, in nanoseconds."""
    return time.process_time_ns()
