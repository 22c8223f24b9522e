"""Idempotent replies: followed while they grow, gone on with after a break, bounded."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from dubcast.errors import StsError
from dubcast.sts.http_errors import Refusal
from dubcast.sts.idempotency import IdempotentReplies, Reply

Growing: TypeAlias = Reply[list[str]]
Replies: TypeAlias = IdempotentReplies[list[str]]
KEY = ("s", "f")
LATE = StsError("TIMEOUT", "late", retryable=True)


class Counter:
    def __init__(self, reply: bytes = b"reply") -> None:
        self.calls = 0
        self.reply = reply

    async def __call__(self, reply: Growing) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        reply.add(self.reply)


async def once(
    replies: Replies,
    key: tuple[str, str],
    fingerprint: bytes,
    compute: Callable[[Growing], Awaitable[None]],
) -> bytes:
    return await replies.reply(key, fingerprint, compute).whole()


async def test_computed_once() -> None:
    replies, compute = IdempotentReplies(list[str]), Counter()
    assert await once(replies, KEY, b"1", compute) == b"reply"
    assert await once(replies, KEY, b"1", compute) == b"reply"
    assert compute.calls == 1


async def test_together_computed_once() -> None:
    replies, compute = IdempotentReplies(list[str]), Counter()
    await asyncio.gather(*(once(replies, KEY, b"1", compute) for _ in range(5)))
    assert compute.calls == 1


async def test_another_fingerprint_under_way_is_computed_too() -> None:
    replies, one, two = IdempotentReplies(list[str]), Counter(b"1"), Counter(b"2")
    got = await asyncio.gather(once(replies, KEY, b"1", one), once(replies, KEY, b"2", two))
    assert got == [b"1", b"2"]


async def test_the_number_is_bounded_and_the_oldest_goes() -> None:
    replies, compute = IdempotentReplies(list[str], max_count=2), Counter()
    for name in ("a", "b", "a", "c"):
        await once(replies, ("s", name), b"1", compute)
    assert (compute.calls, len(replies)) == (3, 2)
    await once(replies, ("s", "a"), b"1", compute)
    assert compute.calls == 3
    await once(replies, ("s", "b"), b"1", compute)
    assert compute.calls == 4


async def test_the_bytes_are_bounded() -> None:
    replies, compute = IdempotentReplies(list[str], max_bytes=10), Counter(b"12345")
    for name in ("a", "b", "c"):
        await once(replies, ("s", name), b"1", compute)
    assert len(replies) == 2
    await once(replies, ("s", "big"), b"1", Counter(b"x" * 11))
    assert len(replies) == 0


async def test_a_failure_without_a_part_is_not_kept() -> None:
    replies, compute = IdempotentReplies(list[str]), Counter()

    async def fail(_: Growing) -> None:
        raise LATE

    with pytest.raises(StsError):
        await once(replies, KEY, b"1", fail)
    assert await once(replies, KEY, b"1", compute) == b"reply"


class Steps:
    """A computation of three parts that waits before each until it is let on."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.free = [asyncio.Event() for _ in range(3)]
        self.fail_at: int | None = None

    async def __call__(self, reply: Growing) -> None:
        for i in range(len(reply.progress), 3):
            await self.free[i].wait()
            if i == self.fail_at:
                raise LATE
            self.done.append(f"did {i}")
            reply.progress.append(str(i))
            reply.add(b"%d" % i)


async def test_parts_are_followed_as_they_come_and_from_the_beginning() -> None:
    replies, steps = IdempotentReplies(list[str]), Steps()
    early = replies.reply(KEY, b"1", steps).follow()
    for i in range(2):
        steps.free[i].set()
        assert await anext(early) == b"%d" % i
    late = replies.reply(KEY, b"1", steps).follow()
    assert [await anext(late), await anext(late)] == [b"0", b"1"]
    steps.free[2].set()
    assert [one async for one in early] == [one async for one in late] == [b"2"]
    assert len(steps.done) == 3


async def test_who_leaves_does_not_stop_it() -> None:
    replies, steps = IdempotentReplies(list[str]), Steps()
    waiting = asyncio.ensure_future(replies.reply(KEY, b"1", steps).whole())
    await asyncio.sleep(0)
    waiting.cancel()
    for one in steps.free:
        one.set()
    assert await once(replies, KEY, b"1", steps) == b"012"
    assert len(steps.done) == 3


async def test_what_broke_off_goes_on_where_it_was() -> None:
    replies, steps = IdempotentReplies(list[str]), Steps()
    steps.fail_at = 2
    for one in steps.free:
        one.set()
    follower, got = replies.reply(KEY, b"1", steps).follow(), []
    with pytest.raises(StsError):
        async for part in follower:
            got.append(part)
    assert got == [b"0", b"1"]
    steps.fail_at = None
    assert await once(replies, KEY, b"1", steps) == b"012"
    assert steps.done == ["did 0", "did 1", "did 2"]
    assert len(replies) == 1


class Sound:
    """Stands for a fragment's samples: it is known whether somebody holds them."""


async def test_a_failure_that_is_kept_holds_nothing_of_its_fragment() -> None:
    replies, held = IdempotentReplies(list[str]), list[weakref.ref[Sound]]()

    def spoil(sound: Sound) -> None:
        raise RuntimeError("of a library")

    async def fail(reply: Growing) -> None:
        sound = Sound()
        held.append(weakref.ref(sound))
        reply.add(b"part")
        try:
            spoil(sound)
        except RuntimeError as error:
            raise Refusal(418, "OVERLOADED", "later", retryable=True) from error

    told = []
    for _ in range(2):  # the second gets it raised by another frame
        with pytest.raises(Refusal) as caught:
            await once(replies, KEY, b"1", fail)
        told.append((str(caught.value), vars(caught.value)))
        del caught
    gc.collect()
    assert len(replies) == 1
    assert [one() for one in held] == [None, None]
    assert told[0] == told[1]
    assert (told[0][0], told[0][1]["code"], told[0][1]["status"]) == ("later", "OVERLOADED", 418)


async def test_what_broke_off_is_forgotten_for_another_fingerprint() -> None:
    replies, steps = IdempotentReplies(list[str]), Steps()
    steps.fail_at = 1
    for one in steps.free:
        one.set()
    with pytest.raises(StsError):
        await once(replies, KEY, b"1", steps)
    assert await once(replies, KEY, b"2", Counter()) == b"reply"
