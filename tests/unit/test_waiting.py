"""Waiting for threads, in virtual time."""

from __future__ import annotations

import asyncio

from dubcast.testing import virtual_loop
from dubcast.testing.virtual_loop import VirtualLoop
from dubcast.worker.waiting import End, resolve, until


def test_it_waits_until_it_is_true_and_hardly_longer() -> None:
    loop = VirtualLoop()
    true_at = 3.02

    async def main() -> float:
        await until(lambda: loop.time() >= true_at)
        return loop.time()

    assert true_at <= virtual_loop.run(main(), loop) < true_at + 0.06


def test_what_is_true_already_is_not_waited_for() -> None:
    loop = VirtualLoop()
    virtual_loop.run(until(lambda: True), loop)
    assert loop.time() == 0


def test_of_two_ends_the_first_counts() -> None:
    async def main() -> End:
        ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        resolve(ended, ("error", "the peer is gone"))
        resolve(ended, ("eos", "end of stream"))
        return await ended

    assert virtual_loop.run(main(), VirtualLoop()) == ("error", "the peer is gone")


def test_an_end_after_the_wait_was_given_up_is_harmless() -> None:
    async def main() -> None:
        ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        ended.cancel()
        resolve(ended, ("eos", "end of stream"))

    virtual_loop.run(main(), VirtualLoop())
