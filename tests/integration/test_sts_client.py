"""The client against a service that misbehaves on the wire (loopback only)."""

from __future__ import annotations

import gc
import random
import time
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE
from dubcast.breaker import Verdict
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.errors import StsError
from dubcast.testing.sts_server import Reply, Script, ScriptedSts, refusal, success, tone
from dubcast.worker.endpoint import Endpoint
from dubcast.worker.retries import RetryBudget
from dubcast.worker.sts_client import StsClient
from dubcast.worker.work import DubReply
from worker_fakes import work

S = 1_000_000_000
UNIT = 0.15  # seconds; every wait here is a multiple of it


@asynccontextmanager
async def client(script: Script, **settings: Any) -> AsyncIterator[tuple[ScriptedSts, StsClient]]:
    with ScriptedSts(script) as server:
        configured = StsClientSettings.model_validate({"url": server.url, **settings})
        one = StsClient(
            configured, "demo", StreamSettings(), time.monotonic_ns, budget=RetryBudget()
        )
        try:
            yield server, one
        finally:
            await one.close()


async def dub(one: StsClient, deadline_s: float = 20 * UNIT) -> DubReply:
    return await one.dub(work(time.monotonic_ns() + round(deadline_s * S)))


async def test_a_reply_becomes_mono_float_and_carries_its_text() -> None:
    async with client(lambda request, call: success(request)) as (server, one):
        reply = await dub(one)
    assert reply.voice is not None
    assert len(reply.voice) == RATE
    assert 0.25 < float(np.abs(reply.voice).max()) < 0.35
    assert reply.response.translated_text == "um dois três"
    sent = server.requests[0]
    assert sent["fragment_id"] == "run-7"
    assert sent["config"]["slot_ms"] == 1200
    assert sent["context"] == {"source_text": "before", "target_text": "antes"}
    assert sent["audio"]["duration_ms"] == 1000
    assert server.headers[0]["X-Session-Id"] == "demo"


async def test_an_overlap_is_sent_with_the_words_before_and_left_out_where_there_is_none() -> None:
    async with client(lambda request, call: success(request)) as (server, one):
        deadline = time.monotonic_ns() + 4 * S
        for overlap_ms in (0, 150):
            await one.dub(work(deadline, overlap_ms=overlap_ms))
    first, second = server.requests
    assert "overlap_ms" not in first["config"]  # older services do not know it
    assert second["config"]["overlap_ms"] == 150
    assert second["context"]["source_text"] == "before"


async def test_how_surely_it_was_sung_before_is_sent_only_where_that_is_known() -> None:
    async with client(lambda request, call: success(request)) as (server, one):
        deadline = time.monotonic_ns() + 4 * S
        for odds in (0.0, 4.5):
            await one.dub(work(deadline, song_odds=odds))
    first, second = server.requests
    assert "song_odds" not in first["context"]  # older services do not know it
    assert second["context"]["song_odds"] == 4.5


async def test_the_key_is_sent_and_no_key_means_no_header() -> None:
    async with client(lambda r, c: success(r), api_key="s3cret") as (server, one):
        await dub(one)
    assert server.headers[0]["Authorization"] == "Bearer s3cret"
    async with client(lambda r, c: success(r)) as (server, one):
        await dub(one)
    assert "Authorization" not in server.headers[0]


async def test_a_stereo_reply_is_mixed_down() -> None:
    def script(request: dict[str, Any], call: int) -> Reply:
        stereo = np.frombuffer(tone(1.0, RATE), "<i2").repeat(2).astype("<i2").tobytes()
        return success(request, stereo, audio={"channels": 2, "duration_ms": 1000})

    async with client(script) as (_, one):
        reply = await dub(one)
    assert reply.voice is not None
    assert len(reply.voice) == RATE


@pytest.mark.parametrize("left_alone", [None, "target_language"])
async def test_what_is_not_to_be_dubbed_has_no_voice_and_is_a_good_call(
    left_alone: str | None,
) -> None:
    bare = {"status": "no_speech", "dubbed_audio": None, "left_alone": left_alone}
    async with client(lambda r, c: success(r, **bare)) as (_, one):
        for _ in range(5):
            assert (await dub(one)).voice is None
        assert (one.states()["closed"], dict(one.new_calls())) == (1, {"good": 5})


