"""What is written, as it is said: a table a language, each line by a speaker of it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.languages import catalogue
from dubcast.languages.language import Language, Variety
from dubcast.languages.spoken_form import spoken_form

TABLES = Path(__file__).parent / "tables"
# English and Portuguese have all that their speakers write, the others what is common.
FEWEST = {"en": 150, "pt-BR": 150, "es": 40, "fr": 40, "it": 40, "de": 40}
FEWEST |= dict.fromkeys(("hi", "nl", "pl", "ru", "sv", "tr"), 20)


def _rows(tag: str) -> list[tuple[str, str]]:
    lines = (TABLES / f"spoken_forms_{tag}.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("# ")]
    return [(written, said) for written, said in pairs]


@pytest.mark.parametrize("tag", FEWEST)
def test_it_is_said_as_a_speaker_says_it(tag: str) -> None:
    language = catalogue.find(tag)
    assert language is not None
    table = dict(_rows(tag))
    assert {written: spoken_form(written, language) for written in table} == table


def test_every_reading_has_a_table() -> None:
    assert {one.tag for one in catalogue.known() if one.reading} == set(FEWEST)


@pytest.mark.parametrize("tag", FEWEST)
def test_the_tables_are_long_and_say_nothing_twice(tag: str) -> None:
    written = [row[0] for row in _rows(tag)]
    assert len(written) >= FEWEST[tag]
    assert len(set(written)) == len(written)


@pytest.mark.parametrize("tag", FEWEST)
@given(text=st.text(st.sampled_from("0123456789.,:;-–/%$€£R#@ºª°hxkmKMaIVXUSp!?()& \n'\"é")))
def test_no_text_is_too_odd_and_no_figure_stays(tag: str, text: str) -> None:
    language = catalogue.find(tag)
    assert language is not None
    said = spoken_form(text, language)
    assert re.search(r"\d", said) is None


def test_a_language_that_has_no_reading_keeps_what_is_written() -> None:
    plain = Language(tag="xx", varieties=(Variety("xx", espeak="xx"),))
    assert spoken_form("A 1,5 km (Dr. X) 👍", plain) == "A 1,5 km Dr. X"


def test_sentences_keep_their_ends() -> None:
    english = catalogue.find("en")
    assert english is not None
    text = "We met at 3 p.m. He paid $5. Then he left the U.S."
    said = "We met at three P-M. He paid five dollars. Then he left the U-S."
    assert spoken_form(text, english) == said


@pytest.mark.parametrize(
    ("tag", "piece"),
    [
        *itertools.product(
            ("en", "pt-BR"), ("1", "1,", "1-", "a.", "A.", "12:", "(11) ", "+55 11 ")
        ),
        *itertools.product(
            ("en", "pt-BR"), ('1"', "1½", "[a ", "9am-", "seg-", "on 1/", "$1 million-", "1 João ")
        ),
        *itertools.product(
            ("en", "pt-BR"),
            (
                "1x",
                "1 x ",
                "~1",
                "x²",
                "2^",
                "1:1",
                "6/4, ",
                "6/4 e ",
                "1/10",
                "1-0",
                "1s ",
                "1m 1",
            ),
        ),
        *itertools.product(
            ("en", "pt-BR"),
            ("Sl 1, ", "PL 1/20, ", "Lei nº ", "1 c. de ", "kkk ", "km 1 ", "1' x "),
        ),
        *itertools.product(("es", "fr", "it", "de", "hi"), ("1 ", "1.1.", "9am-")),
        *itertools.product(
            ("es", "fr", "it", "de"),
            ("1. ", "X ", "X, ", "II. ", "1/2 ", "1:1", "+1 ", "A-", '1"', "1M ", "9/10 "),
        ),
        *itertools.product(
            ("es", "fr", "it", "de"),
            ("Mo, ", "sab-", "le 7/9 ", "v1.1 ", "1:23,4 ", "(1 ", "112, ", "x < 1 ", "Titus 1:1-"),
        ),
    ],
)
def test_no_text_takes_time_without_end(tag: str, piece: str) -> None:
    """With patterns that look back at all of a text, this takes many seconds."""
    language = catalogue.find(tag)
    assert language is not None
    spoken_form(piece * 1500, language)
