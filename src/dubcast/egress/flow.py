"""What a destination takes of what it is sent: how far behind it is, and whether it is slow. Pure.

Sent is what was handed to the connection; taken is what the peer's kernel has acknowledged, and,
of a peer that acknowledges by RTMP, what it has read: a frozen server's kernel goes on taking for
megabytes. Times in ns, counts in bytes.
"""

from __future__ import annotations

from collections import deque

from dubcast.clock import NS_PER_S, s_to_ns
from dubcast.rtmp.client import WINDOW

# Behind by so much, it is slow; by so much less, it no longer is.
_SLOW_S = 1.0
_WELL_S = 0.4
_RATE_NS = s_to_ns(3.0)
# A peer acknowledges after a window, when it comes to it.
_SLACK = 1.5


class Flow:
    """The way of the bytes to one destination."""

    def __init__(self) -> None:
        self.slow = False
        self.arrived = 0  # bytes that the stream had for it
        self.taken = 0
        self._sent: deque[tuple[int, int]] = deque()  # (count after it, when it was read)
        self._acknowledged = 0
        self._window = WINDOW  # the longest between two acknowledgements
        self._points: deque[tuple[int, int, int]] = deque()  # (time, arrived, taken)

    def sent(self, count: int, read_ns: int) -> None:
        """A tag was handed on; the connection has been sent `count` bytes with it."""
        self._sent.append((count, read_ns))

    def look(
        self, now_ns: int, taken: int, acknowledged: int | None, oldest_ns: int | None
    ) -> float:
        """Take stock; returns how far behind the destination is, in s.

        `taken`: by the peer's kernel. `oldest_ns`: when what waits to be sent was read.
        """
        if acknowledged is not None:
            taken -= self._unread(taken, acknowledged)
        self.taken = max(self.taken, taken)
        while self._sent and self._sent[0][0] <= self.taken:
            self._sent.popleft()
        since = self._sent[0][1] if self._sent else oldest_ns
        lag_s = (now_ns - since) / NS_PER_S if since is not None else 0.0
        self._points.append((now_ns, self.arrived, self.taken))
        while now_ns - self._points[0][0] > _RATE_NS and len(self._points) > 2:
            self._points.popleft()
        self.slow = lag_s > (_WELL_S if self.slow else _SLOW_S)
        return lag_s

    def _unread(self, taken: int, acknowledged: int) -> int:
        """Bytes that the peer's kernel has and the peer itself should have said that it read."""
        step = acknowledged - self._acknowledged
        if step > 0:
            # Not every peer keeps to the window that it is told: its own is seen from its steps.
            self._window = max(self._window, step)
            self._acknowledged = acknowledged
        return max(0, round(taken - acknowledged - _SLACK * self._window))

    @property
    def rates(self) -> tuple[float, float]:
        """Taken and arrived in the last seconds, in Mbit/s."""
        if len(self._points) < 2:
            return 0.0, 0.0
        (start, arrived, taken), (end, arrived_now, taken_now) = self._points[0], self._points[-1]
        per_s = 8e-6 * NS_PER_S / max(end - start, 1)
        return (taken_now - taken) * per_s, (arrived_now - arrived) * per_s
