"""When scripted faults strike, and what they put on the wire."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dubcast.contract.sts import StsErrorBody, StsResponse
from dubcast.testing import faults
from dubcast.testing.clock import VirtualClock
from dubcast.testing.sts_server import Reply, Script, ScriptedSts, success

REQUEST: dict[str, Any] = {
    "fragment_id": "run-1",
    "sequence_number": 1,
    "audio": {"sample_rate_hz": 48_000, "duration_ms": 1500},
    "config": {"source_language": "en"},
}


def strikes(script: Script, calls: int) -> list[int]:
    """The calls that are not answered with 200."""
    return [n for n in range(calls) if script({**REQUEST, "sequence_number": n}, n).status != 200]


def test_a_fault_strikes_by_number_by_turns_or_by_request() -> None:
    broken = faults.status(500)
    assert strikes(faults.always(broken), 3) == [0, 1, 2]
    assert strikes(faults.by_number({1: broken, 4: broken}), 6) == [1, 4]
    assert strikes(faults.flap(3, broken), 8) == [0, 3, 6]
    odd = faults.when(lambda request: request["sequence_number"] % 2 == 1, broken)
    assert strikes(odd, 5) == [1, 3]


def test_a_fault_strikes_for_a_time() -> None:
    clock = VirtualClock(77)
    script = faults.between(10, 70, faults.status(500), clock=clock)
    seen = []
    for _ in range(9):
        seen.append(script(REQUEST, 0).status)
        clock.advance(10)
    assert seen == [200] + [500] * 6 + [200] * 2


def test_chaos_is_the_same_for_the_same_seed() -> None:
    def drawn(seed: int) -> list[int]:
        return strikes(faults.chaos(seed, {"500": faults.status(500)}), 40)

    assert drawn(1) == drawn(1) != drawn(2)
    assert 10 < len(drawn(1)) < 30


def test_refusals_are_worded_as_the_contract_says() -> None:
    reply = faults.status(429, retry_after_s=20)(REQUEST)
    assert reply.headers["Retry-After"] == "20"
    assert StsErrorBody.model_validate_json(reply.body).error.code == "OVERLOADED"
    codes = [json.loads(faults.status(c)(REQUEST).body)["error"]["code"] for c in (401, 422, 500)]
    assert codes == ["UNAUTHORIZED", "INVALID_INPUT", "MODEL_ERROR"]


def test_delays_vary_by_their_jitter() -> None:
    fault = faults.delay(2.0, jitter=0.5)
    waits = [fault(REQUEST).wait_s for _ in range(50)]
    assert 1.0 <= min(waits) < 1.5 < 2.5 < max(waits) <= 3.0


def test_audible_faults_keep_to_the_contract_so_that_only_listening_finds_them() -> None:
    for name in ("rate", "short", "long", "silent", "clipped", "misdirected"):
        assert StsResponse.model_validate_json(faults.all_faults()[name](REQUEST).body)


def test_stale_and_reordered_replies() -> None:
    stale = faults.stale()
    first, second = ({**REQUEST, "fragment_id": f"run-{n}"} for n in (1, 2))
    said = [json.loads(stale(request).body)["fragment_id"] for request in (first, second)]
    assert said == ["run-1", "run-1"]


@contextmanager
def posted(reply: Reply) -> Iterator[socket.socket]:
    """A socket on which a request has been sent that is answered with `reply`."""
    with ScriptedSts(lambda request, call: reply) as sts, asking(sts) as one:
        yield one


def asking(sts: ScriptedSts) -> socket.socket:
    """A connection on which a request has been sent."""
    body = json.dumps(REQUEST).encode()
    host, port = sts.url.removeprefix("http://").split(":")
    one = socket.create_connection((host, int(port)), 20)
    one.sendall(b"POST /x HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return one


def read_all(one: socket.socket) -> bytes:
    data = b""
    while part := one.recv(65536):
        data += part
    return data


def test_a_killed_reply_ends_in_the_middle_with_a_reset() -> None:
    with posted(faults.killed(0.5)(REQUEST)) as one:
        data = b""
        with pytest.raises(ConnectionResetError):
            while part := one.recv(65536):
                data += part
            raise AssertionError("it ended in order")


def test_raw_bytes_are_all_there_is() -> None:
    with posted(Reply(body=b"not http", raw=True)) as one:
        assert read_all(one) == b"not http"


def test_a_doubled_reply_comes_twice() -> None:
    with posted(faults.doubled()(REQUEST)) as one:
        once = len(success(REQUEST).body)
        data = b""
        while len(data) < 2 * once:
            data += one.recv(65536)
    assert data.count(b"HTTP/1.1 200") == 2


def test_a_huge_reply_declares_its_size_and_needs_no_memory() -> None:
    with posted(faults.huge(2_000_000_000)(REQUEST)) as one:
        assert b"Content-Length: 19999" in one.recv(4096)


def test_leaving_ends_what_hangs() -> None:
    taken = threading.Event()

    def hangs(request: dict[str, Any], call: int) -> Reply:
        taken.set()
        return faults.hang()(request)

    with ScriptedSts(hangs) as sts:
        one = asking(sts)
        assert taken.wait(20)
    with one:
        assert read_all(one) == b""
