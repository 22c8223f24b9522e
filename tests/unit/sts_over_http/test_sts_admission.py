"""Who is let in over HTTP: the key, how many at a time, what can be done in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from dubcast.contract.stream_reply import MEDIA_TYPE
from dubcast.sts.admission import BODY_TIMEOUT_S, Admission, Guard
from dubcast.sts.app import create_app
from dubcast.sts.capacity import Cost
from dubcast.sts.engine import Engine
from dubcast.testing import virtual_loop
from sts_fakes import Script, settings
from sts_http import JSON, URL, admitted, body_of, client_of, error_of, post


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
    async with client_of(engine, api_key="secret") as client:
        for reply in (
            await post(client, body_of(), **headers),
            await client.get("/api/v1/voices", headers=headers),
        ):
            assert reply.status_code == status
            if status != 200:
                error_of(reply, status, "UNAUTHORIZED")
                assert "secret" not in reply.text
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/metrics")).status_code == 200


async def test_more_than_max_pending_are_refused(engine: Engine, script: Script) -> None:
    free = threading.Event()
    script.hooks["asr"] = lambda _: free.wait(5)
    async with client_of(engine, max_pending=2) as client:
        inside = [asyncio.create_task(post(client, body_of({"fragment_id": n}))) for n in "ab"]
        await admitted(client, 2)
        reply = await post(client, body_of({"fragment_id": "c"}))
        body = error_of(reply, 503, "OVERLOADED")
        assert body.error.retryable
        assert 1 <= int(reply.headers["retry-after"]) <= 10
        free.set()
        assert [(await task).status_code for task in inside] == [200, 200]
        assert (await post(client, body_of({"fragment_id": "c"}))).status_code == 200


async def test_what_cannot_be_done_in_time_is_refused_at_once(
    engine: Engine, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fragment takes 5 s of synthesis, and one is under way."""
    costs = {stage.name: Cost(0.0, 0.0) for stage in engine.stages} | {"tts": Cost(29.0, 29.0)}
    monkeypatch.setattr(engine, "costs", lambda: costs)
    free = threading.Event()
    script.hooks["asr"] = lambda _: free.wait(5)
    async with client_of(engine) as client:
        inside = asyncio.create_task(post(client, body_of({"fragment_id": "a"})))
        await admitted(client, 1)
        await asyncio.to_thread(script.wait_for, "asr")
        for accept in ("*/*", MEDIA_TYPE):
            fit = {"fragment_id": "b", "config": {"duration_policy": "fit"}, "timeout_ms": 8000}
            reply = await post(client, body_of(fit), accept=accept)
            body = error_of(reply, 503, "OVERLOADED")
            assert (body.fragment_id, reply.headers["retry-after"]) == ("b", "3")
        # One that is under way already is no new one.
        again = asyncio.create_task(post(client, body_of({"fragment_id": "a"})))
        await admitted(client, 2)
        free.set()
        assert [(await task).status_code for task in (inside, again)] == [200, 200]


async def test_a_burst_cannot_pass_the_bound_together(engine: Engine, script: Script) -> None:
    free = threading.Event()
    script.hooks["asr"] = lambda _: free.wait(5)
    async with client_of(engine, max_pending=3) as client:
        burst = [
            asyncio.create_task(post(client, body_of({"fragment_id": f"f{i}"}))) for i in range(12)
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

    error_of(virtual_loop.run(send(), loop), 400, "INVALID_INPUT")
    assert admission.pending == 0
    assert loop.time() < BODY_TIMEOUT_S + 5


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
