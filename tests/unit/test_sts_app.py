"""The service over HTTP with fake models: every refusal, every fault, and idempotency."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from structlog.testing import capture_logs

from dubcast.contract import fragment_form
from dubcast.contract.stream_reply import MEDIA_TYPE
from dubcast.contract.sts import (
    MAX_BODY_BYTES,
    LanguagesReply,
    StsErrorBody,
    StsRequest,
    StsResponse,
    VoicesReply,
)
from dubcast.errors import StsError
from dubcast.sts.admission import BODY_TIMEOUT_S, Admission, Guard
from dubcast.sts.app import create_app
from dubcast.sts.capacity import Cost
from dubcast.sts.engine import Engine
from dubcast.sts.examples import REQUEST_EXAMPLE, RESPONSE_EXAMPLE
from dubcast.sts.providers.interface import Tune
from dubcast.sts.which_language import Question
from dubcast.testing import virtual_loop
from dubcast.testing.clock import VirtualClock
from sts_fakes import Script, fake_engine, request, settings

URL = "/api/v1/sts/process"
JSON = {"content-type": "application/json"}


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def engine(script: Script) -> Iterator[Engine]:
    engine = fake_engine(script)
    engine.start()
    assert engine.wait(5) == "ready"
    yield engine
    engine.stop()


@asynccontextmanager
async def _client(engine: Engine, **sts_server: Any) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(settings(**sts_server), engine)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://sts") as client:
        client.service = app.state.service  # type: ignore[attr-defined]
        yield client


@pytest.fixture
async def client(engine: Engine) -> AsyncIterator[httpx2.AsyncClient]:
    async with _client(engine) as client:
        yield client


def _body(changes: dict[str, Any] | None = None, **audio: Any) -> bytes:
    data = json.loads(request().model_dump_json())
    data.update(changes or {})
    data["audio"].update(audio)
    return json.dumps(data).encode()


async def _post(client: httpx2.AsyncClient, body: bytes, **headers: str) -> httpx2.Response:
    return await client.post(URL, content=body, headers={**JSON, **headers})


async def _admitted(client: httpx2.AsyncClient, count: int) -> None:
    """Wait until so many requests are inside, and have come as far as they get by themselves."""
    while client.service.admission.pending < count:  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)


def _error(reply: httpx2.Response, status: int, code: str) -> StsErrorBody:
    assert reply.status_code == status, reply.text
    body = StsErrorBody.model_validate_json(reply.content)
    assert body.error.code == code
    return body


async def test_a_fragment_is_dubbed(script: Script) -> None:
    clock = VirtualClock()
    script.hooks["asr"] = lambda _: clock.advance(0.2)
    script.hooks["tts"] = lambda _: clock.advance(0.3)
    engine = fake_engine(script, clock=clock)
    engine.start()
    assert engine.wait(5) == "ready"
    async with _client(engine) as client:
        reply = await _post(client, request(ms=500).model_dump_json().encode())
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


async def test_camel_case_names_are_accepted(client: httpx2.AsyncClient) -> None:
    data = json.loads(_body())
    audio = data["audio"]
    data["audio"] = {
        "format": "pcm_s16le",
        "sampleRate": audio["sample_rate_hz"],
        "channels": 1,
        "durationMs": audio["duration_ms"],
        "dataBase64": audio["data_base64"],
    }
    assert (await _post(client, json.dumps(data).encode())).status_code == 200


BAD_AUDIO: dict[str, tuple[dict[str, Any], str]] = {
    "length": ({"duration_ms": 700}, "duration_ms is 700 but the data holds 500 ms"),
    "rate too low": ({"sample_rate_hz": 4000}, "sample_rate_hz"),
    "rate too high": ({"sample_rate_hz": 400_000}, "sample_rate_hz"),
    "rate does not agree": ({"sample_rate_hz": 48_000}, "the data holds 167 ms"),
    "channels": ({"channels": 3}, "channels"),
    "not base64": ({"data_base64": "no base64!"}, "not valid base64"),
    "half a sample": ({"data_base64": base64.b64encode(bytes(16_001)).decode()}, "whole number"),
    "format": ({"format": "mp3"}, "format"),
    "too short": ({"duration_ms": 50, "data_base64": "AAAA"}, "duration_ms"),
    "too long": ({"duration_ms": 31_000}, "duration_ms"),
    "no audio": ({"data_base64": ""}, "holds 0 ms"),
}


@pytest.mark.parametrize("case", BAD_AUDIO)
async def test_bad_audio_is_refused(client: httpx2.AsyncClient, script: Script, case: str) -> None:
    changes, words = BAD_AUDIO[case]
    body = _error(await _post(client, _body(**changes)), 422, "INVALID_INPUT")
    assert words in body.error.message
    assert body.fragment_id == "f1"
    assert not body.error.retryable
    assert script.calls == {}


BAD_FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown source": ({"config": {"source_language": "xx"}}, "en -> pt-BR"),
    "unknown target": ({"config": {"target_language": "tlh"}}, "pt-BR -> en"),
    "same language": ({"config": {"target_language": "en"}}, "there are"),
    "unknown voice": ({"config": {"voice_profile": "nobody"}}, "default, pf_dora, pm_alex"),
    "voice of another language": ({"config": {"voice_profile": "ef_dora"}}, "pm_alex"),
    "unknown field": ({"config": {"voise": "x"}}, "config.voise"),
    "stream id": ({"stream_id": "../etc"}, "stream_id"),
    "fragment id": ({"fragment_id": "a b"}, "fragment_id"),
    "timeout": ({"timeout_ms": 1}, "timeout_ms"),
    "tempo": ({"config": {"max_tempo": 9}}, "max_tempo"),
}


@pytest.mark.parametrize("case", BAD_FIELDS)
async def test_bad_fields_are_refused(client: httpx2.AsyncClient, case: str) -> None:
    changes, words = BAD_FIELDS[case]
    body = _error(await _post(client, _body(changes)), 422, "INVALID_INPUT")
    assert words in body.error.message


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"a": 1'])
async def test_what_is_not_json_is_refused(client: httpx2.AsyncClient, raw: bytes) -> None:
    body = _error(await _post(client, raw), 400, "INVALID_INPUT")
    assert body.fragment_id is None


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"x"', b"1", b"[" * 5000 + b"]" * 5000])
async def test_json_of_another_shape_is_refused(client: httpx2.AsyncClient, raw: bytes) -> None:
    reply = await _post(client, raw)
    assert reply.status_code in (400, 422)
    assert StsErrorBody.model_validate_json(reply.content).error.code == "INVALID_INPUT"


async def test_the_binary_form_is_the_same_fragment(
    client: httpx2.AsyncClient, script: Script
) -> None:
    kind = {"content-type": f"{fragment_form.MEDIA_TYPE}; v=1"}
    reply = await _post(client, fragment_form.encode(request()), **kind)
    assert reply.status_code == 200
    assert (await _post(client, _body())).content == reply.content
    assert len(script.calls["tts"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"\0\0\0\2[", 400, "a header of 2 bytes"),
        (b"\0\0\0\2no", 400, "not JSON"),
        (b"\0\0\0\x14" + b'{"fragment_id":"f1"}', 422, "stream_id"),
        (b"\0\1\0\0" + b"[" * 65536, 422, "more than 10000 values"),
    ],
)
async def test_a_binary_form_that_is_none_is_refused(
    client: httpx2.AsyncClient, body: bytes, status: int, words: str
) -> None:
    reply = await _post(client, body, **{"content-type": fragment_form.MEDIA_TYPE})
    told = _error(reply, status, "INVALID_INPUT")
    assert words in told.error.message
    assert told.fragment_id == ("f1" if words == "stream_id" else None)


def test_a_client_that_does_not_take_its_reply_holds_no_place() -> None:
    admission = Admission(1, lambda: None)
    loop = virtual_loop.VirtualLoop()

    async def behind(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def never_taken(_: Any) -> None:
        await asyncio.Event().wait()

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}"}

    guard = Guard(behind, admission, None, lambda _: None)
    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": URL, "headers": headers}
    virtual_loop.run(guard(scope, receive, never_taken), loop)
    assert admission.pending == 0
    assert 10 < loop.time() < 20


async def test_another_content_type_is_refused(client: httpx2.AsyncClient) -> None:
    reply = await _post(client, _body(), **{"content-type": "audio/wav"})
    assert "audio/wav" in _error(reply, 415, "INVALID_INPUT").error.message


async def test_a_declared_body_of_20_mib_is_refused(client: httpx2.AsyncClient) -> None:
    _error(await _post(client, b"x" * 20 * 1024 * 1024), 413, "INVALID_INPUT")


async def test_a_declared_length_is_enough_to_refuse(client: httpx2.AsyncClient) -> None:
    reply = await _post(client, b"{}", **{"content-length": str(MAX_BODY_BYTES + 1)})
    _error(reply, 413, "INVALID_INPUT")


async def test_a_body_is_cut_off_while_it_is_read(
    client: httpx2.AsyncClient, script: Script
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 40 * MAX_BODY_BYTES:
            sent += 1024 * 1024
            yield bytes(1024 * 1024)

    reply = await client.post(URL, content=endless(), headers=JSON)
    _error(reply, 413, "INVALID_INPUT")
    # The reason reaches a client that still sends, but not one that sends for ever.
    assert sent <= 6 * MAX_BODY_BYTES
    assert client.service.admission.pending == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Basic c2VjcmV0"}, 401),
        ({"authorization": "Bearer wrong"}, 403),
        ({"x-api-key": "secre"}, 403),
        ({"authorization": "Bearer secret"}, 200),
        ({"authorization": "bearer secret"}, 200),
        ({"x-api-key": "secret"}, 200),
    ],
)
async def test_the_key(engine: Engine, headers: dict[str, str], status: int) -> None:
    async with _client(engine, api_key="secret") as client:
        for reply in (
            await _post(client, _body(), **headers),
            await client.get("/api/v1/voices", headers=headers),
        ):
            assert reply.status_code == status
            if status != 200:
                _error(reply, status, "UNAUTHORIZED")
                assert "secret" not in reply.text
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/metrics")).status_code == 200


async def test_no_speech_comes_without_audio(client: httpx2.AsyncClient, script: Script) -> None:
    script.speech = False
    response = StsResponse.model_validate_json((await _post(client, _body())).content)
    assert (response.status, response.dubbed_audio) == ("no_speech", None)
    assert set(script.calls) == {"resample"}


@pytest.mark.parametrize(
    ("field", "value"), [("text", ""), ("translation", "..."), ("tts_samples", 0)]
)
async def test_nothing_to_say_is_no_speech(
    client: httpx2.AsyncClient, script: Script, field: str, value: Any
) -> None:
    setattr(script, field, value)
    response = StsResponse.model_validate_json((await _post(client, _body())).content)
    assert response.status == "no_speech"


async def test_a_dub_that_does_not_fit_is_partial(
    client: httpx2.AsyncClient, script: Script
) -> None:
    script.fits = False
    response = StsResponse.model_validate_json((await _post(client, _body())).content)
    assert response.status == "partial"
    assert response.dubbed_audio is not None


@pytest.mark.parametrize("stage", ["resample", "asr", "mt", "tts", "fit"])
async def test_a_fault_of_a_model(client: httpx2.AsyncClient, script: Script, stage: str) -> None:
    def fail(_: Any) -> None:
        raise ValueError("secret path")

    script.hooks[stage] = fail
    body = _error(await _post(client, _body()), 500, "MODEL_ERROR")
    assert (body.fragment_id, body.error.stage, body.error.retryable) == ("f1", stage, True)
    assert "secret path" not in body.error.message
    script.hooks.clear()
    assert (await _post(client, _body())).status_code == 200  # a failure is not kept


async def test_a_slow_model_is_a_timeout(client: httpx2.AsyncClient, script: Script) -> None:
    free = threading.Event()
    script.hooks["tts"] = lambda _: free.wait(5)
    body = _error(await _post(client, _body({"timeout_ms": 150})), 504, "TIMEOUT")
    assert body.error.stage == "tts"
    free.set()


async def test_an_internal_fault_tells_nothing(
    client: httpx2.AsyncClient, monkeypatch: Any
) -> None:
    def broken(_: Any) -> None:
        raise RuntimeError("internals")

    monkeypatch.setattr(client.service, "process", broken)  # type: ignore[attr-defined]
    with capture_logs() as logged:
        body = _error(await _post(client, _body()), 500, "MODEL_ERROR")
    assert "internals" not in body.error.message
    assert any(entry.get("exc_info") for entry in logged), logged  # but the operator is told


async def test_more_than_max_pending_are_refused(engine: Engine, script: Script) -> None:
    free = threading.Event()
    script.hooks["asr"] = lambda _: free.wait(5)
    async with _client(engine, max_pending=2) as client:
        inside = [asyncio.create_task(_post(client, _body({"fragment_id": n}))) for n in "ab"]
        await _admitted(client, 2)
        reply = await _post(client, _body({"fragment_id": "c"}))
        body = _error(reply, 503, "OVERLOADED")
        assert body.error.retryable
        assert 1 <= int(reply.headers["retry-after"]) <= 10
        free.set()
        assert [(await task).status_code for task in inside] == [200, 200]
        assert (await _post(client, _body({"fragment_id": "c"}))).status_code == 200


async def test_what_cannot_be_done_in_time_is_refused_at_once(
    engine: Engine, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fragment takes 5 s of synthesis, and one is under way."""
    costs = {stage.name: Cost(0.0, 0.0) for stage in engine.stages} | {"tts": Cost(29.0, 29.0)}
    monkeypatch.setattr(engine, "costs", lambda: costs)
    free = threading.Event()
    script.hooks["asr"] = lambda _: free.wait(5)
    async with _client(engine) as client:
        inside = asyncio.create_task(_post(client, _body({"fragment_id": "a"})))
        await _admitted(client, 1)
        await asyncio.to_thread(script.wait_for, "asr")
        for accept in ("*/*", MEDIA_TYPE):
            fit = {"fragment_id": "b", "config": {"duration_policy": "fit"}, "timeout_ms": 8000}
            reply = await _post(client, _body(fit), accept=accept)
            body = _error(reply, 503, "OVERLOADED")
            assert (body.fragment_id, reply.headers["retry-after"]) == ("b", "3")
        # One that is under way already is no new one.
        again = asyncio.create_task(_post(client, _body({"fragment_id": "a"})))
        await _admitted(client, 2)
        free.set()
        assert [(await task).status_code for task in (inside, again)] == [200, 200]


