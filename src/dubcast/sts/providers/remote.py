"""A service elsewhere, called over HTTP: by its deadline, behind a breaker, counted and priced.

All calls of one service run on one loop in a thread of its own, so that a call ends at its time
whatever the other side does, and any number of the stage's threads may call.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2

from dubcast import log
from dubcast.addresses import is_this_machine
from dubcast.breaker import FAIR_TIME_S, Breaker, Verdict
from dubcast.certificates import trusted
from dubcast.config import BreakerSettings, RemoteSettings, without_key
from dubcast.contract.worker import BreakerState
from dubcast.errors import ConfigError, NotReachableError, StsError
from dubcast.metrics import StsMetrics
from dubcast.retry_after import retry_after_s
from dubcast.sts.providers.registry import Setup

# Two minutes of speech in 48 kHz are 12 MB.
_MOST_BYTES = 32 * 2**20
_LOOK_S, _CLOSE_S = 5.0, 1.0
# Between two tries; and what a try is not begun with less of.
_PAUSE_S, _LEAST_S = 0.1, 0.3
_TOLD = 300
_BREAKER = BreakerSettings()

T = TypeVar("T")


@dataclass(frozen=True)
class Ask:
    """A request: `options` are httpx's (`json`, `data`, `files`)."""

    method: str
    path: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Got:
    """The body of a good reply."""

    body: bytes
    content_type: str = ""

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises BadReply."""
        return self._parsed(dict)

    def items(self) -> list[Any]:
        """The body as a list. Raises BadReply."""
        return self._parsed(list)

    def _parsed(self, kind: type[T]) -> T:
        try:
            told = json.loads(self.body)
            if b"\\u" in self.body:  # half of a pair is no text: nothing can be made of it later
                json.dumps(told, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise BadReply("its reply is not JSON") from None
        if not isinstance(told, kind):
            raise BadReply(f"its reply is no {kind.__name__} of JSON")
        return told


class BadReply(Exception):
    """What came is not what was asked for; the text says why."""


class _Failed(Exception):
    """A call failed: what it is for the fragment, and what it says about the service."""

    def __init__(self, error: StsError, verdict: Verdict, outcome: str) -> None:
        super().__init__(str(error))
        self.error = error
        self.verdict = verdict
        self.outcome = outcome


class Remote:
    """The service that does a stage's work. `asks_for`: what it has to know, for messages.

    Raises ConfigError if the settings name no address.
    """

    def __init__(self, stage: str, provider: str, setup: Setup, asks_for: str = "") -> None:
        settings = setup.remote or RemoteSettings()
        self.key = f"sts_server.remote.{stage}"
        if settings.url is None:
            raise ConfigError(f"{self.key}.url is not set: the address of {stage}.{provider}")
        self._settings = settings
        self._base = settings.url
        self._asks_for = asks_for
        self.name = f"{stage}.{provider} at {settings.url}"
        self._labels = (stage, provider)
        self._metrics = setup.metrics or StsMetrics()
        self._breaker = Breaker(_BREAKER, time.monotonic_ns, random.Random())
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx2.AsyncClient | None = None
        self._failure = ""  # what the last call that failed says, for those that are not made
        self._metrics.looks.append(self._show_breaker)
        self._show_breaker()

    @property
    def is_v1(self) -> bool:
        """Whether its address ends as that of an OpenAI-compatible service does, as a rule."""
        return self._base.endswith("/v1")

    # -- from the stage's threads --------------------------------------------------------

    def call(self, ask: Ask, read: Callable[[Got], T], left_s: float) -> T:
        """What `read` makes of the reply, within `left_s` seconds, tried again if there is time.

        `read` raises BadReply. Raises StsError.
        """
        return self._run(self._tried(ask, read, left_s))

    def look(self, path: str) -> Got | None:
        """A page of the service that tells what it has; None if it has no such page.

        Raises NotReachableError if it does not answer, ConfigError if it refuses the key.
        """
        return self._run(self._looked(Ask("GET", path, {})))

    def spend(self, amount: float) -> None:
        """Count what a reply cost, in the currency of the settings."""
        self._metrics.provider_cost.labels(*self._labels).inc(amount)

    def close(self) -> None:
        """End the calls under way and the connections. Closing twice is harmless."""
        with self._lock:
            loop, self._loop = self._loop, None
            client, self._client = self._client, None
        if loop is not None and client is not None:
            closing = asyncio.run_coroutine_threadsafe(client.aclose(), loop)
            with contextlib.suppress(TimeoutError):
                closing.result(_CLOSE_S)
            loop.call_soon_threadsafe(loop.stop)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        with self._lock:
            if self._loop is None:
                self._open()
            assert self._loop is not None
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result()

    def _open(self) -> None:
        key, local = self._settings.api_key, is_this_machine(urlsplit(self._base).hostname)
        self._loop = asyncio.new_event_loop()
        self._client = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {key.get_secret_value()}"} if key else {},
            verify=trusted(env=True),
            timeout=None,  # a call has one deadline for all of it
            trust_env=not local,  # a proxy of this machine's is for what lies beyond it
        )
        name = f"remote-{self._labels[0]}"
        threading.Thread(target=_serve, args=(self._loop,), name=name, daemon=True).start()

    # -- on the loop ---------------------------------------------------------------------

    async def _tried(self, ask: Ask, read: Callable[[Got], T], left_s: float) -> T:
        until = time.monotonic() + left_s
        for tries_left in range(self._settings.retries, -1, -1):
            try:
                return await self._once(ask, read, until)
            except StsError as error:
                pause_s = max(error.retry_after_s or 0.0, _PAUSE_S)
                in_time = time.monotonic() + pause_s + _LEAST_S < until
                if not (tries_left and error.retryable and in_time):
                    raise
                await asyncio.sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    async def _once(self, ask: Ask, read: Callable[[Got], T], until: float) -> T:
        ticket = self._breaker.admit()
        self._show_breaker()
        if ticket is None:
            raise self._left_alone()
        begun = time.monotonic()
        allowed_s = min(until - begun, self._settings.timeout_s)
        verdict, outcome, after_s = Verdict.OURS, "given_up", None
        try:
            told = await self._timed(ask, read, allowed_s)
            slow = time.monotonic() - begun > _BREAKER.slow_ratio * allowed_s
            late = slow and self._is_fair(allowed_s)
            verdict, outcome = Verdict.SLOW if late else Verdict.GOOD, "success"
        except _Failed as failed:
            verdict, outcome, after_s = failed.verdict, failed.outcome, failed.error.retry_after_s
            if verdict is not Verdict.OURS:
                self._failure = str(failed).removeprefix(f"{self.name}: ")
            raise failed.error from failed.__cause__
        finally:
            self._breaker.report(ticket, verdict, after_s)
            self._show_breaker()
            self._metrics.provider_calls.labels(*self._labels, outcome).inc()
        return told

    async def _timed(self, ask: Ask, read: Callable[[Got], T], allowed_s: float) -> T:
        """One try. Raises _Failed."""
        try:
            async with asyncio.timeout(allowed_s):
                got = await self._exchange(ask)
            return read(got)
        except TimeoutError:
            verdict = Verdict.BAD if self._is_fair(allowed_s) else Verdict.OURS
            error = self._error(f"no reply within {allowed_s:.1f} s", "TIMEOUT")
            raise _Failed(error, verdict, "timeout") from None
        except (httpx2.HTTPError, BadReply) as cause:
            broken = "bad_reply" if isinstance(cause, BadReply) else "unreachable"
            error = self._error(self._masked(_words(cause)))
            raise _Failed(error, Verdict.BAD, broken) from cause

    def _is_fair(self, allowed_s: float) -> bool:
        """Whether a call had time enough to say something about the service."""
        return allowed_s >= min(FAIR_TIME_S, self._settings.timeout_s)

    async def _exchange(self, ask: Ask) -> Got:
        """The reply, if it is a good one. Raises _Failed, BadReply and httpx2.HTTPError."""
        assert self._client is not None
        url = f"{self._base}{ask.path}"
        async with self._client.stream(ask.method, url, **ask.options) as reply:
            held = bytearray()
            async for chunk in reply.aiter_bytes():
                held += chunk
                if len(held) > _MOST_BYTES:
                    raise BadReply(f"its reply is larger than {_MOST_BYTES} bytes")
            if reply.status_code != 200:
                raise self._refused(reply.status_code, reply.headers, bytes(held))
            return Got(bytes(held), reply.headers.get("Content-Type", ""))

    async def _looked(self, ask: Ask) -> Got | None:
        try:
            return await self._timed(ask, lambda got: got, _LOOK_S)
        except _Failed as failed:
            if failed.verdict is Verdict.KEY_REFUSED:
                raise ConfigError(str(failed)) from failed
            if failed.outcome in ("http_404", "http_405"):
                return None
            raise NotReachableError(str(failed)) from failed

    # -- what it says --------------------------------------------------------------------

    def _refused(self, status: int, headers: httpx2.Headers, body: bytes) -> _Failed:
        outcome, told = f"http_{status}", self._masked(_told(body))
        if status in (401, 403):
            error = self._error(f"HTTP {status}: {self._of_the_key(status)}{told}")
            error.retryable = False
            return _Failed(error, Verdict.KEY_REFUSED, outcome)
        after_s = retry_after_s(headers)
        if status == 429 or (status == 503 and after_s):
            why = "too many calls, or the account is empty" if status == 429 else "it is busy"
            error = self._error(f"HTTP {status}: {why}{told}", "OVERLOADED")
            error.retry_after_s = after_s
            return _Failed(error, Verdict.BUSY if after_s else Verdict.BAD, outcome)
        if status >= 500 or status == 408:
            return _Failed(self._error(f"HTTP {status}{told}"), Verdict.BAD, outcome)
        asked = f" (asked for {self._asks_for})" if self._asks_for else ""
        error = self._error(f"HTTP {status}{told}{asked}")
        error.retryable = False
        # One text that it refuses says nothing; an address or a model that is not there does.
        verdict = Verdict.BAD if status < 400 or status == 404 else Verdict.OURS
        return _Failed(error, verdict, outcome)

    def _of_the_key(self, status: int) -> str:
        setting = f"{self.key}.api_key"
        if self._settings.api_key is None:
            return f"it refuses to serve without a key, and {setting} is not set"
        return f"it refuses the key in {setting}{', or what it is to open' * (status == 403)}"

    def _left_alone(self) -> StsError:
        why = "it is busy" if self._breaker.busy else "it failed several times in a row"
        reason = self._breaker.alert or why
        told = f" ({self._failure})" if self._failure else ""
        error = self._error(f"is left alone for now: {reason}{told}", "OVERLOADED")
        error.retry_after_s = max(self._breaker.retry_in_s, 1.0)
        return error

    def _error(self, text: str, code: str = "MODEL_ERROR") -> StsError:
        return StsError(code, f"{self.name}: {text}", retryable=True)

    def _masked(self, text: str) -> str:
        """Some services repeat the key that they refuse, and some errors the header."""
        return without_key(text, self._settings.api_key)

    def _show_breaker(self) -> None:
        for state in BreakerState:
            gauge = self._metrics.provider_breaker.labels(*self._labels, state.value)
            gauge.set(state is self._breaker.shown)
        left_alone = self._metrics.provider_left_alone.labels(*self._labels)
        left_alone.set(self._breaker.retry_in_s)


def look_for_model(remote: Remote, model: str) -> None:
    """See that an OpenAI-compatible service answers and has a model, if it lists what it has.

    Raises NotReachableError and ConfigError.
    """
    got = remote.look("/models")
    if got is None:
        log.get("remote").warning("lists_no_models", service=remote.name, asked_for=model)
        return
    try:
        entries = got.json().get("data") or []
        names = [str(entry["id"]) for entry in entries]
    except (BadReply, TypeError, KeyError) as error:
        hint = "" if remote.is_v1 else f": is the /v1 missing in {remote.key}.url?"
        raise NotReachableError(
            f"{remote.name}: its list of models cannot be read ({error}){hint}"
        ) from error
    if names and model not in names:
        shown = ", ".join(sorted(names)[:20])
        raise ConfigError(f"{remote.key}.model = {model!r}: {remote.name} has: {shown}")


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _told(body: bytes) -> str:
    """What a refusal says, as `: text`; nothing if it cannot be read."""
    with contextlib.suppress(ValueError, AttributeError, RecursionError):
        error = json.loads(body).get("error")
        text = error.get("message") if isinstance(error, dict) else error
        if isinstance(text, str) and text.strip():
            shown = " ".join(text.split())[:_TOLD]
            return ": " + shown.encode(errors="replace").decode()
    return ""
