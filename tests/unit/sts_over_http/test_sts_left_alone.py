"""Which language was heard, over HTTP, and what is left alone for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from dubcast.contract.sts import LanguagesReply, StsResponse
from dubcast.sts import songs
from dubcast.sts.providers.interface import Tune
from dubcast.sts.which_language import Question
from sts_fakes import Script, fake_engine
from sts_http import body_of, client_of, error_of, post


@pytest.fixture
async def told(script: Script) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a service that tells languages."""
    script.likely = {}
    engine = fake_engine(script)
    engine.start()
    assert engine.wait(5) == "ready"
    async with client_of(engine) as client:
        yield client
    engine.stop()


async def _heard(client: httpx2.AsyncClient, **config: Any) -> StsResponse:
    reply = await post(client, body_of({"config": config, "fragment_id": str(uuid4())}))
    assert reply.status_code == 200, reply.text
    return StsResponse.model_validate_json(reply.content)


@pytest.mark.parametrize(
    ("likely", "left_alone", "language"),
    [
        ({"en": 0.1, "pt": 0.875}, "target_language", "pt-BR"),
        ({"en": 0.01, "es": 0.9375}, "other_language", "es"),
    ],
)
async def test_words_that_are_not_to_be_dubbed_are_left_alone(
    told: httpx2.AsyncClient,
    script: Script,
    likely: dict[str, float],
    left_alone: str,
    language: str,
) -> None:
    script.likely = likely
    response = await _heard(told)
    assert (response.status, response.left_alone) == ("no_speech", left_alone)
    assert (response.detected_language, response.transcript) == (language, "")
    assert response.language_probability == max(likely.values())
    assert response.speech_start_ms == 100
    assert "mt" not in script.calls


async def test_what_is_sung_is_left_alone_where_that_is_asked_for(
    told: httpx2.AsyncClient, script: Script
) -> None:
    script.likely, script.tune = {"en": 0.75}, Tune(6.0, 1.5, 0.2, 0.5, 0.95, 0.5)
    response = await _heard(told, leave_songs=True)
    assert (response.status, response.left_alone) == ("no_speech", "song")
    assert (response.detected_language, response.transcript) == ("en", "")
    assert "mt" not in script.calls
    assert (await _heard(told)).status == "success"
    script.tune = None  # too short to be told
    assert (await _heard(told, leave_songs=True)).status == "success"


async def test_after_a_song_what_is_sung_is_told_sooner_and_so_is_what_follows(
    told: httpx2.AsyncClient, script: Script
) -> None:
    script.tune = Tune(2.0, depth=1.9, pace=0.28, held=0.3, voiced=0.9, breath_s=0.3)
    for before, left_alone in ((0.0, None), (4.5, "song"), (-4.5, None)):
        asked = {"config": {"leave_songs": True}, "context": {"song_odds": before}}
        reply = await post(told, body_of({**asked, "fragment_id": str(uuid4())}))
        response = StsResponse.model_validate_json(reply.content)
        assert response.left_alone == left_alone
        assert response.song_odds == pytest.approx(songs.odds_of(script.tune, before))


async def test_what_is_dubbed_says_which_language_was_heard(
    told: httpx2.AsyncClient, script: Script
) -> None:
    script.likely = {"en": 0.75, "pt": 0.1}
    response = await _heard(told)
    assert (response.status, response.left_alone) == ("success", None)
    assert (response.detected_language, response.language_probability) == ("en", 0.75)
    (task,) = script.calls["asr"][0]
    assert task.question == Question(("en",), "pt-BR", pytest.approx(0.3))


async def test_whatever_is_spoken_is_translated_from_what_was_heard(
    told: httpx2.AsyncClient, script: Script
) -> None:
    script.likely = {"en": 0.1, "pt": 0.75}
    response = await _heard(told, source_language="auto", target_language="en")
    assert (response.status, response.detected_language) == ("success", "pt-BR")
    (task,) = script.calls["mt"][0]
    assert (task.source, task.target) == ("pt-BR", "en")


async def test_of_a_word_or_two_the_streams_language_is_believed(
    told: httpx2.AsyncClient, script: Script
) -> None:
    script.likely = {"en": 0.2, "pt": 0.05, "cy": 0.7}
    config = {"source_language": "auto", "target_language": "pt-BR"}
    for language, left_alone in (("", None), ("en", None), ("pt", "target_language")):
        said = {"config": config, "context": {"language": language}}
        reply = await post(told, body_of({**said, "fragment_id": str(uuid4())}))
        response = StsResponse.model_validate_json(reply.content)
        assert response.left_alone == left_alone


async def test_where_nobody_speaks_no_language_is_told(
    told: httpx2.AsyncClient, script: Script
) -> None:
    script.likely, script.text = {"en": 0.75}, ""
    unintelligible = await _heard(told)
    script.speech = False
    for response in (unintelligible, await _heard(told)):
        assert (response.status, response.detected_language) == ("no_speech", "und")
        assert (response.language_probability, response.left_alone) == (None, None)


async def test_a_recognition_that_cannot_tell_is_believed_and_offers_no_auto(
    client: httpx2.AsyncClient,
) -> None:
    response = await _heard(client, source_language="pt", target_language="en")
    assert (response.detected_language, response.language_probability) == ("pt-BR", None)
    reply = await post(client, body_of({"config": {"source_language": "auto"}}))
    assert "cannot tell languages" in error_of(reply, 422, "INVALID_INPUT").error.message


async def test_auto_is_among_the_languages(told: httpx2.AsyncClient) -> None:
    reply = await told.get("/api/v1/languages")
    pairs = LanguagesReply.model_validate_json(reply.content).pairs
    assert [(p.source, p.target) for p in pairs][2:] == [("auto", "en"), ("auto", "pt-BR")]
