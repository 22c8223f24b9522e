"""What a worker tells: its status, its metrics, its as-run entries and its heartbeat."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import structlog

from dubcast.audio.pcm import RATE
from dubcast.clock import NS_PER_S
from dubcast.contract.sts import LeftAlone
from dubcast.contract.worker import AsRunEntry, BreakerState, Outcome, WorkerState
from dubcast.metrics import WorkerMetrics
from dubcast.separation.client import SeparationClient, SeparationState
from dubcast.testing.clock import VirtualClock
from dubcast.testing.virtual_loop import VirtualLoop
from dubcast.worker.av_offset import AvOffset
from dubcast.worker.core import WorkerCore
from dubcast.worker.delivery import Delivery
from dubcast.worker.dubbing import DubbingWatch
from dubcast.worker.edges import Edges
from dubcast.worker.fragment import Fragment
from dubcast.worker.input_loop import InputLoop
from dubcast.worker.output_thread import OutputThread
from dubcast.worker.publisher import Publisher
from dubcast.worker.scheduler import Tracks
from dubcast.worker.spec import WorkerSpec
from dubcast.worker.standing import Standing
from dubcast.worker.sts_client import StsClient
from dubcast.worker.telemetry import Parts, Telemetry, separation_status
from worker_fakes import (
    FakeOutput,
    LevelVad,
    ScriptedDestination,
    ScriptedSource,
    at_once,
    dub_reply,
    feed,
    spec,
)

WORDS = ((0.5, 1.3), (2.9, 3.7))


@dataclass
class Stage:
    """A worker's parts, none of them running."""

    spec: WorkerSpec = field(default_factory=lambda: spec(policy={"delay_s": 8}))
    entries: list[AsRunEntry] = field(default_factory=list)
    decided: list[Fragment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.loop = VirtualLoop()
        self.loop.close()
        there = ScriptedDestination(self.loop)
        edges = Edges(ScriptedSource(self.loop), there, LevelVad, self.clock, at_once)
        self.metrics = WorkerMetrics("demo")
        self.core = WorkerCore(self.spec.policy, "run", LevelVad(), 0)
        self.core.set_output(Tracks.SOUND)
        self.standing = Standing(self.clock, self.metrics)
        self.client = StsClient(self.spec.sts, "demo", self.spec.policy, self.clock.monotonic_ns)
        self.input = InputLoop(self.spec, edges, self.core, self.standing, lambda some: None)
        self.publisher = Publisher("rtmp://x/y", edges, self.core, self.standing, self.metrics)
        self.thread = OutputThread(
            *(
                self.core,
                self.clock,
                lambda batch, now: None,
                self.decided.extend,
                lambda delay: None,
            )
        )
        self.av_offset, self.delivery = AvOffset(), Delivery()
        parts = Parts(
            *(self.core, self.client, self.input, self.publisher, self.thread, None, None),
            dubbing=DubbingWatch(self.clock.monotonic_ns),
            av_offset=self.av_offset,
            delivery=self.delivery,
        )
        self.telemetry = Telemetry(
            *(self.spec, "run", parts, self.standing, self.metrics, self.clock),
            on_fragment=self.entries.append,
        )

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"stream": "demo", **labels})

    def dubbed(self) -> list[Fragment]:
        """Two fragments, the first of which gets a dub; decided, not yet reported."""
        cut = feed(self.core, 0, 4, WORDS) + self.core.input_ended()
        for fragment in cut:
            assert self.core.dubs.send(fragment) is not None
        voice = np.full(RATE, 0.2, np.float32)
        said = {"transcript": "hello", "translated_text": "olá", "tempo": 1.1}
        self.core.dubs.replied(cut[0], dub_reply(voice, **said), 0)
        for _ in range(40):
            self.clock.advance(0.25)
            self.thread.push_due()
        return self.decided


def test_the_status_of_a_worker_that_waits() -> None:
    one = Stage()
    one.clock.advance(2)
    status = one.telemetry.status()
    assert (status.stream_id, status.run_id) == ("demo", "run")
    assert (status.state, status.since_s, status.delay_s) == (WorkerState.WAITING, 2, 8)
    assert (status.input.sessions, status.input.video, status.output.restarts) == (0, False, 0)
    assert status.separation.state == "off"
    (endpoint,) = status.sts
    assert endpoint.state is BreakerState.CLOSED
    assert status.depth == {"video_units": 0, "fragments_open": 0, "fragments_inflight": 0}


