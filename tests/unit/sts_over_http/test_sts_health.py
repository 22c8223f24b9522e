"""What those who watch over the service are told."""

from __future__ import annotations

import threading
from typing import Any

import httpx2
import pytest

from dubcast.sts.engine import Engine
from sts_fakes import Script, fake_engine
from sts_http import body_of, client_of, error_of, post


async def test_health_while_loading_ready_and_draining(script: Script) -> None:
    free = threading.Event()
    script.hooks["load asr"] = lambda _: free.wait(5)
    engine = fake_engine(script)
    engine.start()
    async with client_of(engine) as client:

        async def codes() -> list[int]:
            paths = ("/livez", "/readyz", "/health", "/ping")
            return [(await client.get(path)).status_code for path in paths]

        assert await codes() == [200, 503, 503, 204]
        body = error_of(await post(client, body_of()), 503, "OVERLOADED")
        assert "loading" in body.error.message
        free.set()
        assert engine.wait(5) == "ready"
        assert await codes() == [200, 200, 200, 200]
        client.service.draining = True  # type: ignore[attr-defined]
        assert await codes() == [200, 503, 503, 503]
        reply = await post(client, body_of())
        assert "draining" in error_of(reply, 503, "OVERLOADED").error.message
        assert "retry-after" in reply.headers
    engine.stop()


async def test_a_failed_model_is_not_ready(script: Script) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("no")

    script.hooks["load asr"] = fail
    engine = fake_engine(script)
    engine.start()
    assert engine.wait(5) == "failed"
    async with client_of(engine) as client:
        assert (await client.get("/ping")).status_code == 503
        assert (await client.get("/readyz")).text == "failed\n"
    engine.stop()


async def test_outcomes_are_counted(client: httpx2.AsyncClient, script: Script) -> None:
    await post(client, body_of())
    script.speech = False
    await post(client, body_of({"fragment_id": "f2"}))
    await post(client, b"{")
    await post(client, b"{", **{"content-type": "text/plain"})
    text = (await client.get("/metrics")).text
    for outcome, count in (("success", 1), ("no_speech", 1), ("invalid_input", 2)):
        assert f'dubcast_sts_requests_total{{outcome="{outcome}"}} {count}.0' in text
    assert "dubcast_sts_audio_seconds_total 1.0" in text


async def test_readyz_says_what_is_waited_for(
    engine: Engine, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.asr, "state", "loading")
    engine.asr.waits_for = "asr.openai at http://h/v1: connection refused"
    reply = await client.get("/readyz")
    assert reply.status_code == 503
    assert reply.text == "loading: waits for asr.openai at http://h/v1: connection refused\n"
