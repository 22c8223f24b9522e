"""The inbox of one model: what waits, and what is taken when the model becomes free.

Pure: no thread, no clock. *Ready-driven*: nobody waits for a batch to fill up; the model takes
what is there. A stream's work is done in the order of its fragments, one item at a time, whatever
their deadlines say; between streams the earliest due one is first, so that no stream fills a batch
alone. What is past its deadline is handed back, not computed.
"""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Waiting(Generic[T]):
    """An item in an inbox. Times in monotonic nanoseconds.

    `turn`: its place in its stream: the fragment's, then the order in which it came.
    """

    item: T
    stream_id: str
    deadline_ns: int
    due_ns: int
    turn: tuple[int, int]


@dataclass(frozen=True)
class Taken(Generic[T]):
    """What an inbox gave: the batch to compute, and what came too late."""

    batch: list[Waiting[T]]
    expired: list[Waiting[T]]


class Inbox(Generic[T]):
    """Holds at most `limit` items. Not thread-safe: the engine's lock guards it.

    A stream of which an item was taken gives no further one until that one is released.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: dict[str, list[Waiting[T]]] = {}  # by stream, in turn
        self._busy: set[str] = set()
        self._count = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(
        self,
        item: T,
        stream_id: str,
        deadline_ns: int,
        *,
        due_ns: int | None = None,
        fragment: int = 0,
    ) -> bool:
        """Add an item; False if the inbox is full.

        `due_ns`: when it is wanted, if that is before its deadline; `fragment`: the number of its
        fragment in the order in which they came.
        """
        if self._size >= self._limit:
            return False
        self._count += 1
        due_ns = deadline_ns if due_ns is None else min(due_ns, deadline_ns)
        waiting = Waiting(item, stream_id, deadline_ns, due_ns, (fragment, self._count))
        bisect.insort(self._lines.setdefault(stream_id, []), waiting, key=lambda one: one.turn)
        self._size += 1
        return True

    @property
    def is_ready(self) -> bool:
        """True if something waits of a stream that has nothing under way."""
        return any(stream_id not in self._busy for stream_id in self._lines)

    def take(self, now_ns: int, most: int) -> Taken[T]:
        """Up to `most` items, earliest due first, each the next of another stream."""
        expired = self._without_expired(now_ns)
        heads = (line[0] for name, line in self._lines.items() if name not in self._busy)
        batch = heapq.nsmallest(most, heads, key=lambda one: (one.due_ns, one.turn[1]))
        for one in batch:
            self._busy.add(one.stream_id)
            self._keep(one.stream_id, self._lines[one.stream_id][1:])
        self._size -= len(batch)
        return Taken(batch, expired)

    def release(self, batch: Sequence[Waiting[T]]) -> None:
        """What was taken is done: the next ones of these streams may be taken."""
        self._busy -= {one.stream_id for one in batch}

    def waiting(self) -> list[Waiting[T]]:
        """Everything that waits, each stream's in its turn."""
        return [one for line in self._lines.values() for one in line]

    def drain(self) -> list[Waiting[T]]:
        """Everything that waits; the inbox is empty afterwards."""
        rest = self.waiting()
        self._lines.clear()
        self._size = 0
        return rest

    def _without_expired(self, now_ns: int) -> list[Waiting[T]]:
        expired: list[Waiting[T]] = []
        for name, line in list(self._lines.items()):
            late = [one for one in line if one.deadline_ns <= now_ns]
            if late:
                expired += late
                self._keep(name, [one for one in line if one.deadline_ns > now_ns])
        self._size -= len(expired)
        return expired

    def _keep(self, stream_id: str, line: list[Waiting[T]]) -> None:
        if line:
            self._lines[stream_id] = line
        else:
            del self._lines[stream_id]
