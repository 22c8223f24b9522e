"""Stream time and due times, in virtual time."""

from __future__ import annotations

import random

import pytest

from dubcast.clock import NS_PER_S
from dubcast.worker.timeline import ORIGIN_NS, Timeline

S = NS_PER_S
MS = 1_000_000
DELAY = 8 * S


def test_everything_leaves_at_arrival_plus_the_delay() -> None:
    timeline = Timeline(DELAY, started_ns=100 * S)
    arrival = 101 * S
    base = timeline.begin_session(5 * S, arrival)
    timeline.arrived(base, arrival)
    assert base == ORIGIN_NS + S
    for i in range(1, 100):
        stream = timeline.stream_time(5 * S + i * 33 * MS)
        timeline.arrived(stream, arrival + i * 33 * MS)
        assert timeline.due_ns(stream) == arrival + i * 33 * MS + DELAY


def test_a_burst_at_the_start_does_not_lengthen_the_delay() -> None:
    """A server sends up to a GOP at once; the delay counts from the live edge."""
    timeline = Timeline(DELAY, 0)
    base = timeline.begin_session(0, S)
    for i in range(60):  # two seconds of media within a moment
        timeline.arrived(base + i * 33 * MS, S)
    live = base + 59 * 33 * MS
    assert timeline.due_ns(live) == S + DELAY
    timeline.arrived(live + 33 * MS, S + 33 * MS)
    assert timeline.due_ns(live + 33 * MS) == S + 33 * MS + DELAY


def test_late_packets_do_not_move_the_anchor() -> None:
    timeline, rng = Timeline(DELAY, 0), random.Random(1)
    base = timeline.begin_session(0, 0)
    for i in range(3000):
        timeline.arrived(base + i * 33 * MS, i * 33 * MS + (rng.randrange(80 * MS) if i else 0))
    due = timeline.due_ns(base + 3000 * 33 * MS)
    assert due is not None
    assert abs(due - (3000 * 33 * MS + DELAY)) < 5 * MS


@pytest.mark.parametrize("ppm", [-100, 100])
def test_a_publishers_clock_does_not_use_up_the_delay(ppm: int) -> None:
    """At 100 ppm an uncorrected anchor is off by 0.36 s after an hour."""
    timeline = Timeline(DELAY, 0)
    base = timeline.begin_session(0, 0)
    step = 100 * MS
    for i in range(36_000):
        arrival = i * step
        stream = base + round(arrival * (1 + ppm * 1e-6))
        timeline.arrived(stream, arrival)
    due = timeline.due_ns(stream)
    assert due is not None
    assert abs(due - arrival - DELAY) < 10 * MS


def test_a_new_session_continues_the_timeline_by_the_clock() -> None:
    timeline = Timeline(DELAY, 0)
    first = timeline.begin_session(7 * S, S)
    timeline.arrived(first + S, 2 * S)
    timeline.end_session()
    assert not timeline.connected
    second = timeline.begin_session(0, 10 * S)
    assert second - first == 9 * S
    assert timeline.stream_time(3 * S) == second + 3 * S


def test_timestamps_never_repeat_even_after_a_burst() -> None:
    timeline = Timeline(DELAY, 0)
    base = timeline.begin_session(0, S)
    timeline.arrived(base + 8 * S, S)  # a long GOP cache: media ahead of the wall
    timeline.end_session()
    assert timeline.begin_session(0, 2 * S) > base + 8 * S


def test_before_any_input_nothing_is_due() -> None:
    assert Timeline(DELAY, 0).due_ns(0) is None
    with pytest.raises(RuntimeError):
        Timeline(DELAY, 0).stream_time(0)
