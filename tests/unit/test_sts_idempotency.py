"""Idempotent replies: bounds and failures."""

from __future__ import annotations

import asyncio

import pytest

from dubcast.errors import StsError
from dubcast.sts.idempotency import IdempotentReplies


class Counter:
    def __init__(self, reply: bytes = b"reply") -> None:
        self.calls = 0
        self.reply = reply

    async def __call__(self) -> bytes:
        self.calls += 1
        await asyncio.sleep(0)
        return self.reply


async def test_computed_once() -> None:
    replies, compute = IdempotentReplies(), Counter()
    assert await replies.once(("s", "f"), b"1", compute) == b"reply"
    assert await replies.once(("s", "f"), b"1", compute) == b"reply"
    assert compute.calls == 1


async def test_together_computed_once() -> None:
    replies, compute = IdempotentReplies(), Counter()
    await asyncio.gather(*(replies.once(("s", "f"), b"1", compute) for _ in range(5)))
    assert compute.calls == 1


async def test_another_fingerprint_under_way_is_computed_too() -> None:
    replies, one, two = IdempotentReplies(), Counter(b"1"), Counter(b"2")
    got = await asyncio.gather(
        replies.once(("s", "f"), b"1", one), replies.once(("s", "f"), b"2", two)
    )
    assert got == [b"1", b"2"]


async def test_the_number_is_bounded_and_the_oldest_goes() -> None:
    replies, compute = IdempotentReplies(max_count=2), Counter()
    for name in ("a", "b", "a", "c"):
        await replies.once(("s", name), b"1", compute)
    assert (compute.calls, len(replies)) == (3, 2)
    await replies.once(("s", "a"), b"1", compute)
    assert compute.calls == 3
    await replies.once(("s", "b"), b"1", compute)
    assert compute.calls == 4


async def test_the_bytes_are_bounded() -> None:
    replies, compute = IdempotentReplies(max_bytes=10), Counter(b"12345")
    for name in ("a", "b", "c"):
        await replies.once(("s", name), b"1", compute)
    assert len(replies) == 2
    await replies.once(("s", "big"), b"1", Counter(b"x" * 11))
    assert len(replies) == 0


async def test_a_failure_is_not_kept() -> None:
    replies, compute = IdempotentReplies(), Counter()

    async def fail() -> bytes:
        raise StsError("TIMEOUT", "late", retryable=True)

    with pytest.raises(StsError):
        await replies.once(("s", "f"), b"1", fail)
    assert await replies.once(("s", "f"), b"1", compute) == b"reply"
