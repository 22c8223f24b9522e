"""The clock of the tests keeps time."""

from __future__ import annotations

import asyncio

import pytest

from dubcast.clock import NS_PER_S
from dubcast.testing.clock import VirtualClock


def test_timers_fire_in_the_order_of_their_times_and_at_them() -> None:
    clock = VirtualClock(5 * NS_PER_S)
    seen: list[tuple[str, int]] = []
    for name, after in (("late", 2.0), ("soon", 0.5), ("also soon", 0.5)):
        clock.call_later(after, lambda name=name: seen.append((name, clock.monotonic_ns())))  # type: ignore[misc]
    clock.call_later(1.0, lambda: seen.append(("never", 0))).cancel()
    clock.advance(1.9)
    assert seen == [("soon", 5_500_000_000), ("also soon", 5_500_000_000)]
    clock.advance(0.1)
    assert seen[2:] == [("late", 7_000_000_000)]
    assert clock.monotonic_ns() == 7 * NS_PER_S


def test_a_timer_may_set_another_within_the_same_advance() -> None:
    clock = VirtualClock()
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(clock.monotonic_ns())
        clock.call_later(1.0, tick)

    clock.call_later(1.0, tick)
    clock.advance(3.5)
    assert ticks == [NS_PER_S, 2 * NS_PER_S, 3 * NS_PER_S]


def test_it_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="back"):
        VirtualClock().advance(-1)


async def test_tasks_that_sleep_on_it_wake_at_their_times() -> None:
    clock = VirtualClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *pauses: float) -> None:
        for pause in pauses:
            await clock.sleep(pause)
            woken.append((name, clock.monotonic_ns() / NS_PER_S))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("a", 1.0, 3600.0))
        group.create_task(sleeper("b", 2.0))
        await clock.run(1.5)
        assert woken == [("a", 1.0)]
        await clock.run(7200)
    assert woken == [("a", 1.0), ("b", 2.0), ("a", 3601.0)]


async def test_a_cancelled_sleep_leaves_nothing_behind() -> None:
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep(1.0))
    await clock.run(0.5)
    task.cancel()
    clock.advance(1.0)
    await clock.run(0.0)
    assert task.cancelled()