def test_since_when_it_is_in_its_state_and_why() -> None:
    one = Stage()
    one.clock.advance(3)
    one.standing.step("input_up")
    one.clock.advance(1)
    one.standing.step("input_down", "eos")
    one.clock.advance(0.5)
    status = one.telemetry.status()
    assert (status.state, status.reason, status.since_s) == (WorkerState.INPUT_LOST, "eos", 0.5)


def test_the_message_is_that_of_the_refusal() -> None:
    one = Stage()
    assert one.telemetry.status().message == ""
    one.standing.step("refuse", "video_codec", "H.265 is not taken")
    status = one.telemetry.status()
    assert (status.reason, status.message) == ("video_codec", "H.265 is not taken")


def test_it_is_stuck_when_either_thread_does_not_come_round() -> None:
    one = Stage()
    one.clock.advance(5)
    assert one.telemetry.status().stuck_s == 4
    one.thread.push_due()
    assert one.telemetry.status().stuck_s == 4
    one.telemetry.look()
    assert one.telemetry.status().stuck_s == 0
    one.clock.advance(3)
    one.telemetry.look()
    assert one.telemetry.status().stuck_s == 2


def test_speech_in_which_no_words_were_recognized_counts_as_undubbed() -> None:
    one = Stage()
    first, *_ = decided = one.dubbed()
    first.unheard_speech = first.speech // 2
    one.telemetry.report(decided)
    half_s = first.speech / RATE / 2
    assert one.entries[0].unheard_s == pytest.approx(half_s, abs=0.001)
    assert one.telemetry.status().speech_s["dubbed"] == pytest.approx(half_s, abs=0.1)
    dubbed_s = one.metric("dubcast_speech_seconds_total", aired="dubbed")
    assert dubbed_s == pytest.approx(half_s, abs=0.001)


def test_a_dub_is_counted_logged_and_handed_on() -> None:
    one = Stage()
    decided = one.dubbed()
    with structlog.testing.capture_logs() as lines:
        one.telemetry.report(decided)
    assert [entry.outcome for entry in one.entries] == [Outcome.DUBBED, Outcome.LATE]
    first, second = one.entries
    assert (first.language, first.transcript, first.translated_text) == ("en", "hello", "olá")
    assert first.dub_span_s is not None
    assert first.placed_shift_s == 0
    assert one.metric("dubcast_fragments_total", outcome="dubbed") == 1
    assert one.metric("dubcast_fragments_total", outcome="late") == 1
    assert one.metric("dubcast_fallback_total", mode="original", reason="deadline") == 1
    assert one.metric("dubcast_tempo_ratio") == first.tempo
    lag_s = first.dub_span_s[0] - first.source_start_s
    assert one.metric("dubcast_dub_lag_seconds") == pytest.approx(lag_s)
    assert one.metric("dubcast_dub_backlog_seconds") == first.backlog_s
    assert one.metric("dubcast_dubbed_seconds_total", tempo="1.05-1.10") == pytest.approx(
        1, abs=0.05
    )
    assert one.metric("dubcast_loudness_lufs", side="dub") == first.dub_lufs
    assert one.metric("dubcast_fragment_seconds_count", stage="asr") == 1
    told = [line for line in lines if line["event"] == "fragment"]
    assert [line["fragmentId"] for line in told] == [first.fragment_id, second.fragment_id]
    assert [line["outcome"] for line in told] == ["dubbed", "late"]
    assert not any("hello" in str(line) for line in lines)  # what was said is not logged
    assert one.telemetry.status().fragments == {Outcome.DUBBED: 1, Outcome.LATE: 1}


