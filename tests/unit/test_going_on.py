"""Which words are new where a fragment is heard with what was said before it."""

from __future__ import annotations

import pytest

from dubcast.sts.going_on import first_new
from dubcast.sts.providers.interface import Word


def new(before: str, heard: str, begun: int) -> str:
    """What is new of words of 0.3 s each, of which `begun` end before the fragment begins."""
    words = [
        Word(text, 0.3 * (i - begun), 0.3 * (i - begun + 1)) for i, text in enumerate(heard.split())
    ]
    return " ".join(word.text for word in words[first_new(before, words) :])


@pytest.mark.parametrize(
    ("before", "heard", "begun", "rest"),
    [
        ("bay of fundy", "Bay of Fundy, separating Nova Scotia", 3, "separating Nova Scotia"),
        # A word on the border goes with whoever told it, wherever its time is.
        ("as slow as it", "as slow as it goes now", 3, "goes now"),
        ("as slow as", "as slow as it goes now", 4, "it goes now"),
        # Heard otherwise: as many words as were told, if they lie before the fragment.
        ("homemade yogis", "homemade Yagis and I am using", 2, "and I am using"),
        ("hold mate your gist", "homemade Yagis and I am using", 2, "and I am using"),
        # What is said again is new.
        ("more words words", "more words words words words and", 3, "words words and"),
        ("very", "very very good", 1, "very good"),
        # The end of a word that was cut is no word; what it ends with may be one.
        ("we desire increase,", "we desire crease, that thereby", 2, "that thereby"),
        ("it has begun", "it has begun gun in hand", 3, "in hand"),
        ("it has begun", "it has begun then gun in hand", 3, "then gun in hand"),
        ("we go to", "we go to o captain", 3, "o captain"),
        # A word that comes again later is another.
        ("one the", "one two three four the five", 1, "two three four the five"),
        ("", "nothing was told", 0, "nothing was told"),
        ("", "left to the next", 3, "left to the next"),
        ("all of it", "all of it", 3, ""),
        ("all of it", "", 0, ""),
    ],
)  # fmt: skip
def test_what_was_told_before_is_not_told_again(
    before: str, heard: str, begun: int, rest: str
) -> None:
    assert new(before, heard, begun) == rest
