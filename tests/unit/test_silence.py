"""Who is silent for too long, in virtual time."""

from __future__ import annotations

from dubcast.clock import s_to_ns
from dubcast.mediaserver.silence import SilenceWatch


def test_one_that_stands_still_is_named_at_the_limit() -> None:
    watch = SilenceWatch(10)
    seen = [watch.look({"a": 5, "b": second}, s_to_ns(second)) for second in range(25)]
    named = [second for second, late in enumerate(seen) if late]
    assert named == [10, 20]  # if it stays, it has the limit again
    assert seen[10] == ["a"]


def test_one_that_moves_again_has_the_whole_limit() -> None:
    watch = SilenceWatch(10)
    assert watch.look({"a": 1}, 0) == []
    assert watch.look({"a": 2}, s_to_ns(9)) == []
    assert watch.look({"a": 2}, s_to_ns(18)) == []
    assert watch.look({"a": 2}, s_to_ns(19)) == ["a"]


def test_one_that_was_gone_begins_anew() -> None:
    watch = SilenceWatch(10)
    watch.look({"a": 1}, 0)
    watch.look({}, s_to_ns(5))
    assert watch.look({"a": 1}, s_to_ns(12)) == []
    # So does another connection with the same count.
    watch.look({"a": ("id-1", 0)}, s_to_ns(20))
    assert watch.look({"a": ("id-2", 0)}, s_to_ns(31)) == []
