"""Idempotent fragments: a retry gets the reply that its first try made, computed once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Key = tuple[str, str]


@dataclass(frozen=True)
class _Running:
    fingerprint: bytes
    task: asyncio.Task[bytes]


class IdempotentReplies:
    """Replies under way and recent ones, by (stream, fragment). Bounded in number and bytes.

    The fingerprint is of what determines the reply: the same id with other audio is another
    fragment (a stream that began anew) and is computed. Failures are not kept.
    """

    def __init__(self, max_count: int = 128, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._bytes = 0
        self._done: OrderedDict[Key, tuple[bytes, bytes]] = OrderedDict()
        self._running: dict[Key, _Running] = {}

    def __len__(self) -> int:
        return len(self._done)

    async def once(
        self, key: Key, fingerprint: bytes, compute: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        """The reply of `key`: kept, under way, or computed now. Raises what `compute` raises.

        Cancelling is safe: the computation goes on for others that wait and for the next try,
        up to its own deadline.
        """
        kept = self._done.get(key)
        if kept is not None and kept[0] == fingerprint:
            self._done.move_to_end(key)
            return kept[1]
        running = self._running.get(key)
        if running is None or running.fingerprint != fingerprint:
            running = self._start(key, fingerprint, compute)
        return await asyncio.shield(running.task)

    def _start(
        self, key: Key, fingerprint: bytes, compute: Callable[[], Awaitable[bytes]]
    ) -> _Running:
        running = _Running(fingerprint, asyncio.ensure_future(_call(compute)))
        self._running[key] = running
        running.task.add_done_callback(lambda _: self._finished(key, running))
        return running

    def _finished(self, key: Key, running: _Running) -> None:
        if self._running.get(key) is running:
            del self._running[key]
        # Asking for the exception also marks it as seen: its caller may be gone.
        if not running.task.cancelled() and running.task.exception() is None:
            self._keep(key, running.fingerprint, running.task.result())

    def _keep(self, key: Key, fingerprint: bytes, reply: bytes) -> None:
        self._drop(key)
        self._done[key] = (fingerprint, reply)
        self._bytes += len(reply)
        while len(self._done) > self._max_count or self._bytes > self._max_bytes:
            self._drop(next(iter(self._done)))

    def _drop(self, key: Key) -> None:
        _, reply = self._done.pop(key, (b"", b""))
        self._bytes -= len(reply)


async def _call(compute: Callable[[], Awaitable[bytes]]) -> bytes:
    return await compute()