@pytest.mark.parametrize(
    "reply",
    [
        lambda r: success(r, tone(1, 24_000), audio={"sample_rate_hz": 24_000}),
        lambda r: success(r, audio={"duration_ms": 100}),
        lambda r: success(r, tone(0.05, RATE)),
        lambda r: success(r, tone(9, RATE)),
        lambda r: success(r, audio={"data_base64": "%%%"}),
        lambda r: success(r, fragment_id="another"),
        lambda r: success(r, dubbed_audio=None),
        lambda r: success(r, tempo=0),
        lambda r: success(r, tempo=float("inf")),
        lambda r: success(r, stages_ms={"asr": float("nan")}),
        lambda r: success(r, bytes(2 * RATE)),
        lambda r: success(r, b"\xff\x7f" * RATE),
        lambda r: success(r, transcript="word " * 3000),
        lambda r: success(r, tone(0.3, RATE), translated_text="far too many words for this " * 2),
        lambda r: Reply(200, b"<html>"),
        lambda r: Reply(200, success(r).body[:-40]),
        lambda r: Reply(200, b""),
    ],
    ids=[
        "rate", "length", "short", "long", "base64", "id", "missing", "tempo", "infinite", "nan",
        "silent", "clipped", "text", "words", "html", "cut", "empty",
    ],
)  # fmt: skip
async def test_a_reply_that_is_not_a_dub_of_this_fragment_is_an_error(reply: Any) -> None:
    async with client(lambda r, c: reply(r)) as (server, one):
        with pytest.raises(StsError) as caught:
            await dub(one)
    assert caught.value.code == "INVALID_REPLY"
    assert len(server.requests) == 1


async def test_a_passing_fault_is_retried_once_with_the_same_id() -> None:
    def script(request: dict[str, Any], call: int) -> Reply:
        return refusal(503, "OVERLOADED", retryable=True) if call == 0 else success(request)

    async with client(script) as (server, one):
        assert (await dub(one)).voice is not None
    assert [r["fragment_id"] for r in server.requests] == ["run-7", "run-7"]


async def test_retries_end_at_the_set_number() -> None:
    script: Script = lambda r, c: Reply(500, b"broken")  # noqa: E731
    for retries in (0, 1):
        async with client(script, retries=retries) as (server, one):
            with pytest.raises(StsError):
                await dub(one)
        assert len(server.requests) == 1 + retries


async def test_our_own_fault_and_a_refused_key_are_not_retried() -> None:
    for status, code in ((422, "INVALID_INPUT"), (401, "UNAUTHORIZED")):
        reply = refusal(status, code, retryable=False)
        async with client(lambda r, c, reply=reply: reply) as (server, one):  # type: ignore[misc]
            with pytest.raises(StsError) as caught:
                await dub(one)
        assert caught.value.code == code
        assert len(server.requests) == 1


async def test_no_retry_before_retry_after_nor_beyond_the_deadline() -> None:
    reply = refusal(503, "OVERLOADED", retryable=True, headers={"Retry-After": "30"})
    async with client(lambda r, c: reply) as (server, one):
        started = time.monotonic()
        with pytest.raises(StsError):
            await dub(one)
    assert len(server.requests) == 1
    assert time.monotonic() - started < 10 * UNIT


async def test_the_deadline_ends_a_call_that_hangs() -> None:
    def script(request: dict[str, Any], call: int) -> Reply:
        return Reply(200, success(request).body, wait_s=10 * UNIT)

    async with client(script) as (_, one):
        started = time.monotonic()
        with pytest.raises(StsError) as caught:
            await dub(one, deadline_s=4 * UNIT)
        took = time.monotonic() - started
    assert caught.value.code == "TIMEOUT"
    assert 3 * UNIT < took < 8 * UNIT


async def test_timeout_s_bounds_a_call_though_the_deadline_is_far() -> None:
    def script(request: dict[str, Any], call: int) -> Reply:
        return Reply(200, success(request).body, wait_s=10 * UNIT)

    async with client(script, timeout_s=3 * UNIT) as (server, one):
        with pytest.raises(StsError) as caught:
            await dub(one, deadline_s=100 * UNIT)
    assert caught.value.code == "TIMEOUT"
    assert server.requests[0]["timeout_ms"] == pytest.approx(3000 * UNIT, abs=2)


