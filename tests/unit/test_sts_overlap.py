"""Words at the seams of overlapping chunks."""

from __future__ import annotations

import pytest

from dubcast.sts.overlap import repeated_words, same_word
from dubcast.sts.providers.interface import Word


def _words(text: str, step_s: float = 0.08) -> list[Word]:
    return [Word(w, i * step_s, (i + 1) * step_s) for i, w in enumerate(text.split())]


@pytest.mark.parametrize(
    ("previous", "now", "count"),
    [
        ("and then the match", "Match is on", 1),
        ("he ran into the", "to the box", 2),
        ("a walk in the gard", "garden was", 1),
        ("we like the garden", "den was", 1),
        ("this is it.", "It is", 1),
        ("nothing in common", "is the same", 0),
        ("", "hello there", 0),
        ("hello", "", 0),
        ("... --", "hello", 0),
    ],
)
def test_words_of_the_chunk_before_are_found(previous: str, now: str, count: int) -> None:
    assert repeated_words(previous, _words(now), 0.2) == count


def test_four_short_words_at_most() -> None:
    assert repeated_words("a b c d e", _words("b c d e f", 0.05), 0.2) == 4
    assert repeated_words("a b c d e", _words("a b c d e", 0.02), 0.2) == 0
    # The fourth begins too late to have been in the overlap.
    assert repeated_words("a b c d e", _words("b c d e f", 0.11), 0.2) == 0


def test_a_real_repetition_stays() -> None:
    later = [Word("very", 0.45, 0.7), Word("good", 0.7, 1.0)]
    assert repeated_words("it is very,", later, 0.2) == 0
    both = [Word("very", 0.0, 0.2), Word("very", 0.35, 0.6), Word("good", 0.6, 0.9)]
    assert repeated_words("it is very,", both, 0.2) == 1
    assert repeated_words("it is very very", both, 0.2) == 1


def test_without_overlap_nothing_is_repeated() -> None:
    assert repeated_words("the match", _words("match is on"), 0.0) == 0


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("match", "match", True),
        ("ma", "match", True),
        ("match", "tch", True),
        ("colour", "color", True),
        ("m", "match", False),
        ("match", "ma", False),  # a word cannot lose its end at the start of a chunk
        ("the", "there's", True),
        ("spring", "bring", True),
        ("dog", "cat", False),
    ],
)
def test_alike(before: str, now: str, same: bool) -> None:
    assert same_word(before, now) is same
