"""The output's connections, one after the other, in virtual time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from dubcast.clock import NS_PER_S
from dubcast.contract.worker import WorkerState
from dubcast.metrics import WorkerMetrics
from dubcast.testing import virtual_loop
from dubcast.testing.virtual_loop import VirtualLoop
from dubcast.worker.core import WorkerCore
from dubcast.worker.edges import Edges
from dubcast.worker.input_loop import InputLoop
from dubcast.worker.output_thread import OutputThread
from dubcast.worker.publisher import Publisher
from dubcast.worker.standing import Standing
from worker_fakes import (
    LevelVad,
    Read,
    ScriptedDestination,
    ScriptedSource,
    at_once,
    spec,
)

ON_AIR = Read(media_s=60)


@dataclass
class Stage:
    """A publisher between a source and a destination that are both scripted."""

    read: Read = ON_AIR
    lasts_s: tuple[float, ...] = ()
    answers_s: float = 0.0
    held_s: tuple[float, float] = (0.0, 0.0)  # from when until when nothing is pushed
    states: list[tuple[float, WorkerState, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop = VirtualLoop()
        self.there = ScriptedDestination(self.loop, *self.lasts_s, answers_s=self.answers_s)
        source = ScriptedSource(self.loop, self.read)
        edges = Edges(source, self.there, LevelVad, self.loop, at_once)
        asked = spec()
        self.core = WorkerCore(asked.policy, "run", LevelVad(), 0)
        self.metrics = WorkerMetrics("demo")
        self.standing = Standing(self.loop, self.metrics)
        self.input = InputLoop(asked, edges, self.core, self.standing, lambda fragments: None)
        self.publisher = Publisher(asked.destination, edges, self.core, self.standing, self.metrics)
        self.thread = OutputThread(
            self.core,
            self.loop,
            self.publisher.outlet.push,
            lambda decided: None,
            lambda delay: None,
        )

    @property
    def up(self) -> float:
        value = self.metrics.registry.get_sample_value("dubcast_publish_up", {"stream": "demo"})
        assert value is not None
        return value

    def run(self, seconds: float, at: dict[float, Any] | None = None) -> None:
        """Let it run so long; `at`: what to call after how many seconds."""

        async def main() -> None:
            tasks = [
                asyncio.create_task(each)
                for each in (self.input.run(), self.publisher.run(), self._push())
            ]
            for after_s, call in (at or {}).items():
                self.loop.call_later(after_s, call)
            await asyncio.sleep(seconds)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        virtual_loop.run(main(), self.loop)

    async def _push(self) -> None:
        """Do in the loop, in virtual time, what an output thread does."""
        while True:
            wait_s = self.thread.push_due()
            if self.held_s[0] <= self.loop.time() < self.held_s[1]:
                wait_s = self.held_s[1] - self.loop.time()
            await asyncio.sleep(max(wait_s, 0.005))

    def pictures(self, *times_s: float) -> dict[float, Callable[[], None]]:
        """Pictures that arrive at these times, the first a key frame; for `run`."""

        def arrives(key: bool) -> Callable[[], None]:
            def picture() -> None:
                now = self.loop.monotonic_ns()
                self.core.video(now, now, key, "picture", b"config", now)

            return picture

        return {at_s: arrives(at_s == times_s[0]) for at_s in times_s}

    def sound(self) -> list[tuple[int, int]]:
        """From where to where, in samples, sound was sent without a hole, connection by
        connection."""
        runs: list[tuple[int, int]] = []
        for block in (block for output in self.there.outputs for block in output.audio):
            joins = bool(runs) and runs[-1][1] == block.start
            start = runs.pop()[0] if joins else block.start
            runs.append((start, block.start + len(block.samples)))
        return runs

    def look(self) -> None:
        self.states.append((round(self.loop.time(), 1), self.standing.state, self.up))


def test_it_connects_when_both_tracks_are_known_and_is_on_air_when_media_leaves() -> None:
    one = Stage()
    one.run(10, {2.5: one.look, 3.6: one.look})
    (output,) = one.there.outputs
    assert output.has_video
    assert output.began_s < 0.2
    assert one.states == [(2.5, WorkerState.BUFFERING, 0), (3.6, WorkerState.LIVE, 1)]
    assert output.video[0].key
    # From the first key frame on, 3 s after it arrived.
    assert len(output.video) == pytest.approx(25 * 7, abs=5)
    assert sum(len(block.samples) for block in output.audio) == pytest.approx(7 * 48_000, rel=0.05)


def test_without_media_nothing_connects() -> None:
    one = Stage(Read(end=("error", "nobody publishes")))
    one.run(10)
    assert one.there.outputs == []
    assert one.standing.state is WorkerState.WAITING


def test_a_track_that_does_not_show_up_is_waited_for_and_then_done_without() -> None:
    one = Stage(Read(media_s=60, video=False))
    one.run(6)
    (output,) = one.there.outputs
    assert output.began_s == pytest.approx(2.25, abs=0.1)  # its sound is due after 2.8
    assert not output.has_video
    assert output.audio


def test_a_picture_two_seconds_behind_the_sound_needs_no_second_connection() -> None:
    """Where a server keeps no group of pictures it begins with the next key frame."""
    one = Stage(Read(media_s=60, video=False))

    def arrives() -> None:
        now = one.loop.monotonic_ns()
        one.core.video(now, now, True, "picture", b"config", now)

    one.run(8, {2.0: arrives})
    (output,) = one.there.outputs
    assert output.has_video and output.video and output.audio


def test_a_connection_that_was_lost_waits_less_for_what_was_never_there() -> None:
    one = Stage(Read(media_s=60, video=False), lasts_s=(4.0, 60.0))
    one.run(12)
    first, second = one.there.outputs
    assert 1.5 <= second.began_s - (first.began_s + 4) <= 2.1


def test_after_a_crash_the_picture_is_waited_for_until_the_next_key_frame() -> None:
    """A server may keep no group of pictures: without it the picture would come 8 s later."""
    one = Stage(Read(media_s=60, video=False))
    one.core.resume(1.0)

    def arrives() -> None:
        now = one.loop.monotonic_ns()
        one.core.video(now, now, True, "picture", b"config", now)

    one.run(6, {2.0: arrives})
    (output,) = one.there.outputs
    assert output.has_video
    assert output.began_s == pytest.approx(2.0, abs=0.1)


def test_after_a_crash_of_sound_alone_it_is_done_without_a_picture() -> None:
    one = Stage(Read(media_s=60, video=False))
    one.core.resume(1.0)
    one.run(8)
    (output,) = one.there.outputs
    assert not output.has_video and output.audio
    assert output.began_s == pytest.approx(4.5, abs=0.2)


def test_a_picture_that_comes_later_costs_one_connection_and_no_sound() -> None:
    one = Stage(Read(media_s=60, video=False))
    key: list[int] = []

    def video(key_frame: bool) -> Callable[[], None]:
        def arrives() -> None:
            now = one.loop.monotonic_ns()
            one.core.video(now, now, key_frame, "picture", b"config", now)
            key.append(now)

        return arrives

    one.run(
        12,
        {2.9: video(False), 3.0: video(True), **{3 + n / 25: video(False) for n in range(1, 99)}},
    )
    first, second = one.there.outputs
    assert (first.has_video, second.has_video) == (False, True)
    # The first one lasts until the picture is due, 3 s after it arrived.
    assert first.finished_s == pytest.approx(6.0, abs=0.1)
    assert first.stopped
    assert second.video[0].key and len(second.video) == 99
    blocks = [block for output in (first, second) for block in output.audio]
    ends = [block.start + len(block.samples) for block in blocks]
    assert [block.start for block in blocks[1:]] == ends[:-1]
    assert second.audio[0].pts_ns == pytest.approx(second.video[0].dts_ns, abs=20_000)
    assert one.publisher.restarts == 0


def test_a_picture_that_comes_later_costs_no_sound_where_what_is_due_comes_late() -> None:
    """A busy machine: the picture is due after 6 s, and the sound before it was not pushed yet."""
    one = Stage(Read(media_s=60, video=False), held_s=(5.5, 6.4))
    one.run(12, one.pictures(*(3 + n / 25 for n in range(200))))
    first, second = one.there.outputs
    assert first.finished_s == pytest.approx(6.45, abs=0.1)
    assert second.video[0].key
    ((_, end),) = one.sound()
    assert end > 8.5 * 48_000


def test_the_end_of_the_stream_waits_for_a_connection_that_takes_over() -> None:
    one = Stage(Read(media_s=60, video=False), held_s=(5.5, 6.4))
    ends: list[asyncio.Task[None]] = []
    pictures = one.pictures(*(3 + n / 25 for n in range(200)))
    one.run(
        12,
        {**pictures, 6.2: lambda: ends.append(asyncio.create_task(one.publisher.finish()))},
    )
    first, second = one.there.outputs
    assert first.finished_s <= second.finished_s == pytest.approx(6.5, abs=0.1)
    assert second.video[0].key and second.stopped
    assert len(one.sound()) == 1


def test_the_end_of_the_stream_is_sent_to_its_last_sample_and_is_no_loss() -> None:
    one = Stage(Read(media_s=60))
    ends: list[asyncio.Task[None]] = []
    one.run(12, {9.0: lambda: ends.append(asyncio.create_task(one.publisher.finish()))})
    (output,) = one.there.outputs
    assert output.finished_s == pytest.approx(9.0, abs=0.02)
    assert output.stopped
    assert one.publisher.restarts == 0
    assert one.standing.output_lost_for == ""


def test_a_picture_pause_costs_nothing() -> None:
    one = Stage(Read(media_s=60, video=False))
    pictures = [at / 25 for at in (*range(75), *range(300, 400))]

    def video() -> None:
        now = one.loop.monotonic_ns()
        one.core.video(now, now, True, "picture", b"config", now)

    one.run(16, dict.fromkeys(pictures, video))
    (output,) = one.there.outputs
    assert output.has_video
    blocks = output.audio
    ends = [block.start + len(block.samples) for block in blocks]
    assert [block.start for block in blocks[1:]] == ends[:-1]
    assert ends[-1] - blocks[0].start > 12.5 * 48_000


def test_a_lost_output_is_made_anew_with_growing_pauses() -> None:
    one = Stage(lasts_s=(5.0, 0.5, 0.5, 0.5, 0.5, 99.0))
    one.run(30, {4.0: one.look, 5.11: one.look, 20.0: one.look})
    assert one.states == [
        (4.0, WorkerState.LIVE, 1),
        (5.1, WorkerState.OUTPUT_LOST, 0),
        (20.0, WorkerState.LIVE, 1),
    ]
    assert one.publisher.restarts == 5
    outputs = one.there.outputs
    assert [output.stopped for output in outputs] == [True] * 6
    ends = [output.began_s + lasts for output, lasts in zip(outputs, one.lasts_s, strict=True)]
    pauses = [b.began_s - end for end, b in zip(ends, outputs[1:], strict=False)]
    assert all(0.1 <= pause <= 2.05 for pause in pauses)
    assert max(pauses) > 0.5


def test_a_server_that_accepts_and_refuses_is_never_on_air() -> None:
    one = Stage(lasts_s=(0.9,))
    looks: dict[float, Any] = {at / 10: one.look for at in range(5, 100)}
    one.run(10, looks)
    assert {(state, up) for _, state, up in one.states} == {(WorkerState.BUFFERING, 0)}
    assert len(one.there.outputs) > 3


def test_a_destination_that_answers_late_is_up_when_that_has_lasted() -> None:
    one = Stage(answers_s=6.0)
    one.run(10, {6.9: one.look, 7.6: one.look})
    assert one.states == [(6.9, WorkerState.BUFFERING, 0), (7.6, WorkerState.LIVE, 1)]
    assert one.publisher.unanswered == ""


def test_a_destination_that_never_takes_the_publish_is_never_up_and_left() -> None:
    one = Stage(answers_s=1e9)
    looks: dict[float, Any] = {at / 10: one.look for at in range(5, 250)}
    one.run(25, looks)
    assert {(state, up) for _, state, up in one.states} == {(WorkerState.BUFFERING, 0)}
    assert not one.publisher.taken
    first, second, _ = one.there.outputs
    assert 10 < second.began_s - first.began_s < 11
    assert first.stopped
    assert one.standing.output_lost_for == one.publisher.unanswered != ""


def test_a_destination_that_stops_reading_is_left() -> None:
    one = Stage()

    def stall() -> None:
        one.there.outputs[0].waiting_s = 10.1

    one.run(8, {4.0: stall})
    first, second = one.there.outputs
    assert first.stopped
    assert 4.0 < second.began_s < 6.5
    assert second.video[0].key  # a decoder can start there
    assert one.publisher.restarts == 1


def test_cancelling_stops_the_output_and_takes_it_from_the_core() -> None:
    one = Stage()
    one.run(4)
    (output,) = one.there.outputs
    assert output.stopped
    assert one.publisher.output is None
    assert one.up == 0
    batch, _ = one.core.poll(one.loop.monotonic_ns() + 2 * NS_PER_S)
    assert (batch.video, batch.audio) == ([], [])  # though it holds more


def test_pictures_go_on_where_they_were_after_a_new_connection() -> None:
    one = Stage(lasts_s=(6.0, 99.0))
    one.run(14)
    first, second = one.there.outputs
    times = [unit.dts_ns for output in (first, second) for unit in output.video]
    assert all(a < b for a, b in itertools.pairwise(times))
