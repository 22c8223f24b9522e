"""Idempotent fragments: a retry gets the reply that its first try made, computed once.

A reply is a sequence of parts. Who asks for it again while it grows gets those that are there, and
the others as they come; one that broke off after some parts goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = tuple[str, str]
P = TypeVar("P")


class Reply(Generic[P]):
    """A reply as it grows: its parts, and how it ended. For one event loop.

    `progress`: what its computation has found out so far, to go on from if it breaks off.
    """

    def __init__(self, progress: P) -> None:
        self.progress = progress
        self.parts: list[bytes] = []
        self.failure: BaseException | None = None
        self._ended = False
        self._changed = asyncio.Event()

    @property
    def size(self) -> int:
        """Bytes of the parts that are there."""
        return sum(map(len, self.parts))

    def add(self, part: bytes) -> None:
        """One more part is known."""
        self.parts.append(part)
        self._tell()

    def end(self, failure: BaseException | None) -> None:
        """There are no more parts; `failure`: why, if some are missing."""
        self._ended, self.failure = True, failure and _bare(failure)
        self._tell()

    def reopen(self) -> None:
        """Further parts are to come after all."""
        self._ended, self.failure = False, None

    async def follow(self) -> AsyncIterator[bytes]:
        """The parts, each as soon as it is there. Raises the failure, if it ends with one.

        Cancelling is safe: the reply is computed for others that follow it and for the next try,
        up to its own deadline.
        """
        at = 0
        while True:
            changed = self._changed
            while at < len(self.parts):
                at += 1
                yield self.parts[at - 1]
            if self._ended:
                break
            await changed.wait()
        if self.failure is not None:
            raise _bare(self.failure)  # each its own: to raise one is to give it frames

    async def whole(self) -> bytes:
        """All parts together, once they are there. Raises as `follow`; cancelling is as safe."""
        return b"".join([part async for part in self.follow()])

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


@dataclass(frozen=True)
class _Known(Generic[P]):
    """A reply, and the fingerprint of what determines it."""

    fingerprint: bytes
    reply: Reply[P]


class IdempotentReplies(Generic[P]):
    """Replies under way and recent ones, by (stream, fragment). Bounded in number and bytes.

    The fingerprint is of what determines the reply: the same id with other audio is another
    fragment (a stream that began anew) and is computed. A failure is not kept, but the parts that
    came before it are.
    """

    def __init__(
        self, fresh: Callable[[], P], max_count: int = 128, max_bytes: int = 64 * 1024 * 1024
    ) -> None:
        self._fresh = fresh
        self._max_count = max_count
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, _Known[P]] = OrderedDict()
        self._running: dict[Key, _Known[P]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._kept)

    def reply(
        self, key: Key, fingerprint: bytes, compute: Callable[[Reply[P]], Awaitable[None]]
    ) -> Reply[P]:
        """The reply of `key`: kept, under way, or begun now with `compute`, which adds its parts.

        What `compute` raises is what those who follow the reply get.
        """
        running = self._running.get(key)
        if running is not None and running.fingerprint == fingerprint:
            return running.reply
        kept = self._kept.get(key)
        if kept is None or kept.fingerprint != fingerprint:
            return self._begin(key, _Known(fingerprint, Reply(self._fresh())), compute)
        if kept.reply.failure is None:
            self._kept.move_to_end(key)
            return kept.reply
        self._drop(key)
        kept.reply.reopen()
        return self._begin(key, kept, compute)

    def _begin(
        self, key: Key, known: _Known[P], compute: Callable[[Reply[P]], Awaitable[None]]
    ) -> Reply[P]:
        self._running[key] = known
        task = asyncio.ensure_future(_call(compute, known.reply))
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._finished(key, known, task))
        return known.reply

    def _finished(self, key: Key, known: _Known[P], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._running.get(key) is known:
            del self._running[key]
        # Asking for the exception also marks it as seen: its caller may be gone.
        failure = asyncio.CancelledError() if task.cancelled() else task.exception()
        known.reply.end(failure)
        if failure is None or known.reply.parts:
            self._keep(key, known)

    def _keep(self, key: Key, known: _Known[P]) -> None:
        self._drop(key)
        self._kept[key] = known
        self._bytes += known.reply.size
        while len(self._kept) > self._max_count or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        known = self._kept.pop(key, None)
        self._bytes -= known.reply.size if known else 0


def _bare(failure: BaseException) -> BaseException:
    """What a failure says, without its traceback and what it came of: their frames hold the sound
    of the fragment, for as long as the reply is kept. Who raised it has logged it.
    """
    bare = type(failure).__new__(type(failure), *failure.args)
    bare.__dict__.update(failure.__dict__)
    return bare


async def _call(compute: Callable[[Reply[P]], Awaitable[None]], reply: Reply[P]) -> None:
    await compute(reply)
