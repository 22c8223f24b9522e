"""What the bench of states makes of what it read: fragments that went by, and what was told."""

from __future__ import annotations

from bench.onair.states import Told, measured
from dubcast.contract.streams import NotDubbing
from dubcast.contract.worker import AsRunEntry, Outcome

DEAD = NotDubbing.STS_UNREACHABLE


def entry(
    sequence: int, air_ns: int | None, outcome: Outcome, margin_ns: int = 0, clause: int = 0
) -> AsRunEntry:
    return AsRunEntry.model_construct(
        sequence_number=sequence,
        clause=clause,
        air_ns=air_ns,
        outcome=outcome,
        deadline_margin_ms=margin_ns / 1e6,
    )


ENTRIES = [
    entry(1, 90, Outcome.LATE),  # before the fault
    entry(2, 110, Outcome.DUBBED),
    entry(3, 120, Outcome.FAILED),
    entry(4, 130, Outcome.NO_SPEECH),
    entry(5, 140, Outcome.FAILED),
    entry(6, 210, Outcome.DUBBED),
    entry(7, 220, Outcome.DUBBED),
    entry(8, None, Outcome.FAILED),  # never on air
]


def told(*details: tuple[int, str], healed_ns: int | None = 150) -> Told:
    return Told("dead", DEAD, 100, list(details), healed_ns)


def test_what_goes_by_until_it_is_told_and_until_it_is_over() -> None:
    one = told((105, ""), (125, DEAD), (215, DEAD), (216, ""))
    found = measured([(one, ENTRIES)])
    assert found["state_told_fragments"] == 1
    assert found["state_back_fragments"] == 1
    assert found["state_wrong_details"] == 0


def test_the_worst_counts_and_another_detail_is_not_the_right_one() -> None:
    at_once = told((101, DEAD), (211, ""))
    late = told((125, NotDubbing.OVERLOADED), (145, DEAD), (225, ""))
    found = measured([(at_once, ENTRIES), (late, ENTRIES)])
    assert found["state_told_fragments"] == 2
    assert found["state_back_fragments"] == 2
    assert found["state_wrong_details"] == 1
    late.also = frozenset({NotDubbing.OVERLOADED})
    assert late.wrong == 0


def test_what_is_never_told_or_never_over_has_no_figure() -> None:
    assert measured([(told((125, "")), ENTRIES)])["state_told_fragments"] is None
    found = measured([(told((125, DEAD)), ENTRIES)])
    assert found["state_told_fragments"] == 1
    assert found["state_back_fragments"] is None


def test_what_is_not_healed_is_not_asked_when_it_is_over() -> None:
    lasting = told((125, DEAD), healed_ns=None)
    found = measured([(lasting, ENTRIES), (told((101, DEAD), (216, "")), ENTRIES)])
    assert found["state_back_fragments"] == 1


def test_where_a_second_try_leaves_none_without_a_dub_those_made_before_are_not_counted() -> None:
    """Fragment 4 failed and was dubbed at its second try: what is on air before it is older."""
    entries = [
        entry(1, 110, Outcome.DUBBED, margin_ns=80),
        entry(2, 160, Outcome.DUBBED, margin_ns=80),
        entry(3, 200, Outcome.DUBBED, margin_ns=80),
        entry(4, 240, Outcome.DUBBED, margin_ns=80),
    ]
    found = measured([(told((125, DEAD), (241, "")), entries)])
    assert found["state_back_fragments"] == 1
    found = measured([(told((125, DEAD), (239, "")), entries)])
    assert found["state_back_fragments"] == 0


def test_a_fragment_counts_once_however_many_clauses_it_has() -> None:
    entries = [
        *(entry(1, at, Outcome.FAILED) for at in (110, 115)),
        *(entry(2, at, Outcome.DUBBED) for at in (160, 170, 180)),
    ]
    found = measured([(told((125, DEAD), (190, "")), entries)])
    assert (found["state_told_fragments"], found["state_back_fragments"]) == (1, 1)


def test_a_clause_without_a_dub_counts_though_the_other_has_one() -> None:
    entries = [entry(1, 110, Outcome.DUBBED), entry(1, 115, Outcome.FAILED, clause=1)]
    found = measured([(told((125, DEAD), (190, "")), entries)])
    assert found["state_told_fragments"] == 1


def test_a_fragment_that_began_late_is_not_without_a_dub() -> None:
    entries = [
        entry(1, 110, Outcome.LATE),
        entry(1, 115, Outcome.DUBBED),
        entry(2, 155, Outcome.DUBBED),
        entry(3, 160, Outcome.LATE),
        entry(3, 165, Outcome.DUBBED),
    ]
    found = measured([(told((125, DEAD), (190, "")), entries)])
    assert (found["state_told_fragments"], found["state_back_fragments"]) == (0, 2)
