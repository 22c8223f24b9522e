"""Whether a chunk waits for the words of the one before, in virtual time."""

from __future__ import annotations

from dubcast.clock import NS_PER_S as S
from dubcast.worker.overlap_wait import OverlapWait

HOP = 2 * S
ROOM = 6 * S  # from when a chunk could be sent to its deadline


def test_it_waits_for_a_reply_that_is_expected_in_time_and_half_a_round_trip_is_kept() -> None:
    one = OverlapWait()
    assert one.until(0, 3 * S, ROOM, pending=False) == 0
    assert one.until(2 * S, 3 * S, 2 * S + ROOM, pending=True) == round(3.5 * S)


def test_it_does_not_wait_when_nothing_is_pending_or_a_round_trip_would_not_fit() -> None:
    one = OverlapWait()
    one.until(0, 3 * S, ROOM, pending=False)
    assert one.until(S, 3 * S, S + ROOM, pending=False) == S
    assert one.until(2 * S, 5 * S, 2 * S + ROOM, pending=True) == 2 * S


def test_what_is_overdue_by_a_round_trip_is_given_up() -> None:
    one = OverlapWait()
    one.until(0, S, ROOM, pending=False)
    assert one.until(3 * S, S, 3 * S + 100 * S, pending=True) == 4 * S


def play(round_trip: int, chunks: int = 40) -> tuple[list[int], list[bool]]:
    """Chunks at a service that takes `round_trip` for each: their lags, and which were paired."""
    one = OverlapWait()
    replies: list[int] = []
    lags, paired = [], []
    for number in range(chunks):
        now = number * HOP
        before = replies[-1] if replies else now
        until = one.until(now, round_trip, now + ROOM, pending=before > now)
        sent = max(now, min(before, until))
        lags.append(sent - now)
        paired.append(before <= sent)
        replies.append(sent + round_trip)
    return lags, paired


def test_a_fast_service_keeps_nothing_waiting() -> None:
    lags, paired = play(round(1.9 * S))
    assert set(lags) == {0}
    assert all(paired)


def test_with_a_slow_service_most_seams_are_known_and_nobody_waits_in_vain() -> None:
    lags, paired = play(round(2.4 * S))
    assert sum(paired) >= 0.8 * len(paired)
    assert all(lag == 0 for lag, known in zip(lags, paired, strict=True) if not known)
    assert max(lags) + 3 * S <= ROOM


def test_with_a_service_that_is_too_slow_nothing_waits() -> None:
    lags, paired = play(5 * S)
    assert set(lags) == {0}
    assert sum(paired) == 1
