"""Faults of a speech service by name, and when each strikes, for `ScriptedSts`.

A fault makes a reply from a request. A script says which fault strikes which call:

    ScriptedSts(by_number({0: hang(), 3: status(503, retry_after_s=20)}))
    ScriptedSts(flap(3, status(500)))
    ScriptedSts(when(lambda request: request["sequence_number"] % 2 == 0, html()))
    ScriptedSts(between(10.0, 70.0, status(500)))

Calls that no fault strikes get a well-formed dub. Times are seconds, levels linear.
"""

from __future__ import annotations

import base64
import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dubcast.clock import Clock, SystemClock, s_to_ns
from dubcast.contract.errors import meaning_of
from dubcast.testing.sts_server import Reply, Script, refusal, success, tone

Request = dict[str, Any]
Fault = Callable[[Request], Reply]

_FOREVER_S = 3600.0

# -- when a fault strikes ----------------------------------------------------------------


def always(fault: Fault) -> Script:
    """Every call."""
    return lambda request, call: fault(request)


def by_number(faults: Mapping[int, Fault], other: Fault = success) -> Script:
    """The calls with these numbers, from 0; `other` for the rest."""
    return lambda request, call: faults.get(call, other)(request)


def flap(every: int, fault: Fault, other: Fault = success) -> Script:
    """Every `every`-th call, the first included."""
    return lambda request, call: (other if call % every else fault)(request)


def when(matches: Callable[[Request], bool], fault: Fault, other: Fault = success) -> Script:
    """The calls whose request matches."""
    return lambda request, call: (fault if matches(request) else other)(request)


def between(
    start_s: float,
    stop_s: float,
    fault: Fault,
    other: Fault = success,
    clock: Clock | None = None,
) -> Script:
    """The calls that come in this time, counted from now on `clock`."""
    clock = clock or SystemClock()
    zero = clock.monotonic_ns()

    def script(request: Request, call: int) -> Reply:
        passed = clock.monotonic_ns() - zero
        struck = s_to_ns(start_s) <= passed < s_to_ns(stop_s)
        return (fault if struck else other)(request)

    return script


# -- time --------------------------------------------------------------------------------


def delay(seconds: float, jitter: float = 0.0, then: Fault = success, seed: int = 1) -> Fault:
    """`then`, but `seconds` late, give or take the share `jitter`."""
    rng = random.Random(seed)

    def fault(request: Request) -> Reply:
        return replace(then(request), wait_s=seconds * (1 + jitter * rng.uniform(-1, 1)))

    return fault


def hang() -> Fault:
    """Takes the request and says nothing, ever."""
    return lambda request: Reply(wait_s=_FOREVER_S)


def trickle(pace_s: float) -> Fault:
    """A good reply of which a kilobyte comes each `pace_s`."""
    return lambda request: replace(success(request), pace_s=pace_s)


# -- HTTP --------------------------------------------------------------------------------


def status(code: int, *, retry_after_s: float | None = None) -> Fault:
    """A refusal or failure as the contract words it."""
    headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
    told = meaning_of(code)
    return lambda request: refusal(code, told.code, retryable=told.retryable, headers=headers)


def html(code: int = 200) -> Fault:
    """The page of some proxy in between."""
    page = b"<html><head><title>502 Bad Gateway</title></head><body></body></html>"
    return lambda request: Reply(code, page, {"Content-Type": "text/html"})


def garbage(size: int = 4096, seed: int = 1) -> Fault:
    """Random bytes as the body."""
    return lambda request: Reply(200, random.Random(seed).randbytes(size))


def not_http(size: int = 4096, seed: int = 1) -> Fault:
    """Random bytes in place of HTTP."""
    return lambda request: Reply(body=random.Random(seed).randbytes(size), raw=True)


def killed(share: float = 0.5) -> Fault:
    """A good reply whose connection is reset after this share of the body."""

    def fault(request: Request) -> Reply:
        good = success(request)
        return replace(good, cut_after=round(len(good.body) * share))

    return fault


