"""The client and streamed replies on the wire: progress, breaks, retries, deadlines, verdicts."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE
from dubcast.breaker import Verdict
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.contract.stream_reply import MEDIA_TYPE, encode
from dubcast.errors import StsError
from dubcast.testing.sts_server import Reply, Script, ScriptedSts, refusal, success
from dubcast.testing.sts_streams import Says, failing, frames, of, streamed
from dubcast.worker.endpoint import Endpoint
from dubcast.worker.fragment import LATE_START_S
from dubcast.worker.retries import RetryBudget
from dubcast.worker.sts_client import StsClient
from dubcast.worker.work import DubReply, Progress, SpokenClause, StreamEnd
from worker_fakes import work

S = 1_000_000_000
UNIT = 0.15  # seconds; every wait here is a multiple of it
# Of a fragment of 12 units: the second clause is due 8 units after the first.
TWO = (
    Says("um", 0.3, (0, round(8000 * UNIT)), "one"),
    Says("dois", 0.3, (round(8000 * UNIT), round(12000 * UNIT)), "two"),
)
AUDIO = np.zeros(round(12 * UNIT * RATE), np.int16)


class Heard:
    """What the client told, and when."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.told: list[tuple[float, Progress]] = []

    def __call__(self, progress: Progress) -> None:
        self.told.append((time.monotonic() - self.began, progress))

    @property
    def clauses(self) -> list[int]:
        return [one.index for _, one in self.told if isinstance(one, SpokenClause)]


@asynccontextmanager
async def client(
    *scripts: Script, **settings: Any
) -> AsyncIterator[tuple[list[ScriptedSts], StsClient]]:
    servers = [ScriptedSts(script) for script in scripts]
    for server in servers:
        server.__enter__()
    url, *others = (server.url for server in servers)
    configured = StsClientSettings.model_validate({"url": url, "fallback_urls": others, **settings})
    policy = StreamSettings.model_validate({"duration_policy": "fit"})
    one = StsClient(
        configured, "demo", policy, time.monotonic_ns, rng=random.Random(1), budget=RetryBudget()
    )
    try:
        yield servers, one
    finally:
        await one.close()
        for server in servers:
            server.__exit__(None, None, None)


async def dub(
    one: StsClient, heard: Heard, *, first_due_s: float = 20 * UNIT, clausewise: bool = True
) -> DubReply | StreamEnd:
    deadline = time.monotonic_ns() + round(first_due_s * S)
    return await one.dub(work(deadline, audio=AUDIO, clausewise=clausewise), heard)


async def test_a_stream_is_asked_for_and_told_as_it_comes() -> None:
    heard = Heard()
    async with client(lambda r, c: streamed(r, TWO, every_s=UNIT)) as ((server,), one):
        reply = await dub(one, heard)
    assert isinstance(reply, StreamEnd)
    assert heard.clauses == [0, 1]
    times = [at for at, _ in heard.told]
    assert times == sorted(times)
    assert times[-1] - times[0] > 2 * UNIT
    assert MEDIA_TYPE in server.headers[0]["Accept"]
    assert dict(one.new_calls()) == {"good": 1}


async def test_a_service_that_answers_in_one_piece_is_served_as_before() -> None:
    heard = Heard()
    async with client(lambda r, c: success(r)) as ((server,), one):
        first, second = await dub(one, heard), await dub(one, heard)
        assert isinstance(first, DubReply)
        assert isinstance(second, DubReply)
    assert heard.told == []
    # It is not known to stream, so that it has until the first words are due, as it always had.
    assert [r["timeout_ms"] for r in server.requests] == pytest.approx(
        [1000 * ((20 + 6) * UNIT + LATE_START_S), 1000 * 20 * UNIT], abs=150 * UNIT
    )


async def test_who_wants_it_in_one_piece_asks_for_no_stream() -> None:
    async with client(lambda r, c: success(r)) as ((server,), one):
        await dub(one, Heard(), clausewise=False)
    assert MEDIA_TYPE not in server.headers[0].get("Accept", "")


async def test_clauses_may_come_after_the_first_words_are_due() -> None:
    heard = Heard()
    async with client(lambda r, c: streamed(r, TWO, every_s=1.5 * UNIT)) as (_, one):
        assert isinstance(await dub(one, heard, first_due_s=5 * UNIT), StreamEnd)
        assert heard.clauses == [0, 1]
        assert dict(one.new_calls()) == {"good": 1}


async def test_a_stream_has_until_its_last_clause_may_begin_late() -> None:
    heard = Heard()
    async with client(lambda r, c: streamed(r, TWO, stalls_after=1)) as (_, one):
        with pytest.raises(StsError, match="1 of 2 clauses") as caught:
            await dub(one, heard, first_due_s=4 * UNIT)
        took = time.monotonic() - heard.began
        assert dict(one.new_calls()) == {"timeout": 1}
    assert caught.value.code == "TIMEOUT"
    assert heard.clauses == [0]
    assert 11 * UNIT + LATE_START_S < took < 15 * UNIT + LATE_START_S