async def test_a_burst_cannot_pass_the_bound_together(engine: Engine, script: Script) -> None:
    free = threading.Event()
    script.hooks["asr"] = lambda _: free.wait(5)
    async with _client(engine, max_pending=3) as client:
        burst = [
            asyncio.create_task(_post(client, _body({"fragment_id": f"f{i}"}))) for i in range(12)
        ]
        while sum(task.done() for task in burst) < 9:
            await asyncio.sleep(0)
        free.set()
        codes = sorted([(await task).status_code for task in burst])
        assert codes == [200] * 3 + [503] * 9


def test_a_slow_sender_does_not_hold_a_place_for_ever() -> None:
    admission = Admission(1, lambda: None)
    loop = virtual_loop.VirtualLoop()

    async def behind(*_: Any) -> None:
        raise AssertionError("half a request came through")

    async def dripping() -> AsyncIterator[bytes]:
        while True:
            assert admission.pending == 1
            yield b" "
            await asyncio.sleep(1)

    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=Guard(behind, admission, None, lambda _: None))
        async with httpx2.AsyncClient(transport=transport, base_url="http://sts") as client:
            return await client.post(URL, content=dripping(), headers=JSON, timeout=None)

    _error(virtual_loop.run(send(), loop), 400, "INVALID_INPUT")
    assert admission.pending == 0
    assert loop.time() < BODY_TIMEOUT_S + 5


