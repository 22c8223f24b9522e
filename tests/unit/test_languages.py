"""Languages: found by themselves, with names of their own; words of one never count in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from distributions import forget

from dubcast.languages import catalogue, spoken
from dubcast.languages.language import Language, Variety
from dubcast.languages.sentences import sentences
from dubcast.languages.spoken.en import LANGUAGE as ENGLISH
from dubcast.languages.spoken.pt_br import LANGUAGE as PORTUGUESE
from dubcast.sts.clauses import split
from dubcast.sts.shorten import precious, shorten

HEAD = "from dubcast.languages.language import Language, Variety\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose files are languages too."""
    monkeypatch.setattr(spoken, "__path__", [*spoken.__path__, str(tmp_path)])
    catalogue.known.cache_clear()
    yield tmp_path
    catalogue.known.cache_clear()
    forget(tmp_path)


def test_the_files_are_found() -> None:
    assert {language.tag for language in catalogue.known()} >= {"en", "pt-BR"}
    assert len(catalogue.known()) == len(list(Path(spoken.__path__[0]).glob("[a-z]*.py")))


@pytest.mark.parametrize("language", catalogue.known(), ids=lambda one: one.tag)
def test_every_language_is_sound(language: Language) -> None:
    primary = language.tag.partition("-")[0]
    assert language.varieties
    assert all(one.tag.partition("-")[0] == primary for one in language.varieties)
    words = (*language.conjunctions, *language.subordinators, *language.markers, *language.fillers)
    assert all(word == word.lower().strip() and word for word in (*words, *language.prepositions))
    assert not set(language.prepositions) & set(language.starters)
    # Every pattern is made, and a text of nothing else goes through all of them.
    text = ", ".join(words) + "."
    assert len(shorten(text, language, 0)) <= len(text)
    assert "".join("".join(one.text for one in split(text, language)).split()) == text.replace(
        " ", ""
    )


@pytest.mark.parametrize("name", ["EN", "en_us", "en-GB", "pt", "PT-br"])
def test_a_language_has_the_names_of_its_varieties(name: str) -> None:
    assert catalogue.find(name) is (ENGLISH if name.lower().startswith("en") else PORTUGUESE)


def test_varieties_are_found_by_their_tag() -> None:
    assert catalogue.variety("en-GB") in ENGLISH.varieties
    assert catalogue.variety("en") is None


def test_words_of_one_language_do_not_count_in_another() -> None:
    assert precious("dois", PORTUGUESE)
    assert not precious("dois", ENGLISH)
    assert precious("never", ENGLISH)
    assert not precious("never", PORTUGUESE)
    text = f"{'a' * 50} and {'b' * 50}"
    assert len(split(text, ENGLISH)) == 2
    assert len(split(text, PORTUGUESE)) == 1


def test_an_abbreviation_ends_no_sentence() -> None:
    text = "Then Dr. Silva came in with his whole family. They all sat down at the table."
    bare = replace(ENGLISH, abbreviations=(), reading=None)
    assert len(sentences(text, bare)) == 3
    with_titles = replace(bare, abbreviations=("Dr.",))
    assert sentences(text, with_titles) == [
        "Then Dr. Silva came in with his whole family.",
        "They all sat down at the table.",
    ]
    # "Adr." is another word.
    assert len(sentences("See Adr. One. Two.", with_titles)) == 3
    text = "He said that it was the good old Dr. Silva who has come in with all of the family"
    assert len(split(text, bare)) == 2
    assert len(split(text, with_titles)) == 1


def test_a_languages_own_marks_end_its_sentences() -> None:
    hindi = Language("hi", (Variety("hi", espeak="hi"),), sentence_ends="।?!")
    assert sentences("एक। दो? तीन.", hindi) == ["एक।", "दो?", "तीन."]
    assert split("एक।", hindi)[0].pause_s == 0.3
    assert split("एक।", ENGLISH)[0].pause_s < 0.1


@pytest.mark.parametrize(
    ("tag", "text", "count"),
    [
        ("de", "Am 24. Dezember kommt Dr. Weber. Er bleibt bis zum 3. Januar.", 2),
        ("de", "Wir sind auf Platz 3. Das ist gut.", 2),
        ("es", "El Sr. García vive en EE. UU. con su familia. Viene mañana.", 2),
        ("fr", "M. Dupont habite av. Foch. Il arrive à 15 h.", 2),
        ("it", "Il Sig. Rossi abita in via Roma n. 5. Arriva domani.", 2),
        ("pl", "Przyjedzie np. 24. grudnia. To dobrze.", 2),
        ("hi", "डॉ. शर्मा आए। वे बैठ गए।", 2),
    ],
)
def test_each_language_ends_its_own_sentences(tag: str, text: str, count: int) -> None:
    language = catalogue.find(tag)
    assert language is not None
    assert len(sentences(text, language)) == count


def test_a_file_without_a_language_is_a_clear_error(folder: Path) -> None:
    (folder / "xx.py").write_text("LANGUAGE = 'xx'\n", encoding="utf-8")
    with pytest.raises(TypeError, match=r"spoken\.xx must define LANGUAGE"):
        catalogue.known()


def test_two_languages_cannot_claim_one_name(folder: Path) -> None:
    source = f'{HEAD}LANGUAGE = Language("xx", (Variety("xx", espeak="xx"),), aliases=("PT_br",))\n'
    (folder / "xx.py").write_text(source, encoding="utf-8")
    with pytest.raises(ValueError, match="pt-BR and xx both claim 'pt-br'"):
        catalogue.known()
