"""The phrasebook: what it finds, what its file may hold, and that the model is not asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from dubcast.contract.sts import StsResponse
from dubcast.sts.engine import Engine
from dubcast.sts.phrasebook import Phrasebook, built_in, parse
from dubcast.sts.service import Service
from sts_fakes import Script, fake_engine, request

EN_PT, PT_EN = ("en", "pt-BR"), ("pt-BR", "en")
FEWEST = 300


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Thank you.", "Obrigado."),
        ("THANK YOU!", "Obrigado!"),
        ("thank you", "Obrigado."),
        ("Thank you, good night.", "Obrigado, boa noite."),
        ("Goal!", "Gol!"),
        ("GOOOOAL!!!", "Gol!!!"),
        ("Goal, goal, goal!", "Gol, gol, gol!"),
        ("Congratulations.", "Parabéns."),
        ("Breaking news:", "Notícia de última hora:"),
        ("Ladies and gentlemen,", "Senhoras e senhores,"),
        ("“Let’s go!”", "Vamos lá!"),
        ("How are you", "Como você está?"),
        ("Thank you, Maria.", None),
        ("It was a thank you.", None),
        ("", None),
    ],
)
def test_english_is_found_whatever_its_case_and_marks(sentence: str, said: str | None) -> None:
    assert built_in().find(sentence, EN_PT) == said


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Obrigada!", "Thank you!"),
        ("Tudo bem?", "How are you?"),
        ("Tudo bem.", "All good."),
        ("Valeu, galera!", "Thank you everyone!"),
        ("boa noite", "Good evening."),
        ("Sério", "Really?"),
        ("Gol contra!", "Own goal!"),
    ],
)
def test_portuguese_is_found(sentence: str, said: str) -> None:
    assert built_in().find(sentence, PT_EN) == said


def test_the_book_is_large_in_both_directions_and_in_no_other() -> None:
    book = built_in()
    for pair in (EN_PT, PT_EN):
        assert len(book._phrases[pair]) >= FEWEST
    assert book.find("Thank you.", ("en", "es")) is None


def test_everything_it_says_is_a_sentence_to_be_said() -> None:
    book = built_in()
    for pair in (EN_PT, PT_EN):
        for said in set(book._phrases[pair].values()):
            assert said == said.strip() and said[0].isupper(), said
            assert said[-1].isalnum() or said[-1] == "?", said


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["# c", "Hello"], "x.tsv, line 2: 1 cells, not 2"),
        (["Hi\tOi", "Hi!\tOlá"], "x.tsv, line 2: 'Hi!' is there already"),
        (["Hi\tOi", "Hello\toi"], "x.tsv, line 2: 'oi' is there already"),
    ],
)
def test_a_file_that_contradicts_itself_is_told_by_its_line(lines: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(lines, "x.tsv")


def test_what_is_in_parentheses_is_said_alone() -> None:
    there, back = parse(["Good evening\tBoa noite", "Good night\t(Boa noite)"], "x.tsv")
    assert there == {"good evening": "Boa noite", "good night": "Boa noite"}
    assert back == {"boa noite": "Good evening"}


@pytest.fixture
def script() -> Script:
    return Script(translation="Ele chegou.")


@pytest.fixture
def engine(script: Script) -> Iterator[Engine]:
    engine = fake_engine(script)
    engine.start()
    assert engine.wait(5) == "ready"
    yield engine
    engine.stop()


def _translated(engine: Engine, book: Phrasebook | None) -> str:
    reply = asyncio.run(Service(engine, 4, book).process(request()))
    return StsResponse.model_validate_json(reply).translated_text


def test_the_model_translates_what_is_not_in_the_book(engine: Engine, script: Script) -> None:
    script.text = "Thank you. He came at 3 p.m. on Friday. She left. Goodbye!"
    assert _translated(engine, built_in()) == "Obrigado. Ele chegou. Tchau!"
    assert [task.text for batch in script.calls["mt"] for task in batch] == [
        "He came at 3 p.m. on Friday. She left."
    ]
    assert engine.metrics.registry.get_sample_value("dubcast_sts_phrases_total") == 2


def test_a_text_of_phrases_asks_no_model(engine: Engine, script: Script) -> None:
    script.text = "Thank you! Goodbye."
    assert _translated(engine, built_in()) == "Obrigado! Tchau."
    assert "mt" not in script.calls


def test_without_the_book_the_model_translates_all(engine: Engine, script: Script) -> None:
    script.text = "Thank you. She left."
    assert _translated(engine, None) == "Ele chegou."
    assert [task.text for (task,) in script.calls["mt"]] == ["Thank you. She left."]
