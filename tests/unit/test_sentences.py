"""Where sentences end, by a table a language, and where a dot is part of a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubcast.languages import catalogue
from dubcast.languages.sentences import sentences
from dubcast.sts.clauses import split

TABLES = Path(__file__).parent / "tables"
TAGS = ("en", "pt-BR")
FEWEST = 60


def _lines(tag: str) -> list[str]:
    return (TABLES / f"sentences_{tag}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("tag", TAGS)
def test_a_text_is_split_at_its_sentences_alone(tag: str) -> None:
    language = catalogue.find(tag)
    assert language is not None
    table = {line.replace(" | ", " "): line.split(" | ") for line in _lines(tag)}
    assert {text: sentences(text, language) for text in table} == table


@pytest.mark.parametrize("tag", TAGS)
def test_the_tables_are_long(tag: str) -> None:
    assert len(_lines(tag)) == len(set(_lines(tag))) >= FEWEST


def test_no_clause_ends_in_an_abbreviation() -> None:
    english = catalogue.find("en")
    assert english is not None
    text = "The whole family will be seen by the good Dr. Smith of Cambridge at 3 p.m. on Friday."
    assert [one.text for one in split(text, english)] == [text]
