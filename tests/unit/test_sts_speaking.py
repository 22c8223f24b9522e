"""Speaking in the time that there is, seams and timings: the pipeline with fake models."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from dubcast.contract.sts import FragmentConfig, FragmentContext, StsResponse
from dubcast.errors import StsError
from dubcast.sts.engine import Engine
from dubcast.sts.providers.interface import Word
from dubcast.sts.service import Service
from dubcast.testing.clock import VirtualClock
from sts_fakes import Script, fake_engine, request

LONG = "Bem, o prefeito disse que a ponte vai abrir em março, mas os moradores não acreditam nele."
CLAUSES = [
    "Bem, o prefeito disse que a ponte vai abrir em março,",
    "mas os moradores não acreditam nele.",
]
SHORT = ["O prefeito disse que a ponte vai abrir em março,", CLAUSES[1]]


@pytest.fixture
def script() -> Script:
    return Script(translation=LONG, text="Well.")


@pytest.fixture
def engine(script: Script) -> Iterator[Engine]:
    engine = fake_engine(script, inbox_limit=2)
    engine.start()
    assert engine.wait(5) == "ready"
    yield engine
    engine.stop()


def _dub(
    engine: Engine, *, context: str = "", timeout_ms: int = 8000, **config: Any
) -> StsResponse:
    config = {"duration_policy": "fit", "slot_ms": 6000, **config}
    one = request(
        config=FragmentConfig(**config),
        context=FragmentContext(source_text=context),
        timeout_ms=timeout_ms,
    )
    return StsResponse.model_validate_json(asyncio.run(Service(engine, 4).process(one)))


def _spoken(script: Script) -> list[str]:
    return [task.text for batch in script.calls["tts"] for task in batch]


def test_clauses_are_spoken_singly_and_timed(engine: Engine, script: Script) -> None:
    response = _dub(engine)
    assert _spoken(script) == CLAUSES
    (fit,) = script.calls["fit"][0]
    assert (len(fit.clauses), fit.pauses_s) == (2, (0.16, 0.3))
    told = [(clause.text, clause.start_ms, clause.end_ms) for clause in response.clauses]
    assert told == [(CLAUSES[0], 0, 90), (CLAUSES[1], 100, 190)]
    assert (response.shortened, response.translated_text) == (False, LONG)


def test_a_translation_is_cut_and_shortened_as_its_language_is(
    engine: Engine, script: Script
) -> None:
    script.translation = "Well, " + "xy" * 22 + " and " + "yx" * 22 + ", né."
    _dub(engine)
    assert len(_spoken(script)) == 1
    script.calls.clear()
    _dub(engine, source_language="pt", target_language="en", slot_ms=2000)
    assert [text[0] for text in _spoken(script)] == ["X", "a"]
    script.calls.clear()
    _dub(engine, slot_ms=2000)
    assert _spoken(script)[0].startswith("Well, ")
    assert not _spoken(script)[-1].endswith("né.")


def test_other_streams_come_between_clauses(
    script: Script, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later fragment with an earlier deadline is spoken before the second clause."""
    free = threading.Event()
    script.hooks["tts"] = lambda _: free.wait(5)
    submit, clauses, all_wait = engine.tts.submit, count(1), asyncio.Event()

    def counted(*given: Any, **named: Any) -> Any:
        future = submit(*given, **named)
        if next(clauses) == 4:
            all_wait.set()
        return future

    monkeypatch.setattr(engine.tts, "submit", counted)
    service = Service(engine, 4)

    async def both() -> None:
        first = asyncio.ensure_future(service.process(request("a", timeout_ms=30_000)))
        await asyncio.to_thread(script.wait_for, "tts")
        config = FragmentConfig(voice_profile="pm_alex")
        urgent = request("b", stream_id="other", timeout_ms=5000, config=config)
        second = asyncio.ensure_future(service.process(urgent))
        await all_wait.wait()
        free.set()
        await asyncio.gather(first, second)

    asyncio.run(both())
    voices = [task.voice.name for batch in script.calls["tts"] for task in batch]
    assert voices == ["pf_dora", "pm_alex", "pm_alex", "pf_dora"]


def test_a_text_that_is_too_long_is_shortened_before_it_is_spoken(
    engine: Engine, script: Script
) -> None:
    response = _dub(engine, slot_ms=4700, max_tempo=1.25)  # 88 characters of 90
    assert _spoken(script) == SHORT
    assert response.shortened
    assert response.translated_text == " ".join(SHORT)


def test_the_voices_own_pace_is_learned(engine: Engine, script: Script) -> None:
    script.speech_ms = 12_000  # 7.5 characters a second
    service = Service(engine, 4)

    async def many() -> list[StsResponse]:
        config = FragmentConfig(duration_policy="fit", slot_ms=6500)
        return [
            StsResponse.model_validate_json(await service.process(request(f"f{i}", config=config)))
            for i in range(6)
        ]

    shortened = [one.shortened for one in asyncio.run(many())]
    assert (shortened[0], shortened[-1]) == (False, True)


def test_a_wrong_prediction_is_corrected_once(engine: Engine, script: Script) -> None:
    script.fits, script.speech_ms = False, 9000
    response = _dub(engine)
    # The second clause is the same: it is not spoken again.
    assert _spoken(script) == [*CLAUSES, SHORT[0]]
    assert (response.status, response.shortened) == ("partial", True)
    assert response.translated_text == " ".join(SHORT)
    assert len(script.calls["fit"]) == 2


