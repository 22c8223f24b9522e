"""The inbox: deadlines, a stream's own order, one item of a stream at a time, bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dubcast.sts.batcher import Inbox


def _inbox(*items: tuple[str, str, int]) -> Inbox[str]:
    inbox: Inbox[str] = Inbox(100)
    for name, stream, deadline in items:
        assert inbox.put(name, stream, deadline)
    return inbox


def _names(waiting: list) -> list[str]:
    return [one.item for one in waiting]


def test_earliest_deadline_first() -> None:
    inbox = _inbox(("late", "a", 30), ("soon", "b", 10), ("mid", "c", 20))
    first = inbox.take(0, 2)
    assert _names(first.batch) == ["soon", "mid"]
    inbox.release(first.batch)
    assert _names(inbox.take(0, 2).batch) == ["late"]


def test_equal_deadlines_keep_their_order() -> None:
    inbox = _inbox(("1", "a", 10), ("2", "b", 10), ("3", "c", 10))
    assert _names(inbox.take(0, 3).batch) == ["1", "2", "3"]


def test_one_item_of_a_stream_at_a_time() -> None:
    inbox = _inbox(("a1", "a", 10), ("a2", "a", 11), ("b1", "b", 12))
    first = inbox.take(0, 4)
    assert _names(first.batch) == ["a1", "b1"]
    assert not inbox.is_ready
    assert _names(inbox.take(0, 4).batch) == []
    inbox.release(first.batch)
    assert inbox.is_ready
    assert _names(inbox.take(0, 4).batch) == ["a2"]


def test_a_stream_keeps_the_order_of_its_fragments() -> None:
    """Whatever their deadlines say, and however late a further item of the first one comes."""
    inbox: Inbox[str] = Inbox(9)
    assert inbox.put("2", "a", 10, fragment=2)
    assert inbox.put("1, again", "a", 99, fragment=1)
    assert inbox.put("other", "b", 50, fragment=3)
    taken = [inbox.take(0, 1) for _ in range(2)]
    assert [_names(one.batch) for one in taken] == [["other"], ["1, again"]]
    for one in taken:
        inbox.release(one.batch)
    assert _names(inbox.take(0, 1).batch) == ["2"]


def test_what_is_due_is_first_and_only_a_deadline_expires() -> None:
    inbox: Inbox[str] = Inbox(9)
    assert inbox.put("whole", "a", 40)
    assert inbox.put("clause", "b", 50, due_ns=30)
    assert inbox.put("never due after its deadline", "c", 20, due_ns=90)
    taken = inbox.take(35, 3)
    assert _names(taken.batch) == ["clause", "whole"]
    assert _names(taken.expired) == ["never due after its deadline"]


def test_what_is_past_its_deadline_is_handed_back_and_takes_no_place() -> None:
    inbox = _inbox(("gone", "a", 10), ("also", "a", 20), ("good", "a", 21))
    taken = inbox.take(20, 1)
    assert _names(taken.expired) == ["gone", "also"]
    assert _names(taken.batch) == ["good"]
    assert len(inbox) == 0


def test_the_bound_is_kept() -> None:
    inbox: Inbox[str] = Inbox(2)
    assert inbox.put("1", "a", 1)
    assert inbox.put("2", "a", 1)
    assert not inbox.put("3", "a", 1)
    assert len(inbox) == 2


def test_drain_empties() -> None:
    inbox = _inbox(("1", "a", 1), ("2", "b", 2))
    assert sorted(_names(inbox.drain())) == ["1", "2"]
    assert len(inbox) == 0


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), max_size=30),
    st.integers(0, 20),
    st.integers(1, 5),
)
def test_nothing_is_lost_or_doubled(items: list[tuple[str, int]], now_ns: int, most: int) -> None:
    inbox = _inbox(*((str(i), stream, at) for i, (stream, at) in enumerate(items)))
    seen: list[str] = []
    while len(inbox):
        taken = inbox.take(now_ns, most)
        streams = [one.stream_id for one in taken.batch]
        assert len(streams) == len(set(streams)) <= most
        assert all(one.deadline_ns > now_ns for one in taken.batch)
        seen += _names(taken.batch) + _names(taken.expired)
        inbox.release(taken.batch)
    assert sorted(seen) == sorted(str(i) for i in range(len(items)))
