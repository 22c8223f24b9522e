"""Where the words of a fragment end that was cut in running speech."""

from __future__ import annotations

import pytest

from dubcast.languages import catalogue
from dubcast.sts.border import spoken_until
from dubcast.sts.providers.interface import Word

EN, PT = catalogue.find("en"), catalogue.find("pt-BR")
# Each word lasts 0.3 s, one after the other.
_EACH_S = 0.3


def words(text: str) -> list[Word]:
    return [Word(w, _EACH_S * i, _EACH_S * (i + 1)) for i, w in enumerate(text.split())]


def kept(text: str, cut_after: int, tag: str = "en") -> str:
    """What stays of a text that was cut after so many words."""
    said = words(text)
    count = spoken_until(said, _EACH_S * cut_after, catalogue.find(tag))
    return " ".join(word.text for word in said[:count])


@pytest.mark.parametrize(
    ("said", "cut_after", "stays"),
    [
        # A sentence that has just begun goes with the next fragment, one that just ends stays.
        ("The test has ended. You may", 5, "The test has ended."),
        ("We will see how it goes. The acoustic", 5, "We will see how it goes."),
        # The mark of a clause is worth less, and is not gone back to from far.
        ("like a normal phone, you may dial", 5, "like a normal phone,"),
        ("a phone, somebody could dial numbers here", 6, "a phone, somebody could dial numbers"),
        # What begins a phrase goes with it.
        ("which phone could serve to dial", 5, "which phone could serve"),
        ("connect with somebody at home base", 4, "connect with somebody"),
        # Where there is nothing of the kind, the cut decides.
        ("seven eight nine eleven twelve thirteen", 4, "seven eight nine eleven"),
        # A dot that belongs to its word ends nothing.
        ("today somebody called Mr. Dashwood again", 5, "today somebody called Mr. Dashwood"),
    ],
)  # fmt: skip
def test_a_fragment_ends_with_a_phrase(said: str, cut_after: int, stays: str) -> None:
    assert kept(said, cut_after) == stays


def test_each_language_has_its_own_words_and_marks() -> None:
    assert kept("podemos ligar depressa porque existem", 4, "pt-BR") == "podemos ligar depressa"
    assert kept("今日は 晴れ です。 明日は 雨", 4, "ja") == "今日は 晴れ です。"


def test_where_no_word_ends_near_the_cut_those_before_it_stay() -> None:
    said = [Word("well", 0.0, 0.5), Word("then", 5.0, 5.5)]
    assert spoken_until(said, 3.0, EN) == 1
    assert spoken_until([], 3.0, PT) == 0
