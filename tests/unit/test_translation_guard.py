"""What of a translation cannot be right, what is done about it, and that right ones pass."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench.mix.texts import SPORT
from bench.speech import everyday
from dubcast.contract.sts import FragmentContext, NoDub, StsResponse
from dubcast.contract.worker import Outcome
from dubcast.languages import catalogue
from dubcast.languages.language import Language, Variety
from dubcast.sts.engine import Engine
from dubcast.sts.phrasebook import built_in
from dubcast.sts.phrases_file import NAME
from dubcast.sts.providers.interface import MtTask
from dubcast.sts.service import Service
from dubcast.sts.translation_guard import Fault, _repeats, fault, other_ways
from dubcast.worker.work import DubReply
from sts_fakes import FakeMt, Script, fake_engine, request

LANGUAGES = {tag: language for tag in ("en", "pt-BR") if (language := catalogue.find(tag))}
EN, PT = LANGUAGES["en"], LANGUAGES["pt-BR"]
RUSSIAN = Language("ru", (Variety("ru", espeak="ru"),))
LEFT = "What a wonderful game we have seen tonight in this stadium."
RIGHT = "Que jogo maravilhoso nós vimos esta noite neste estádio."


@pytest.mark.parametrize(
    ("source", "translated", "wrong"),
    [
        ("Thank you.", "Obrigado por enviar uma edição.", Fault.UNASKED),
        ("Thank you, sir.", "Obrigado por enviar uma edição.", Fault.UNASKED),
        ("Congratulations.", "Parabéns pelo seu blog.", Fault.UNASKED),
        ("Ladies and gentlemen.", "Senhoras e Senhores Deputados.", Fault.UNASKED),
        (LEFT, "", Fault.EMPTY),
        (LEFT, "...", Fault.EMPTY),
        (LEFT, LEFT, Fault.COPIED),
        (LEFT, "Какая прекрасная игра сегодня на этом стадионе.", Fault.SCRIPT),
        (LEFT, "Que jogo, que jogo, que jogo.", Fault.REPEATED),
        (LEFT, "Que jogo maravilhoso que que que que que vimos.", Fault.REPEATED),
        (LEFT, "Que.", Fault.LENGTH),
        (LEFT, f"{RIGHT} Depois fomos todos juntos para casa, {RIGHT} e {RIGHT}", Fault.LENGTH),
        ("The final score was 3 to 1.", "O placar final foi empate.", Fault.NUMBERS),
        ("He ran home.", "Ele correu 42 km.", Fault.NUMBERS),
        ("We lost 20 games.", "Perdemos 35 jogos.", Fault.NUMBERS),
        ("Happy birthday, Maria!", "Feliz aniversário para você!", Fault.NAMES),
    ],
)
def test_what_cannot_be_right_is_found(source: str, translated: str, wrong: Fault) -> None:
    assert fault(source, translated, EN, PT) is wrong


@pytest.mark.parametrize(
    ("source", "translated"),
    [
        ("Obrigado, João.", "Thank you, John."),
        ("O jogo começa às 15h30.", "The game starts at 3:30 p.m."),
        ("O jogo começa às três.", "The game starts at 3."),
        ("No século XXI.", "In the 21st century."),
        ("Obrigado, meu amigo.", "Thank you, my friend."),
        ("Boa noite, senhor.", "Good evening, sir."),
        ("Tchau, tchau!", "Bye-bye!"),
        ("Gol, gol, gol!", "Goal, goal, goal!"),
        ("Deixe um comentário.", "Leave a comment."),
        ("Ele saiu dos EUA.", "He left the U.S."),
        ("R$ 12,50", "R$ 12.50"),
        ("Dom Pedro II", "Dom Pedro II"),
        ("?", "?"),
    ],
)
def test_what_may_be_right_passes(source: str, translated: str) -> None:
    assert fault(source, translated, PT, EN) is None


class Counted(str):
    """A word that knows how often it was compared."""

    times = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.times += 1
        return str.__eq__(self, str(other))


@pytest.mark.parametrize("unit", [["que"], ["que", "jogo"], ["a", "b", "c", "d", "e", "f", "g"]])
def test_a_model_that_loops_is_found_out_in_one_pass(unit: list[str]) -> None:
    """It is judged on the event loop: by the square of its words the service would stand still."""
    words, Counted.times = [Counted(one) for one in unit * (4200 // len(unit))], 0
    assert _repeats(words) > 4000
    assert Counted.times < 10 * len(words)


def test_a_script_is_the_target_language_s() -> None:
    assert fault(LEFT, "Какая прекрасная игра сегодня на этом стадионе.", EN, RUSSIAN) is None
    assert fault(LEFT, RIGHT, EN, RUSSIAN) is Fault.SCRIPT


def test_a_name_in_a_script_without_capitals_is_believed() -> None:
    japanese = Language("ja", (Variety("ja", espeak="ja"),))
    assert fault("Happy birthday, Maria!", "お誕生日おめでとう、マリア!", EN, japanese) is None


def test_all_that_the_phrasebook_says_passes() -> None:
    wrong = total = 0
    for (source, target), phrases in built_in().phrases.items():
        for own, theirs in random.Random(1).sample(sorted(phrases.said.items()), 400):
            pair = (text.replace(NAME, "Maria") for text in (own, theirs))
            wrong += fault(*pair, LANGUAGES[source], LANGUAGES[target]) is not None
            total += 1
    assert wrong / total < 0.005


def _looped(words: list[str], rng: random.Random) -> list[str]:
    at = rng.randrange(len(words) - 1)
    return [*words[: at + 2], *words[at : at + 2], *words[at : at + 2], *words[at + 2 :]]


def _cut(words: list[str], _: random.Random) -> list[str]:
    return words[: len(words) // 8]


def _repeating(words: list[str], rng: random.Random) -> list[str]:
    return words + [rng.choice(words)] * 4


@pytest.mark.parametrize("break_", [_looped, _cut, _repeating])
def test_faults_that_are_put_in_are_found(
    break_: Callable[[list[str], random.Random], list[str]],
) -> None:
    """Sentences with other letters stand for translations that are right."""
    rng, found, tried = random.Random(7), 0, 0
    for line in SPORT.strip().splitlines():
        _, *words = line.split()
        other = [f"{word[:-1]}x" if word.isalpha() and len(word) > 4 else word for word in words]
        whole = fault(" ".join(words), " ".join(other), EN, PT)
        assert whole is None or other == words  # short words alone
        if len(words) > 8:
            tried += 1
            found += fault(" ".join(words), " ".join(break_(other, rng)), EN, PT) is not None
    assert tried > 15
    assert found / tried >= 0.9


# ---- what is done about it ------------------------------------------------------------------


class ScriptedMt(FakeMt):
    """Translates by a table; the rest as a model that knows nothing else."""

    capabilities = replace(FakeMt.capabilities, trusted=False)

    def __init__(self, script: Script, known: dict[str, str]) -> None:
        super().__init__(script)
        self.known = known
        self.asked: list[str] = []

    def run(self, batch: Sequence[MtTask]) -> list[str]:
        self.asked += [task.text for task in batch]
        return [self.known.get(task.text, "Obrigado por enviar uma edição.") for task in batch]


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = fake_engine(Script())
    engine.providers = replace(engine.providers, mt=ScriptedMt(Script(), {}))
    engine.start()
    assert engine.wait(5) == "ready"
    yield engine
    engine.stop()


def _dubbed(
    engine: Engine, text: str, known: dict[str, str], context: FragmentContext | None = None
) -> tuple[StsResponse, list[str]]:
    script = Script(text=text)
    engine.asr.provider.script = script  # type: ignore[attr-defined]
    mt = ScriptedMt(script, known)
    engine.mt.provider = mt
    asked = request().model_copy(update={"context": context or FragmentContext()})
    reply = asyncio.run(Service(engine, 4, built_in()).process(asked))
    return StsResponse.model_validate_json(reply), mt.asked


def _counted(engine: Engine, wrong: Fault, then: str) -> float | None:
    return engine.metrics.registry.get_sample_value(
        "dubcast_sts_untrusted_translations_total", {"fault": wrong.value, "then": then}
    )


def test_a_text_is_done_again_in_its_clauses(engine: Engine) -> None:
    known = {"She left the house,": "Ela saiu de casa,", "and he stayed.": "e ele ficou."}
    reply, asked = _dubbed(engine, "She left the house, and he stayed.", known)
    assert reply.translated_text == "Ela saiu de casa, e ele ficou."
    sentence = "She left the house, and he stayed."
    assert asked == [sentence, sentence.replace("S", "s"), *known]
    assert _counted(engine, Fault.UNASKED, "mended") == 1


def test_what_no_way_gives_is_left_as_it_is_and_told(engine: Engine) -> None:
    reply, asked = _dubbed(engine, "She left the house.", {})
    assert (reply.status, reply.no_dub) == ("no_speech", NoDub.UNTRUSTED_TRANSLATION)
    assert (reply.transcript, reply.translated_text) == ("She left the house.", "")
    assert asked == ["She left the house.", "she left the house.", "She left the house"]
    assert _counted(engine, Fault.UNASKED, "left") == 1
    told = DubReply(reply, None, 0.1).why_no_dub
    assert told == (Outcome.FAILED, "untrusted_translation")


@pytest.mark.parametrize("first", ["Onde está a bola, Mary?", "Maria, Maria, Maria, Maria?"])
def test_who_is_called_is_not_renamed(engine: Engine, first: str) -> None:
    known = {
        "Where is the ball, Maria?": first,
        "Where is the ball, Ricardo?": "Onde está a bola, Ricardo?",
    }
    reply, _ = _dubbed(engine, "Where is the ball, Maria?", known)
    assert reply.translated_text == "Onde está a bola, Maria?"


def test_what_stands_around_a_name_is_looked_at_too(engine: Engine) -> None:
    reply, _ = _dubbed(
        engine, "Where is the ball, Maria?", {"Where is the ball,": "Onde está a bola,"}
    )
    assert reply.translated_text == "Onde está a bola, Maria?"
    reply, _ = _dubbed(engine, "Where is the dog, Maria?", {})
    assert reply.no_dub is NoDub.UNTRUSTED_TRANSLATION


def test_a_right_translation_is_asked_for_once(engine: Engine) -> None:
    reply, asked = _dubbed(engine, "She left.", {"She left.": "Ela saiu."})
    assert (reply.translated_text, reply.no_dub, len(asked)) == ("Ela saiu.", None, 1)


BEGUN = FragmentContext(source_text="It rained. Had he been", target_text="Choveu. Se ele fosse")


def test_the_end_of_a_sentence_is_translated_with_its_beginning(engine: Engine) -> None:
    known = {
        "more amiable.": "mais amável.",
        "Had he been more amiable.": "Se ele fosse mais amigo.",
        "She left.": "Ela saiu.",
    }
    reply, asked = _dubbed(engine, "more amiable. She left.", known, BEGUN)
    assert reply.translated_text == "mais amigo. Ela saiu."
    assert asked == list(known)
    # What follows a sentence that is over is its own.
    over = FragmentContext(source_text="Had he been.", target_text="Se ele fosse.")
    reply, asked = _dubbed(engine, "more amiable.", known, over)
    assert (reply.translated_text, asked) == ("mais amável.", ["more amiable."])


def test_no_beginning_is_paid_for_again(engine: Engine) -> None:
    paid = replace(ScriptedMt.capabilities, priced=True)
    mt = ScriptedMt(Script(), {})
    mt.capabilities = paid
    engine.providers = replace(engine.providers, mt=mt)
    _, asked = _dubbed(engine, "more amiable.", {"more amiable.": "mais amável."}, BEGUN)
    assert asked == ["more amiable."]


def test_an_end_that_cannot_be_right_is_translated_alone(engine: Engine) -> None:
    known = {"with 2 dogs": "com 2 cães", "Had he been with 2 dogs": "Se ele fosse com 3 cães"}
    reply, _ = _dubbed(engine, "with 2 dogs", known, BEGUN)
    assert reply.translated_text == "com 2 cães"


def test_other_ways_are_no_way_twice() -> None:
    ways = list(other_ways("He came, and she left. It rained.", EN))
    assert ways == [
        ["He came, and she left.", "It rained."],
        ["he came, and she left. It rained."],
        ["He came,", "and she left.", "It rained."],
        ["He came,", "and she left", "It rained"],
    ]
    assert list(other_ways("it rained", EN)) == []


def test_what_begins_a_text_anew_has_its_capital(engine: Engine) -> None:
    reply, _ = _dubbed(engine, "She left the house.", {"she left the house.": "ela saiu de casa."})
    assert reply.translated_text == "Ela saiu de casa."


def test_the_lines_of_every_day_are_judged_by_their_rules(tmp_path: Path) -> None:
    file = tmp_path / "t.tsv"
    file.write_text("# a comment\n=THX\t(thank you|thanks)\npt-BR>en\tObrigado, Zé.\t{THX} zé\n")
    [line] = everyday.lines(file)
    assert (line.source, line.target, line.last) == ("pt-BR", "en", False)
    assert line.is_right("Thanks, Zé!") and not line.is_right("Thanks for sharing.")
    table = everyday.lines()
    for pair in (("en", "pt-BR"), ("pt-BR", "en")):
        own = [one for one in table if (one.source, one.target) == pair]
        assert len(own) >= 300
    assert not [one.sentence for one in everyday.listed(table)]
