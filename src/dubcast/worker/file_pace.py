"""A file has no pace of its own: when each of its tags is due, by their timestamps. Pure."""

from __future__ import annotations

from dubcast.clock import NS_PER_S

# A step back is never waited for, nor is one ahead that is no hole but other timestamps.
_BACK_NS = NS_PER_S
_AHEAD_NS = 60 * NS_PER_S


class FilePace:
    """Plays a file's timestamps on the monotonic clock; where they leap, it begins anew."""

    def __init__(self) -> None:
        self._origin_ns: int | None = None  # of timestamp 0, on the clock
        self._last_ns = 0

    def due_ns(self, ts: int, now: int) -> int:
        """When the tag that comes next in the file, at timestamp `ts` in ns, is to be taken."""
        step = ts - self._last_ns
        if self._origin_ns is None or not -_BACK_NS <= step <= _AHEAD_NS:
            self._origin_ns = now - ts
        self._last_ns = ts
        return self._origin_ns + ts
