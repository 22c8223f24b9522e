"""Who may come in: key, content type, number at a time, size. An ASGI middleware.

These are decided before the body is read, and the number is counted before the first await,
so that a burst cannot pass the bound together.
"""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dubcast import log
from dubcast.asgi_body import BodyTooLarge, ClientGone, read_body, replay
from dubcast.contract import fragment_form
from dubcast.contract.sts import MAX_BODY_BYTES
from dubcast.errors import StsError
from dubcast.sts.http_errors import Refusal, error_reply

JSON, FORM = "application/json", fragment_form.MEDIA_TYPE
PROTECTED = "/api/"
PROCESS = "/api/v1/sts/process"
BODY_TIMEOUT_S = 15.0
# A client that takes nothing of its reply for so long is gone.
_SEND_TIMEOUT_S = 15.0
# A refused body is still read this far before the answer: a client that is cut off while it
# sends sees a reset connection instead of the reason.
_LINGER_BYTES = 4 * MAX_BODY_BYTES
_LINGER_S = 3.0
_LONGEST_RETRY_S = 10
_SMOOTHING = 0.2


class Admission:
    """Counts the requests inside. `refusal` says why nobody is let in now (loading, draining)."""

    def __init__(self, limit: int, refusal: Callable[[], str | None]) -> None:
        self._limit = limit
        self._refusal = refusal
        self._mean_s = 1.0
        self.pending = 0

    def enter(self) -> None:
        """Count one request in. Raises StsError OVERLOADED with a time to come back."""
        reason = self._refusal()
        if reason is None and self.pending >= self._limit:
            reason = f"{self.pending} requests are being processed, the most that are admitted"
        if reason is not None:
            raise StsError("OVERLOADED", reason, retryable=True, retry_after_s=self.retry_after_s())
        self.pending += 1

    def leave(self, took_s: float) -> None:
        """Count one request out; `took_s` seconds after it came."""
        self.pending -= 1
        self._mean_s += _SMOOTHING * (took_s - self._mean_s)

    def retry_after_s(self) -> int:
        """When a place will be free: about the time of one request, 1 to 10 s."""
        return min(max(1, math.ceil(self._mean_s)), _LONGEST_RETRY_S)


class Guard:
    """The middleware: authorization for `/api/`, admission and body for the process endpoint."""

    def __init__(
        self,
        app: ASGIApp,
        admission: Admission,
        api_key: str | None,
        on_refusal: Callable[[StsError], None],
        body_timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        self._app = app
        self._admission = admission
        self._api_key = api_key.encode() if api_key is not None else None
        self._on_refusal = on_refusal
        self._body_timeout_s = body_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PROTECTED):
            await self._app(scope, receive, send)
            return
        try:
            headers = {name.lower(): value for name, value in scope["headers"]}
            self._authorize(headers)
            if scope["path"] != PROCESS or scope["method"] != "POST":
                await self._app(scope, receive, send)
                return
            await self._admit(scope, headers, receive, send)
        except StsError as error:
            self._on_refusal(error)
            await _linger(receive)
            await error_reply(error)(scope, receive, send)
        except ClientGone:
            log.get("admission").info("client_gone")

    def _authorize(self, headers: dict[bytes, bytes]) -> None:
        if self._api_key is None:
            return
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        given = token.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"")
        if not given:
            message = "no key: send Authorization: Bearer <key>, or X-API-Key"
            raise Refusal(401, "UNAUTHORIZED", message)
        # Constant time: the reply must not tell how much of a key was right.
        if not hmac.compare_digest(given, self._api_key):
            raise Refusal(403, "UNAUTHORIZED", "the key is wrong")

    async def _admit(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        self._admission.enter()
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            _check_type(headers)
            body = await self._read(scope, receive)
            await self._app(scope, replay(body, receive), _impatient(send))
        finally:
            self._admission.leave(loop.time() - started)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """The body. Raises StsError if it is too large or does not come in time, ClientGone."""
        try:
            async with asyncio.timeout(self._body_timeout_s):
                return await read_body(scope, receive, MAX_BODY_BYTES)
        except BodyTooLarge:
            message = f"the body is larger than {MAX_BODY_BYTES} bytes"
            raise Refusal(413, "INVALID_INPUT", message) from None
        except TimeoutError:
            message = f"the body did not come within {self._body_timeout_s:g} s"
            raise Refusal(400, "INVALID_INPUT", message, retryable=True) from None


def content_type(header: str) -> str:
    """A media type without its parameters, in lower case."""
    return header.partition(";")[0].strip().lower()


def _check_type(headers: dict[bytes, bytes]) -> None:
    kind = content_type(headers.get(b"content-type", b"").decode("latin-1"))
    if kind not in (JSON, FORM):
        message = f"the content type must be {JSON} or {FORM}, not {kind or 'none'}"
        raise Refusal(415, "INVALID_INPUT", message)


def _impatient(send: Send) -> Send:
    """A `send` that raises ClientGone if a message is not taken."""

    async def timed(message: Message) -> None:
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await send(message)
        except TimeoutError:
            raise ClientGone from None

    return timed


async def _linger(receive: Receive) -> None:
    """Read and forget what a refused client still sends, within bounds."""
    size = 0
    try:
        async with asyncio.timeout(_LINGER_S):
            while size < _LINGER_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
