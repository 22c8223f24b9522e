"""How much of the output left, connection by connection."""

from __future__ import annotations

from dubcast.worker.delivery import Delivery


def test_what_waits_has_not_left_and_what_left_stays_left() -> None:
    one = Delivery()
    one.pushed("a", 10)
    one.stands("a", 3)
    assert one.seconds == 7
    one.pushed("a", 1)
    one.stands("a", 6)  # it takes nothing any more
    assert one.seconds == 7


def test_connections_add_up_and_one_that_never_stood_is_lost() -> None:
    one = Delivery()
    for name, stood in (("a", True), ("b", False), ("c", True)):
        one.pushed(name, 4)
        if stood:
            one.stands(name, 0)
    assert one.seconds == 8


def test_a_connection_that_got_nothing_says_nothing_about_the_one_before() -> None:
    one = Delivery()
    one.pushed("a", 4)
    one.stands("b", 0)
    assert one.seconds == 0
