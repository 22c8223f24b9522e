"""Texts made shorter: what goes, in what order, and what never goes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.languages import catalogue
from dubcast.languages.language import Language
from dubcast.sts.pace import Pace
from dubcast.sts.shorten import precious, shorten

ENGLISH, PORTUGUESE = (catalogue.find(tag) or pytest.fail(tag) for tag in ("en", "pt-BR"))
# A language of which nothing is known.
BARE = Language("fr", ())
LANGUAGES = {"en": ENGLISH, "pt-BR": PORTUGUESE, "pt": PORTUGUESE, "bare": BARE}

SHORTEST = {
    ("en", "Well, you know, the team was very, very good, which surprised everyone."): (
        "The team was good."
    ),
    ("en", "It is not very good, you know, because Peter was hurt."): (
        "It is not very good, because Peter was hurt."
    ),
    ("en", "He scored (again) in the last minute, while the crowd was singing. Then he left."): (
        "He scored in the last minute. Then he left."
    ),
    ("en", "The the ball went out of of play."): "The ball went out of play.",
    ("en", "The winner, who was born in Rome, is here."): (
        "The winner, who was born in Rome, is here."
    ),
    ("en", "The prize, which nobody wants, is here."): "The prize, which nobody wants, is here.",
    ("en", "He bought bread, butter, cheese, and milk."): (
        "He bought bread, butter, cheese, and milk."
    ),
    ("en", "So far it went well."): "So far it went well.",
    ("pt-BR", "Bem, então, eu acho que ele não vai jogar amanhã, né?"): (
        "Eu acho que ele não vai jogar amanhã?"
    ),
    ("pt-BR", "O time, que jogou muito mal ontem, perdeu, porque estava cansado."): (
        "O time perdeu."
    ),
    ("pt-BR", "A ponte vai abrir em março, embora os moradores não acreditem."): (
        "A ponte vai abrir em março, embora os moradores não acreditem."
    ),
    ("pt-BR", "O jogo acabou, porque choveu por três horas."): (
        "O jogo acabou, porque choveu por três horas."
    ),
    ("pt-BR", "O muro antigo do castelo caiu, que foi construído no ano passado."): (
        "O muro antigo do castelo caiu."
    ),
    ("en", "It was good. Well, the team won."): "It was good. The team won.",
    ("en", "We met at 3 p.m. on Friday, which is late."): "We met at 3 p.m. on Friday.",
    ("pt-BR", "Chegou, embora o Dr. Silva não quisesse."): (
        "Chegou, embora o Dr. Silva não quisesse."
    ),
    ("bare", "Le match (un grand match) est fini, bien, oui oui."): "Le match est fini, bien, oui.",
}


@pytest.mark.parametrize(("language", "text"), SHORTEST)
def test_the_shortest_that_can_be_had(language: str, text: str) -> None:
    assert shorten(text, LANGUAGES[language], 0) == SHORTEST[language, text]


def test_no_more_than_needed() -> None:
    text = "Well, the team was really good, which surprised everyone."
    assert shorten(text, ENGLISH, len(text)) == text
    assert shorten(text, ENGLISH, len(text) - 1) == (
        "The team was really good, which surprised everyone."
    )
    assert shorten(text, ENGLISH, 45) == "The team was good, which surprised everyone."
    assert shorten(text, ENGLISH, 30) == "The team was good."


def test_the_smallest_cut_that_is_enough() -> None:
    text = "Um, he won, you know, in the end."
    assert shorten(text, ENGLISH, 30) == "He won, you know, in the end."
    assert shorten(text, ENGLISH, 25) == "Um, he won, in the end."


_WORDS = "well you know um not very good which never 3 three Rome because he ran é não né (so) , ."


@given(st.lists(st.sampled_from(_WORDS.split()), max_size=25), st.sampled_from(["en", "pt-BR"]))
def test_what_matters_never_goes(words: list[str], language: str) -> None:
    text = " ".join(words)
    short = shorten(text, LANGUAGES[language], 0)
    assert len(short) <= max(len(text), 1)
    kept = "not never" if language == "en" else "não"
    for word in (*kept.split(), "Rome"):
        assert (word in words) == (re.search(rf"\b{word}\b", short, re.IGNORECASE) is not None)


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("which was red", "en", False),
        ("as I said", "en", False),
        ("which isn't red", "en", True),
        ("no ano passado", "pt", False),
        ("sem dúvida", "pt", True),
        ("who has twenty goals", "en", True),
        ("who lives in Berlin", "en", True),
        ("which cost 20", "en", True),
    ],
)
def test_precious(text: str, code: str, expected: bool) -> None:
    assert precious(text, LANGUAGES[code]) is expected


def test_a_pace_is_learned_from_what_was_spoken() -> None:
    pace = Pace()
    assert pace.predict_s("x" * 45, "a", ENGLISH) == pytest.approx(3.0)
    for _ in range(40):
        pace.learn("x" * 100, "a", 5.0)
    assert pace.cps("a", ENGLISH) == pytest.approx(20, abs=1)
    assert pace.cps("b", ENGLISH) == ENGLISH.chars_per_s
    pace.learn("short", "b", 9.0)
    pace.learn("x" * 50, "b", 0.0)
    assert pace.cps("b", ENGLISH) == ENGLISH.chars_per_s
