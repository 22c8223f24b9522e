"""How fragments are sent to the service and what becomes of them, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import structlog

from dubcast.audio.pcm import RATE, Float
from dubcast.config import StreamSettings
from dubcast.contract.stream_reply import Done, Heard
from dubcast.contract.sts import StageTimes, StsMetadata
from dubcast.contract.worker import Outcome
from dubcast.errors import StsError
from dubcast.testing import virtual_loop
from dubcast.testing.virtual_loop import VirtualLoop
from dubcast.worker.core import WorkerCore
from dubcast.worker.dubber import Dubber
from dubcast.worker.fragment import Fragment, State
from dubcast.worker.scheduler import Tracks
from dubcast.worker.work import Announced, DubReply, Progress, SpokenClause, StreamEnd, Work
from worker_fakes import LevelVad, at_once, dub_reply, feed

WORDS = tuple((1.0 + 2 * n, 2.0 + 2 * n) for n in range(12))
CALM = {
    "delay_s": 15,
    "match_loudness": False,
    "separation": {"separator": "off"},
    "fragments": {"pause_ms": 180},
}


def voice(seconds: float) -> Float:
    return np.full(round(seconds * RATE), 0.2, np.float32)


@dataclass
class Service:
    """Answers each call after `takes_s`, or as `script` says for its number."""

    takes_s: float = 1.0
    says_s: float = 1.0  # how long its dubs are
    script: dict[int, Callable[[], Awaitable[DubReply]]] = field(default_factory=dict)
    calls: list[tuple[float, Work]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def dub(
        self, work: Work, on_progress: Callable[[Progress], None]
    ) -> DubReply | StreamEnd:
        self.calls.append((asyncio.get_running_loop().time(), work))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(self.takes_s)
            if work.sequence in self.script:
                return await self.script[work.sequence]()
            return dub_reply(voice(self.says_s), transcript=f"words {work.sequence}")
        finally:
            self.under_way -= 1


@dataclass
class Stage:
    """A dubber, and fragments that were cut at time 0."""

    service: Service = field(default_factory=Service)
    inflight: int = 3
    words: tuple[tuple[float, float], ...] = WORDS
    policy: dict[str, Any] = field(default_factory=dict)
    tempos: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop = VirtualLoop()
        settings = StreamSettings.model_validate({**CALM, **self.policy})
        self.core = WorkerCore(settings, "run", LevelVad(), 0)
        self.core.set_output(Tracks.SOUND)
        self.fragments: list[Fragment] = feed(self.core, 0, self.words[-1][1] + 1, self.words)
        self.fragments += self.core.input_ended()
        self.dubber = Dubber(
            self.core.dubs, self.service, self.loop, at_once, self.inflight, self.to_tempo
        )

    def to_tempo(self, samples: Float, factor: float) -> Float:
        self.tempos.append(factor)
        return samples[: round(len(samples) / factor)]

    def run(self, seconds: float | None = None, *, count: int | None = None) -> None:
        """Submit the fragments, all or the first; wait until idle, or so long, and close."""

        async def main() -> None:
            self.dubber.submit(self.fragments[:count])
            if seconds is None:
                await self.dubber.idle()
            else:
                await asyncio.sleep(seconds)
            await self.dubber.close()

        virtual_loop.run(main(), self.loop)

    @property
    def states(self) -> list[State]:
        return [fragment.state for fragment in self.fragments]


async def failed(code: str = "UNAVAILABLE") -> DubReply:
    raise StsError(code, "scripted", retryable=False)


def test_fragments_are_sent_in_order_a_few_at_a_time() -> None:
    one = Stage()
    one.run(count=7)
    assert [work.sequence for _, work in one.service.calls] == list(range(7))
    assert one.service.most == 3
    assert [at for at, _ in one.service.calls] == pytest.approx([0, 0, 0, 1, 1, 1, 2])
    assert one.states[:7] == [State.READY] * 7


def test_when_too_many_wait_the_oldest_are_given_up() -> None:
    one = Stage()
    assert len(one.fragments) == 12
    one.run()
    given_up = one.fragments[:4]
    assert {(f.outcome, f.reason) for f in given_up} == {(Outcome.OVERLOAD, "queue_full")}
    assert [work.sequence for _, work in one.service.calls] == list(range(4, 12))


def test_a_failed_call_is_told_to_the_core_and_the_next_goes_on() -> None:
    one = Stage(Service(script={0: failed, 2: lambda: failed("TIMEOUT")}))
    one.run(count=4)
    told = [(f.state, f.outcome, f.reason, f.round_trip_ms) for f in one.fragments[:3]]
    assert told[0] == (State.FAILED, Outcome.FAILED, "UNAVAILABLE", 1000)
    assert told[1][:2] == (State.READY, None)
    assert told[2] == (State.FAILED, Outcome.LATE, "TIMEOUT", 1000)
    assert one.states[3] is State.READY


def test_a_call_that_breaks_takes_no_other_with_it() -> None:
    async def broken() -> DubReply:
        raise RuntimeError("scripted")

    one = Stage(Service(script={0: broken}), inflight=1)
    one.run(count=3)
    assert one.states[:3] == [State.INFLIGHT, State.READY, State.READY]


def test_what_was_decided_while_it_waited_is_not_sent() -> None:
    one = Stage(inflight=1)
    one.core.dubs.failed(one.fragments[1], Outcome.OVERLOAD, "scripted")
    with structlog.testing.capture_logs() as lines:
        one.run(count=3)
    assert lines == []
    assert [work.sequence for _, work in one.service.calls] == [0, 2]


def test_closing_gives_up_what_is_under_way() -> None:
    one = Stage(inflight=2)
    one.run(0.5, count=4)
    assert one.states[:4] == [State.INFLIGHT] * 2 + [State.WAITING] * 2
    assert one.service.under_way == 0
    assert len(one.service.calls) == 2


def test_once_closed_it_sends_nothing_any_more() -> None:
    """The input's last words come when all is ended."""
    one = Stage()

    async def main() -> None:
        await one.dubber.close()
        one.dubber.submit(one.fragments[:2])
        await one.dubber.idle()

    virtual_loop.run(main(), one.loop)
    assert one.service.calls == []


