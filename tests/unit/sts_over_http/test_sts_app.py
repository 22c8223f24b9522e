"""The service over HTTP with fake models: replies, faults, and what it says of itself."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from dubcast.contract.sts import LanguagesReply, StsRequest, StsResponse, VoicesReply
from dubcast.errors import StsError
from dubcast.sts.examples import REQUEST_EXAMPLE, RESPONSE_EXAMPLE
from dubcast.testing.clock import VirtualClock
from sts_fakes import Script, fake_engine, request
from sts_http import URL, body_of, client_of, error_of, post


async def test_a_fragment_is_dubbed(script: Script) -> None:
    clock = VirtualClock()
    script.hooks["asr"] = lambda _: clock.advance(0.2)
    script.hooks["tts"] = lambda _: clock.advance(0.3)
    engine = fake_engine(script, clock=clock)
    engine.start()
    assert engine.wait(5) == "ready"
    async with client_of(engine) as client:
        reply = await post(client, request(ms=500).model_dump_json().encode())
    engine.stop()
    assert reply.status_code == 200, reply.text
    response = StsResponse.model_validate_json(reply.content)
    assert response.status == "success"
    assert response.dubbed_audio is not None
    assert response.dubbed_audio.duration_ms == 500
    assert (response.transcript, response.translated_text) == ("hello", "olá")
    assert response.detected_language == "en"
    assert response.metadata.asr_model == "fake-asr"
    assert (response.stages_ms.asr, response.stages_ms.tts) == (200.0, 300.0)
    assert response.processing_time_ms == 500.0
    assert [task.voice.name for task in script.calls["tts"][0]] == ["pf_dora"]


async def test_no_speech_comes_without_audio(client: httpx2.AsyncClient, script: Script) -> None:
    script.speech = False
    response = StsResponse.model_validate_json((await post(client, body_of())).content)
    assert (response.status, response.dubbed_audio) == ("no_speech", None)
    assert set(script.calls) == {"resample"}


@pytest.mark.parametrize(
    ("field", "value"), [("text", ""), ("translation", "..."), ("tts_samples", 0)]
)
async def test_nothing_to_say_is_no_speech(
    client: httpx2.AsyncClient, script: Script, field: str, value: Any
) -> None:
    setattr(script, field, value)
    response = StsResponse.model_validate_json((await post(client, body_of())).content)
    assert response.status == "no_speech"


async def test_a_dub_that_does_not_fit_is_partial(
    client: httpx2.AsyncClient, script: Script
) -> None:
    script.fits = False
    response = StsResponse.model_validate_json((await post(client, body_of())).content)
    assert response.status == "partial"
    assert response.dubbed_audio is not None


@pytest.mark.parametrize("stage", ["resample", "asr", "mt", "tts", "fit"])
async def test_a_fault_of_a_model(client: httpx2.AsyncClient, script: Script, stage: str) -> None:
    def fail(_: Any) -> None:
        raise ValueError("secret path")

    script.hooks[stage] = fail
    body = error_of(await post(client, body_of()), 500, "MODEL_ERROR")
    assert (body.fragment_id, body.error.stage, body.error.retryable) == ("f1", stage, True)
    assert "secret path" not in body.error.message
    script.hooks.clear()
    assert (await post(client, body_of())).status_code == 200  # a failure is not kept


async def test_a_slow_model_is_a_timeout(client: httpx2.AsyncClient, script: Script) -> None:
    free = threading.Event()
    script.hooks["tts"] = lambda _: free.wait(5)
    body = error_of(await post(client, body_of({"timeout_ms": 150})), 504, "TIMEOUT")
    assert body.error.stage == "tts"
    free.set()


async def test_an_internal_fault_tells_nothing(
    client: httpx2.AsyncClient, monkeypatch: Any
) -> None:
    def broken(_: Any) -> None:
        raise RuntimeError("internals")

    monkeypatch.setattr(client.service, "process", broken)  # type: ignore[attr-defined]
    with capture_logs() as logged:
        body = error_of(await post(client, body_of()), 500, "MODEL_ERROR")
    assert "internals" not in body.error.message
    assert any(entry.get("exc_info") for entry in logged), logged  # but the operator is told


async def test_voices_and_languages(client: httpx2.AsyncClient) -> None:
    voices = VoicesReply.model_validate_json((await client.get("/api/v1/voices")).content).voices
    assert [(v.name, v.language, v.gender, v.default) for v in voices] == [
        ("af_heart", "en-US", "female", True),
        ("bf_emma", "en-GB", "female", False),
        ("ef_dora", "es", "female", False),
        ("pf_dora", "pt-BR", "female", True),
        ("pm_alex", "pt-BR", "male", False),
    ]
    reply = await client.get("/api/v1/languages")
    pairs = LanguagesReply.model_validate_json(reply.content).pairs
    assert [(p.source, p.target) for p in pairs] == [("en", "pt-BR"), ("pt-BR", "en")]
    languages = {
        one.tag: one for one in LanguagesReply.model_validate_json(reply.content).languages
    }
    assert languages["en"].dubbed_into == languages["en"].dubbed_from == ["pt-BR"]
    assert languages["es"].voices == {"kokoro": 1}
    assert (languages["de"].name, languages["de"].voices) == ("German", {})


async def test_unknown_paths_and_methods_answer_in_the_same_form(
    client: httpx2.AsyncClient,
) -> None:
    error_of(await client.get("/nowhere"), 404, "INVALID_INPUT")
    error_of(await client.get(URL), 405, "INVALID_INPUT")


async def test_the_openapi_document_has_the_request_and_valid_examples(
    client: httpx2.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"][URL]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    assert content["schema"]["$ref"] == "#/components/schemas/StsRequest"
    schemas = document["components"]["schemas"]
    assert {"StsRequest", "PcmAudio", "FragmentConfig", "StsResponse", "StsErrorBody"} <= set(
        schemas
    )
    assert "$defs" not in json.dumps(schemas)
    StsRequest.model_validate(content["example"])
    StsRequest.model_validate(REQUEST_EXAMPLE)
    StsResponse.model_validate(RESPONSE_EXAMPLE)
    assert set(operation["responses"]) >= {"200", "401", "413", "415", "422", "500", "503", "504"}


def test_an_error_needs_a_known_code() -> None:
    from dubcast.sts.http_errors import status_of

    codes = ("INVALID_INPUT", "UNAUTHORIZED", "OVERLOADED", "TIMEOUT", "MODEL_ERROR")
    errors = [StsError(code, "", retryable=False) for code in codes]
    assert [status_of(error) for error in errors] == [422, 401, 503, 504, 500]
