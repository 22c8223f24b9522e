"""Which separator runs: chosen by cost, lowered when late, stepped down when it fails."""

from __future__ import annotations

import random

import numpy as np
import pytest

from dubcast.audio.pcm import Float
from dubcast.backoff import BackoffPolicy
from dubcast.clock import NS_PER_S
from dubcast.separation.choice import AUTO_ORDER, AutoPolicy, Ladder, benchmark, choose, degradation
from dubcast.separation.recovery import Recovery, RecoveryPolicy
from dubcast.separation.registry import NAMES
from dubcast.separation.separator import Separated
from dubcast.testing.clock import VirtualClock


def test_the_best_that_is_affordable_is_chosen() -> None:
    costs: dict[str, float | None] = {"dfn3": 0.24, "nsnet2": 0.06, "centre": 0.03}
    assert choose(costs.get) == ("dfn3", 0.24)
    costs["dfn3"] = 0.25
    assert choose(costs.get) == ("nsnet2", 0.06)
    costs["nsnet2"] = None  # not installed
    assert choose(costs.get) == ("centre", 0.03)
    costs["centre"] = 3.0
    assert choose(costs.get) == ("centre", 3.0)


def test_the_benchmark_divides_cpu_time_by_audio_and_resets() -> None:
    clock = VirtualClock()

    class Slow:
        name, latency = "slow", 0
        fed, resets = 0, 0

        def process(self, block: Float) -> Separated:
            self.fed += len(block)
            clock.advance(len(block) / 48_000 * 0.3)
            return Separated(block, np.zeros(0, dtype=np.float32))

        def reset(self) -> None:
            self.resets += 1

    slow = Slow()
    assert benchmark(slow, clock.monotonic_ns, 2.0) == pytest.approx(0.3, rel=1e-6)
    assert 96_000 <= slow.fed <= 110_000
    assert slow.resets == 1


def test_every_separator_ends_in_one_that_needs_no_model() -> None:
    for name in NAMES:
        order = degradation(name)
        assert order[0] == name
        assert order[-1] in {"centre", "mute"}
        assert len(set(order)) == len(order)
        assert set(order) <= set(NAMES)
    assert set(AUTO_ORDER) <= set(NAMES)


class Watch:
    """A ladder and its virtual clock."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        policy = AutoPolicy(late_s=1.0, late_for_s=3.0, calm_for_s=60.0, calm_max_s=200.0)
        self.ladder = Ladder(("a", "b", "c"), policy)

    def see(self, waiting_s: float, seconds: float) -> list[str]:
        """Names changed to while `waiting_s` is observed every 0.5 s for so long."""
        named = []
        for _ in range(round(seconds * 2)):
            self.clock.advance(0.5)
            name = self.ladder.observe(self.clock.monotonic_ns(), waiting_s)
            named += [name] if name else []
        return named


def test_it_goes_down_only_when_late_for_long() -> None:
    watch = Watch()
    assert watch.see(1.5, 3.0) == []
    assert watch.see(0.5, 0.5) == []  # in time once: the count begins anew
    assert watch.see(1.5, 3.0) == []
    assert watch.see(1.5, 0.5) == ["b"]
    assert watch.see(1.5, 3.5) == ["c"]
    assert watch.see(9.0, 60.0) == []  # nothing below
    assert watch.ladder.name == "c"


def test_a_backlog_that_shrinks_is_being_caught_up() -> None:
    watch = Watch()
    for waiting in (9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.5, 1.2):
        assert watch.see(waiting, 2.0) == []
    assert watch.see(1.2, 3.5) == ["b"]


def test_it_goes_up_after_a_long_calm_and_waits_longer_after_each_failure() -> None:
    watch = Watch()
    assert watch.see(2.0, 3.5) == ["b"]
    assert watch.see(0.1, 60.0) == []
    assert watch.see(0.5, 0.5) == []  # neither late nor calm
    assert watch.see(0.1, 60.5) == ["a"]
    assert watch.see(2.0, 3.5) == ["b"]
    assert watch.see(0.1, 120.0) == []
    assert watch.see(0.1, 0.5) == ["a"]
    assert watch.see(0.1, 300.0) == []  # nothing above
    assert watch.see(2.0, 3.5) == ["b"]
    assert watch.see(0.1, 200.5) == ["a"]  # capped


def test_a_rung_that_cannot_be_had_is_struck_off() -> None:
    watch = Watch()
    assert watch.see(2.0, 3.5) == ["b"]
    watch.ladder.drop()
    assert watch.ladder.name == "a"
    assert watch.see(2.0, 3.5) == ["c"]


def _recovery(*order: str) -> Recovery:
    backoff = BackoffPolicy(first_s=1.0, floor_s=1.0, cap_s=30.0, reset_s=60.0)
    return Recovery(order, RecoveryPolicy(5, 600.0, backoff), random.Random(1))


def test_five_restarts_in_ten_minutes_then_the_next_then_off() -> None:
    recovery = _recovery("dfn3", "nsnet2")
    now = 0
    for name in ("dfn3", "nsnet2"):
        for _ in range(5):
            wait = recovery.failed(now, name, 0.1, final=False)
            assert wait is not None
            assert NS_PER_S <= wait <= 30 * NS_PER_S
            assert recovery.order[0] == name
            now += NS_PER_S
        wait = recovery.failed(now, name, 0.1, final=False)
        assert wait == (0 if name == "dfn3" else None)
    assert recovery.order == ()


def test_old_failures_are_forgiven() -> None:
    recovery = _recovery("dfn3", "nsnet2")
    for attempt in range(50):
        assert recovery.failed(attempt * 150 * NS_PER_S, "dfn3", 149.0, final=False)
    assert recovery.order[0] == "dfn3"


def test_what_cannot_work_here_is_not_tried_again() -> None:
    recovery = _recovery("blend", "dfn3", "nsnet2", "centre")
    assert recovery.failed(0, "dfn3", 0.0, final=True) == 0  # what ran, not what was asked for
    assert recovery.order == ("nsnet2", "centre")
    assert recovery.failed(0, "nsnet2", 0.0, final=True) == 0
    assert recovery.failed(0, "centre", 0.0, final=True) is None
