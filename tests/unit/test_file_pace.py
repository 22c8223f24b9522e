"""When the tags of a file are due."""

from __future__ import annotations

from dubcast.clock import NS_PER_MS as MS
from dubcast.clock import NS_PER_S as S
from dubcast.worker.file_pace import FilePace


def test_the_first_is_due_now_and_the_others_as_they_say() -> None:
    pace = FilePace()
    assert pace.due_ns(5_000 * S, 7 * S) == 7 * S
    assert pace.due_ns(5_000 * S + 40 * MS, 7 * S) == 7 * S + 40 * MS
    assert pace.due_ns(5_000 * S + 80 * MS, 9 * S) == 7 * S + 80 * MS  # late: no new beginning


def test_tracks_lie_a_little_apart() -> None:
    pace = FilePace()
    pace.due_ns(10 * S, 0)
    assert pace.due_ns(10 * S - 200 * MS, 0) == -200 * MS
    assert pace.due_ns(10 * S + 40 * MS, 0) == 40 * MS


def test_a_hole_is_waited_for_and_a_leap_is_not() -> None:
    pace = FilePace()
    pace.due_ns(0, 0)
    assert pace.due_ns(30 * S, 0) == 30 * S
    assert pace.due_ns(900_000 * S, 31 * S) == 31 * S
    assert pace.due_ns(900_000 * S + 40 * MS, 31 * S) == 31 * S + 40 * MS
    assert pace.due_ns(0, 32 * S) == 32 * S
    assert pace.due_ns(40 * MS, 32 * S) == 32 * S + 40 * MS
