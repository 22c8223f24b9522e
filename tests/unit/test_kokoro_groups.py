"""Which clauses are spoken together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dubcast.sts.providers.kokoro_groups import FRAMES, WIDTHS, Group, grouped, rounded

LENGTHS = st.lists(st.integers(1, 2 * FRAMES[-1]), max_size=40)


@given(LENGTHS)
def test_each_is_in_one_batch_that_holds_it(lengths: list[int]) -> None:
    groups = list(grouped(lengths, FRAMES))
    assert sorted(i for group in groups for i in group.members) == list(range(len(lengths)))
    for group in groups:
        assert max(lengths[i] for i in group.members) <= group.size
        assert len(group.rows) in WIDTHS


def test_those_of_a_size_go_together_and_one_alone_joins_the_next() -> None:
    lengths = [50, 200, 55, 130, 60]
    assert list(grouped(lengths, FRAMES)) == [Group((1, 3), 280), Group((4, 2, 0), 60)]


def test_no_batch_is_wider_than_the_widest() -> None:
    groups = list(grouped([10] * (WIDTHS[-1] + 3), FRAMES))
    assert [len(group.members) for group in groups] == [WIDTHS[-1], 3]


def test_a_batch_is_filled_up_with_its_last() -> None:
    assert Group((4, 2, 7), 60).rows == [4, 2, 7, 7]


def test_what_is_longer_than_all_sizes_has_a_multiple_of_the_last() -> None:
    assert [rounded(length, FRAMES) for length in (1, 60, 61, 400, 401, 900)] == [
        *(60, 60, 90, 400, 800, 1200)
    ]
