"""Who may publish while the orchestrator is away: real sockets, and a real media server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from dubcast.config import Secret, Settings
from dubcast.mediaserver.auth import access_of
from dubcast.mediaserver.auth_relay import AuthRelay
from dubcast.mediaserver.keys import USER
from rig import (
    KEY,
    SECRET,
    StubPlane,
    eventually,
    publisher,
    running_server,
    server_settings,
    stub_plane,
)

ACCESS = access_of(Settings.model_validate({"orchestrator": {"publish_key": KEY}}), Secret(SECRET))
AUTH = (USER, ACCESS.own.callback.get_secret_value())
QUESTION = {"ip": "192.0.2.1", "action": "publish", "path": "live/abc/in", "protocol": "rtmp"}


@pytest.fixture
def plane() -> Iterator[StubPlane]:
    with stub_plane() as one:
        yield one


def relay_to(upstream: str) -> AuthRelay:
    relay = AuthRelay(ACCESS, upstream)
    relay.start()
    return relay


def ask(relay: AuthRelay, **changes: Any) -> int:
    question = {**QUESTION, **changes}
    return httpx2.post(relay.url, json=question, auth=AUTH, trust_env=False).status_code


def nobody() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}/auth"


def test_the_orchestrators_word_is_passed_on(plane: StubPlane) -> None:
    relay = relay_to(f"{plane.base}/auth")
    try:
        plane.open_to_all = True  # not what our own rule would say
        assert ask(relay, query="key=wrong") == 200
        plane.open_to_all = False
        assert ask(relay, query="key=wrong") == 401
        assert plane.asked[-1]["query"] == "key=wrong"
    finally:
        relay.close()
        relay.close()


@pytest.mark.parametrize("silent", [False, True])
def test_without_it_the_same_rule_decides(silent: bool) -> None:
    """It is gone (refused at once), or stands still (accepted and never answered)."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    relay = relay_to(f"http://127.0.0.1:{port}/auth" if silent else nobody())
    try:
        assert ask(relay, query=f"key={KEY}") == 204
        assert ask(relay, query="key=wrong") == 401
        assert ask(relay) == 401
        assert ask(relay, action="read", path="live/abc/out") == 401
        assert ask(relay, action="read", path="live/abc/out", ip="127.0.0.1") == 204
    finally:
        relay.close()
        listener.close()


def test_who_is_not_our_media_server_gets_no_answer() -> None:
    relay = relay_to(nobody())
    try:
        for auth in (None, (USER, "guess"), (USER, ACCESS.own.api.get_secret_value())):
            question = {**QUESTION, "query": f"key={KEY}"}
            reply = httpx2.post(relay.url, json=question, auth=auth, trust_env=False)
            assert (reply.status_code, reply.content) == (403, b"")
    finally:
        relay.close()


def test_what_needs_no_orchestrator_is_answered_without_it(plane: StubPlane) -> None:
    relay = relay_to(f"{plane.base}/auth")
    try:
        assert ask(relay, action="api", password=ACCESS.own.api.get_secret_value()) == 204
        assert ask(relay, action="api", password=KEY) == 401
        assert ask(relay, action="read", path="live/abc/out") == 401
        assert plane.asked == []
    finally:
        relay.close()


def test_the_words_of_a_refusal_come_through(plane: StubPlane) -> None:
    for relay in (relay_to(f"{plane.base}/auth"), relay_to(nobody())):
        try:
            question = {**QUESTION, "path": "live/MyShow/in", "query": f"key={KEY}"}
            reply = httpx2.post(relay.url, json=question, auth=AUTH, trust_env=False)
            assert reply.status_code == 401
            assert "an id has no capital letters" in reply.text
        finally:
            relay.close()


def test_what_is_no_question_is_refused() -> None:
    relay = relay_to(nobody())
    try:
        for body in (b"", b"[]", b"{", json.dumps({"action": "x" * 100}).encode()):
            reply = httpx2.post(relay.url, content=body, auth=AUTH, trust_env=False)
            assert reply.status_code == 401
        big = httpx2.post(relay.url, content=b" " * 100_000, auth=AUTH, trust_env=False)
        assert big.status_code == 413
    finally:
        relay.close()


async def test_a_publisher_comes_back_while_the_orchestrator_is_down(
    server_kind: str, plane: StubPlane
) -> None:
    relay = relay_to(nobody())
    try:
        control = replace(plane.control(), auth_url=relay.url)
        async with running_server(server_settings(server_kind), control) as server:
            url = server.publish_url("live/abc/in")
            with publisher(f"{url}?key=wrong") as refused:
                assert await refused.ended() != 0
            for _ in range(2):
                with publisher(f"{url}?key={KEY}"):
                    await eventually(server.ready_paths)
                await eventually(lambda: _empty(server))
    finally:
        relay.close()


async def _empty(server: Any) -> bool:
    return not await server.ready_paths()