@pytest.mark.parametrize(("clause_s", "again"), [(1.9, True), (2.1, False)])
def test_without_time_there_is_no_second_try(script: Script, clause_s: float, again: bool) -> None:
    """Two clauses; a second try needs half as much time again as they took."""
    script.fits, script.speech_ms = False, 9000
    clock = VirtualClock()
    script.hooks["tts"] = lambda _: clock.advance(clause_s)
    engine = fake_engine(script, clock=clock)
    engine.start()
    assert engine.wait(5) == "ready"
    response = _dub(engine, timeout_ms=10_000)
    engine.stop()
    assert (response.status, response.shortened) == ("partial", again)
    assert _spoken(script) == [*CLAUSES, *(SHORT[:1] if again else [])]


def test_a_second_try_that_takes_too_long_leaves_the_first(engine: Engine, script: Script) -> None:
    script.fits, script.speech_ms = False, 9000
    free = threading.Event()
    script.hooks["tts"] = lambda batch: batch[0].text == SHORT[0] and free.wait(5)
    response = _dub(engine, timeout_ms=600)
    free.set()
    assert (response.status, response.translated_text) == ("partial", LONG)
    assert not response.shortened


def test_a_second_try_that_fails_leaves_the_first(engine: Engine, script: Script) -> None:
    script.fits, script.speech_ms = False, 9000

    def fail(batch: Any) -> None:
        if batch[0].text == SHORT[0]:
            raise ValueError("broken")

    script.hooks["tts"] = fail
    response = _dub(engine)
    assert (response.status, response.translated_text) == ("partial", LONG)


def test_a_fault_in_one_clause_fails_the_fragment(engine: Engine, script: Script) -> None:
    def fail(batch: Any) -> None:
        if batch[0].text == CLAUSES[1]:
            raise ValueError("broken")

    script.hooks["tts"] = fail
    with pytest.raises(StsError) as error:
        _dub(engine)
    assert (error.value.code, error.value.stage) == ("MODEL_ERROR", "tts")


WORDS = (Word("well", 0.0, 0.1), Word("known", 0.1, 0.3), Word("words.", 0.3, 0.6))


def test_words_that_the_chunk_before_has_said_are_dropped(engine: Engine, script: Script) -> None:
    script.text, script.words = "well known words.", WORDS
    response = _dub(engine, context="it went well", overlap_ms=200)
    assert response.transcript == "known words."
    assert script.calls["mt"][0][0].text == "known words."
    assert response.words == ()  # used, but not asked for
    assert _dub(engine, context="it went well").transcript == "well known words."


def test_a_chunk_that_says_nothing_new_is_no_speech(engine: Engine, script: Script) -> None:
    script.text, script.words = "well", WORDS[:1]
    response = _dub(engine, context="it went well", overlap_ms=200)
    assert (response.status, response.transcript) == ("no_speech", "")
    assert "tts" not in script.calls


def test_timings_are_what_was_asked_for(engine: Engine, script: Script) -> None:
    script.words = WORDS
    bounds = lambda one: (one.speech_start_ms, one.speech_end_ms)  # noqa: E731
    none = _dub(engine, timings="none")
    assert (bounds(none), none.words, none.clauses) == ((None, None), (), ())
    speech = _dub(engine)
    assert (bounds(speech), speech.words, len(speech.clauses)) == ((100, 400), (), 2)
    words = _dub(engine, timings="words")
    assert [(word.text, word.start_ms) for word in words.words] == [
        ("well", 0),
        ("known", 100),
        ("words.", 300),
    ]


def test_what_older_servers_do_not_know_is_sent_only_if_it_is_used() -> None:
    sent = FragmentConfig().model_dump()
    assert not {"timings", "overlap_ms"} & set(sent)
    used = FragmentConfig(timings="words", overlap_ms=150).model_dump()
    assert (used["timings"], used["overlap_ms"]) == ("words", 150)
    assert FragmentConfig.model_validate({"overlapMs": 150}).overlap_ms == 150


@pytest.mark.parametrize("field", ["source_text", "target_text"])
def test_the_context_is_part_of_what_determines_a_reply(
    engine: Engine, script: Script, field: str
) -> None:
    script.text, script.words = "well known words.", WORDS
    service = Service(engine, 4)

    async def different(*texts: str) -> int:
        asked = [request("same", context=FragmentContext(**{field: text})) for text in texts]
        return len({await service.process(one) for one in asked})

    assert asyncio.run(different("it went well", "it went well")) == 1
    assert asyncio.run(different("it went well", "nothing")) == 2


def test_the_voice_gets_words_and_the_reply_what_is_written(engine: Engine, script: Script) -> None:
    script.translation = "Custa R$ 12,50."
    response = _dub(engine)
    assert _spoken(script) == ["Custa doze reais e cinquenta centavos."]
    assert response.translated_text == "Custa R$ 12,50."
    assert [clause.text for clause in response.clauses] == ["Custa R$ 12,50."]


def test_room_is_reckoned_by_what_is_said(engine: Engine, script: Script) -> None:
    """Few characters, many words: too long for the slot before anything is spoken."""
    script.translation = "Custa, basicamente, R$ 1.234.567,89."
    response = _dub(engine, slot_ms=3000)
    assert response.shortened
    assert "basicamente" not in _spoken(script)[0]
