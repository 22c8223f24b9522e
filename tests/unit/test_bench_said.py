"""The bench of what is said: its tables, and how it judges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.speech import said
from dubcast.contract.glossary import GlossaryEntry


def test_a_line_that_is_said_wrong_is_counted_and_told() -> None:
    table = said.rows()
    assert said.forms_right(table) == (1.0, [])
    wrong = [replace(table[0], said="nonsense"), *table[1:4]]
    share, told = said.forms_right(wrong)
    assert share == 0.75
    assert told == [f"{table[0].written}: {table[0].said}, not nonsense"]


def test_the_cases_of_the_glossary_are_of_both_directions() -> None:
    cases = said.cases()
    assert len(cases) >= 50
    assert {(case.source, case.target) for case in cases} == {("en", "pt-BR"), ("pt-BR", "en")}
    assert all(case.entry.term.casefold() in case.sentence.casefold() for case in cases)
    assert any(case.entry.say for case in cases)


@pytest.mark.parametrize(
    ("translated", "voiced", "kept"),
    [
        ("A Casa Aberta é hoje.", "A Cása Aberta é hoje.", True),
        ("A Casa Aberta é hoje.", "A Casa Aberta é hoje.", False),
        ("A casa aberta é hoje.", "Cása", False),
        ("As Casas Abertas", "Cása", False),
    ],
)
def test_a_term_is_kept_if_it_is_written_and_said_as_wanted(
    translated: str, voiced: str, kept: bool
) -> None:
    entry = GlossaryEntry(term="Open House", translation="Casa Aberta", say="Cása Aberta")
    assert said.is_kept(entry, translated, "Cása Aberta" if voiced == "Cása" else voiced) is kept


def test_a_term_may_begin_a_sentence() -> None:
    entry = GlossaryEntry(term="offside trap", translation="linha de impedimento")
    assert said.is_kept(entry, "Linha de impedimento!", "")
    assert not said.is_kept(entry, "A Linha de impedimento!", "")


def test_words_are_compared_without_case_marks_and_joints() -> None:
    assert said.words("The F-B-I, o'clock.") == ["the", "f", "b", "i", "oclock"]


@pytest.mark.parametrize(
    ("heard", "hits"),
    [
        ("Now I will read it to you slowly. $12.50 and that is how it was written here.", 5),
        ("Now I will read it to you slowly. 1250, and that is how it was written here.", 5),
        ("Twelve dollars and fifty sent, and that is how it was written here.", 4),
        ("Now I will read it to you slowly.", 0),
    ],
)
def test_the_words_of_the_form_are_counted_and_not_those_around_it(heard: str, hits: int) -> None:
    english = said.rows()[0].language
    row = said.Row(english, "$12.50", "twelve dollars and fifty cents")
    assert said.understood(row, heard) == (hits, 5)
