"""Bodies of ASGI requests, read up to a limit before anything looks at them."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyTooLarge(Exception):
    """The body is, or says that it is, larger than the limit."""


class ClientGone(Exception):
    """The client hung up while it sent its request."""


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body. Raises BodyTooLarge, before it is read where its length is declared, and
    ClientGone."""
    if _declares_more(scope["headers"], limit):
        raise BodyTooLarge
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(body)


def _declares_more(headers: Iterable[tuple[bytes, bytes]], limit: int) -> bool:
    lengths = [value for name, value in headers if name.lower() == b"content-length"]
    return any(not one.isdigit() or int(one) > limit for one in lengths)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read, then goes on with the real one."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


class BodyLimit:
    """ASGI middleware: refuses a body that is larger than `limit` bytes with 413."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await read_body(scope, receive, self._limit)
        except BodyTooLarge:
            await _too_large(send)
        except ClientGone:
            return
        else:
            await self._app(scope, replay(body, receive), send)


async def _too_large(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"detail":"body too large"}'})
