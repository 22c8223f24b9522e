"""Which language a fragment is taken for, by how likely the recognizer holds each."""

from __future__ import annotations

import pytest

from dubcast.contract.sts import LeftAlone
from dubcast.sts.which_language import Answer, Question, decide

TARGET, OTHER = LeftAlone.TARGET_LANGUAGE, LeftAlone.OTHER_LANGUAGE
LONG_S, BRIEF_S = 2.0, 0.99


def named(likely: dict[str, float], speech_s: float = LONG_S) -> Answer:
    return decide(Question(("en",), "pt-BR", speech_s), likely)


def auto(likely: dict[str, float], *sources: str) -> Answer:
    return decide(Question(sources or ("en", "es"), "pt-BR", LONG_S, named=False), likely)


@pytest.mark.parametrize(
    ("likely", "answer"),
    [
        ({"en": 0.97, "pt": 0.01}, Answer("en", 0.97)),
        ({"en": 0.02, "pt": 0.95}, Answer("pt-BR", 0.95, TARGET)),
        ({"en": 0.3, "pt": 0.45, "gl": 0.25}, Answer("pt-BR", 0.45, TARGET)),
        ({"en": 0.31, "pt": 0.45, "gl": 0.24}, Answer("en", 0.31)),  # 0.592 of the two
        ({"en": 0.0, "pt": 0.1, "gl": 0.85}, Answer("pt-BR", 0.1, TARGET)),
        ({"en": 0.01, "pt": 0.09, "gl": 0.85}, Answer("en", 0.01)),  # hardly heard at all
        ({"en": 0.05, "pt": 0.01, "es": 0.9}, Answer("es", 0.9, OTHER)),
        ({"en": 0.05, "pt": 0.01, "es": 0.89}, Answer("en", 0.05)),
        ({"en": 1.0}, Answer("en", 1.0)),
        ({}, Answer("en", 0.0)),
    ],
)
def test_a_named_source_is_weighed_against_the_target(
    likely: dict[str, float], answer: Answer
) -> None:
    assert named(likely) == answer


@pytest.mark.parametrize(
    ("likely", "speech_s", "left_alone"),
    [
        ({"pt": 0.02, "en": 0.62, "ar": 0.3}, 2.4, None),  # of somebody who mumbles
        ({"pt": 0.02, "en": 0.73, "ar": 0.2}, 1.5, TARGET),
        ({"pt": 0.02, "en": 0.62, "ar": 0.3}, 1.4, TARGET),
        ({"pt": 0.02, "en": 0.27, "hi": 0.6}, 1.4, None),
    ],
)
def test_against_a_named_source_english_has_to_be_heard_clearly(
    likely: dict[str, float], speech_s: float, left_alone: LeftAlone | None
) -> None:
    assert decide(Question(("pt-BR",), "en", speech_s), likely).left_alone is left_alone
    of_several = decide(Question(("pt-BR",), "en", speech_s, named=False), likely)
    assert of_several.left_alone is TARGET


@pytest.mark.parametrize(
    ("likely", "speech_s"),
    [
        ({"el": 0.644, "pt": 0.168, "en": 0.044}, 1.06),  # a shout
        ({"en": 0.02, "pt": 0.27, "hi": 0.6}, 2.4),
    ],
)
def test_what_is_mumbled_is_drawn_to_no_other_target(
    likely: dict[str, float], speech_s: float
) -> None:
    assert named(likely, speech_s).left_alone is TARGET


@pytest.mark.parametrize(("share", "left_alone"), [(0.7, None), (0.75, TARGET)])
def test_a_word_or_two_have_to_be_surer(share: float, left_alone: LeftAlone | None) -> None:
    likely = {"en": 0.4 * (1 - share), "pt": 0.4 * share}
    assert named(likely, BRIEF_S).left_alone is left_alone
    assert named(likely, 1.0).left_alone is TARGET


@pytest.mark.parametrize(
    ("source", "target", "left_alone"),
    [
        (0.002, 0.04, TARGET),
        (0.002, 0.019, None),  # too faint to be anything
        (0.009, 0.045, TARGET),
        (0.009, 0.044, None),
        (0.01, 0.09, None),
    ],
)
def test_a_source_that_is_as_good_as_excluded_is_not_what_a_foreign_sounding_target_is(
    source: float, target: float, left_alone: LeftAlone | None
) -> None:
    assert named({"af": 0.7, "en": source, "pt": target}).left_alone is left_alone


