"""The whole service with recognition, translation and voices elsewhere: real sockets and waits.

What is elsewhere is a fake that speaks the wire; what hears is one too, what fits is the real part.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from dubcast.config import Settings
from dubcast.contract.stream_reply import MEDIA_TYPE, FrameReader
from dubcast.contract.sts import FragmentConfig, StsErrorBody, StsResponse
from dubcast.errors import ConfigError
from dubcast.sts.app import create_app
from dubcast.sts.build import build_engine
from dubcast.sts.engine import Engine
from dubcast.testing.elsewhere import TEXT, TRANSLATION, Elsewhere, chatted, refused, spoken, told
from dubcast.testing.sts_server import Reply
from sts_fakes import FakeHear, Script, request

PROCESS = "/api/v1/sts/process"
SPEECH, CHAT, HEARD = "/v1/audio/speech", "/v1/chat/completions", "/v1/audio/transcriptions"
VOICES = [{"name": "nova", "languages": ["pt-BR"]}]
# More than a fragment of these tests may take.
HANG_S = 30.0


def settings(url: str, translator: str = "openai", **remote: Any) -> Settings:
    chat = url if translator == "libretranslate" else f"{url}/v1"
    own = {
        "asr": {"url": f"{url}/v1", "price_per_minute": 0.006},
        "mt": {"url": chat, "languages": ["en", "pt-BR"], "price_per_1000_characters": 0.02},
        "tts": {"url": f"{url}/v1", "voices": VOICES, "price_per_minute": 0.015},
    }
    stages = {stage: {**own[stage], **remote} for stage in own}
    providers = {"asr": "openai", "mt": translator, "tts": "openai"}
    tree = {"providers": providers, "remote": stages, "phrasebook": False}
    return Settings.model_validate({"sts_server": tree})


def engine_of(wanted: Settings) -> Engine:
    """The engine of the settings, in which everything is speech."""
    built = build_engine(wanted)
    providers = replace(built.providers, hear=FakeHear(Script(bounds_s=(0.1, 3.9))))
    return Engine(providers, inbox_limit=64, metrics=built.metrics)


@asynccontextmanager
async def service(wanted: Settings, *, ready: bool = True) -> AsyncIterator[httpx2.AsyncClient]:
    engine = engine_of(wanted)
    app = create_app(wanted, engine)
    engine.start()
    transport = httpx2.ASGITransport(app=app)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://sts") as client:
            if ready:
                assert await asyncio.to_thread(engine.wait, 10) == "ready"
            yield client
    finally:
        await asyncio.to_thread(engine.stop)


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    with Elsewhere() as one:
        yield one


async def sent(
    client: httpx2.AsyncClient, name: str = "f1", *, timeout_ms: int = 8000, **headers: str
) -> httpx2.Response:
    config = FragmentConfig(duration_policy="fit", slot_ms=8000, timings="words")
    body = request(name, ms=4000, config=config, timeout_ms=timeout_ms, stream_id=name)
    told_headers = {"content-type": "application/json", **headers}
    return await client.post(PROCESS, content=body.model_dump_json(), headers=told_headers)


async def metrics(client: httpx2.AsyncClient) -> dict[str, float]:
    lines = (await client.get("/metrics")).text.splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


@pytest.mark.parametrize("translator", ["openai", "libretranslate"])
async def test_a_fragment_is_dubbed_by_services_elsewhere(
    there: Elsewhere, translator: str
) -> None:
    async with service(settings(there.url, translator)) as client:
        reply = await sent(client)
        assert reply.status_code == 200, reply.text
        dub = StsResponse.model_validate_json(reply.content)
        figures = await metrics(client)
    assert (dub.status, dub.transcript, dub.translated_text) == ("success", TEXT, TRANSLATION)
    assert [word.text for word in dub.words or ()] == TEXT.split()
    assert [one.fields["voice"] for one in there.calls(SPEECH)] == ["nova"] * 2
    cost = {
        stage: figures[f'dubcast_sts_provider_cost_total{{provider="{name}",stage="{stage}"}}']
        for stage, name in (("asr", "openai"), ("mt", translator), ("tts", "openai"))
    }
    said = sum(0.05 * len(one.fields["input"]) for one in there.calls(SPEECH))
    assert cost == {
        "asr": pytest.approx(0.006 / 60),  # the fake that hears gives a second of sound
        "mt": pytest.approx(0.02 * len(TEXT) / 1000),
        "tts": pytest.approx(0.015 * said / 60),
    }


async def test_a_reply_is_streamed_clause_by_clause(there: Elsewhere) -> None:
    async with service(settings(there.url)) as client:
        reply = await sent(client, accept=MEDIA_TYPE)
    frames = list(FrameReader().feed(reply.content))
    assert [frame.kind for frame, _ in frames] == ["heard", "translated", *["clause"] * 2, "done"]
    assert all(len(pcm) > 16_000 for frame, pcm in frames if frame.kind == "clause")


async def test_several_streams_are_served_at_once(there: Elsewhere) -> None:
    slow = spoken(1.0, 24_000)
    there.faults[SPEECH] = lambda _: replace(slow, wait_s=0.4)
    async with service(settings(there.url)) as client:
        begun = time.monotonic()
        replies = await asyncio.gather(*(sent(client, f"s{number}") for number in range(6)))
        took_s = time.monotonic() - begun
    assert [reply.status_code for reply in replies] == [200] * 6
    assert took_s < 6 * 2 * 0.4 / 2  # one after the other, 4.8 s


FAULTS: dict[str, tuple[str, Callable[[], Reply], str]] = {
    "refused key": (CHAT, lambda: refused(401, "no"), "api_key is not set: no"),
    "too many calls": (CHAT, lambda: refused(429, "slow down", Retry_After="20"), "HTTP 429"),
    "broken": (HEARD, lambda: refused(500, "oops"), "HTTP 500: oops"),
    "malformed": (HEARD, lambda: Reply(200, b'{"text": "The con'), "not JSON"),
    "another page": (HEARD, lambda: told(["text"]), "no dict of JSON"),
    "wrong rate": (SPEECH, lambda: spoken(1.0, 200), "200 Hz"),
    "partial body": (SPEECH, lambda: replace(spoken(1.0, 24_000), cut_after=900), "tts.openai"),
    "cut answer": (CHAT, lambda: chatted("O con", "length"), "did not come to its end"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_fails_its_fragment_with_the_reason_and_the_next_one_is_dubbed(
    there: Elsewhere, name: str
) -> None:
    path, reply, why = FAULTS[name]
    there.faults[path] = lambda call: reply() if call == 0 else None
    async with service(settings(there.url, retries=0)) as client:
        first = await sent(client, "a")
        second = await sent(client, "b")
    assert first.status_code in (500, 503)
    error = StsErrorBody.model_validate_json(first.content).error
    assert why in error.message
    alone = name in ("refused key", "too many calls")  # until somebody acts, or as it asked
    assert second.status_code == (503 if alone else 200)
    if alone:
        assert int(second.headers["Retry-After"]) >= 1


async def test_a_fault_is_mended_by_another_try_where_there_is_time(there: Elsewhere) -> None:
    for path in (HEARD, CHAT, SPEECH):
        there.faults[path] = lambda call: refused(500, "oops") if call == 0 else None
    async with service(settings(there.url)) as client:
        assert (await sent(client)).status_code == 200


@pytest.mark.parametrize("path", [HEARD, CHAT, SPEECH])
async def test_what_hangs_ends_with_its_fragments_time(there: Elsewhere, path: str) -> None:
    there.faults[path] = lambda call: Reply(wait_s=HANG_S) if call == 0 else None
    async with service(settings(there.url, at_once=1)) as client:
        begun = time.monotonic()
        reply = await sent(client, "a", timeout_ms=1500)
        took_s = time.monotonic() - begun
        assert (reply.status_code, took_s < 2.5) == (504, True)
        assert (await sent(client, "b")).status_code == 200


async def test_a_service_that_is_not_there_yet_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with service(settings(f"http://127.0.0.1:{port}"), ready=False) as client:
        async with asyncio.timeout(10):
            while "waits for" not in (told_state := await client.get("/readyz")).text:
                await asyncio.sleep(0.05)
        assert told_state.status_code == 503
        assert f".openai at http://127.0.0.1:{port}/v1: " in told_state.text
        assert (await sent(client)).status_code == 503
        with Elsewhere(port=port):
            async with asyncio.timeout(15):
                while (await client.get("/readyz")).status_code != 200:
                    await asyncio.sleep(0.05)
            assert (await sent(client)).status_code == 200


def test_a_key_that_is_refused_at_the_start_ends_it(there: Elsewhere) -> None:
    there.faults["/v1/models"] = lambda _: refused(401, "no")
    engine = engine_of(settings(there.url))
    engine.start()
    assert engine.wait(10) == "failed"
    engine.stop()
    assert isinstance(engine.failure, ConfigError)
    assert "sts_server.remote.asr.api_key" in str(engine.failure)