def huge(size: int = 100_000_000) -> Fault:
    """A body of so many bytes that begins like a reply."""
    block = b" " * 65536
    return lambda request: Reply(200, block, repeat=size // len(block))


def truncated(share: float = 0.5) -> Fault:
    """JSON that ends in the middle, with a matching length."""

    def fault(request: Request) -> Reply:
        good = success(request)
        return Reply(200, good.body[: round(len(good.body) * share)])

    return fault


# -- sound -------------------------------------------------------------------------------


def resampled(rate_hz: int) -> Fault:
    """A dub at another rate than asked for, and declared so."""

    def fault(request: Request) -> Reply:
        pcm = tone(_seconds(request), rate_hz)
        length = round(_seconds(request) * 1000)
        return success(request, pcm, audio={"sample_rate_hz": rate_hz, "duration_ms": length})

    return fault


def stretched(factor: float) -> Fault:
    """A dub of `factor` times the length of the fragment, declared as it is."""
    return lambda request: success(request, tone(_seconds(request) * factor, _rate(request)))


def mislabelled(factor: float) -> Fault:
    """A dub that declares `factor` times its length."""

    def fault(request: Request) -> Reply:
        return success(request, audio={"duration_ms": round(_seconds(request) * 1000 * factor)})

    return fault


def channels(count: int) -> Fault:
    """A mono dub declared to have `count` channels."""
    return lambda request: success(request, audio={"channels": count})


def silent() -> Fault:
    """Words, and silence for them."""
    return lambda request: success(request, bytes(2 * round(_seconds(request) * _rate(request))))


def clipped() -> Fault:
    """A square wave at full scale."""

    def fault(request: Request) -> Reply:
        frames = round(_seconds(request) * _rate(request))
        return success(request, (b"\xff\x7f" * 50 + b"\x00\x80" * 50) * (frames // 100))

    return fault


def not_a_number(field: str = "tempo", value: float = float("inf")) -> Fault:
    """A figure that is infinite or not a number (which JSON lacks, and Python writes)."""
    changes: dict[str, Any] = {field: value}
    return lambda request: success(request, **changes)


def bad_base64() -> Fault:
    """Audio data that is not base64."""
    return lambda request: success(request, audio={"data_base64": "%not base64%"})


def torn_base64() -> Fault:
    """Audio data cut in the middle of a sample."""

    def fault(request: Request) -> Reply:
        pcm = tone(_seconds(request), _rate(request))[:-1]
        return success(request, audio={"data_base64": base64.b64encode(pcm).decode()})

    return fault


# -- identity ----------------------------------------------------------------------------


def misdirected(fragment_id: str = "another-run-0") -> Fault:
    """A good dub of a fragment of another run."""
    return lambda request: success(request, fragment_id=fragment_id)


def stale() -> Fault:
    """The reply to the request before; the first is answered properly."""
    held: list[Reply] = []

    def fault(request: Request) -> Reply:
        held.append(success(request))
        return held.pop(0) if len(held) > 1 else held[0]

    return fault


def doubled() -> Fault:
    """A good reply sent twice on the same connection."""
    return lambda request: replace(success(request), copies=2)


def reordered(patience_s: float = 5.0) -> Script:
    """Of each two calls the second is answered first; alone, a call waits `patience_s`."""
    answered = [threading.Event()]
    lock = threading.Lock()

    def script(request: Request, call: int) -> Reply:
        with lock:
            while len(answered) <= call + 1:
                answered.append(threading.Event())
        if call % 2 == 0:
            answered[call + 1].wait(patience_s)
            return replace(success(request), wait_s=0.05)
        answered[call].set()
        return success(request)

    return script


def chaos(seed: int, faults: Mapping[str, Fault], share: float = 0.5) -> Script:
    """A fault drawn at random for about `share` of the calls, the same for the same seed."""

    def script(request: Request, call: int) -> Reply:
        rng = random.Random(f"{seed}/{call}")
        name = rng.choice(sorted(faults))
        return (faults[name] if rng.random() < share else success)(request)

    return script


def all_faults() -> dict[str, Fault]:
    """Every fault here that answers at once, by name, with its default."""
    return {
        "401": status(401), "422": status(422), "429": status(429, retry_after_s=1),
        "500": status(500), "503": status(503, retry_after_s=1), "504": status(504),
        "html": html(), "garbage": garbage(), "not_http": not_http(), "killed": killed(),
        "huge": huge(), "truncated": truncated(), "rate": resampled(24_000),
        "short": stretched(0.1), "long": stretched(10.0), "mislabelled": mislabelled(10.0),
        "channels": channels(2), "many_channels": channels(6), "silent": silent(),
        "clipped": clipped(), "infinite": not_a_number(), "bad_base64": bad_base64(),
        "torn_base64": torn_base64(), "misdirected": misdirected(),
        "json_list": lambda request: Reply(200, json.dumps([1, 2]).encode()),
        "empty": lambda request: Reply(200, b""),
    }  # fmt: skip


def _seconds(request: Request) -> float:
    return float(request["audio"]["duration_ms"]) / 1000


def _rate(request: Request) -> int:
    return int(request["audio"]["sample_rate_hz"])
