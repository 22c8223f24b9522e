"""The inbox of one model: what waits, and what is taken when the model becomes free.

Pure: no thread, no clock. *Ready-driven*: nobody waits for a batch to fill up; the model takes
what is there. Earliest deadline first; at most one fragment of a stream in a batch, so that a
stream's fragments stay in order and no stream fills a batch alone; what is past its deadline is
handed back, not computed.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(order=True)
class Waiting(Generic[T]):
    """An item in an inbox; its deadline in monotonic nanoseconds."""

    deadline_ns: int
    order: int
    stream_id: str = field(compare=False)
    item: T = field(compare=False)


@dataclass(frozen=True)
class Taken(Generic[T]):
    """What an inbox gave: the batch to compute, and what came too late."""

    batch: list[Waiting[T]]
    expired: list[Waiting[T]]


class Inbox(Generic[T]):
    """Holds at most `limit` items. Not thread-safe: the engine's lock guards it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[Waiting[T]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, item: T, stream_id: str, deadline_ns: int) -> bool:
        """Add an item; False if the inbox is full."""
        if len(self._heap) >= self._limit:
            return False
        self._count += 1
        heapq.heappush(self._heap, Waiting(deadline_ns, self._count, stream_id, item))
        return True

    def take(self, now_ns: int, most: int) -> Taken[T]:
        """Up to `most` items, earliest deadline first, each of another stream."""
        batch: list[Waiting[T]] = []
        expired: list[Waiting[T]] = []
        aside: list[Waiting[T]] = []
        streams: set[str] = set()
        while self._heap and len(batch) < most:
            waiting = heapq.heappop(self._heap)
            if waiting.deadline_ns <= now_ns:
                expired.append(waiting)
            elif waiting.stream_id in streams:
                aside.append(waiting)
            else:
                streams.add(waiting.stream_id)
                batch.append(waiting)
        for waiting in aside:
            heapq.heappush(self._heap, waiting)
        return Taken(batch, expired)

    def drain(self) -> list[Waiting[T]]:
        """Everything that waits; the inbox is empty afterwards."""
        rest, self._heap = self._heap, []
        return rest
