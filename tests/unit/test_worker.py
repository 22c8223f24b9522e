"""The worker as a whole between scripted ends: started, drained, refused and ended in order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE
from dubcast.config import SecretUrl
from dubcast.contract.worker import AsRunEntry, Outcome, WorkerState
from dubcast.errors import ConfigError, InputError
from dubcast.metrics import WorkerMetrics
from dubcast.testing import virtual_loop
from dubcast.testing.virtual_loop import VirtualLoop
from dubcast.worker import worker as worker_module
from dubcast.worker.edges import Edges
from dubcast.worker.output_thread import OutputThread
from dubcast.worker.scheduler import Batch
from dubcast.worker.spec import WorkerSpec
from dubcast.worker.work import DubReply, Work
from dubcast.worker.worker import Worker
from worker_fakes import (
    LevelVad,
    Read,
    ScriptedDestination,
    ScriptedSource,
    at_once,
    drive,
    dub_reply,
    spec,
)

DELAY_S = 3
ON_AIR = Read(media_s=60)


class InLoop(OutputThread):
    """The output thread's rounds, made in the virtual loop."""

    def start(self) -> None:
        self.task = asyncio.create_task(drive(self))

    def close(self) -> None:
        self.task.cancel()


@dataclass
class Stage:
    """A worker, a source and a destination."""

    monkeypatch: pytest.MonkeyPatch
    reads: tuple[Read, ...] = (ON_AIR,)
    spec: WorkerSpec = field(default_factory=spec)
    entries: list[AsRunEntry] = field(default_factory=list)
    states: list[WorkerState] = field(default_factory=list)
    ended_s: float = -1.0

    def __post_init__(self) -> None:
        self.monkeypatch.setattr(worker_module, "OutputThread", InLoop)
        self.loop = VirtualLoop()
        self.source = ScriptedSource(self.loop, *self.reads)
        self.there = ScriptedDestination(self.loop)
        edges = Edges(self.source, self.there, LevelVad, self.loop, at_once)
        self.worker = Worker(self.spec, WorkerMetrics("demo"), edges, self.entries.append)

    def run(self, at: dict[float, Callable[[], Any]] | None = None) -> None:
        """Run the worker to its end; `at`: what to call after how many seconds."""

        async def main() -> None:
            for after_s, call in (at or {}).items():
                self.loop.call_later(after_s, call)
            try:
                await self.worker.run()
            finally:
                self.ended_s = self.loop.time()
                left = asyncio.all_tasks() - {asyncio.current_task()}
                assert {task.get_name() for task in left if not task.cancelling()} == set()

        virtual_loop.run(main(), self.loop)

    def look(self) -> None:
        self.states.append(self.worker.status().state)


def test_a_stop_ends_it_at_once_and_leaves_nothing_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = Stage(monkeypatch)
    one.run({4.0: one.look, 8.0: one.worker.stop})
    assert one.ended_s == pytest.approx(8, abs=0.01)
    assert one.source.inputs[0].stopped
    assert one.there.outputs[0].stopped
    assert one.worker.status().state is WorkerState.STOPPED
    assert one.states == [WorkerState.LIVE]


def test_a_stop_gives_up_the_calls_that_are_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Read(media_s=60, talk=[(1, 1.8)])
    one = Stage(monkeypatch, (read,), spec(policy={"delay_s": 10}))
    depth: list[int] = []

    def stop() -> None:
        depth.append(one.worker.status().depth["fragments_inflight"])
        one.worker.stop()

    one.run({4.0: stop})
    assert depth == [1]
    assert one.ended_s == pytest.approx(4, abs=0.01)


def test_a_stop_before_anything_came_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Stage(monkeypatch, (Read(end=("error", "nobody publishes")),), spec(drain_s=5))
    one.run({1.0: one.worker.stop})
    assert one.ended_s == pytest.approx(1, abs=0.01)


def test_with_a_drain_what_is_held_still_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Stage(monkeypatch, spec=spec(drain_s=5))
    stopped_at_once = Stage(monkeypatch)
    for each in (one, stopped_at_once):
        each.run({8.0: each.worker.stop})
    assert one.ended_s == pytest.approx(8 + DELAY_S, abs=0.6)
    held = len(one.there.outputs[0].video) - len(stopped_at_once.there.outputs[0].video)
    assert held == pytest.approx(DELAY_S * 25, abs=3)
    assert one.source.inputs[0].stopped
    assert one.worker.status().input.sessions == 1


def test_a_drain_waits_for_what_the_thread_has_taken_and_not_pushed_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = Stage(monkeypatch, spec=spec(drain_s=5))
    held: list[tuple[Batch, int]] = []
    thread = one.worker._output_thread
    push, close = thread._push, thread.close

    def hold(batch: Batch, now: int) -> None:
        held.append((batch, now))

    def close_late() -> None:
        for batch, now in held:
            push(batch, now)
        close()

    monkeypatch.setattr(thread, "close", close_late)
    one.run({8.0: one.worker.stop, 10.5: lambda: setattr(thread, "_push", hold)})
    (output,) = one.there.outputs
    last = [block.start for batch, _ in held for block in batch.audio]
    assert last and [block.start for block in output.audio][-len(last) :] == last
    assert output.stopped


