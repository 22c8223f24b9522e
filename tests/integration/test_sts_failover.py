"""The client, its breakers and its endpoints, against services that fail (loopback only).

The breakers' time is virtual; what waits on the wire waits in multiples of one unit.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE
from dubcast.clock import NS_PER_S
from dubcast.config import BreakerSettings, StreamSettings, StsClientSettings
from dubcast.errors import StsError
from dubcast.testing import faults
from dubcast.testing.clock import VirtualClock
from dubcast.testing.sts_server import Reply, Script, ScriptedSts, refusal, success
from dubcast.worker.retries import RetryBudget
from dubcast.worker.sts_client import StsClient
from dubcast.worker.work import Work

UNIT = 0.1
BROKEN: Script = faults.always(faults.status(500))
WELL: Script = faults.always(success)
DOWN = Reply(503, b"")


@dataclass
class Rig:
    """A client of one or more scripted services, on a virtual clock."""

    client: StsClient
    clock: VirtualClock
    services: list[ScriptedSts]
    number: int = 0

    async def dub(self, deadline_s: float = 40 * UNIT) -> str:
        """Dub one fragment: "dub", or the error's code."""
        self.number += 1
        deadline = self.clock.monotonic_ns() + round(deadline_s * NS_PER_S)
        audio = np.zeros(RATE // 2, np.int16)
        try:
            reply = await self.client.dub(
                Work(f"run-{self.number}", self.number, audio, 600, deadline)
            )
        except StsError as error:
            return error.code
        return "dub" if reply.voice is not None else "no voice"

    async def dubs(self, count: int) -> list[str]:
        return [await self.dub() for _ in range(count)]

    def calls(self) -> list[int]:
        return [len(service.requests) for service in self.services]

    def view(self, index: int = 0) -> tuple[object, object]:
        view = self.client.status()[index]
        return view.state, view.alert


@asynccontextmanager
async def rig(*scripts: Script, up: bool = True, **settings: Any) -> AsyncIterator[Rig]:
    services = [ScriptedSts(script) for script in scripts]
    for service in services:
        service.__enter__()
        if not up:
            service.pages["/readyz"] = DOWN
    first, *others = [service.url for service in services]
    given = {"url": first, "fallback_urls": others, "retries": 0, "ping_s": 0, **settings}
    clock = VirtualClock()
    client = StsClient(
        StsClientSettings.model_validate(given),
        "demo",
        StreamSettings(),
        clock.monotonic_ns,
        budget=RetryBudget(),
    )
    try:
        yield Rig(client, clock, services)
    finally:
        await client.close()
        for service in services:
            service.__exit__(None, None, None)


# -- one endpoint ------------------------------------------------------------------------


async def test_a_dead_service_gets_five_calls_in_a_minute() -> None:
    async with rig(BROKEN, retries=1) as one:
        said = []
        for _ in range(30):
            said.append(await one.dub())
            one.clock.advance(2.0)
    assert one.calls()[0] <= 5
    assert said[-1] == "BREAKER_OPEN"
    assert one.client.states() == {"closed": 0, "open": 1, "half_open": 0}


async def test_the_fragment_is_the_probe_and_its_dub_is_used() -> None:
    async with rig(BROKEN) as one:
        assert await one.dubs(4) == ["MODEL_ERROR"] * 3 + ["BREAKER_OPEN"]
        one.services[0].script = WELL
        one.clock.advance(18)
        assert await one.dubs(2) == ["dub", "dub"]
        assert one.view() == ("closed", "")


async def test_only_one_probe_is_in_flight() -> None:
    async with rig(BROKEN) as one:
        await one.dubs(3)
        one.services[0].script = faults.always(faults.delay(UNIT))
        one.clock.advance(18)
        said = await asyncio.gather(*(one.dub() for _ in range(4)))
    assert sorted(said) == ["BREAKER_OPEN"] * 3 + ["dub"]
    assert one.calls() == [4]


async def test_a_cancelled_probe_makes_room_for_the_next() -> None:
    async with rig(BROKEN) as one:
        await one.dubs(3)
        one.services[0].script = faults.always(faults.hang())
        one.clock.advance(18)
        task = asyncio.create_task(one.dub())
        while one.calls() == [3]:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        one.services[0].script = WELL
        assert await one.dub() == "dub"


async def test_pings_run_only_while_open_and_allow_the_probe_early() -> None:
    async with rig(BROKEN, up=False, ping_s=UNIT / 4) as one:
        service = one.services[0]
        await one.dubs(2)
        await asyncio.sleep(UNIT)
        assert service.pings == []
        await one.dub()
        await asyncio.sleep(2 * UNIT)
        assert await one.dub() == "BREAKER_OPEN"
        assert set(service.pings) == {"/readyz"}
        service.script, service.pages = WELL, {}
        await asyncio.sleep(3 * UNIT)
        assert await one.dub() == "dub"
        sent = len(service.pings)
        await asyncio.sleep(2 * UNIT)
        assert len(service.pings) <= sent + 1


async def test_a_service_without_readyz_is_pinged_at_ping() -> None:
    async with rig(BROKEN, ping_s=UNIT / 4) as one:
        one.services[0].pages = {"/readyz": Reply(404), "/ping": Reply(200)}
        await one.dubs(3)
        await asyncio.sleep(3 * UNIT)
        one.services[0].script = WELL
        assert await one.dub() == "dub"
        assert "/ping" in one.services[0].pings


async def test_a_ping_that_hangs_is_a_bad_one() -> None:
    async with rig(BROKEN) as one:
        one.services[0].pages["/readyz"] = Reply(wait_s=20 * UNIT)
        started = time.monotonic()
        assert not await one.client._endpoints[0].ping()
        assert time.monotonic() - started < 12 * UNIT


async def test_a_refused_key_opens_hard_and_says_so() -> None:
    async with rig(faults.always(faults.status(401))) as one:
        assert await one.dubs(2) == ["UNAUTHORIZED", "BREAKER_OPEN"]
        assert one.view() == ("open", "key_refused")
        one.clock.advance(47)
        assert await one.dub() == "BREAKER_OPEN"
        one.clock.advance(26)
        one.services[0].script = WELL
        assert await one.dub() == "dub"
        assert one.view() == ("closed", "")


@pytest.mark.parametrize("code", [400, 413, 415, 422])
@pytest.mark.parametrize("worded", [True, False])
async def test_our_own_bad_requests_never_open_it(code: int, worded: bool) -> None:
    fault = faults.status(code) if worded else faults.html(code)
    async with rig(faults.always(fault)) as one:
        assert await one.dubs(8) == ["INVALID_INPUT"] * 8
        assert one.view() == ("closed", "")


@pytest.mark.parametrize(
    ("status", "word", "code", "alert"),
    [
        (500, "UNAUTHORIZED", "MODEL_ERROR", ""),
        (500, "INVALID_INPUT", "MODEL_ERROR", ""),
        (422, "MODEL_ERROR", "INVALID_INPUT", ""),
        (403, "OVERLOADED", "UNAUTHORIZED", "key_refused"),
        (503, "UNAVAILABLE", "UNAVAILABLE", ""),
    ],
)
async def test_the_status_says_whose_fault_it_is_and_the_body_no_more_than_which(
    status: int, word: str, code: str, alert: str
) -> None:
    reply = refusal(status, word, retryable=False)
    async with rig(lambda request, call: reply) as one:
        assert await one.dub() == code
        assert one.view()[1] == alert


@pytest.mark.parametrize("code", [429, 503])
async def test_nothing_is_sent_before_retry_after(code: int) -> None:
    script = faults.by_number({0: faults.status(code, retry_after_s=20)})
    async with rig(script, retries=1) as one:
        assert await one.dubs(3) == ["OVERLOADED"] * 3
        one.clock.advance(19.9)
        assert await one.dub() == "OVERLOADED"
        assert one.calls() == [1]
        one.clock.advance(0.2)
        assert await one.dub() == "dub"
        assert one.calls() == [2]


async def test_what_was_busy_and_then_fails_is_told_as_failing() -> None:
    async with rig(faults.always(faults.status(429, retry_after_s=2))) as one:
        assert await one.dub() == "OVERLOADED"
        one.clock.advance(2.1)
        one.services[0].script = BROKEN
        assert await one.dubs(4) == ["MODEL_ERROR"] * 3 + ["BREAKER_OPEN"]


@pytest.mark.parametrize("code", [429, 503])
async def test_a_service_that_refuses_for_its_load_is_asked_again_as_soon_as_it_allows(
    code: int,
) -> None:
    async with rig(faults.always(faults.status(code, retry_after_s=2))) as one:
        for _ in range(8):
            assert await one.dub() == "OVERLOADED"
            one.clock.advance(2.1)
        assert one.view() == ("closed", "")
        one.services[0].script = WELL
        assert await one.dubs(2) == ["dub", "dub"]


async def test_without_a_word_of_when_a_refusal_is_a_failure() -> None:
    async with rig(faults.always(faults.status(503))) as one:
        assert await one.dubs(4) == ["OVERLOADED"] * 3 + ["BREAKER_OPEN"]


async def test_retry_after_as_a_date_is_measured_against_the_replys_own_date() -> None:
    dates = {"Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT"}
    fault = Reply(503, b"", {**dates, "Date": "Wed, 21 Oct 2015 07:28:00 GMT"})
    async with rig(lambda r, c: fault) as one:
        await one.dub()
        waits = one.client.status()[0].retry_in_s
    assert waits == 20.0


async def test_bad_audio_opens_it() -> None:
    async with rig(faults.always(faults.silent())) as one:
        assert await one.dubs(4) == ["INVALID_REPLY"] * 3 + ["BREAKER_OPEN"]


async def test_slow_replies_open_it() -> None:
    def dubs_slowly(request: dict[str, Any], call: int) -> Reply:
        one.clock.advance(3.9)
        return success(request)

    async with rig(dubs_slowly) as one:
        assert await one.dubs(6) == ["dub"] * 5 + ["BREAKER_OPEN"]
    async with rig(dubs_slowly, breaker={"slow_ratio": 1.0}) as one:
        assert await one.dubs(6) == ["dub"] * 6


async def test_a_fragment_that_had_hardly_any_time_says_nothing() -> None:
    async with rig(faults.always(faults.hang())) as one:
        for _ in range(4):
            assert await one.dub(deadline_s=3 * UNIT) == "TIMEOUT"
        assert one.view() == ("closed", "")


async def test_retries_stay_within_a_tenth_of_the_calls() -> None:
    script = faults.flap(3, faults.status(500))
    async with rig(script, retries=1, breaker={"failure_ratio": 1.0, "failures": 99}) as one:
        await one.dubs(60)
        retries = one.client.new_retries()
    assert 5 <= retries <= 7
    assert one.calls() == [60 + retries]
    async with rig(script, retries=1, retry_ratio=0) as one:
        await one.dubs(5)
    assert one.calls() == [5]


# -- several endpoints -------------------------------------------------------------------


async def test_a_failed_fragment_goes_to_the_next_endpoint_at_once() -> None:
    async with rig(BROKEN, WELL, retries=1) as one:
        started = time.monotonic()
        assert await one.dub() == "dub"
        assert time.monotonic() - started < 10 * UNIT
        sent = [service.requests[0]["fragment_id"] for service in one.services]
        assert sent == ["run-1", "run-1"]


async def test_while_the_first_is_open_the_second_serves() -> None:
    async with rig(BROKEN, WELL) as one:
        assert await one.dubs(8) == ["MODEL_ERROR"] * 3 + ["dub"] * 5
        assert one.calls() == [3, 5]
        assert one.client.states() == {"closed": 1, "open": 1, "half_open": 0}


async def test_a_refused_key_or_bad_audio_at_the_first_is_tried_at_the_second() -> None:
    for fault in (faults.status(401), faults.clipped(), faults.html()):
        async with rig(faults.always(fault), WELL, retries=1) as one:
            assert await one.dub() == "dub"


async def test_a_failed_probe_costs_nothing_on_air() -> None:
    async with rig(BROKEN, WELL) as one:
        await one.dubs(4)
        one.clock.advance(18)
        assert await one.dub() == "dub"
        await asyncio.sleep(UNIT)
        assert one.calls() == [4, 2]
        assert one.services[0].requests[-1]["fragment_id"] == "run-5"
        assert one.view() == ("open", "")


async def test_a_good_probe_in_shadow_brings_the_first_back() -> None:
    async with rig(BROKEN, WELL) as one:
        await one.dubs(4)
        one.services[0].script = WELL
        one.clock.advance(18)
        assert await one.dub() == "dub"
        await asyncio.sleep(UNIT)
        assert one.view() == ("closed", "")
        await one.dub()
        assert one.calls() == [5, 2]


async def test_a_probe_that_hangs_delays_nobody_and_ends_with_the_client() -> None:
    async with rig(BROKEN, WELL) as one:
        await one.dubs(4)
        one.services[0].script = faults.always(faults.hang())
        one.clock.advance(18)
        started = time.monotonic()
        assert await one.dubs(3) == ["dub"] * 3
        assert time.monotonic() - started < 10 * UNIT
        assert one.calls() == [4, 4]


async def test_with_all_open_one_fragment_probes_one_endpoint() -> None:
    async with rig(BROKEN, BROKEN) as one:
        await one.dubs(6)
        assert await one.dub() == "BREAKER_OPEN"
        one.clock.advance(18)
        assert await one.dubs(2) == ["MODEL_ERROR", "MODEL_ERROR"]
        assert one.calls() == [4, 4]


async def test_another_service_serves_the_air_while_the_first_is_busy() -> None:
    busy = faults.always(faults.status(503, retry_after_s=2))
    async with rig(busy, WELL, retries=1) as one:
        for _ in range(6):
            assert await one.dub() == "dub"
            await asyncio.sleep(UNIT / 2)
            one.clock.advance(2.1)
        assert one.calls() == [6, 6]
        one.services[0].script = WELL
        assert await one.dub() == "dub"
        await asyncio.sleep(UNIT)
        assert await one.dub() == "dub"
        assert one.calls() == [8, 7]


async def test_where_all_are_busy_the_first_is_asked() -> None:
    busy = faults.always(faults.status(503, retry_after_s=2))
    async with rig(busy, busy, retries=1) as one:
        await one.dubs(2)
        one.clock.advance(2.1)
        one.services[0].script = faults.always(faults.delay(UNIT))
        assert await asyncio.gather(one.dub(), one.dub()) == ["dub", "dub"]


# -- the wire ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", faults.all_faults())
async def test_no_fault_is_heard_or_breaks_the_client(name: str) -> None:
    script = faults.by_number({0: faults.all_faults()[name]})
    async with rig(script) as one:
        assert await one.dub() not in ("dub", "no voice")
        one.clock.advance(100)
        assert await one.dub() == "dub"


async def test_a_huge_reply_is_cut_off_while_reading() -> None:
    async with rig(faults.always(faults.huge(1_000_000_000))) as one:
        started = time.process_time()
        assert await one.dub() == "INVALID_REPLY"
        assert time.process_time() - started < 2.0


async def test_a_packed_reply_is_not_unfolded() -> None:
    def bomb(request: dict[str, Any], call: int) -> Reply:
        return Reply(200, gzip.compress(bytes(20_000_000)), {"Content-Encoding": "gzip"})

    async with rig(bomb) as one:
        audio, deadline = np.zeros(RATE, np.int16), one.clock.monotonic_ns() + NS_PER_S
        with pytest.raises(StsError, match="packed"):
            await one.client.dub(Work("run-1", 1, audio, 600, deadline))
    assert one.services[0].headers[0]["Accept-Encoding"] == "identity"


async def test_a_trickle_ends_at_the_deadline() -> None:
    async with rig(faults.always(faults.trickle(UNIT))) as one:
        started = time.monotonic()
        assert await one.dub(deadline_s=4 * UNIT) == "TIMEOUT"
        assert time.monotonic() - started < 12 * UNIT


async def test_replies_that_change_places_reach_their_own_fragments() -> None:
    async with rig(faults.reordered()) as one:
        assert await asyncio.gather(one.dub(), one.dub()) == ["dub", "dub"]


async def test_a_doubled_reply_is_one_dub_and_the_next_fragment_gets_its_own() -> None:
    async with rig(faults.always(faults.doubled())) as one:
        assert await one.dub() == "dub"
        # The second copy is found in the place of the next reply: no dub, and a new connection.
        second = await one.dub()
        assert second in ("dub", "INVALID_REPLY", "UNAVAILABLE")
        one.services[0].script = WELL
        if second == "dub":  # it went before that copy came, and its own is found once
            assert await one.dub() in ("dub", "INVALID_REPLY", "UNAVAILABLE")
        assert await one.dubs(3) == ["dub"] * 3


async def test_after_a_reply_that_is_no_dub_the_connection_is_not_used_again() -> None:
    async with rig(faults.by_number({1: faults.misdirected()})) as one:
        assert await one.dubs(4) == ["dub", "INVALID_REPLY", "dub", "dub"]
        first, second, third, fourth = one.services[0].peers
    assert first == second != third == fourth


async def test_the_reply_to_the_fragment_before_is_no_dub() -> None:
    async with rig(faults.always(faults.stale())) as one:
        assert await one.dubs(2) == ["dub", "INVALID_REPLY"]


async def test_calls_are_counted_by_outcome_once() -> None:
    script = faults.by_number({1: faults.status(500), 2: faults.silent()})
    async with rig(script) as one:
        await one.dubs(3)
        assert one.client.new_calls() == {"good": 1, "model_error": 1, "invalid_reply": 1}
        assert one.client.new_calls() == {}


async def test_the_settings_of_the_breaker_reach_it() -> None:
    async with rig(BROKEN, breaker={"failures": 1, "open_s": 5.0, "jitter": 0.0}) as one:
        assert await one.dubs(2) == ["MODEL_ERROR", "BREAKER_OPEN"]
        assert one.client.status()[0].retry_in_s == 5.0


def test_every_setting_of_the_client_is_proved_somewhere() -> None:
    here = {"fallback_urls", "ping_s", "retry_ratio", "retries", "breaker", "url"}
    elsewhere = {"api_key", "timeout_s", "max_inflight"}  # test_sts_client; test_continuity
    assert set(StsClientSettings.model_fields) == here | elsewhere
    assert "slow_ratio" in BreakerSettings.model_fields
