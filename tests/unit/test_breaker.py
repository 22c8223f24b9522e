"""When the breaker opens, how long, and what closes it; in virtual time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dubcast.breaker import LONGEST_HOLD_S, Breaker, Ticket, Verdict
from dubcast.config import BreakerSettings
from dubcast.contract.worker import BreakerState
from dubcast.testing.clock import VirtualClock

V = Verdict
CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


class Rig:
    """A breaker on a virtual clock; `call` does a whole call."""

    def __init__(self, **settings: Any) -> None:
        self.clock = VirtualClock()
        chosen = BreakerSettings.model_validate({"jitter": 0.0, **settings})
        self.one = Breaker(chosen, self.clock.monotonic_ns, random.Random(1))

    def call(self, *verdicts: Verdict, retry_after_s: float | None = None) -> None:
        for verdict in verdicts:
            self.one.report(self.admitted(), verdict, retry_after_s)

    def admitted(self) -> Ticket:
        ticket = self.one.admit()
        assert ticket is not None
        return ticket

    def open_s(self) -> float:
        """How long it stays open, to the tenth of a second, without pings."""
        for tenths in range(1000):
            if self.one.retry_in_s == 0:
                return tenths / 10
            self.clock.advance(0.1)
        raise AssertionError("open for more than 100 s")


def test_three_failures_in_a_row_open_it_and_two_do_not() -> None:
    rig = Rig()
    rig.call(*[V.GOOD] * 10, V.BAD, V.BAD, V.GOOD, V.BAD, V.BAD)
    assert rig.one.state is CLOSED
    rig.call(V.BAD)
    assert rig.one.state is OPEN
    assert rig.one.admit() is None


def test_half_of_the_window_opens_it_failed_or_slow_from_five_calls_on() -> None:
    rig = Rig()
    rig.call(V.SLOW, V.BAD, V.SLOW, V.GOOD)
    assert rig.one.state is CLOSED
    rig.call(V.GOOD)
    assert rig.one.state is OPEN


def test_just_below_half_does_not() -> None:
    rig = Rig()
    rig.call(*(V.GOOD, V.GOOD, V.GOOD, V.SLOW, V.BAD) * 8)
    assert rig.one.state is CLOSED


def test_the_window_forgets_what_is_twenty_calls_ago() -> None:
    rig = Rig(failures=100)
    rig.call(*[V.GOOD] * 30, *[V.BAD] * 9)
    assert rig.one.state is CLOSED
    rig.call(V.BAD)
    assert rig.one.state is OPEN


def test_slow_replies_are_not_failures_in_a_row() -> None:
    rig = Rig()
    rig.call(V.GOOD, V.GOOD, V.GOOD, V.GOOD, V.BAD, V.BAD, V.SLOW, V.GOOD, V.BAD)
    assert rig.one.state is CLOSED


def test_our_own_bad_requests_never_open_it() -> None:
    rig = Rig()
    rig.call(*[V.OURS] * 100, V.BAD, V.BAD, *[V.OURS] * 100)
    assert rig.one.state is CLOSED
    rig.call(V.BAD)
    assert rig.one.state is OPEN


def test_exactly_one_probe_after_the_open_time() -> None:
    rig = Rig()
    rig.call(V.BAD, V.BAD, V.BAD)
    rig.clock.advance(14.999)
    assert rig.one.admit() is None
    rig.clock.advance(0.001)
    probe = rig.one.admit()
    assert probe is not None
    assert probe.probe
    assert rig.one.state is HALF_OPEN
    rig.clock.advance(1000)
    assert rig.one.admit() is None
    rig.one.report(probe, V.GOOD)
    assert rig.one.state is CLOSED
    rig.call(V.BAD, V.BAD)
    assert rig.one.state is CLOSED


def test_failed_probes_double_the_open_time_up_to_its_longest() -> None:
    rig = Rig()
    rig.call(V.BAD, V.BAD, V.BAD)
    times = []
    for _ in range(4):
        times.append(rig.open_s())
        rig.call(V.BAD)
    assert times == [15.0, 30.0, 60.0, 60.0]
    rig.open_s()
    rig.call(V.GOOD, V.BAD, V.BAD, V.BAD)
    assert rig.open_s() == 15.0


def test_a_slow_probe_does_not_close_it() -> None:
    rig = Rig()
    rig.call(V.BAD, V.BAD, V.BAD)
    rig.open_s()
    rig.call(V.SLOW)
    assert rig.one.state is OPEN


def test_a_probe_that_says_nothing_is_followed_by_another() -> None:
    rig = Rig()
    rig.call(V.BAD, V.BAD, V.BAD)
    rig.open_s()
    rig.call(V.OURS)
    assert rig.one.state is HALF_OPEN
    rig.call(V.GOOD)
    assert rig.one.state is CLOSED


def test_the_open_time_varies_by_the_jitter() -> None:
    times = set()
    rig = Rig(jitter=0.2)
    for _ in range(50):
        rig.call(V.BAD, V.BAD, V.BAD)
        times.add(rig.open_s())
        rig.call(V.GOOD)
    assert 12.0 <= min(times) < 13.0
    assert 17.0 < max(times) <= 18.1


def test_two_good_pings_allow_the_probe_early() -> None:
    rig = Rig()
    rig.call(V.BAD, V.BAD, V.BAD)
    rig.one.ping(False)
    rig.one.ping(True)
    assert rig.one.admit() is None
    rig.one.ping(True)
    rig.call(V.GOOD)
    assert rig.one.state is CLOSED


def test_a_service_that_answers_pings_but_no_fragments_is_not_probed_all_the_time() -> None:
    rig = Rig()
    rig.call(V.BAD, V.BAD, V.BAD)
    for _ in range(2):
        rig.one.ping(True)
    rig.call(V.BAD)
    for _ in range(20):
        rig.one.ping(True)
    assert rig.one.admit() is None
    rig.one.ping(False)  # it went away, perhaps to come back better
    rig.one.ping(True)
    rig.one.ping(True)
    assert rig.one.admit() is not None


def test_once_closed_pings_count_again() -> None:
    rig = Rig()
    rig.call(V.BAD, V.BAD, V.BAD)
    rig.one.ping(True)
    rig.one.ping(True)
    rig.call(V.BAD)
    rig.open_s()
    rig.call(V.GOOD, V.BAD, V.BAD, V.BAD)
    rig.one.ping(True)
    rig.one.ping(True)
    assert rig.one.admit() is not None


def test_a_refused_key_opens_at_once_for_the_longest_time_whatever_pings_say() -> None:
    rig = Rig()
    rig.call(V.GOOD, V.KEY_REFUSED)
    assert (rig.one.state, rig.one.alert) == (OPEN, "key_refused")
    for _ in range(10):
        rig.one.ping(True)
    assert rig.one.admit() is None
    assert rig.open_s() == 60.0
    rig.call(V.KEY_REFUSED)
    assert rig.open_s() == 60.0
    rig.call(V.GOOD)
    assert (rig.one.state, rig.one.alert) == (CLOSED, "")


def test_nothing_is_sent_before_retry_after_in_any_state() -> None:
    rig = Rig()
    rig.call(V.BAD, retry_after_s=20)
    assert rig.one.state is CLOSED
    rig.clock.advance(19.9)
    assert rig.one.admit() is None
    rig.clock.advance(0.1)
    rig.call(V.BAD)
    rig.call(V.BAD, retry_after_s=40)
    assert rig.one.state is OPEN
    for _ in range(2):
        rig.one.ping(True)
    rig.clock.advance(39.9)
    assert rig.one.admit() is None
    rig.clock.advance(0.1)
    rig.call(V.GOOD)
    assert rig.one.state is CLOSED


def test_a_service_that_is_busy_is_left_for_as_long_as_it_asks_and_no_longer() -> None:
    rig = Rig()
    rig.call(V.BAD, V.BAD)
    for _ in range(30):
        rig.call(V.BUSY, retry_after_s=2)
        assert rig.one.admit() is None
        rig.clock.advance(2)
    assert rig.one.state is CLOSED
    rig.call(V.BAD)
    assert rig.one.state is OPEN


def test_one_call_at_a_time_tries_a_service_that_was_busy_until_it_serves() -> None:
    rig = Rig()
    rig.call(V.BUSY)
    probe, other = rig.admitted(), rig.admitted()
    assert (rig.one.busy, probe.probe, other.probe) == (True, True, False)
    rig.one.report(probe, V.OURS)
    assert rig.admitted().probe
    rig.one.report(other, V.GOOD)
    assert not rig.one.busy
    assert not rig.admitted().probe


def test_a_probe_that_finds_the_service_busy_leaves_it_half_open() -> None:
    rig = Rig()
    rig.call(V.BAD, V.BAD, V.BAD)
    rig.clock.advance(15)
    rig.call(V.BUSY, retry_after_s=4)
    assert (rig.one.state, rig.one.admit(), rig.one.retry_in_s) == (HALF_OPEN, None, 4)
    rig.clock.advance(4)
    rig.call(V.GOOD)
    assert (rig.one.state, rig.one.busy) == (CLOSED, False)


def test_a_change_of_state_makes_room_for_another_probe() -> None:
    rig = Rig()
    rig.call(V.BUSY)
    assert rig.admitted().probe  # and is never heard of again
    rig.call(V.BAD, V.BAD, V.BAD)
    rig.clock.advance(15)
    assert rig.admitted().probe


def test_a_shorter_retry_after_does_not_shorten_a_longer_one() -> None:
    rig = Rig()
    tickets = rig.admitted(), rig.admitted()
    rig.one.report(tickets[0], V.BAD, 20)
    rig.one.report(tickets[1], V.BAD, 2)
    assert rig.one.retry_in_s == 20


def test_a_mad_retry_after_is_bounded() -> None:
    rig = Rig()
    rig.call(V.BAD, retry_after_s=1e12)
    assert rig.one.retry_in_s == LONGEST_HOLD_S


def test_what_was_sent_before_the_last_change_says_nothing() -> None:
    rig = Rig()
    old = [rig.admitted() for _ in range(6)]
    for ticket in old[:3]:
        rig.one.report(ticket, V.BAD)
    assert rig.one.state is OPEN
    rig.one.report(old[3], V.GOOD)
    assert rig.one.state is OPEN
    rig.open_s()
    rig.call(V.GOOD)
    for ticket in old[4:]:
        rig.one.report(ticket, V.BAD)
    rig.call(V.BAD)
    assert rig.one.state is CLOSED


def test_two_probes_may_be_asked_for() -> None:
    rig = Rig(probes=2)
    rig.call(V.BAD, V.BAD, V.BAD)
    rig.open_s()
    rig.call(V.GOOD)
    assert rig.one.state is HALF_OPEN
    rig.call(V.GOOD)
    assert rig.one.state is CLOSED


def test_good_probes_do_not_count_beyond_a_bad_one() -> None:
    rig = Rig(probes=2)
    rig.call(V.BAD, V.BAD, V.BAD)
    rig.open_s()
    rig.call(V.GOOD, V.BAD)
    rig.open_s()
    rig.call(V.GOOD)
    assert rig.one.state is HALF_OPEN


def test_pings_from_before_it_opened_say_nothing() -> None:
    rig = Rig()
    rig.one.ping(True)
    rig.one.ping(True)
    rig.call(V.BAD, V.BAD, V.BAD)
    assert rig.one.admit() is None


def test_a_step_that_the_table_lacks_is_an_error() -> None:
    with pytest.raises(ValueError, match="recover in closed"):
        Rig().one._step("recover")


CHANGES = {
    "failures": 2,
    "window": 4,
    "min_calls": 3,
    "failure_ratio": 0.9,
    "open_s": 5.0,
    "longest_open_s": 20.0,
    "jitter": 0.3,
    "pings": 4,
    "probes": 2,
}


def history(**settings: Any) -> list[tuple[float, str]]:
    """What becomes of a service that is well, ailing and down by turns, a fragment a second."""
    rig, world = Rig(**settings), random.Random(3)
    seen = []
    for second in range(1200):
        sick = (0.05, 0.35, 0.6, 1.0)[second // 60 % 4]
        verdict = world.choice([V.BAD, V.SLOW]) if world.random() < sick else V.GOOD
        rig.clock.advance(1.0)
        rig.one.ping(second % 9 != 0)
        ticket = rig.one.admit()
        if ticket is not None:
            rig.one.report(ticket, verdict)
        seen.append((rig.one.retry_in_s, rig.one.state.value))
    return seen


@pytest.mark.parametrize("key", CHANGES)
def test_every_setting_changes_something(key: str) -> None:
    assert history(**{key: CHANGES[key]}) != history()


def test_no_setting_of_the_breaker_is_left_out() -> None:
    assert set(BreakerSettings.model_fields) == {*CHANGES, "slow_ratio"}  # of the client
