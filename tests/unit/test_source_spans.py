"""Where the source of each clause is: by sentences, within them by letters, at words."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dubcast.languages.spoken.en import LANGUAGE as ENGLISH
from dubcast.languages.spoken.pt_br import LANGUAGE as PORTUGUESE
from dubcast.sts.providers.interface import Word
from dubcast.sts.source_spans import Bounds, SourceSpan, source_spans


def _words(text: str, each_s: float = 0.5) -> tuple[Word, ...]:
    return tuple(Word(word, i * each_s, (i + 1) * each_s) for i, word in enumerate(text.split()))


def _spans(
    clauses: list[str], said: str, bounds_s: Bounds | None = (0.2, 9.0)
) -> list[SourceSpan | None]:
    return source_spans(clauses, PORTUGUESE, _words(said), ENGLISH, bounds_s)


def test_sentences_are_laid_side_by_side_whatever_their_lengths() -> None:
    found = _spans(["Sim, com certeza, pode contar comigo.", "Ele foi."], "Sure. He left home.")
    assert found == [SourceSpan(0.2, 0.5, "Sure."), SourceSpan(0.5, 9.0, "He left home.")]


def test_a_clause_of_several_sentences_has_their_sources() -> None:
    clauses = ["Sim. Claro.", "Vamos embora daqui."]
    found = _spans(clauses, "Yes. Sure. Let us go away.")
    assert [one.text for one in found if one] == ["Yes. Sure.", "Let us go away."]


def test_within_a_sentence_it_is_the_nearest_word() -> None:
    found = _spans(["O prefeito disse", "que a ponte abre."], "The mayor said that it opens.")
    assert [one.text for one in found if one] == ["The mayor said", "that it opens."]
    assert [one.end_s for one in found if one] == [1.5, 9.0]


def test_near_by_it_is_where_a_clause_begins() -> None:
    clauses = [
        "que perderam suas casas no dilúvio",
        "e por todos os que estão ajudando esta noite.",
    ]
    said = "who have lost their homes in the flood and for everyone who is helping them tonight."
    found = _spans(clauses, said)
    assert [one.text for one in found if one] == [
        "who have lost their homes in the flood",
        "and for everyone who is helping them tonight.",
    ]


def test_without_as_many_sentences_it_is_all_in_proportion() -> None:
    found = _spans(["Um dois três.", "Quatro cinco."], "one two three four")
    assert [one.text for one in found if one] == ["one two", "three four"]


def test_without_words_the_time_is_shared_by_length() -> None:
    assert _spans(["aaaa", "aa"], "", (1.0, 4.0)) == [SourceSpan(1.0, 3.0), SourceSpan(3.0, 4.0)]


def test_fewer_words_than_clauses_have_times_and_no_text() -> None:
    found = _spans(["Meus parabéns", "para todos vocês."], "Congratulations.")
    assert found[0] is not None and found[0].text is None and found[0].start_s == 0.2


def test_without_bounds_the_words_are_the_speech() -> None:
    (one,) = _spans(["Olá."], "Hello there.", None)
    assert one == SourceSpan(0.0, 1.0, "Hello there.")


def test_nothing_is_known_of_what_has_neither() -> None:
    assert _spans(["Olá.", "Tchau."], "", None) == [None, None]


_TEXT = st.lists(st.sampled_from(["um", "dois,", "três.", "quatrocentos", "cinco!"]), min_size=1)


@given(st.lists(_TEXT, min_size=1, max_size=8), _TEXT, st.floats(0.0, 3.0))
def test_the_spans_are_a_partition_of_the_speech(
    clauses: list[list[str]], said: list[str], begin_s: float
) -> None:
    """Whatever the texts are, and however the words' times disagree with the speech's bounds."""
    bounds_s = (begin_s, begin_s + 2.0)
    found = _spans([" ".join(one) for one in clauses], " ".join(said), bounds_s)
    spans = [one for one in found if one is not None]
    assert len(spans) == len(clauses)
    assert (spans[0].start_s, spans[-1].end_s) == bounds_s
    for before, after in pairwise(spans):
        assert before.start_s <= before.end_s == after.start_s <= after.end_s
    if len(said) >= len(clauses):
        assert " ".join(one.text or "" for one in spans) == " ".join(said)
        assert all(one.text for one in spans)