@pytest.mark.parametrize("left_s", [2.0, 12.0])
async def test_without_timeout_s_a_call_has_what_the_deadline_leaves(left_s: float) -> None:
    async with client(lambda request, call: success(request)) as (server, one):
        await dub(one, deadline_s=left_s)
    assert server.requests[0]["timeout_ms"] == pytest.approx(1000 * left_s, abs=500)


@pytest.mark.parametrize(
    ("timeout_s", "had_s", "verdict"),
    [
        (None, 0.9, Verdict.OURS),  # the fragment had waited here for too long
        (None, 1.0, Verdict.BAD),
        (5.0, 0.9, Verdict.OURS),
        (0.5, 0.5, Verdict.BAD),  # it had all the time that anyone gets
        (0.5, 0.4, Verdict.OURS),
    ],
)
async def test_a_timeout_counts_against_a_service_that_had_time(
    timeout_s: float | None, had_s: float, verdict: Verdict
) -> None:
    settings = StsClientSettings(timeout_s=timeout_s)
    one = Endpoint(settings.url, settings, {}, time.monotonic_ns, random.Random())
    error = StsError("TIMEOUT", "no reply", retryable=False)
    assert one.verdict(error, had_s) is verdict
    await one.close()


async def test_a_service_that_is_not_there_is_unavailable() -> None:
    settings = StsClientSettings(url="http://127.0.0.1:9", retries=0)
    one = StsClient(settings, "demo", StreamSettings(), time.monotonic_ns)
    with pytest.raises(StsError) as caught:
        await dub(one)
    await one.close()
    assert (caught.value.code, caught.value.retryable) == ("UNAVAILABLE", True)


LANGUAGES = b'{"pairs": [{"source": "en", "target": "pt-BR"}]}'
VOICES = b'{"voices": [{"name": "pf_dora", "language": "pt-BR", "gender": "female"}]}'


@pytest.mark.parametrize(
    ("policy", "pages", "words"),
    [
        ({"target_language": "pt-BR"}, (Reply(200, LANGUAGES), Reply(200, VOICES)), ""),
        ({"target_language": "xx"}, (Reply(200, LANGUAGES), Reply(200, VOICES)), "en to pt-BR"),
        ({"voice": "nobody"}, (Reply(200, LANGUAGES), Reply(200, VOICES)), "default, pf_dora"),
        ({"voice": "nobody"}, (Reply(200, LANGUAGES), Reply(200, b"{")), ""),
        ({"voice": "nobody"}, (Reply(200, LANGUAGES), Reply(403, b"")), ""),
        ({"voice": "nobody"}, (Reply(200, b" " * 2_000_000), Reply(200, VOICES)), ""),
    ],
)
async def test_a_policy_is_refused_only_by_a_service_that_says_what_it_has(
    policy: dict[str, str], pages: tuple[Reply, Reply], words: str
) -> None:
    told = dict(zip(("/api/v1/languages", "/api/v1/voices"), pages, strict=True))
    with ScriptedSts(lambda r, c: success(r), pages=told) as server:
        settings = StsClientSettings(url="http://127.0.0.1:9", fallback_urls=(server.url,))
        wanted = StreamSettings.model_validate(policy)
        one = StsClient(settings, "demo", wanted, time.monotonic_ns)
        why_not = await one.why_not()
        await one.close()
    assert words in why_not
    assert bool(words) == bool(why_not)


async def test_a_deadline_that_has_passed_sends_nothing() -> None:
    async with client(lambda r, c: success(r)) as (server, one):
        with pytest.raises(StsError, match="deadline"):
            await dub(one, deadline_s=0.0)
    assert server.requests == []


@pytest.mark.parametrize(
    "script",
    [
        lambda r, c: refusal(400, "INVALID_INPUT", retryable=False),
        lambda r, c: success(r, fragment_id="another"),
        lambda r, c: Reply(200, b"{"),
        lambda r, c: success(r, tone(9, RATE)),
    ],
)
async def test_a_failed_call_lets_its_fragment_go_without_the_collector(script: Script) -> None:
    async with client(script) as (_, one):
        audio = np.zeros(RATE, np.int16)
        held = weakref.ref(audio)
        deadline = time.monotonic_ns() + round(20 * UNIT * S)
        gc.collect()
        gc.disable()
        try:
            with pytest.raises(StsError):
                await one.dub(work(deadline, audio=audio))
            del audio
            assert held() is None
        finally:
            gc.enable()
