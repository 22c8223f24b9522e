"""Whether a process stands still because a signal has stopped it. Pure; times in ns, no clock.

A process that does not answer may be starved by a loaded machine, and recovers; only patience tells
it from one that hangs. One that is stopped (SIGSTOP, a debugger's leftover) needs no patience: the
kernel says that it will not run before somebody continues it, however busy the machine is.
"""

from __future__ import annotations

from dataclasses import dataclass

_LOOKS = 3


@dataclass(frozen=True)
class Activity:
    """What the kernel tells of a process at one moment. `cpu_ticks`: used by all its threads."""

    stopped: bool
    cpu_ticks: int


class Standstill:
    """How long one process has been stopped without a break, as far as looks at it can tell."""

    def __init__(self) -> None:
        self._since_ns = 0
        self._cpu_ticks = 0
        self._looks = 0  # that saw it stopped, one after the other

    def look(self, seen: Activity | None, now_ns: int) -> int:
        """For how long it is known to be stopped; 0 if it is not, or nothing is known.

        Two looks tell nothing: between them whoever looks may have been stopped as well, and both
        be about to go on. One that used the processor in between was continued, as by a tool that
        limits its share; its time begins anew.
        """
        if seen is None or not seen.stopped:
            self._looks = 0
            return 0
        if not self._looks or seen.cpu_ticks != self._cpu_ticks:
            self._since_ns, self._cpu_ticks, self._looks = now_ns, seen.cpu_ticks, 0
        self._looks += 1
        return now_ns - self._since_ns if self._looks >= _LOOKS else 0
