"""The phrasebook: what it finds, what its file may hold, and that the model is not asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dubcast.contract.sts import StsResponse
from dubcast.sts import colloquial
from dubcast.sts.engine import Engine
from dubcast.sts.phrasebook import Phrasebook, built_in
from dubcast.sts.phrases_file import parse
from dubcast.sts.service import Service
from sts_fakes import Script, request, running

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
        ("Thank you, Maria.", "Obrigado, Maria."),
        ("Thank you so much, Ana Silva!", "Muito obrigado, Ana Silva!"),
        ("Good evening, everyone, and welcome back.", "Boa noite a todos e bem-vindos de volta."),
        ("Good morning, my friends!", "Bom dia, meus amigos!"),
        ("How are you, my friend?", "Como você está, meu amigo?"),
        ("Hello, Maria, how are you?", "Olá, Maria, como você está?"),
        ("Oh, no!", "Ah, não!"),
        ("Ladies and gentlemen, good night.", "Senhoras e senhores, boa noite."),
        ("Thank you so much for watching.", "Muito obrigado por assistir."),
        ("Goal by Pedro!", "Gol de Pedro!"),
        ("See you next Friday, guys!", "Até sexta que vem, pessoal!"),
        ("Have a wonderful night.", "Tenha uma ótima noite."),
        ("Thank you, thank you, and God bless you.", "Obrigado, obrigado e Deus te abençoe."),
        ("Thank you and the rest.", None),
        ("Maria.", None),
        ("Yes, Monday.", None),
        ("Yes, Germany.", None),
        ("Who is that man?", None),
        ("Maria, Pedro.", None),
        ("Thank you, running.", None),
        ("Hello, how many birds are there?", None),
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
        ("Obrigado, João.", "Thank you, João."),
        ("Tudo bem, Maria?", "How are you, Maria?"),
        ("Obrigada, estou bem.", "Thank you, I'm fine."),
        (
            "Boa noite, meus irmãos, e sejam bem-vindos.",
            "Good evening, brothers and sisters and welcome.",
        ),
        ("Palmas para a Maria!", "Give it up for Maria!"),
        ("Golaço do Pedro!", "Great goal by Pedro!"),
        ("Até amanhã, gente.", "See you tomorrow, everyone."),
    ],
)
def test_portuguese_is_found(sentence: str, said: str) -> None:
    assert built_in().find(sentence, PT_EN) == said


@pytest.mark.parametrize(
    ("sentence", "direction", "parts"),
    [
        ("Never mind, I found it.", EN_PT, ("Deixa pra lá", "I found it.", "")),
        (
            "Good morning, everyone, it rains here.",
            EN_PT,
            ("Bom dia a todos", "it rains here.", ""),
        ),
        ("I have to go now, be right back.", EN_PT, ("", "I have to go now.", "já volto")),
        ("De nada, é só chamar aqui.", PT_EN, ("You're welcome", "é só chamar aqui.", "")),
        # What belongs to its other half by its grammar stays there.
        ("Thank you, Maria, for that message.", EN_PT, None),
        ("If you can hear me, thank you so much.", EN_PT, None),
        ("Very well, and you?", EN_PT, None),
        # Too little is left: no sentence by itself.
        ("Yes, I do.", EN_PT, None),
        ("Thank you, Mr. Silva.", EN_PT, None),
        # A question of the book begins nothing that does not ask.
        ("Quem é, mais notícias do dia.", PT_EN, None),
        ("The bus is here now, right?", EN_PT, None),
        ("He is the best one, that's right?", EN_PT, None),
        ("The bus is here, it is red.", EN_PT, None),
        ("Never mind, I found it.", ("en", "es"), None),
    ],
)
def test_the_beginning_or_the_end_of_a_sentence_is_found(
    sentence: str, direction: tuple[str, str], parts: tuple[str, str, str] | None
) -> None:
    found = built_in().partly(sentence, direction)
    assert (found and (found.before, found.rest, found.behind)) == parts


@pytest.mark.parametrize(
    ("sentence", "direction", "rest", "said"),
    [
        ("Never mind, I found it.", EN_PT, "Eu encontrei.", "Deixa pra lá, eu encontrei."),
        ("Never mind, Maria found it.", EN_PT, "Maria achou.", "Deixa pra lá, Maria achou."),
        ("Sei lá, eu nunca pensei.", PT_EN, "I never did.", "I don't know, I never did."),
        ("Bom dia, senhor prefeito desta cidade.", PT_EN, "Mr Mayor.", "Good morning, Mr Mayor."),
        ("I have to go now, be right back!", EN_PT, "Tenho que ir!", "Tenho que ir, já volto!"),
    ],
)
def test_the_parts_are_one_sentence_again(
    sentence: str, direction: tuple[str, str], rest: str, said: str
) -> None:
    found = built_in().partly(sentence, direction)
    assert found is not None
    assert found.around(rest) == said


def test_the_book_is_large_in_both_directions_and_in_no_other() -> None:
    book = built_in()
    for pair in (EN_PT, PT_EN):
        assert len(book.phrases[pair].said) >= FEWEST
    assert book.find("Thank you.", ("en", "es")) is None


@pytest.mark.parametrize(
    ("sentence", "direction", "addressed"),
    [
        ("Vamos trabalhar, pessoal!", PT_EN, [("pessoal", "everyone")]),
        ("The bus is here, my friends.", EN_PT, [("my friends", "meus amigos")]),
        ("The bus is here, my bag.", EN_PT, []),
        ("My friends, the bus is here.", EN_PT, []),
        ("The bus is here, my friends.", ("en", "es"), []),
    ],
)
def test_who_is_spoken_to_is_known_behind_any_sentence(
    sentence: str, direction: tuple[str, str], addressed: list[tuple[str, str]]
) -> None:
    found = built_in().addressed(sentence, direction)
    assert [(sentence[one.start : one.end], one.translation) for one in found] == addressed


def test_everything_it_says_is_a_sentence_to_be_said() -> None:
    book = built_in()
    for pair in (EN_PT, PT_EN):
        for said in set(book.phrases[pair].said.values()):
            assert said == said.strip() and not said[0].islower(), said
            assert said[-1].isalnum() or said[-1] == "?", said


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["# c", "Hello"], "x.tsv, line 2: 1 cells, not 2"),
        (["Hi\tOi", "Hi!\tOlá"], "x.tsv, line 2: 'Hi!' is there already"),
        (["Hi\tOi", "Hello\toi"], "x.tsv, line 2: 'Oi' is there already"),
        (["See you {when}\tAté {when}"], "x.tsv, line 1: nothing fills {when} of 'See you {when}'"),
        (["@when\tsoon"], "x.tsv, line 1: 1 cells, not 2"),
    ],
)
def test_a_file_that_contradicts_itself_is_told_by_its_line(lines: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(lines, "x.tsv")


def test_what_is_in_parentheses_is_said_alone() -> None:
    there, back = parse(["Good evening\tBoa noite", "Good night\t(Boa noite)"], "x.tsv")
    assert there.said == {"good evening": "Boa noite", "good night": "Boa noite"}
    assert back.said == {"boa noite": "Good evening"}


def test_a_slot_is_filled_with_every_word_and_a_written_phrase_wins() -> None:
    lines = [
        "@when\tlater | later on\tmais tarde",
        "@when\ttoday\thoje",
        "See you {when} | Bye\tAté {when} | Nos vemos {when}",
        "See you today\tAté logo",
    ]
    there, back = parse(lines, "x.tsv")
    assert there.said == {
        "see you today": "Até logo",
        "see you later": "Até mais tarde",
        "see you later on": "Até mais tarde",
        "bye": "Até mais tarde",
    }
    assert back.said["nos vemos hoje"] == "See you today"
    assert "até hoje" in back.said


@pytest.fixture
def script() -> Script:
    return Script(translation="Ele chegou às 3.")


@pytest.fixture
def engine(script: Script) -> Iterator[Engine]:
    with running(script) as engine:
        yield engine


def _translated(engine: Engine, book: Phrasebook | None) -> str:
    reply = asyncio.run(Service(engine, 4, book).process(request()))
    return StsResponse.model_validate_json(reply).translated_text


def test_the_model_translates_what_is_not_in_the_book(engine: Engine, script: Script) -> None:
    script.text = "Thank you. He came at 3 p.m. on Friday. She left. Goodbye!"
    assert _translated(engine, built_in()) == "Obrigado. Ele chegou às 3. Tchau!"
    assert [task.text for batch in script.calls["mt"] for task in batch] == [
        "He came at 3 p.m. on Friday. She left."
    ]
    assert engine.metrics.registry.get_sample_value("dubcast_sts_phrases_total") == 2


def test_the_model_translates_the_rest_of_a_sentence(engine: Engine, script: Script) -> None:
    script.text, script.translation = "Never mind, he came at 3.", "Ele chegou às 3."
    assert _translated(engine, built_in()) == "Deixa pra lá, ele chegou às 3."
    assert [task.text for batch in script.calls["mt"] for task in batch] == ["He came at 3."]
    assert engine.metrics.registry.get_sample_value("dubcast_sts_phrases_total") == 1


@pytest.mark.parametrize(
    ("bookish", "given", "said"),
    [
        (True, "We won the goleiro.", "O gol foi belo."),
        (False, "We won the keeper.", "O objetivo foi belo."),
    ],
)
def test_a_bookish_model_is_helped_with_what_people_say(
    engine: Engine,
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
    bookish: bool,
    given: str,
    said: str,
) -> None:
    lines = ["before\tthe keeper\tthe goleiro", "after\tkeeper\tobjetivo\tgol"]
    monkeypatch.setattr(colloquial, "table", lambda *_: colloquial.parse(lines, "x.tsv"))
    mt = engine.providers.mt
    monkeypatch.setattr(mt, "capabilities", replace(mt.capabilities, bookish=bookish))
    script.text, script.translation = "We won the keeper.", "O objetivo foi belo."
    assert _translated(engine, built_in()) == said
    assert [task.text for (task,) in script.calls["mt"]] == [given]
    assert _translated(engine, None) == "O objetivo foi belo."


def test_a_text_of_phrases_asks_no_model(engine: Engine, script: Script) -> None:
    script.text = "Thank you! Goodbye."
    assert _translated(engine, built_in()) == "Obrigado! Tchau."
    assert "mt" not in script.calls


def test_without_the_book_the_model_translates_all(engine: Engine, script: Script) -> None:
    script.text, script.translation = "Thank you. She left.", "Ela saiu."
    assert _translated(engine, None) == "Ela saiu."
    assert [task.text for (task,) in script.calls["mt"]] == ["Thank you. She left."]
