"""One endpoint of the speech service: its connections, its breaker, its health pings.

Foreign errors become `StsError` here, and every call ends with a verdict for the breaker.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

import httpx2
from pydantic import ValidationError

from dubcast import log
from dubcast.breaker import FAIR_TIME_S, Breaker, Ticket, Verdict
from dubcast.certificates import trusted
from dubcast.config import StsClientSettings, without_key
from dubcast.contract.errors import meaning_of
from dubcast.contract.sts import StsErrorBody
from dubcast.contract.worker import BreakerState, EndpointStatus
from dubcast.errors import StsError
from dubcast.retry_after import retry_after_s
from dubcast.worker.reply_check import invalid_reply

_PROCESS = "/api/v1/sts/process"
_PING_TIMEOUT_S = 0.5
_PAGE_TIMEOUT_S = 3.0
_MAX_PAGE_BYTES = 1024 * 1024
_MAX_ERROR_BYTES = 64 * 1024
# What it says by these, with a Retry-After, is no fault of its.
_BUSY = ("OVERLOADED", "UNAVAILABLE")
_VERDICTS = {
    "INVALID_INPUT": Verdict.OURS,
    "OTHER_REPLY": Verdict.OURS,  # the fault is of the endpoint that broke off
    "UNAUTHORIZED": Verdict.KEY_REFUSED,
}

_log = log.get("sts_client")

Told = TypeVar("Told", covariant=True)


class Answer(Protocol[Told]):
    """Takes the reply to one call, piece by piece. Each may raise StsError."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What the call asks for."""

    @property
    def why_late(self) -> str:
        """What is said when patience is at its end."""

    @property
    def lives(self) -> bool:
        """Whether each piece of the body is a sign of life, and changes how long to wait."""

    @property
    def has_ended(self) -> bool:
        """Whether all has come, though the body goes on."""

    def patience_s(self) -> float:
        """How long to wait for more, from now."""

    def begins(self, media_type: str) -> None:
        """The service has taken the call, and answers in this type."""

    def feed(self, data: bytes) -> None:
        """A piece of the body."""

    def end(self) -> Told:
        """The body is over."""