async def test_a_retry_gets_the_same_reply_and_is_not_computed(
    client: httpx2.AsyncClient, script: Script
) -> None:
    first = await _post(client, _body())
    again = await _post(client, _body({"timeout_ms": 3000}))
    assert first.content == again.content
    assert len(script.calls["tts"]) == 1


async def test_a_retry_of_a_fragment_under_way_waits_for_it(
    client: httpx2.AsyncClient, script: Script
) -> None:
    free = threading.Event()
    script.hooks["asr"] = lambda _: free.wait(5)
    first = asyncio.create_task(_post(client, _body()))
    await asyncio.to_thread(script.wait_for, "asr")
    again = asyncio.create_task(_post(client, _body()))
    await _admitted(client, 2)
    assert not again.done()
    free.set()
    assert (await first).content == (await again).content
    assert len(script.calls["asr"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"stream_id": "other"},
        {"config": {"voice_profile": "pm_alex"}},
        {"fragment_id": "f2"},
    ],
)
async def test_another_fragment_is_computed(
    client: httpx2.AsyncClient, script: Script, changes: dict[str, Any]
) -> None:
    await _post(client, _body())
    await _post(client, _body(changes))
    assert len(script.calls["tts"]) == 2


async def test_the_same_id_with_other_audio_is_computed(
    client: httpx2.AsyncClient, script: Script
) -> None:
    await _post(client, request(ms=500).model_dump_json().encode())
    await _post(client, request(ms=600).model_dump_json().encode())
    assert len(script.calls["tts"]) == 2


