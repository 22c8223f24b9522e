"""When and how a source is read again: the table, and the loop in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog

from dubcast.contract.worker import WorkerState
from dubcast.errors import InputError
from dubcast.metrics import WorkerMetrics
from dubcast.testing import virtual_loop
from dubcast.testing.virtual_loop import VirtualLoop
from dubcast.worker.core import WorkerCore
from dubcast.worker.edges import Edges
from dubcast.worker.fragment import Fragment
from dubcast.worker.input_loop import (
    Gone,
    InputLoop,
    Then,
    what_then,
)
from dubcast.worker.output_thread import OutputThread
from dubcast.worker.scheduler import Tracks
from dubcast.worker.spec import WorkerSpec
from dubcast.worker.standing import Standing
from worker_fakes import LevelVad, Read, ScriptedDestination, ScriptedSource, at_once, drive, spec

AWAY = Read(end=("error", "nobody publishes"))
# -- the table ---------------------------------------------------------------------------

FILE: dict[str, Any] = {"end_with_input": True}
PATIENT: dict[str, Any] = {"input_patience_s": 60.0}
BY_HAND: dict[str, Any] = {"input_patience_s": 60.0, "must_begin": True}


@pytest.mark.parametrize(
    ("rules", "gone", "expected"),
    [
        (FILE, Gone(failed=True, gone_s=0, begun=False, drained=True), Then.UNREADABLE),
        (FILE, Gone(failed=True, gone_s=0, begun=True, drained=False), Then.UNREADABLE),
        (FILE, Gone(failed=False, gone_s=0, begun=True, drained=False), Then.PLAY_OUT),
        (FILE, Gone(failed=False, gone_s=99, begun=True, drained=True), Then.PLAY_OUT),
        ({}, Gone(failed=True, gone_s=9e9, begun=False, drained=True), Then.AGAIN),
        (PATIENT, Gone(failed=True, gone_s=60, begun=True, drained=True), Then.AGAIN),
        (PATIENT, Gone(failed=True, gone_s=61, begun=True, drained=False), Then.AGAIN),
        (PATIENT, Gone(failed=True, gone_s=61, begun=True, drained=True), Then.OVER),
        (PATIENT, Gone(failed=False, gone_s=61, begun=False, drained=True), Then.OVER),
        (BY_HAND, Gone(failed=True, gone_s=60, begun=False, drained=True), Then.AGAIN),
        (BY_HAND, Gone(failed=False, gone_s=61, begun=False, drained=True), Then.UNREADABLE),
        (BY_HAND, Gone(failed=True, gone_s=61, begun=True, drained=True), Then.OVER),
    ],
)
def test_until_when_a_source_is_read_again(
    rules: dict[str, Any], gone: Gone, expected: Then
) -> None:
    assert what_then(spec(**rules), gone) is expected


# -- the loop ----------------------------------------------------------------------------


@dataclass
class Stage:
    """An input loop over a scripted source, whose core is polled as the output would."""

    reads: tuple[Read, ...]
    spec: WorkerSpec = field(default_factory=spec)
    submitted: list[Fragment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop = VirtualLoop()
        self.source = ScriptedSource(self.loop, *self.reads)
        edges = Edges(self.source, ScriptedDestination(self.loop), LevelVad, self.loop, at_once)
        self.core = WorkerCore(self.spec.policy, "run", LevelVad(), 0)
        self.core.set_output(Tracks.BOTH)
        self.metrics = WorkerMetrics("demo")
        self.standing = Standing(self.loop, self.metrics)
        self.input = InputLoop(self.spec, edges, self.core, self.standing, self.submitted.extend)
        self.thread = OutputThread(
            self.core, self.loop, lambda batch, now: None, lambda decided: None, lambda delay: None
        )

    def run(self, main: Coroutine[Any, Any, None] | None = None) -> None:
        """Run the loop to its end, or `main` beside it."""

        async def both() -> None:
            pushing = asyncio.create_task(drive(self.thread))
            reading = asyncio.create_task(self.input.run())
            try:
                await (reading if main is None else main)
            finally:
                pushing.cancel()
                reading.cancel()
                await asyncio.wait([pushing, reading])
                if not reading.cancelled():
                    reading.exception()

        virtual_loop.run(both(), self.loop)

    def run_for(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))


def test_a_file_ends_when_all_of_it_has_left() -> None:
    one = Stage((Read(media_s=4),), spec(end_with_input=True))
    one.run()
    assert one.core.drained
    # 4 s long, 3 s later at the output, and a second for what was pushed last.
    assert one.loop.time() == pytest.approx(4 + 3 + 1, abs=0.5)
    assert len(one.source.inputs) == 1
    assert one.source.inputs[0].stopped


def test_a_file_that_cannot_be_read_is_an_error_without_its_key() -> None:
    one = Stage((Read(end=("error", "no such thing")),), spec(end_with_input=True))
    with pytest.raises(InputError, match=r"live/demo/in cannot be read: no such thing$"):
        one.run()
    assert one.source.inputs[0].stopped


def test_a_publisher_that_comes_back_is_read_again_at_once() -> None:
    one = Stage((Read(media_s=2), AWAY, AWAY, Read(media_s=2, after_s=99)))
    one.run_for(5)
    assert one.input.sessions == 2
    assert one.standing.state is WorkerState.BUFFERING
    began = [each.began_s for each in one.source.inputs]
    assert began == pytest.approx([0, 2.4, 2.8, 3.2], abs=0.01)
    assert [each.stopped for each in one.source.inputs] == [True] * 4


def test_the_state_follows_the_input() -> None:
    one = Stage((AWAY, Read(media_s=2), AWAY))
    seen = []

    async def look() -> None:
        for _ in range(4):
            await asyncio.sleep(0.9)
            seen.append((one.standing.state, one.standing.reason))

    one.run(look())
    assert seen == [
        (WorkerState.BUFFERING, ""),
        (WorkerState.BUFFERING, ""),
        (WorkerState.INPUT_LOST, "eos"),
        (WorkerState.INPUT_LOST, "error"),
    ]


def test_the_same_trouble_is_told_once() -> None:
    one = Stage((Read(media_s=1), AWAY, AWAY, AWAY, Read(media_s=1), AWAY))
    with structlog.testing.capture_logs() as lines:
        one.run_for(8)
    said = [line["reason"] for line in lines if line["event"] == "input ended"]
    assert said == ["end of stream", AWAY.end[1], "end of stream", AWAY.end[1]]


def test_a_publisher_who_stays_away_ends_the_stream_when_all_has_left() -> None:
    one = Stage((Read(media_s=2), AWAY), spec(input_patience_s=1.0))
    one.run()
    assert one.core.drained
    assert one.loop.time() == pytest.approx(2 + 3, abs=0.8)  # the delay is longer than patience


def test_patience_counts_from_the_last_media_and_not_from_the_start() -> None:
    one = Stage((Read(media_s=2), AWAY, Read(media_s=2), AWAY), spec(input_patience_s=6.0))
    one.run()
    assert one.input.sessions == 2
    assert one.loop.time() == pytest.approx(2 + 0.4 + 0.4 + 2 + 6, abs=0.8)


def test_a_source_that_never_came_is_an_error_by_hand_and_an_end_else() -> None:
    one = Stage((AWAY,), spec(input_patience_s=2.0, must_begin=True))
    with pytest.raises(InputError, match="nobody publishes"):
        one.run()
    assert one.loop.time() == pytest.approx(2.3, abs=0.4)
    other = Stage((AWAY,), spec(input_patience_s=2.0))
    other.run()
    assert other.input.refusal is None


def test_a_refused_source_ends_the_stream_and_says_why() -> None:
    one = Stage((Read(end=("refused", "H.265 is not taken")),))
    one.run()
    refusal = one.input.refusal
    assert refusal is not None
    assert (str(refusal), refusal.reason, refusal.retryable) == (
        *("H.265 is not taken", "video_codec", False),
    )
    assert len(one.source.inputs) == 1


def test_cancelling_stops_the_read_and_hands_over_the_open_speech() -> None:
    one = Stage((Read(media_s=9, talk=[(0.5, 9)]),))
    one.run_for(1)
    assert one.source.inputs[0].stopped
    (fragment,) = one.submitted
    assert fragment.length_s == pytest.approx(0.6, abs=0.2)


def test_speech_is_submitted_while_it_is_read() -> None:
    one = Stage((Read(media_s=6, talk=[(0.5, 1.1)], after_s=99),))
    one.run_for(4)
    assert len(one.submitted) == 1


def test_what_has_yet_to_come_is_looked_for_often_at_first() -> None:
    tries = []
    for seconds in (5, 35):
        one = Stage((AWAY,))
        one.run_for(seconds)
        tries.append(len(one.source.inputs))
    assert tries[0] == pytest.approx(5 / (AWAY.after_s + 0.1), abs=2)
    assert tries[1] - tries[0] == pytest.approx(30 / (AWAY.after_s + 0.3), abs=2)


def test_what_was_there_is_looked_for_less_often() -> None:
    one = Stage((Read(media_s=1), AWAY))
    one.run_for(1 + 4)
    assert len(one.source.inputs) == pytest.approx(1 + 4 / (AWAY.after_s + 0.3), abs=1.5)