@pytest.mark.parametrize(
    ("likely", "speech_s", "left_alone"),
    [
        ({"en": 0.68, "pt": 0.12}, 2.5, TARGET),
        ({"en": 0.69, "pt": 0.12}, 2.5, None),  # 0.148 of the two
        ({"en": 0.68, "pt": 0.12}, 2.49, None),
        ({"en": 0.1, "pt": 0.09}, 9.0, None),
    ],
)
def test_what_may_be_in_both_is_left_alone_where_it_is_long_enough_to_be_sure(
    likely: dict[str, float], speech_s: float, left_alone: LeftAlone | None
) -> None:
    assert named(likely, speech_s).left_alone is left_alone


@pytest.mark.parametrize(
    ("likely", "answer"),
    [
        ({"en": 0.3, "es": 0.5, "pt": 0.2}, Answer("es", 0.5)),
        ({"en": 0.5, "es": 0.3, "pt": 0.2}, Answer("en", 0.5)),
        ({"en": 0.2, "es": 0.1, "pt": 0.6}, Answer("pt-BR", 0.6, TARGET)),
        ({"en": 0.1, "es": 0.05, "fr": 0.8}, Answer("en", 0.1)),
        ({"en": 0.09, "es": 0.05, "fr": 0.8, "pt": 0.05}, Answer("fr", 0.8, OTHER)),
        ({"en": 0.07, "es": 0.05, "fr": 0.06, "pt": 0.08}, Answer("pt-BR", 0.08, TARGET)),
        ({"fr": 0.95}, Answer("fr", 0.95, OTHER)),
    ],
)
def test_of_several_sources_the_likelier_is_taken_and_none_that_was_not_heard(
    likely: dict[str, float], answer: Answer
) -> None:
    assert auto(likely) == answer


def test_a_single_candidate_is_not_believed_as_a_named_source_is() -> None:
    likely = {"en": 0.05, "pt": 0.01, "fr": 0.6}
    assert named(likely) == Answer("en", 0.05)
    assert auto(likely, "en") == Answer("fr", 0.6, OTHER)


def test_a_region_plays_no_part() -> None:
    question = Question(("pt-BR",), "en", LONG_S)
    assert decide(question, {"pt": 0.9, "en": 0.1}) == Answer("pt-BR", 0.9)
    assert decide(question, {"pt": 0.1, "en": 0.9}) == Answer("en", 0.9, TARGET)


def in_a_stream(
    likely: dict[str, float], so_far: str, speech_s: float, *, named: bool = False
) -> Answer:
    return decide(Question(("en", "es"), "pt-BR", speech_s, named, so_far), likely)


UNSURE = {"en": 0.1, "es": 0.3, "cy": 0.4, "pt": 0.05}


def test_of_a_word_or_two_the_language_so_far_is_believed() -> None:
    assert in_a_stream(UNSURE, "", BRIEF_S) == Answer("es", 0.3)
    assert in_a_stream(UNSURE, "en", BRIEF_S) == Answer("en", 0.1)  # as the recognizer holds it
    assert in_a_stream(UNSURE, "en", 2.49) == Answer("en", 0.1)
    assert in_a_stream(UNSURE, "en", 2.5) == Answer("es", 0.3)
    # It may be the target's, too.
    assert in_a_stream(UNSURE, "pt-BR", BRIEF_S) == Answer("pt-BR", 0.05, TARGET)


def test_a_sentence_that_is_surely_in_another_language_is_taken_for_it() -> None:
    assert in_a_stream({"en": 0.01, "es": 0.97}, "en", BRIEF_S) == Answer("es", 0.97)
    assert in_a_stream({"fr": 0.97, "en": 0.01}, "en", 3.0) == Answer("fr", 0.97, OTHER)
    # Of a word or two nobody is sure.
    assert in_a_stream({"fr": 0.95, "en": 0.03}, "en", BRIEF_S) == Answer("en", 0.03)


def test_the_language_so_far_says_nothing_about_a_source_that_is_named() -> None:
    named = in_a_stream(UNSURE, "pt-BR", BRIEF_S, named=True)
    assert named == in_a_stream(UNSURE, "", BRIEF_S, named=True)


def test_a_language_that_was_not_heard_at_all_is_not_the_one_so_far() -> None:
    assert in_a_stream({"en": 0.6, "es": 0.3}, "it", BRIEF_S) == Answer("en", 0.6)