async def test_health_while_loading_ready_and_draining(script: Script) -> None:
    free = threading.Event()
    script.hooks["load asr"] = lambda _: free.wait(5)
    engine = fake_engine(script)
    engine.start()
    async with _client(engine) as client:

        async def codes() -> list[int]:
            paths = ("/livez", "/readyz", "/health", "/ping")
            return [(await client.get(path)).status_code for path in paths]

        assert await codes() == [200, 503, 503, 204]
        body = _error(await _post(client, _body()), 503, "OVERLOADED")
        assert "loading" in body.error.message
        free.set()
        assert engine.wait(5) == "ready"
        assert await codes() == [200, 200, 200, 200]
        client.service.draining = True  # type: ignore[attr-defined]
        assert await codes() == [200, 503, 503, 503]
        reply = await _post(client, _body())
        assert "draining" in _error(reply, 503, "OVERLOADED").error.message
        assert "retry-after" in reply.headers
    engine.stop()


async def test_a_failed_model_is_not_ready(script: Script) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("no")

    script.hooks["load asr"] = fail
    engine = fake_engine(script)
    engine.start()
    assert engine.wait(5) == "failed"
    async with _client(engine) as client:
        assert (await client.get("/ping")).status_code == 503
        assert (await client.get("/readyz")).text == "failed\n"
    engine.stop()


