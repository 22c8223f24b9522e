"""The stream's timeline: one clock for all input sessions, and when each moment is due out.

*Stream time* is nanoseconds that only grow, across reconnections of the publisher. A session
is one connection of the input; its own timestamps (GStreamer running time) start anywhere and
are mapped once, at its first packet. *Due* is arrival plus the fixed delay: nothing else in the
system has a say about when a picture or a sample leaves.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from dubcast.clock import NS_PER_S

# Stream time starts here, so that compensating the encoder's priming never goes below zero.
ORIGIN_NS = NS_PER_S
# A new session starts at least this far after the last one: timestamps never repeat.
_SESSION_STEP_NS = 40_000_000
# Window in which the earliest arrival counts, and how fast a later one may move the anchor.
_WINDOW_NS = 30 * NS_PER_S
_SLEW = 500e-6
_BUCKET_NS = NS_PER_S


@dataclass
class _Session:
    """Maps a session's timestamps to stream time."""

    first_ts: int
    base: int


class Timeline:
    """Maps timestamps of the current session to stream time, and stream time to due times.

    The anchor is arrival minus stream time at its earliest: packets that come in a burst (a
    server's GOP cache) or late through the network do not move it. A publisher whose clock runs
    slow moves it up by at most 500 ppm, so the delay stays what was set for days.
    """

    def __init__(self, delay_ns: int, started_ns: int) -> None:
        self.delay_ns = delay_ns
        self._started = started_ns
        self._session: _Session | None = None
        self._newest = ORIGIN_NS - _SESSION_STEP_NS
        self._anchor: int | None = None
        self._anchor_set_at = 0
        self._buckets: deque[tuple[int, int]] = deque()  # (bucket start, least arrival - ts)

    @property
    def newest_ns(self) -> int:
        """Stream time of the newest packet so far."""
        return self._newest

    @property
    def connected(self) -> bool:
        """True while a session has begun and not ended."""
        return self._session is not None

    def end_session(self) -> None:
        """The input is gone; the next packet begins a new session."""
        self._session = None

    def begin_session(self, ts: int, now: int) -> int:
        """The first packet of a session, at timestamp `ts`; returns its stream time."""
        elapsed = ORIGIN_NS + now - self._started
        base = max(elapsed, self._newest + _SESSION_STEP_NS)
        self._session = _Session(ts, base)
        self._anchor = now - base
        self._anchor_set_at = now
        self._buckets.clear()
        return base

    def stream_time(self, ts: int) -> int:
        """Stream time of timestamp `ts` of the current session."""
        if self._session is None:
            raise RuntimeError("no session has begun")
        return ts - self._session.first_ts + self._session.base

    def extend(self, stream_ns: int) -> None:
        """Media up to `stream_ns` is here."""
        self._newest = max(self._newest, stream_ns)

    def arrived(self, stream_ns: int, now: int) -> None:
        """A packet for stream time `stream_ns` arrived at `now`: keep the anchor.

        One track alone should report: audio and video of one moment arrive at different times.
        """
        self.extend(stream_ns)
        if self._anchor is None:
            return
        lead = now - stream_ns
        self._remember(lead, now)
        if lead <= self._anchor:
            self._anchor, self._anchor_set_at = lead, now
        elif self._buckets[0][0] <= now - _WINDOW_NS + _BUCKET_NS:
            self._slew(now)

    def due_ns(self, stream_ns: int) -> int | None:
        """When stream time `stream_ns` must leave, on the monotonic clock; None: no input yet."""
        if self._anchor is None:
            return None
        return self._anchor + stream_ns + self.delay_ns

    def _remember(self, lead: int, now: int) -> None:
        bucket = now - now % _BUCKET_NS
        if self._buckets and self._buckets[-1][0] == bucket:
            if lead < self._buckets[-1][1]:
                self._buckets[-1] = (bucket, lead)
        else:
            self._buckets.append((bucket, lead))
        while self._buckets[0][0] < now - _WINDOW_NS:
            self._buckets.popleft()

    def _slew(self, now: int) -> None:
        assert self._anchor is not None
        target = min(lead for _, lead in self._buckets)
        step = int((now - self._anchor_set_at) * _SLEW)
        if target > self._anchor and step > 0:
            self._anchor = min(target, self._anchor + step)
            self._anchor_set_at = now