class Endpoint:
    """A base URL with a breaker of its own. `now`: monotonic ns. Call `close` at the end."""

    def __init__(
        self,
        url: str,
        settings: StsClientSettings,
        headers: dict[str, str],
        now: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self.name = log.redact_url(url)
        self.breaker = Breaker(settings.breaker, now, rng)
        self.streams: bool | None = None  # whether it answers clause by clause; None: not known
        self._settings = settings
        self._pinger: asyncio.Task[None] | None = None
        # Packed bodies could unfold into gigabytes before they can be measured.
        headers = {**headers, "Accept-Encoding": "identity"}
        self._http = httpx2.AsyncClient(
            base_url=url, headers=headers, trust_env=False, verify=trusted()
        )

    async def close(self) -> None:
        """Stop pinging and close the connections; closing twice is harmless."""
        if self._pinger is not None:
            self._pinger.cancel()
            await asyncio.gather(self._pinger, return_exceptions=True)
        await self._http.aclose()

    async def post(self, body: bytes, answer: Answer[Told]) -> Told:
        """What `answer` makes of a reply. Raises StsError.

        Cancelling is safe: the connection is closed, and the service drops what nobody awaits.
        """
        try:
            async with (
                asyncio.timeout(answer.patience_s()) as patience,
                self._http.stream(
                    *("POST", _PROCESS), content=body, headers=answer.headers, timeout=None
                ) as reply,
            ):
                if reply.status_code != 200:
                    raise _refusal(reply, await _read(reply, _MAX_ERROR_BYTES, cut=True))
                return await self._told(reply, answer, patience)
        except TimeoutError:
            if answer.has_ended:
                return answer.end()
            raise StsError("TIMEOUT", answer.why_late, retryable=False) from None
        except httpx2.HTTPError as error:
            if answer.has_ended:
                return answer.end()
            message = f"the speech service cannot be reached: {self._words(error)}"
            raise StsError("UNAVAILABLE", message, retryable=True) from error

    async def _told(
        self, reply: httpx2.Response, answer: Answer[Told], patience: asyncio.Timeout
    ) -> Told:
        """Feed a reply to `answer` as it comes."""
        _refuse_packed(reply)
        answer.begins(reply.headers.get("Content-Type", ""))
        loop = asyncio.get_running_loop()
        try:
            patience.reschedule(loop.time() + answer.patience_s())
            async for chunk in reply.aiter_raw():
                answer.feed(chunk)
                if answer.lives:
                    patience.reschedule(loop.time() + answer.patience_s())
            return answer.end()
        except StsError:
            # What comes next on this connection may be the rest of what is wrong.
            await reply.extensions["network_stream"].aclose()
            raise

    async def get(self, path: str) -> bytes:
        """The body of a page, at most 1 MiB. Raises StsError; the breaker has no say."""
        try:
            async with (
                asyncio.timeout(_PAGE_TIMEOUT_S),
                self._http.stream("GET", path, timeout=None) as reply,
            ):
                body = await _read(reply, _MAX_PAGE_BYTES)
                if reply.status_code != 200:
                    raise _refusal(reply, body)
                return body
        except (TimeoutError, httpx2.HTTPError) as error:
            message = f"{path} cannot be read: {self._words(error)}"
            raise StsError("UNAVAILABLE", message, retryable=True) from error

    def report(self, ticket: Ticket, verdict: Verdict, retry_after_s: float | None) -> None:
        """A call is over; starts pinging if the breaker has opened."""
        before = self.breaker.state
        self.breaker.report(ticket, verdict, retry_after_s)
        if self.breaker.state is before:
            return
        told = self.status().model_dump(mode="json", exclude={"url"})
        _log.warning("breaker", endpoint=self.name, **told, before=before.value)
        if self.breaker.alert:
            _log.error("the speech service refuses the key; set sts.api_key", endpoint=self.name)
        pinging = self._pinger is not None and not self._pinger.done()
        if self.breaker.state is BreakerState.OPEN and self._settings.ping_s and not pinging:
            self._pinger = asyncio.create_task(self._watch(), name="sts-ping")

    def verdict(self, error: StsError, timeout_s: float) -> Verdict:
        """What a failed call, which had `timeout_s`, says about the endpoint."""
        fair_s = min(FAIR_TIME_S, self._settings.timeout_s or FAIR_TIME_S)
        if error.code == "TIMEOUT" and timeout_s < fair_s:
            return Verdict.OURS
        if error.code in _BUSY and error.retry_after_s:
            return Verdict.BUSY
        return _VERDICTS.get(error.code, Verdict.BAD)

    def status(self) -> EndpointStatus:
        """The breaker as it is told, without keys."""
        return EndpointStatus(
            url=self.name,
            state=self.breaker.state,
            alert=self.breaker.alert,
            retry_in_s=round(self.breaker.retry_in_s, 1),
        )

    async def ping(self) -> bool:
        """Whether the service says that it is ready."""
        for path in ("/readyz", "/ping"):
            try:
                async with (
                    asyncio.timeout(_PING_TIMEOUT_S),
                    self._http.stream("GET", path) as reply,
                ):
                    status = reply.status_code
            except (TimeoutError, httpx2.HTTPError):
                return False
            if status != 404:
                return status == 200
        return False

    def _words(self, error: Exception) -> str:
        return without_key(str(error) or type(error).__name__, self._settings.api_key)

    async def _watch(self) -> None:
        while self.breaker.state is BreakerState.OPEN:
            await asyncio.sleep(self._settings.ping_s)
            self.breaker.ping(await self.ping())


async def _read(reply: httpx2.Response, limit: int, *, cut: bool = False) -> bytes:
    """The body; beyond `limit` bytes it is cut, or an error."""
    _refuse_packed(reply)
    held = bytearray()
    async for chunk in reply.aiter_raw():
        held += chunk
        if len(held) > limit:
            if cut:
                break
            raise invalid_reply(f"the reply is larger than {limit} bytes")
    return bytes(held[:limit])


def _refuse_packed(reply: httpx2.Response) -> None:
    if reply.headers.get("Content-Encoding", "identity") != "identity":
        raise invalid_reply("the reply is packed though that was not asked for")


def _refusal(reply: httpx2.Response, body: bytes) -> StsError:
    meaning = meaning_of(reply.status_code)
    code, message = meaning.code, f"HTTP {reply.status_code}"
    retryable, stage = meaning.retryable, None
    with contextlib.suppress(ValidationError):
        detail = StsErrorBody.model_validate_json(body).error
        message, stage = detail.message[:500], detail.stage
        if _VERDICTS.get(detail.code) is _VERDICTS.get(code):
            code = detail.code
        if meaning.retryable:
            retryable = detail.retryable
    after_s = retry_after_s(reply.headers)
    return StsError(code, message, retryable=retryable, stage=stage, retry_after_s=after_s)