async def test_each_piece_is_a_sign_of_life() -> None:
    heard = Heard()
    async with client(lambda r, c: streamed(r, TWO, every_s=2 * UNIT), timeout_s=3 * UNIT) as (
        _,
        one,
    ):
        assert isinstance(await dub(one, heard), StreamEnd)
    async with client(lambda r, c: streamed(r, TWO, stalls_after=1), timeout_s=3 * UNIT) as (
        _,
        one,
    ):
        with pytest.raises(StsError):
            await dub(one, heard)


@pytest.mark.parametrize("after", [0, 1])
async def test_a_break_in_the_middle_is_retried_with_the_same_id_and_goes_on(after: int) -> None:
    def script(request: dict[str, Any], call: int) -> Reply:
        return streamed(request, TWO, breaks_after=None if call else after)

    heard = Heard()
    async with client(script) as ((server,), one):
        assert isinstance(await dub(one, heard), StreamEnd)
        assert one.new_retries() == 1
    assert heard.clauses == [0, 1]
    assert [r["fragment_id"] for r in server.requests] == ["run-7", "run-7"]


async def test_a_break_is_retried_after_the_first_words_are_due_for_what_is_not() -> None:
    def script(request: dict[str, Any], call: int) -> Reply:
        return streamed(request, TWO, every_s=0.0 if call else UNIT, breaks_after=1 - call or None)

    heard = Heard()
    async with client(script) as ((server,), one):
        assert isinstance(await dub(one, heard, first_due_s=2 * UNIT), StreamEnd)
    assert len(server.requests) == 2
    assert heard.clauses == [0, 1]


async def test_another_service_goes_on_only_with_the_same_words() -> None:
    breaks: Script = lambda r, c: streamed(r, TWO, breaks_after=1)  # noqa: E731
    other = (Says("uma coisa", 0.3), Says("outra", 0.3))
    for says, ends in ((TWO, True), (other, False)):
        heard = Heard()
        async with client(breaks, lambda r, c, says=says: streamed(r, says)) as (_, one):  # type: ignore[misc]
            if ends:
                assert isinstance(await dub(one, heard), StreamEnd)
            else:
                with pytest.raises(StsError, match="another translation"):
                    await dub(one, heard)
        assert heard.clauses == ([0, 1] if ends else [0])


async def test_another_service_that_answers_in_one_piece_cannot_go_on_in_the_middle() -> None:
    breaks: Script = lambda r, c: streamed(r, TWO, breaks_after=1)  # noqa: E731
    async with client(breaks, lambda r, c: success(r)) as (_, one):
        with pytest.raises(StsError, match="one piece"):
            await dub(one, Heard())
    begins: Script = lambda r, c: refusal(503, "OVERLOADED", retryable=True)  # noqa: E731
    async with client(begins, lambda r, c: success(r)) as (_, one):
        assert isinstance(await dub(one, Heard()), DubReply)


async def test_an_error_in_the_stream_is_the_services_word() -> None:
    heard = Heard()
    async with client(lambda r, c: failing(r, TWO, "MODEL_ERROR", after=1), retries=0) as (_, one):
        with pytest.raises(StsError) as caught:
            await dub(one, heard)
    assert (caught.value.code, str(caught.value)) == ("MODEL_ERROR", "scripted")
    assert heard.clauses == [0]


async def test_the_verdict_is_by_when_each_clause_was_due(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts: list[Verdict] = []
    report = Endpoint.report

    def noting(self: Endpoint, ticket: Any, verdict: Verdict, wait_s: float | None) -> None:
        verdicts.append(verdict)
        report(self, ticket, verdict, wait_s)

    monkeypatch.setattr(Endpoint, "report", noting)
    async with client(lambda r, c: streamed(r, TWO, every_s=3 * UNIT)) as (_, one):
        for first_due_s in (16 * UNIT, 8 * UNIT):  # the first clause comes after 9
            await dub(one, Heard(), first_due_s=first_due_s)
    async with client(lambda r, c: streamed(r, TWO, stalls_after=1), retries=0) as (_, one):
        with pytest.raises(StsError):
            await dub(one, Heard(), first_due_s=4 * UNIT)
    assert verdicts == [Verdict.GOOD, Verdict.SLOW, Verdict.BAD]


@pytest.mark.parametrize("says", [TWO, ()])
async def test_a_reply_whose_body_does_not_end_is_over_with_its_last_frame(
    says: tuple[Says, ...],
) -> None:
    def script(request: dict[str, Any], call: int) -> Reply:
        told = [(0.0, encode(frame, pcm)) for frame, pcm in frames(request, says)]
        return of([*told, (3600.0, b"")])

    heard = Heard()
    async with client(script) as (_, one):
        assert isinstance(await dub(one, heard), StreamEnd)
        took = time.monotonic() - heard.began
        assert isinstance(await dub(one, Heard()), StreamEnd)  # by another connection
        assert dict(one.new_calls()) == {"good": 2}
    assert took < 10 * UNIT
    assert heard.clauses == list(range(len(says)))


async def test_well_behaved_replies_share_a_connection() -> None:
    async with client(lambda r, c: streamed(r, TWO)) as ((server,), one):
        for _ in range(3):
            await dub(one, Heard())
        assert len(set(server.peers)) == 1
