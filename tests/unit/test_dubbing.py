"""Whether what is said is dubbed: told by failed calls, by what goes on air, and by silence."""

from __future__ import annotations

from typing import Any

import pytest

from dubcast.contract.streams import NotDubbing
from dubcast.contract.worker import AsRunEntry, BreakerState, Outcome
from dubcast.errors import StsError
from dubcast.testing.clock import VirtualClock
from dubcast.worker.dubbing import DubbingWatch


class Watched:
    """A watch and its clock."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.watch = DubbingWatch(self.clock.monotonic_ns)

    def failed(self, sequence: int, code: str, message: str = "scripted") -> None:
        self.watch.failed(sequence, StsError(code, message, retryable=False))

    def aired(
        self, sequence: int, outcome: Outcome, reason: str = "", clause: int = 0, clauses: int = 1
    ) -> None:
        told: dict[str, Any] = {"source_start_s": 1, "source_end_s": 2, "reason": reason}
        told |= {"clause": clause, "clauses": clauses}
        entry = AsRunEntry(fragment_id="f", sequence_number=sequence, outcome=outcome, **told)
        self.watch.decided(entry)

    @property
    def fault(self) -> str:
        return self.watch.status().fault


@pytest.fixture
def one() -> Watched:
    return Watched()


def test_a_stream_in_which_nobody_speaks_has_no_fault(one: Watched) -> None:
    one.clock.advance(3600)
    one.watch.look([BreakerState.CLOSED])
    assert one.watch.status().model_dump() == {"fault": "", "message": "", "since_s": 0}


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("UNAVAILABLE", NotDubbing.STS_UNREACHABLE),
        ("UNAUTHORIZED", NotDubbing.STS_REFUSED_KEY),
        ("INVALID_INPUT", NotDubbing.LANGUAGE_REFUSED),
        ("OVERLOADED", NotDubbing.OVERLOADED),
        ("TIMEOUT", NotDubbing.OVERLOADED),
        ("MODEL_ERROR", NotDubbing.STS_FAILING),
        ("INVALID_REPLY", NotDubbing.STS_FAILING),
        ("BREAKER_OPEN", NotDubbing.STS_UNREACHABLE),
        ("one that comes later", NotDubbing.STS_FAILING),
    ],
)
def test_the_first_call_that_fails_is_told_at_once(
    one: Watched, code: str, detail: NotDubbing
) -> None:
    one.failed(0, code, "own words")
    one.clock.advance(2)
    status = one.watch.status()
    assert (status.fault, status.message, status.since_s) == (detail, "own words", 2)


@pytest.mark.parametrize(
    ("outcome", "reason", "detail"),
    [
        (Outcome.LATE, "deadline", NotDubbing.OVERLOADED),
        (Outcome.OVERLOAD, "not_sent", NotDubbing.OVERLOADED),
        (Outcome.OVERLOAD, "queue_full", NotDubbing.OVERLOADED),
        (Outcome.SEPARATION, "no_background", NotDubbing.SEPARATION_OFF),
    ],
)
def test_what_no_call_tells_is_told_by_what_goes_on_air(
    one: Watched, outcome: Outcome, reason: str, detail: NotDubbing
) -> None:
    one.aired(0, outcome, reason)
    assert one.fault == detail


@pytest.mark.parametrize(
    "outcome", [Outcome.DUBBED, Outcome.NO_SPEECH, Outcome.LEFT_ALONE, Outcome.SHIFT]
)
def test_only_what_was_said_after_the_fault_ends_it(one: Watched, outcome: Outcome) -> None:
    one.failed(5, "UNAVAILABLE")
    for earlier in (3, 4):
        one.aired(earlier, outcome)  # was ready before the service died
        assert one.fault == "sts_unreachable"
    one.aired(5, Outcome.FAILED, "UNAVAILABLE")
    assert one.fault == "sts_unreachable"
    one.aired(6, outcome)
    assert one.fault == ""


def test_a_fragment_that_failed_and_is_dubbed_with_the_next_ends_its_own_fault(
    one: Watched,
) -> None:
    one.failed(5, "MODEL_ERROR")
    one.aired(5, Outcome.DUBBED)
    assert one.fault == ""


def test_an_open_breaker_keeps_what_it_was_opened_for(one: Watched) -> None:
    one.failed(0, "UNAUTHORIZED", "the key is wrong")
    one.failed(1, "BREAKER_OPEN", "left alone")
    one.aired(0, Outcome.FAILED, "UNAUTHORIZED")
    one.aired(1, Outcome.FAILED, "BREAKER_OPEN")
    assert (one.fault, one.watch.status().message) == ("sts_refused_key", "the key is wrong")


def test_the_fault_may_change_and_began_once(one: Watched) -> None:
    one.failed(0, "UNAVAILABLE")
    one.clock.advance(3)
    one.failed(1, "OVERLOADED", "busy")
    one.aired(0, Outcome.FAILED, "UNAVAILABLE")  # older news
    status = one.watch.status()
    assert (status.fault, status.message, status.since_s) == ("overloaded", "busy", 3)


@pytest.mark.parametrize(
    ("code", "breaker", "after_s", "fault"),
    [
        ("OVERLOADED", BreakerState.CLOSED, 29, "overloaded"),
        ("OVERLOADED", BreakerState.CLOSED, 31, ""),
        ("UNAVAILABLE", BreakerState.CLOSED, 31, ""),
        ("UNAVAILABLE", BreakerState.OPEN, 3600, "sts_unreachable"),
        ("UNAUTHORIZED", BreakerState.CLOSED, 3600, "sts_refused_key"),
        ("INVALID_INPUT", BreakerState.CLOSED, 3600, "language_refused"),
    ],
)
def test_long_silence_ends_a_fault_that_may_have_passed(
    one: Watched, code: str, breaker: BreakerState, after_s: float, fault: str
) -> None:
    one.failed(0, code)
    one.clock.advance(after_s)
    one.watch.look([BreakerState.OPEN, breaker])
    assert one.fault == fault


@pytest.mark.parametrize(
    ("outcomes", "fault"),
    [
        ((Outcome.LATE, Outcome.DUBBED, Outcome.DUBBED), ""),
        ((Outcome.DUBBED, Outcome.LATE, Outcome.LATE), ""),
        ((Outcome.LATE, Outcome.LATE, Outcome.LATE), NotDubbing.OVERLOADED),
    ],
)
def test_a_fragment_of_which_a_clause_is_dubbed_is_dubbed(
    one: Watched, outcomes: tuple[Outcome, ...], fault: str
) -> None:
    for clause, outcome in enumerate(outcomes):
        reason = "deadline" if outcome is Outcome.LATE else ""
        one.aired(3, outcome, reason, clause, len(outcomes))
    assert one.fault == fault