def test_what_aired_while_a_dub_was_late_is_speech_and_no_fragment() -> None:
    one = Stage()
    dubbed, late = one.dubbed()
    one.telemetry.report([replace(late, beginning=True), replace(dubbed, late=RATE // 4)])
    assert one.metric("dubcast_fragments_total", outcome="late") is None
    assert one.metric("dubcast_fragments_total", outcome="dubbed") == 1
    assert one.metrics.fallback.collect()[0].samples == []
    assert one.metric("dubcast_speech_seconds_total", aired="undubbed") > 0.5
    assert [entry.beginning for entry in one.entries] == [True, False]
    assert one.metric("dubcast_dub_lag_seconds") == pytest.approx(0.25, abs=0.05)


def test_what_is_left_alone_is_counted_by_its_reason_and_is_no_fallback() -> None:
    one = Stage()
    fragment = one.dubbed()[1]
    fragment.outcome, fragment.reason, fragment.fallback = Outcome.LEFT_ALONE, "", ""
    for reason in ("target_language", "other_language", "target_language"):
        one.telemetry.report([replace(fragment, reason=reason)])
    assert one.metric("dubcast_left_alone_total", reason="target_language") == 2
    assert one.metric("dubcast_left_alone_total", reason="other_language") == 1
    assert one.metric("dubcast_fragments_total", outcome="left_alone") == 3
    fallbacks = one.metrics.fallback.collect()[0].samples
    assert fallbacks == []
    counted = {LeftAlone.TARGET_LANGUAGE: 2, LeftAlone.OTHER_LANGUAGE: 1}
    assert one.telemetry.status().left_alone == counted


def test_gauges_and_counters_follow_the_core() -> None:
    one = Stage()
    feed(one.core, 0, 1)
    one.core.audio(2 * NS_PER_S, bytes(3840), 2 * NS_PER_S)  # a second is missing
    one.telemetry.look()
    one.telemetry.look()  # what was counted is not counted again
    assert one.metric("dubcast_output_gap_seconds_total") == pytest.approx(1, abs=0.05)
    cut = feed(one.core, 3 * NS_PER_S, 2, [(0.2, 1.2)])
    if cut:
        one.core.dubs.send(cut[0])
    one.telemetry.look()
    assert one.metric("dubcast_queue_depth", queue="fragments_open") == len(cut)
    assert one.metric("dubcast_breaker_state", state="closed") == 1
    placed = one.metric("dubcast_input_placement_error_seconds")
    assert placed == pytest.approx(one.core.view().av_error_s)
    assert one.metric("dubcast_av_offset_seconds") == 0
    one.av_offset.left("audio", 0, 0)
    one.av_offset.left("video", 0, NS_PER_S // 50)
    one.telemetry.look()
    assert one.metric("dubcast_av_offset_seconds") == pytest.approx(0.02)
    assert one.telemetry.status().output.av_offset_ms == 20


def test_what_is_not_dubbed_is_told_until_a_dub_is_on_air() -> None:
    one = Stage()
    decided = one.dubbed()
    for number, up in ((0, 1), (1, 0)):
        one.telemetry.report(decided[number : number + 1])
        one.telemetry.look()
        assert one.metric("dubcast_dubbing_up") == up
    assert one.telemetry.status().dubbing.fault == "overloaded"
    one.telemetry.report([replace(decided[0], sequence=2)])
    assert one.telemetry.status().dubbing.fault == ""


def test_the_bed_without_a_background_is_counted_once() -> None:
    one = Stage()
    one.dubbed()
    bare = one.core.view().unseparated_samples
    assert bare > 0.5 * RATE
    for _ in range(2):
        one.telemetry.look()
    assert one.metric("dubcast_unseparated_seconds_total") == pytest.approx(bare / RATE)


def test_the_most_that_waited_is_kept() -> None:
    one = Stage()
    output = FakeOutput(one.loop, 0, 0, b"config", lambda kind, message: None)
    one.publisher.outlet.open(output)
    for output.waiting_s in (0.5, 4.0, 1.0):
        one.telemetry.look()
    assert one.metric("dubcast_queue_depth", queue="output_s") == 1.0
    assert one.metric("dubcast_queue_peak", queue="output_s") == 4.0
    assert one.telemetry.status().peak["output_s"] == 4.0


def test_only_what_a_destination_took_is_delivered_and_on_air() -> None:
    one = Stage()
    decided = one.dubbed()
    output = FakeOutput(one.loop, 0, 0, b"config", lambda kind, message: None)
    one.publisher.outlet.open(output)
    output.waiting_s = 1.5
    one.delivery.pushed(output, 10)
    one.telemetry.look()
    one.telemetry.report(decided[:1])
    assert one.telemetry.status().output.delivered_s == 0
    one.publisher.taken = True
    one.telemetry.look()
    one.telemetry.report(decided[1:])
    assert one.telemetry.status().output.delivered_s == 8.5
    one.publisher.taken = False
    one.telemetry.report(decided[:1])
    assert [entry.on_air for entry in one.entries] == [False, True, False]


def test_a_separation_is_told_with_its_figures() -> None:
    client = SeparationClient(lambda start, background, share: None)
    client.state, client.name, client.reason = SeparationState.WAITING, "dfn3", "crashed"
    client.cpu, client.restarts = 0.12345, 2
    told = separation_status(client)
    assert (told.state, told.separator, told.reason) == ("waiting", "dfn3", "crashed")
    assert (told.cpu, told.restarts, told.dropped_s) == (0.123, 2, 0)


@pytest.mark.parametrize("state", SeparationState)
def test_every_state_of_the_separation_can_be_told(state: SeparationState) -> None:
    known: Any = SimpleNamespace(
        state=state, name="dfn3", reason="", restarts=0, cpu=0.0, dropped=0
    )
    assert separation_status(known).state == state.value