@pytest.fixture
async def told(script: Script) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a service that tells languages."""
    script.likely = {}
    engine = fake_engine(script)
    engine.start()
    assert engine.wait(5) == "ready"
    async with _client(engine) as client:
        yield client
    engine.stop()


async def _heard(client: httpx2.AsyncClient, **config: Any) -> StsResponse:
    reply = await _post(client, _body({"config": config, "fragment_id": str(uuid4())}))
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
        reply = await _post(told, _body({**said, "fragment_id": str(uuid4())}))
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
    reply = await _post(client, _body({"config": {"source_language": "auto"}}))
    assert "cannot tell languages" in _error(reply, 422, "INVALID_INPUT").error.message


async def test_auto_is_among_the_languages(told: httpx2.AsyncClient) -> None:
    reply = await told.get("/api/v1/languages")
    pairs = LanguagesReply.model_validate_json(reply.content).pairs
    assert [(p.source, p.target) for p in pairs][2:] == [("auto", "en"), ("auto", "pt-BR")]


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
    _error(await client.get("/nowhere"), 404, "INVALID_INPUT")
    _error(await client.get(URL), 405, "INVALID_INPUT")


async def test_outcomes_are_counted(client: httpx2.AsyncClient, script: Script) -> None:
    await _post(client, _body())
    script.speech = False
    await _post(client, _body({"fragment_id": "f2"}))
    await _post(client, b"{")
    await _post(client, b"{", **{"content-type": "text/plain"})
    text = (await client.get("/metrics")).text
    for outcome, count in (("success", 1), ("no_speech", 1), ("invalid_input", 2)):
        assert f'dubcast_sts_requests_total{{outcome="{outcome}"}} {count}.0' in text
    assert "dubcast_sts_audio_seconds_total 1.0" in text


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


async def test_a_client_that_hangs_up_while_sending_frees_its_place(engine: Engine) -> None:
    app = create_app(settings(), engine)
    messages = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": URL,
        "raw_path": URL.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("sts", 80),
        "client": ("x", 1),
        "root_path": "",
    }
    await app(scope, receive, send)
    assert sent == []
    assert app.state.service.admission.pending == 0


async def test_a_caller_that_leaves_does_not_stop_the_computation(
    client: httpx2.AsyncClient, script: Script
) -> None:
    free = threading.Event()
    script.hooks["asr"] = lambda _: free.wait(5)
    first = asyncio.create_task(_post(client, _body()))
    await asyncio.to_thread(script.wait_for, "asr")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    free.set()
    assert (await _post(client, _body())).status_code == 200
    assert len(script.calls["asr"]) == 1


def test_an_error_needs_a_known_code() -> None:
    from dubcast.sts.http_errors import status_of

    codes = ("INVALID_INPUT", "UNAUTHORIZED", "OVERLOADED", "TIMEOUT", "MODEL_ERROR")
    errors = [StsError(code, "", retryable=False) for code in codes]
    assert [status_of(error) for error in errors] == [422, 401, 503, 504, 500]


async def test_a_body_of_millions_of_values_is_refused_before_it_is_parsed(
    client: httpx2.AsyncClient,
) -> None:
    """To parse 16 MiB of brackets takes 13 s, in which nothing else of the process runs."""
    raw = b'{"fragment_id": "f1", "x": [' + b"[]," * 1_000_000 + b"1]}"
    body = _error(await _post(client, raw), 422, "INVALID_INPUT")
    assert "more than 10000 values" in body.error.message


async def test_texts_full_of_commas_are_no_reason_to_refuse(client: httpx2.AsyncClient) -> None:
    text = ",[{" * 666
    context = {"context": {"source_text": text, "target_text": text}}
    assert (await _post(client, _body(context))).status_code == 200


@pytest.mark.parametrize(
    ("name", "told"), [("f1", "f1"), ("x" * 200, "x" * 128), (7, None), (None, None)]
)
async def test_what_is_wrong_otherwise_is_still_told_its_name(
    client: httpx2.AsyncClient, name: object, told: str | None
) -> None:
    reply = await _post(client, json.dumps({"fragment_id": name, "x": 1}).encode())
    assert _error(reply, 422, "INVALID_INPUT").fragment_id == told


async def test_a_fragment_that_fails_later_is_told_its_name(client: httpx2.AsyncClient) -> None:
    reply = await _post(client, _body({"fragment_id": "f9", "config": {"voice_profile": "none"}}))
    assert _error(reply, 422, "INVALID_INPUT").fragment_id == "f9"


async def test_readyz_says_what_is_waited_for(
    engine: Engine, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.asr, "state", "loading")
    engine.asr.waits_for = "asr.openai at http://h/v1: connection refused"
    reply = await client.get("/readyz")
    assert reply.status_code == 503
    assert reply.text == "loading: waits for asr.openai at http://h/v1: connection refused\n"
