"""Where somebody speaks and no words were recognized."""

from __future__ import annotations

import pytest

from dubcast.sts.providers.interface import Word
from dubcast.sts.unheard import unheard, unheard_s


def said(*words: tuple[str, float, float]) -> list[Word]:
    return [Word(*word) for word in words]


WHOLE = said(("He", 0.0, 0.2), ("is", 0.2, 0.4), ("the", 0.4, 0.6), ("best.", 0.6, 1.1))
# What a wide search has made of "Watch their captain, Duarte, he is the best passer in the league.
# Duarte with a long ball"; each word begins where the one before ends.
PASSED_OVER = said(
    *(("Do", 0.0, 2.64), ("you", 2.64, 3.78), ("work", 3.78, 5.02), ("with", 5.02, 5.22)),
    *(("a", 5.22, 5.3), ("long", 5.3, 5.56), ("ball", 5.56, 5.82)),
)


def test_words_that_follow_one_another_leave_nothing() -> None:
    assert unheard(WHOLE, 1.1) == []
    assert unheard([], 5.0) == []


def test_a_sentence_without_words_is_found_where_the_words_last_too_long() -> None:
    ((start_s, end_s),) = unheard(PASSED_OVER, 5.82)
    assert start_s == 0.0
    assert end_s == pytest.approx(2.9, abs=0.1)
    assert unheard_s(PASSED_OVER, 5.82) == end_s - start_s


def test_it_may_be_the_last_one() -> None:
    ((start_s, end_s),) = unheard(WHOLE, 4.6)
    assert (start_s, end_s) == (0.6, pytest.approx(3.75, abs=0.1))


@pytest.mark.parametrize("late_s", [0.5, 1.5])
def test_a_pause_is_none(late_s: float) -> None:
    later = [Word(one.text, one.start_s + late_s, one.end_s + late_s) for one in WHOLE]
    assert unheard([*WHOLE[:2], *later[2:]], 1.1 + late_s) == []


def test_a_long_word_takes_its_time_and_a_sign_longer_than_a_letter() -> None:
    assert unheard(said(("internationalization", 0.0, 2.5)), 2.5) == []
    assert unheard(said(("我们现在去城里看朋友", 0.0, 4.0)), 4.0) == []
    assert unheard(said(("abcdefghij", 0.0, 4.0)), 4.0)
