"""The limit on bodies of requests, fed as a server feeds them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from starlette.types import Message

from dubcast.asgi_body import BodyLimit, BodyTooLarge, ClientGone, read_body, replay

LIMIT = 10
GONE: Message = {"type": "http.disconnect"}


class Client:
    """What a client sends, piece by piece; after that it has hung up."""

    def __init__(self, *pieces: bytes, cut: bool = False) -> None:
        last = len(pieces) - 1
        self.left: list[Message] = [
            {"type": "http.request", "body": piece, "more_body": cut or i < last}
            for i, piece in enumerate(pieces)
        ]

    async def receive(self) -> Message:
        return self.left.pop(0) if self.left else GONE


def scope(*lengths: bytes) -> dict[str, Any]:
    return {"type": "http", "headers": [(b"Content-Length", one) for one in lengths]}


async def test_a_body_of_several_pieces_up_to_the_limit() -> None:
    assert await read_body(scope(b"10"), Client(b"12345", b"", b"67890").receive, LIMIT) == (
        b"1234567890"
    )
    assert await read_body(scope(), Client(b"").receive, LIMIT) == b""


@pytest.mark.parametrize("lengths", [[b"11"], [b"-1"], [b"x"], [b""], [b"5", b"99"]])
async def test_a_declared_length_is_enough(lengths: Iterable[bytes]) -> None:
    client = Client(b"1")
    with pytest.raises(BodyTooLarge):
        await read_body(scope(*lengths), client.receive, LIMIT)
    assert len(client.left) == 1  # nothing was read


async def test_one_that_declares_nothing_is_cut_off() -> None:
    client = Client(*[b"123"] * 100)
    with pytest.raises(BodyTooLarge):
        await read_body(scope(), client.receive, LIMIT)
    assert len(client.left) == 96


async def test_half_a_body_is_none() -> None:
    with pytest.raises(ClientGone):
        await read_body(scope(b"9"), Client(b"123", cut=True).receive, LIMIT)


async def test_what_was_read_is_given_once_then_the_real_rest() -> None:
    receive = replay(b"abc", Client().receive)
    first = await receive()
    assert (first["body"], first["more_body"]) == (b"abc", False)
    assert await receive() == GONE


@pytest.mark.parametrize(
    ("client", "statuses", "seen"),
    [
        (Client(b"12345"), [200], [b"12345"]),
        (Client(b"x" * 11), [413], []),
        (Client(b"123", cut=True), [], []),  # nobody is left to be answered
    ],
)
async def test_the_middleware(client: Client, statuses: list[int], seen: list[bytes]) -> None:
    bodies: list[bytes] = []
    sent: list[Message] = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        sent.append(message)

    await BodyLimit(app, LIMIT)(scope(), client.receive, send)
    assert [one["status"] for one in sent if "status" in one] == statuses
    assert bodies == seen
