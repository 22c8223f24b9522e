"""The word in which a fragment was cut is left for the next one."""

from __future__ import annotations

import pytest

from dubcast.languages import catalogue
from dubcast.sts.offer import Choice
from dubcast.sts.providers.interface import Transcript, Voice, Word
from dubcast.sts.understanding import Understood, without_cut_off


def understood(*ends_s: float) -> Understood:
    """Words of 0.3 s that end there."""
    words = tuple(Word(f"w{n}", at - 0.3, at) for n, at in enumerate(ends_s))
    said = Transcript(" ".join(word.text for word in words), words=words)
    english, portuguese = catalogue.find("en"), catalogue.find("pt-BR")
    assert english is not None
    assert portuguese is not None
    choice = Choice((english,), portuguese, Voice("v", "pt-BR", "female"))
    return Understood(said, choice, (0.1, 4.9), "en")


def test_a_word_that_reaches_to_the_end_is_left_for_the_next_fragment() -> None:
    one = without_cut_off(understood(1.0, 3.0, 4.9), 5.0)
    assert one.said.text == "w0 w1"
    assert [word.text for word in one.said.words] == ["w0", "w1"]
    assert one.rest_from_s == pytest.approx(4.6)
    assert one.bounds_s == pytest.approx((0.1, 4.6))


def test_a_word_that_ends_before_is_whole() -> None:
    one = understood(1.0, 3.0, 4.7)
    assert without_cut_off(one, 5.0) == one


def test_a_word_alone_is_all_there_is() -> None:
    one = understood(4.9)
    assert without_cut_off(one, 5.0) == one
