"""The small HTTP server, over real sockets."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator

import pytest

from dubcast.small_http import MAX_BODY_BYTES, Reply, SmallServer


@pytest.fixture
def server() -> Iterator[SmallServer]:
    def get(path: str, body: bytes) -> Reply:
        return Reply(200, f"{path} {len(body)}".encode(), "text/x-path")

    def post(path: str, body: bytes) -> Reply:
        return Reply(204) if body == b"quiet" else Reply(200, body)

    one = SmallServer("small", "127.0.0.1", 0, {"GET": get, "POST": post})
    one.start()
    yield one
    one.close()


def ask(server: SmallServer, method: str, body: bytes | None = None, **headers: str) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.putrequest(method, "/a?b=c")
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        reply = connection.getresponse()
        return Reply(reply.status, reply.read(), reply.headers.get("Content-Type", ""))
    finally:
        connection.close()


def test_each_method_has_its_answer(server: SmallServer) -> None:
    assert ask(server, "GET") == Reply(200, b"/a?b=c 0", "text/x-path")
    assert ask(server, "POST", b"hello", Content_Length="5") == Reply(200, b"hello", "text/plain")
    assert ask(server, "POST", b"quiet", Content_Length="5") == Reply(204, b"", "")
    assert ask(server, "DELETE").code == 501


@pytest.mark.parametrize("length", [None, "x", "-1", "\xb2", str(MAX_BODY_BYTES + 1)])
def test_a_body_of_unknown_or_too_great_a_length_is_not_read(
    server: SmallServer, length: str | None
) -> None:
    headers = {} if length is None else {"Content_Length": length}
    assert ask(server, "POST", **headers).code == 413


def test_a_body_of_the_greatest_length(server: SmallServer) -> None:
    body = b"x" * MAX_BODY_BYTES
    assert ask(server, "POST", body, Content_Length=str(len(body))).body == body


def test_a_server_that_is_closed_is_gone_and_may_be_closed_again(server: SmallServer) -> None:
    server.close()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        ask(server, "GET")
    assert not any(one.name == "small" for one in threading.enumerate())


def test_one_that_was_never_started_can_be_closed() -> None:
    SmallServer("small", "127.0.0.1", 0, {}).close()


def test_who_is_not_admitted_is_not_heard() -> None:
    heard: list[bytes] = []

    def post(_path: str, body: bytes) -> Reply:
        heard.append(body)
        return Reply(204)

    one = SmallServer("small", "127.0.0.1", 0, {"POST": post}, admits=lambda key: key == "ours")
    one.start()
    try:
        assert ask(one, "POST", b"a", Content_Length="1").code == 403
        assert ask(one, "POST", b"b", Content_Length="1", Authorization="theirs").code == 403
        assert ask(one, "POST", b"c", Content_Length="1", Authorization="ours").code == 204
        assert heard == [b"c"]
    finally:
        one.close()
