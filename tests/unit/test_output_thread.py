"""What is due is pushed to the output that there is, round by round."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from dubcast.clock import NS_PER_S
from dubcast.contract.worker import Outcome
from dubcast.testing.clock import VirtualClock
from dubcast.testing.virtual_loop import VirtualLoop
from dubcast.worker.core import WorkerCore
from dubcast.worker.edges import Output
from dubcast.worker.fragment import Fragment
from dubcast.worker.outlet import Taken
from dubcast.worker.output_thread import OutputThread
from dubcast.worker.scheduler import Batch, Tracks
from worker_fakes import FakeOutput, LevelVad, feed, spec

DELAY_S = 3


@dataclass
class Stage:
    """Two seconds of sound and pictures that came at time 0: the last is due after the delay."""

    connected: bool = True
    config: bytes | None = b"config"
    talk: tuple[tuple[float, float], ...] = ()
    decided: list[Fragment] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    pushed: list[tuple[Output, Batch]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.core = WorkerCore(spec().policy, "run", LevelVad(), 0)
        loop = VirtualLoop()
        self.output = FakeOutput(loop, 0, 0, self.config, lambda kind, message: None)
        loop.close()
        self.core.set_output(Tracks.SOUND if self.config is None else Tracks.BOTH)
        for number in range(50):
            at = number * NS_PER_S // 25
            self.core.video(at, at, number == 0, "picture", self.config, 0)
        feed(self.core, 0, 2, self.talk)
        self.thread = OutputThread(
            self.core,
            self.clock,
            self.push,
            self.decided.extend,
            self.delays_s.append,
            lambda output, batch: self.pushed.append((output, batch)),
        )

    def push(self, batch: Batch, now: int) -> Taken | None:
        if not self.connected:
            return None
        self.output.push(batch, now)
        return self.output, batch

    def run(self, seconds: float) -> None:
        """Rounds, each when the one before said that it should be."""
        end = self.clock.monotonic_ns() + round(seconds * NS_PER_S)
        while (left := end - self.clock.monotonic_ns()) > 0:
            wait_s = self.thread.push_due()
            self.clock.advance(min(max(wait_s, 0.001), left / NS_PER_S))


def test_nothing_leaves_before_its_time_and_everything_after_it() -> None:
    one = Stage()
    one.run(DELAY_S - 2.25)
    assert (one.output.video, one.output.audio) == ([], [])
    one.run(2.5)
    assert len(one.output.video) == 50
    assert sum(len(block.samples) for block in one.output.audio) >= 1.9 * 48_000


def test_a_round_is_made_when_something_is_due_and_at_least_forty_times_a_second() -> None:
    one = Stage()
    assert one.thread.push_due() == 0.025
    while (wait_s := one.thread.push_due()) == 0.025:
        one.clock.advance(wait_s)
    # All came at once, the last of it at 2 s: it leaves after the delay, its sound is rendered
    # 0.2 s sooner.
    due_s = one.clock.monotonic_ns() / NS_PER_S + wait_s
    assert due_s == pytest.approx(DELAY_S - 2 - 0.2, abs=0.05)
    idle = OutputThread(
        WorkerCore(spec().policy, "run", LevelVad(), 0), one.clock,
        lambda batch, now: None, lambda decided: None, lambda delay: None,
    )  # fmt: skip
    assert idle.push_due() == 0.025


def test_an_audio_only_output_gets_no_pictures() -> None:
    one = Stage(config=None)
    one.run(DELAY_S + 2)
    assert one.output.video == []
    assert one.output.audio


def test_fragments_are_decided_and_told_without_an_output_too() -> None:
    one = Stage(connected=False, talk=((0.3, 1.0),))
    one.core.input_ended()
    one.run(DELAY_S + 2)
    assert [fragment.outcome for fragment in one.decided] == [Outcome.OVERLOAD]
    assert one.output.audio == []


def test_what_an_output_took_is_told() -> None:
    one = Stage()
    one.run(DELAY_S + 1)
    assert {output for output, _ in one.pushed} == {one.output}
    assert [unit for _, batch in one.pushed for unit in batch.video] == one.output.video
    sound = [block.start for _, batch in one.pushed for block in batch.audio]
    assert sound == [block.start for block in one.output.audio]
    nobody = Stage(connected=False)
    nobody.run(DELAY_S + 1)
    assert nobody.pushed == []


def test_the_delay_from_input_to_output_is_told() -> None:
    one = Stage()
    one.run(DELAY_S + 1)
    assert one.delays_s
    assert max(one.delays_s) == pytest.approx(DELAY_S, abs=0.05)


def test_the_heartbeat_is_that_of_the_last_round() -> None:
    one = Stage()
    one.clock.advance(7)
    assert one.thread.round_ns == 0
    one.thread.push_due()
    assert one.thread.round_ns == 7 * NS_PER_S


def test_the_thread_makes_rounds_until_it_is_closed() -> None:
    rounds, looked = [], threading.Event()

    def push(batch: Batch, now: int) -> None:
        rounds.append(threading.current_thread().name)
        looked.set()

    core = WorkerCore(spec().policy, "run", LevelVad(), 0)
    thread = OutputThread(core, VirtualClock(), push, lambda decided: None, lambda delay: None)
    thread.close()  # harmless before the start, and it does not start then
    thread = OutputThread(core, VirtualClock(), push, lambda decided: None, lambda delay: None)
    thread.start()
    assert looked.wait(5)
    thread.close()
    thread.close()
    assert set(rounds) == {"scheduler"}
    assert "scheduler" not in {each.name for each in threading.enumerate()}


def test_a_round_that_breaks_is_told() -> None:
    """Nothing would leave any more, and nobody would know why."""
    told: list[Exception] = []
    broken, heard = RuntimeError("scripted"), threading.Event()

    def push(batch: Batch, now: int) -> None:
        raise broken

    def on_broken(error: Exception) -> None:
        told.append(error)
        heard.set()

    core = WorkerCore(spec().policy, "run", LevelVad(), 0)
    thread = OutputThread(
        *(core, VirtualClock(), push, lambda decided: None, lambda delay: None),
        on_broken=on_broken,
    )
    thread.start()
    assert heard.wait(5)
    thread.close()
    assert told == [broken]
