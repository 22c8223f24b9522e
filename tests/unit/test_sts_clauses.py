"""Cutting texts at clause borders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.languages.language import Language
from dubcast.languages.sentences import sentences
from dubcast.languages.spoken.en import LANGUAGE as ENGLISH
from dubcast.languages.spoken.pt_br import LANGUAGE as PORTUGUESE
from dubcast.sts.clauses import MOST, SHORTEST, pause_after, split

LONG = (
    "O prefeito disse ontem que a ponte nova vai ser aberta em março, "
    "mas os moradores do bairro ainda não acreditam nas promessas."
)


def _texts(text: str) -> list[str]:
    return [clause.text for clause in split(text, PORTUGUESE)]


def test_long_texts_are_cut_at_commas_and_sentences() -> None:
    assert _texts(LONG) == [
        "O prefeito disse ontem que a ponte nova vai ser aberta em março,",
        "mas os moradores do bairro ainda não acreditam nas promessas.",
    ]
    assert _texts("Esta é uma primeira frase completa. E esta outra frase vem logo depois.") == [
        "Esta é uma primeira frase completa.",
        "E esta outra frase vem logo depois.",
    ]


def test_short_texts_and_short_pieces_stay_together() -> None:
    assert _texts("Sim, claro, vamos.") == ["Sim, claro, vamos."]
    assert _texts("Não, disse ele com uma voz muito baixa enquanto olhava para o chão.") == [
        "Não, disse ele com uma voz muito baixa enquanto olhava para o chão."
    ]


def test_conjunctions_cut_only_what_is_long() -> None:
    text = (
        "O time da casa recuperou a bola no meio do campo e o atacante correu sozinho "
        "até a entrada da área"
    )
    assert _texts(text) == [
        "O time da casa recuperou a bola no meio do campo",
        "e o atacante correu sozinho até a entrada da área",
    ]


def test_numbers_are_not_cut() -> None:
    text = "O preço da gasolina subiu para 6,49 reais às 10:30 da manhã de hoje em São Paulo"
    assert _texts(text) == [text]


def test_at_most_so_many() -> None:
    assert len(_texts(" ".join(["Esta frase tem vinte e oito letras."] * 40))) == MOST


@pytest.mark.parametrize(
    ("text", "pause"), [("fim.", 0.3), ('disse "não!"', 0.3), ("bem,", 0.16), ("e então", 0.04)]
)
def test_pauses_follow_marks(text: str, pause: float) -> None:
    assert pause_after(text, PORTUGUESE) == pause


def test_sources_are_known_by_sentence() -> None:
    text = "Esta é uma primeira frase completa. E esta outra frase vem logo depois."
    both = split(text, PORTUGUESE, ["This is a first sentence.", "And this one follows."])
    assert [one.source for one in both] == ["This is a first sentence.", "And this one follows."]
    assert [one.source for one in split(text, PORTUGUESE, ["Only one here."])] == [None, None]
    assert split("Olá mundo.", PORTUGUESE, ["Hello world."])[0].source == "Hello world."


@given(st.text(alphabet='abc ,.;:!?é"()—', max_size=300))
def test_nothing_is_lost(text: str) -> None:
    pieces = _texts(text)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    if len(pieces) > 1:
        assert all(len(piece) >= SHORTEST for piece in pieces)


def test_sentences() -> None:
    assert sentences("Oi. Tudo bem? Sim!", PORTUGUESE) == ["Oi.", "Tudo bem?", "Sim!"]
    assert sentences("  ", ENGLISH) == []


def _soon(text: str) -> list[str]:
    return [clause.text for clause in split(text, PORTUGUESE, soon=True)]


def test_a_first_clause_that_is_wanted_soon_is_shorter() -> None:
    """Cut where one breathes: at marks and words that would not cut it otherwise."""
    text = "O prefeito disse ontem à noite que a ponte nova abre."
    assert (_texts(text), _soon(text)) == (
        [text],
        ["O prefeito disse ontem à noite", "que a ponte nova abre."],
    )


def test_what_is_much_too_long_is_cut_where_a_phrase_begins() -> None:
    text = "O presidente da câmara municipal anunciou ontem obras em todas as escolas públicas."
    assert _soon(text) == [
        "O presidente da câmara municipal anunciou",
        "ontem obras em todas as escolas públicas.",
    ]
    text = "The mayor of the city said yesterday that the new bridge over the river will be opened."
    (first, *_) = split(text, ENGLISH, soon=True)
    assert first.text == "The mayor of the city said yesterday"


def _first(text: str, language: Language) -> str:
    return split(text, language, soon=True)[0].text


def test_a_first_clause_is_as_long_as_it_is_said() -> None:
    """Figures are few letters, and many when they are read."""
    assert _soon("8500 para entrar no sistema de correio.") == [
        "8500 para entrar no sistema",
        "de correio.",
    ]
    assert _soon("Disque para entrar no sistema de correio.") != _soon(
        "8500 para entrar no sistema."
    )


def test_a_phrase_may_begin_after_a_short_word_if_nothing_else_is_found() -> None:
    assert _soon("se você discar 1 2 3 4 você pode tentar tocar") == [
        "se você discar 1 2 3 4",
        "você pode tentar tocar",
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        # Nothing ends between two figures, nor behind one where it may go on.
        ("com extensão 1, 2, 3, 4 e senha 4, 2, 4, 2.", "com extensão 1, 2, 3, 4"),
        ("Este grande museu público inaugura 3 de maio novamente", None),
        ("Aquele famoso advogado representou Rio de Janeiro.", None),
    ],
)
def test_what_belongs_together_is_not_parted(text: str, first: str | None) -> None:
    assert _first(text, PORTUGUESE) == (first or text)


def test_a_very_short_first_clause_is_better_than_a_very_long_one() -> None:
    text = "The great pyramid is one of the many large pyramid structures built"
    assert _first(text, ENGLISH) == "The great pyramid"


def test_what_is_not_so_long_is_halved() -> None:
    assert _soon("A mulher comprou livros em Lisboa para a escola nova.") == [
        "A mulher comprou livros",
        "em Lisboa para a escola nova.",
    ]


def test_a_preposition_stays_with_what_it_is_for() -> None:
    text = "They always talked about the new bridge over there too"
    assert _first(text, ENGLISH) == "They always talked"


def test_in_a_language_of_which_little_is_known_it_is_a_short_word() -> None:
    text = "El presidente del gobierno anunció ayer obras en todas las escuelas públicas del país"
    (first, *_) = split(text, Language("es", varieties=()), soon=True)
    assert first.text == "El presidente del gobierno anunció ayer obras"


def test_so_is_the_one_after_it_for_it_is_due_soon_too() -> None:
    text = (
        "O prefeito disse ontem que a nova ponte sobre o rio estará aberta ao público quando "
        "as obras acabarem."
    )
    assert _soon(text) == [
        "O prefeito disse ontem",
        "que a nova ponte sobre o rio estará aberta ao público",
        "quando as obras acabarem.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Uma frase que não é muito longa.",
        "Estas grandes pirâmides egípcias parecem realmente enormes.",
        "O Dr. João chegou",
    ],
)
def test_what_is_spoken_soon_anyhow_stays_whole(text: str) -> None:
    assert _soon(text) == [text]


@given(st.text(alphabet="abc e,.de que", max_size=200))
def test_what_is_wanted_soon_loses_nothing(text: str) -> None:
    joined = " ".join(_soon(text))
    assert joined.split() == " ".join(_texts(text)).split()
    assert all(_soon(text)) or not text.strip()