def test_what_is_said_last_is_dubbed_in_the_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what waited for its turn when the stream was told to stop."""
    read = Read(media_s=60, talk=[(5.0, 6.2), (6.9, 60)])
    long = spec(drain_s=8, policy={"delay_s": 6}, sts={"max_inflight": 1})
    one = Stage(monkeypatch, (read,), long)
    asked: list[int] = []

    async def dub(work: Work, on_progress: Any) -> DubReply:
        asked.append(work.sequence)
        await asyncio.sleep(2.0)
        return dub_reply(np.full(RATE, 0.2, np.float32), speech_start_ms=None, speech_end_ms=None)

    monkeypatch.setattr(one.worker._client, "dub", dub)
    waits: list[int] = []

    def stop() -> None:
        waits.append(one.worker.status().depth["fragments_inflight"])
        one.worker.stop()

    one.run({8.0: stop})
    assert (waits, asked) == ([1], [0, 1])
    assert one.worker.status().fragments == {Outcome.DUBBED: 2}


def test_what_a_stall_of_the_sound_cuts_off_is_dubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Read(media_s=7.0, after_s=60, talk=[(5.0, 60)])  # then nothing comes for a minute
    one = Stage(monkeypatch, (read,), spec(policy={"delay_s": 6}))

    async def dub(work: Work, on_progress: Any) -> DubReply:
        await asyncio.sleep(0.5)
        return dub_reply(np.full(RATE, 0.2, np.float32), speech_start_ms=None, speech_end_ms=None)

    monkeypatch.setattr(one.worker._client, "dub", dub)
    one.run({20.0: one.worker.stop})
    assert one.worker.status().fragments == {Outcome.DUBBED: 1}


def test_a_drain_ends_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Stage(monkeypatch, spec=spec(drain_s=1))
    one.run({8.0: one.worker.stop})
    assert one.ended_s == pytest.approx(9, abs=0.01)


def test_a_refusal_can_be_read_before_it_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Stage(monkeypatch, (Read(media_s=1, end=("refused", "H.265 is not taken")),))
    told: list[tuple[Any, ...]] = []

    def look() -> None:
        status = one.worker.status()
        told.append((status.state, status.reason, status.message))

    with pytest.raises(InputError, match=r"H\.265") as raised:
        one.run({1.5: look, 2.4: look})
    assert told == [(WorkerState.REFUSED, "video_codec", "H.265 is not taken")] * 2
    assert one.ended_s == pytest.approx(1.1 + 1.5, abs=0.05)
    assert not raised.value.retryable
    assert all(output.stopped for output in one.there.outputs)


def test_an_input_that_cannot_be_read_is_raised_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Stage(monkeypatch, (Read(end=("error", "gone")),), spec(end_with_input=True))
    with pytest.raises(InputError, match="cannot be read: gone"):
        one.run()
    assert one.worker.status().state is WorkerState.STOPPED


def test_a_part_that_breaks_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Stage(monkeypatch)

    def broken(url: str, caps: Any, on_end: Any) -> Any:
        raise RuntimeError("scripted")

    object.__setattr__(one.worker._edges, "make_output", broken)
    with pytest.raises(RuntimeError, match="scripted"):
        one.run()
    assert one.source.inputs[0].stopped
    assert one.ended_s < 1


def test_output_that_breaks_ends_the_worker_with_what_broke(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = Stage(monkeypatch)
    broken = RuntimeError("scripted")

    def breaks() -> None:
        one.worker._output_thread._on_broken(broken)

    with pytest.raises(RuntimeError, match="scripted"):
        one.run({4.0: breaks})
    assert one.ended_s == pytest.approx(4, abs=0.1)


def test_a_file_plays_out_and_its_fragments_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Read(media_s=5, talk=[(1, 1.8), (3, 3.8)])
    one = Stage(monkeypatch, (read,), spec(end_with_input=True))
    one.run()
    assert one.ended_s == pytest.approx(5 + DELAY_S + 1, abs=0.6)
    status = one.worker.status()
    assert status.fragments == Counter(entry.outcome for entry in one.entries)
    assert Outcome.DUBBED not in status.fragments  # nobody answers there
    assert len(one.entries) >= 2
    assert status.run_id == one.worker.run_id
    assert [entry.fragment_id for entry in one.entries] == [
        f"{status.run_id}-{number}" for number in range(len(one.entries))
    ]


def test_after_a_crash_it_is_on_air_at_the_short_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Stage(monkeypatch, spec=spec(resume_delay_s=1.0))
    resuming: list[bool] = []
    offsets: list[float] = []

    def look() -> None:
        resuming.append(one.worker.status().resuming)

    def measure() -> None:
        offsets.append(one.worker.status().output.av_offset_ms)

    often = dict.fromkeys((n / 20 for n in range(160)), measure)
    one.run({**often, 2.02: look, 7.02: look, 8.0: one.worker.stop})
    assert resuming == [True, False]
    assert set(offsets) == {0}  # both tracks step back by the same


def test_the_offset_of_the_output_is_measured_on_what_was_pushed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = Stage(monkeypatch)
    push = type(one.worker._core._scheduler).poll

    def late_pictures(self: Any, now: int) -> Any:
        batch = push(self, now)
        batch.video = [replace(unit, shift_ns=40_000_000) for unit in batch.video]
        return batch

    monkeypatch.setattr(type(one.worker._core._scheduler), "poll", late_pictures)
    one.run({8.0: one.worker.stop})
    status = one.worker.status()
    assert (status.output.av_offset_ms, status.input.placement_error_ms) == (40, 0)


def test_bad_sources_are_refused_before_anything_starts(tmp_path: Path) -> None:
    loop = VirtualLoop()
    edges = Edges(ScriptedSource(loop), ScriptedDestination(loop), LevelVad, loop, at_once)
    loop.close()
    for source in ("ftp://127.0.0.1/a", str(tmp_path / "missing.flv")):
        asked = spec()
        with pytest.raises(ConfigError):
            Worker(
                WorkerSpec(
                    *("demo", SecretUrl(source), asked.destination, asked.policy, asked.sts)
                ),
                WorkerMetrics("demo"),
                edges,
            )