def test_a_dub_that_is_too_long_is_brought_to_another_tempo() -> None:
    one = Stage(Service(says_s=2.2))
    one.run(count=3)
    assert one.tempos
    assert all(1 < tempo <= 1.25 for tempo in one.tempos)
    for fragment in one.fragments[:2]:
        assert fragment.tempo > 1
        assert fragment.voice is not None
        assert len(fragment.voice) == pytest.approx(2.2 * RATE / fragment.tempo, rel=0.01)


def test_a_dub_that_fits_stays_as_it_came() -> None:
    one = Stage(Service(says_s=1.5))
    one.run(count=2)
    assert one.tempos == []


def test_a_chunk_waits_for_the_words_that_it_repeats() -> None:
    fixed = {"fragments": {"mode": "fixed", "chunk_s": 2.0}}
    one = Stage(words=((0.0, 7.0),), policy=fixed)
    one.run(count=3)
    assert [at for at, _ in one.service.calls] == pytest.approx([0, 1, 2])
    assert [work.source_text for _, work in one.service.calls] == ["", "words 0", "words 1"]


@dataclass
class Streaming(Service):
    """Tells after `hears_s` what it heard, and answers in clauses of a second, one every `takes_s`,
    after which the script says how it ends."""

    clauses: int = 2
    hears_s: float = 0.0

    async def dub(
        self, work: Work, on_progress: Callable[[Progress], None]
    ) -> DubReply | StreamEnd:
        self.calls.append((asyncio.get_running_loop().time(), work))
        await asyncio.sleep(self.hears_s)
        on_progress(Heard(fragment_id=work.fragment_id, detected_language="en"))
        each = work.duration_ms // self.clauses
        spans = [(n * each, (n + 1) * each) for n in range(self.clauses)]
        on_progress(tuple(Announced(f"dito {n}", "", *span) for n, span in enumerate(spans)))
        for number in range(self.clauses):
            await asyncio.sleep(self.takes_s)
            on_progress(SpokenClause(number, voice(self.says_s), 1.0, 100))
        if work.sequence in self.script:
            return await self.script[work.sequence]()
        return StreamEnd(DONE, self.takes_s * self.clauses)


METADATA = StsMetadata(asr_model="a", translation_model="m", tts_model="t", replica="r")
DONE = Done(status="success", processing_time_ms=1, stages_ms=StageTimes(), metadata=METADATA)


def test_clauses_are_dubs_as_they_come_and_the_end_brings_nothing_new() -> None:
    one = Stage(Streaming(takes_s=1.0, says_s=0.5))
    one.run(1.5, count=1)
    first, second = one.core._book.parts(0)
    assert (first.state, second.state) == (State.READY, State.INFLIGHT)
    assert first.round_trip_ms == 1000
    assert one.core.view().depth["fragments_inflight"] == 0  # it was given up in the end


FIXED = {"fragments": {"mode": "fixed", "max_s": 2.0}}


def test_what_repeats_words_or_goes_on_from_them_waits_until_those_are_heard() -> None:
    one = Stage(Streaming(hears_s=0.5), words=((0.0, 7.0),), policy=FIXED)
    one.run(count=2)
    assert [at for at, _ in one.service.calls] == pytest.approx([0, 0.5])
    running = Stage(Streaming(hears_s=0.5), words=((0.0, 10.0),))
    running.run(count=2)
    assert [at for at, _ in running.service.calls] == pytest.approx([0, 0.5])
    apart = Stage(Streaming(hears_s=0.5), words=((1.0, 3.0), (4.0, 6.0)))
    apart.run(count=2)
    assert [at for at, _ in apart.service.calls] == [0, 0]


def test_it_does_not_wait_for_what_failed() -> None:
    broken = Stage(
        Service(takes_s=0.3, script={0: failed}),
        words=((0.0, 7.0),),
        policy=FIXED,
    )
    broken.run(count=2)
    assert [at for at, _ in broken.service.calls] == pytest.approx([0, 0.3])


def test_clauses_are_brought_to_their_tempo_before_the_reply_is_complete() -> None:
    one = Stage(Streaming(takes_s=2.0, says_s=3.0), words=((1.0, 5.0), (5.7, 9.0)))
    one.run(2.5, count=1)
    (first, second), (tempo, *_) = one.core._book.parts(0), one.tempos
    assert (first.state, second.state) == (State.READY, State.INFLIGHT)
    assert first.tempo == tempo > 1


def test_what_came_before_a_call_failed_stays() -> None:
    one = Stage(Streaming(script={0: failed}, says_s=0.5))
    one.run(count=2)
    assert [f.state for f in one.core._book.parts(0)] == [State.READY] * 2
    assert [f.state for f in one.core._book.parts(1)] == [State.READY] * 2
