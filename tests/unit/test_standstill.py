"""When a process counts as stopped: by looks at what the kernel tells, in virtual time."""

from __future__ import annotations

import random
import signal

import pytest

from dubcast.clock import s_to_ns
from dubcast.processes.standstill import Activity, Standstill
from dubcast.processes.supervisor import Fate, LifeCycle, SupervisorPolicy

RUNS, STOPPED = Activity(stopped=False, cpu_ticks=7), Activity(stopped=True, cpu_ticks=7)


def looked(*looks: tuple[float, Activity | None]) -> int:
    """What the last of these looks, each at its second, tells."""
    watch, known = Standstill(), 0
    for at_s, seen in looks:
        known = watch.look(seen, s_to_ns(at_s))
    return known


def test_it_counts_from_the_first_of_three_looks_that_saw_it_stopped() -> None:
    assert looked((1, RUNS), (1.5, STOPPED), (2, STOPPED)) == 0
    assert looked((1, RUNS), (1.5, STOPPED), (2, STOPPED), (2.5, STOPPED)) == s_to_ns(1)


def test_two_looks_with_a_pause_of_our_own_between_them_tell_nothing() -> None:
    """All processes were stopped, and are continued one after the other."""
    assert looked((1, STOPPED), (61, STOPPED)) == 0
    assert looked((1, STOPPED), (61, STOPPED), (61.5, RUNS)) == 0


@pytest.mark.parametrize("between", [RUNS, None])
def test_one_look_that_saw_it_run_or_saw_nothing_begins_anew(between: Activity | None) -> None:
    stopped = [(second, STOPPED) for second in (1.0, 2.0, 4.0, 5.0, 6.0)]
    assert looked(*stopped[:2], (3, between), *stopped[2:4]) == 0
    assert looked(*stopped[:2], (3, between), *stopped[2:]) == s_to_ns(2)


def test_what_ran_between_two_looks_was_continued() -> None:
    """By a tool that limits its share: it is stopped at every look, and yet it works."""
    watch = Standstill()
    for second in range(60):
        assert watch.look(Activity(stopped=True, cpu_ticks=second // 2), s_to_ns(second)) == 0


def life() -> LifeCycle:
    one = LifeCycle(SupervisorPolicy(), random.Random(1))
    one.started(0)
    return one


def test_a_stopped_child_is_killed_whether_it_has_answered_or_not() -> None:
    for answered in (True, False):
        one = life()
        if answered:
            one.heard(s_to_ns(1))
        for second in (2.0, 2.5):
            one.looked(STOPPED, s_to_ns(second))
            assert one.signal_due(None, s_to_ns(second)) is None
        one.looked(STOPPED, s_to_ns(3))
        assert one.signal_due(None, s_to_ns(3)) is signal.SIGKILL
        one.ended(-9, s_to_ns(3))
        assert one.fate is Fate.HUNG


def test_looks_that_follow_closely_kill_nothing() -> None:
    one = life()
    for hundredth in range(70):
        one.looked(STOPPED, s_to_ns(hundredth / 100))
        assert one.signal_due(None, s_to_ns(hundredth / 100)) is None


def test_the_next_one_begins_anew() -> None:
    one = life()
    for second in (1.0, 1.5):
        one.looked(STOPPED, s_to_ns(second))
    one.ended(-9, s_to_ns(1.6))
    one.started(s_to_ns(1.6))
    one.looked(STOPPED, s_to_ns(2))
    assert one.signal_due(None, s_to_ns(2)) is None
