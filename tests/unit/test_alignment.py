"""Which access units of the source are in the output."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.measure.alignment import Alignment, align


def units(text: str) -> list[bytes]:
    return [letter.encode() for letter in text]


def summary(found: Alignment) -> tuple[int, int, int, int, int]:
    return len(found.pairs), found.missing, found.changed, found.extra, found.reordered


SOURCE = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (SOURCE, (26, 0, 0, 0, 0)),
        ("fghijklm", (8, 0, 0, 0, 0)),
        ("fghi_klm", (7, 0, 1, 0, 0)),
        ("fghiklm", (7, 1, 0, 0, 0)),
        ("fghijjklm", (8, 0, 0, 1, 0)),
        ("fghi__jklm", (8, 0, 0, 2, 0)),
        ("fghikjlm", (7, 0, 0, 0, 1)),
        ("fg_klm", (5, 2, 1, 0, 0)),
        ("_ghijkl", (6, 0, 1, 0, 0)),
        ("ghijk_", (5, 0, 1, 0, 0)),
        (SOURCE + "__", (26, 0, 0, 2, 0)),
        ("____", (0, 0, 0, 4, 0)),
        ("", (0, 0, 0, 0, 0)),
    ],
)
def test_each_fault_is_named(output: str, expected: tuple[int, ...]) -> None:
    found = align(units(SOURCE), units(output))
    assert summary(found) == expected
    assert found.exact == (expected[0] > 0 and not any(expected[1:]))
    assert not found.ambiguous


def test_where_the_output_lies_in_the_source() -> None:
    found = align(units(SOURCE), units("fghi"))
    assert found.pairs == [(0, 5), (1, 6), (2, 7), (3, 8)]


def test_repeated_pictures_are_placed_by_their_neighbours() -> None:
    source, output = "a..b..c..d..e", "..b..c..d"
    assert summary(align(units(source), units(output))) == (9, 0, 0, 0, 0)
    assert summary(align(units(source), units("..b.c..d"))) == (8, 1, 0, 0, 0)


def test_a_picture_that_only_repeats_is_exact_but_ambiguous() -> None:
    found = align(units("ab" * 40), units("ab" * 10))
    assert found.exact and found.ambiguous


def test_a_still_picture_is_quick() -> None:
    found = align([b"."] * 20_000, [b"."] * 18_000)
    assert found.exact and found.ambiguous and len(found.pairs) == 18_000


@given(st.text("abcd", min_size=1, max_size=60), st.integers(0, 50), st.integers(1, 60))
def test_any_run_of_any_source_is_exact(text: str, start: int, length: int) -> None:
    run = text[start : start + length] or text
    found = align(units(text), units(run))
    assert len(found.pairs) == len(run) and found.exact


@given(st.text("abcdefgh", max_size=40), st.text("abcdefgh", max_size=40))
def test_matches_are_equal_and_in_order(left: str, right: str) -> None:
    found = align(units(left), units(right))
    assert all(left[j] == right[i] for i, j in found.pairs)
    assert found.pairs == sorted(found.pairs)
    outputs, sources = [i for i, _ in found.pairs], [j for _, j in found.pairs]
    assert len(set(outputs)) == len(outputs) and sources == sorted(set(sources))
    assert len(found.pairs) + found.changed + found.extra + found.reordered == len(right)
