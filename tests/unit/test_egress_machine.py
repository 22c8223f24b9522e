"""The forwarder's decisions, in virtual time."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from dubcast.clock import NS_PER_S, s_to_ns
from dubcast.contract.streams import EgressFailure, EgressState
from dubcast.egress.ffmpeg import Story, argv, without_secret
from dubcast.egress.machine import Action, EgressMachine, EgressPolicy


@dataclass
class Drive:
    """A machine and a clock that moves in steps of 0.25 s."""

    machine: EgressMachine = field(
        default_factory=lambda: EgressMachine(EgressPolicy(), random.Random(1))
    )
    now_ns: int = 0
    done: list[tuple[float, Action]] = field(default_factory=list)

    def note(self, actions: list[Action]) -> None:
        self.done += [(self.now_ns / NS_PER_S, action) for action in actions]

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 4)):
            self.now_ns += s_to_ns(0.25)
            self.note(self.machine.tick(self.now_ns))

    def start(self) -> None:
        self.note(self.machine.start(self.now_ns))

    def taken(self, count: int) -> None:
        self.note(self.machine.progressed(self.now_ns, count))

    def exited(self, failure: EgressFailure = EgressFailure.LOST) -> None:
        self.note(self.machine.exited(self.now_ns, failure))

    def times(self, action: Action) -> list[float]:
        return [at for at, what in self.done if what is action]


def live() -> Drive:
    drive = Drive()
    drive.start()
    drive.taken(1000)
    assert drive.machine.state is EgressState.LIVE
    return drive


def test_it_connects_then_is_live() -> None:
    drive = Drive()
    drive.start()
    assert drive.machine.state is EgressState.CONNECTING
    assert drive.times(Action.SPAWN) == [0]
    drive.taken(1)
    assert drive.machine.state is EgressState.LIVE
    assert drive.machine.connects == 1


def test_the_first_retry_is_within_a_second() -> None:
    for seed in range(200):
        drive = Drive(EgressMachine(EgressPolicy(), random.Random(seed)))
        drive.start()
        drive.taken(1)
        drive.wait(20)
        drive.taken(2)
        drive.exited()
        assert drive.machine.state is EgressState.RETRYING
        drive.wait(1)
        assert len(drive.times(Action.SPAWN)) == 2


def test_retries_slow_down_to_half_a_minute_and_never_end() -> None:
    drive = Drive()
    drive.start()
    for _ in range(30):
        drive.exited(EgressFailure.UNREACHABLE)
        drive.wait(31)
    spawns = drive.times(Action.SPAWN)
    assert len(spawns) == 31
    gaps = [after - before for before, after in itertools.pairwise(spawns)]
    assert max(gaps) > 5


def test_a_destination_that_says_no_is_asked_at_most_8_times_a_minute() -> None:
    for seed in range(50):
        drive = Drive(EgressMachine(EgressPolicy(), random.Random(seed)))
        drive.start()
        while drive.now_ns < 60 * NS_PER_S:
            drive.exited(EgressFailure.REFUSED)
            drive.wait(0.25)
            assert drive.machine.state is EgressState.REFUSED
        assert len(drive.times(Action.SPAWN)) <= 8


def test_an_input_that_is_not_there_yet_is_asked_for_every_two_seconds_at_most() -> None:
    drive = Drive()
    drive.start()
    for _ in range(20):
        drive.exited(EgressFailure.INPUT_NOT_READY)
        drive.wait(2.25)
    assert len(drive.times(Action.SPAWN)) == 21


def test_no_progress_for_eight_seconds_is_a_stall_that_is_cut() -> None:
    drive = live()
    drive.wait(7.75)
    assert drive.machine.state is EgressState.LIVE
    drive.wait(0.5)
    assert drive.machine.state is EgressState.STALLED
    assert drive.times(Action.TERMINATE) == [8]
    drive.wait(2)
    assert drive.times(Action.KILL) == [10]
    drive.exited()
    assert drive.machine.last_failure is EgressFailure.STALLED
    drive.wait(1)
    assert len(drive.times(Action.SPAWN)) == 2


def test_the_same_count_again_is_no_progress() -> None:
    drive = live()
    for _ in range(11):
        drive.wait(1)
        drive.taken(1000)
    assert drive.machine.state is EgressState.STALLED


def idle(drive: Drive, seconds: int) -> None:
    for _ in range(seconds):
        drive.wait(1)
        if drive.machine.asks(drive.now_ns):
            drive.machine.under_way(drive.now_ns, 0)


def test_a_destination_is_kept_while_there_is_nothing_to_send() -> None:
    drive = live()
    idle(drive, 60)
    assert drive.machine.state is EgressState.LIVE
    drive.wait(7.5)  # now there is, and it takes nothing
    assert drive.machine.state is EgressState.LIVE
    drive.wait(1)
    assert drive.machine.state is EgressState.STALLED


def test_a_destination_is_not_kept_for_ever() -> None:
    drive = live()
    idle(drive, 80)
    assert drive.machine.state is EgressState.STALLED


def test_a_destination_that_never_takes_anything_is_cut_after_the_connect_time() -> None:
    drive = Drive()
    drive.start()
    drive.wait(21)
    assert drive.times(Action.TERMINATE) == [20]


def test_stop_while_running_terminates_then_finishes() -> None:
    drive = live()
    drive.note(drive.machine.stop(drive.now_ns))
    drive.note(drive.machine.stop(drive.now_ns))
    assert drive.times(Action.TERMINATE) == [0]
    drive.exited()
    assert drive.times(Action.FINISH) == [0]
    assert drive.machine.state is EgressState.STOPPED
    drive.wait(60)
    assert len(drive.times(Action.SPAWN)) == 1


def test_stop_while_waiting_finishes_at_once() -> None:
    drive = live()
    drive.exited()
    drive.note(drive.machine.stop(drive.now_ns))
    assert drive.times(Action.FINISH) == [0]


def test_stop_while_a_stall_is_being_cut_does_not_start_again() -> None:
    drive = live()
    drive.wait(11)
    drive.note(drive.machine.stop(drive.now_ns))
    drive.exited()
    assert len(drive.times(Action.FINISH)) == 1
    drive.wait(60)
    assert len(drive.times(Action.SPAWN)) == 1


def test_a_count_that_creeps_is_no_progress() -> None:
    drive = live()
    for second in range(1, 11):
        drive.wait(1)
        drive.taken(1000 + 600 * second)
    assert drive.times(Action.TERMINATE) == [8]


_EVENT = st.sampled_from(["wait", "taken", "exit", "refuse", "long"])


@given(st.lists(_EVENT, max_size=60), st.integers(0, 1000))
def test_there_is_never_more_than_one_ffmpeg(events: list[str], seed: int) -> None:
    drive = Drive(EgressMachine(EgressPolicy(), random.Random(seed)))
    drive.start()
    taken, exits = 0, 0
    for event in events:
        running = len(drive.times(Action.SPAWN)) - exits
        assert running in (0, 1)
        if event == "wait":
            drive.wait(0.5)
        elif event == "long":
            drive.wait(13)
        elif event == "taken":
            taken += 1
            drive.taken(taken)
        elif running:
            drive.exited(EgressFailure.REFUSED if event == "refuse" else EgressFailure.LOST)
            exits += 1
            taken = 0


def _told(*lines: str) -> EgressFailure:
    story = Story()
    for line in lines:
        story.hear(line)
    return story.failure()


_INPUT = "[info] Input #0, flv, from 'x':"
_OUTPUT = "[info] Output #0, flv, to 'y':"


def test_the_words_of_ffmpeg_are_understood() -> None:
    assert _told("[error] rtmp://h/live/x/out: Input/output error") is EgressFailure.INPUT_NOT_READY
    assert _told("[rtmp @ 0x1] [error] Server error: nope") is EgressFailure.INPUT_NOT_READY
    denied = "[rtmp @ 0x1] [error] Server error: already publishing"
    assert _told(_INPUT, denied) is EgressFailure.REFUSED
    unreachable = "[tcp @ 0x1] [error] Connection to tcp://h:1 failed: Connection refused"
    assert _told(_INPUT, unreachable) is EgressFailure.UNREACHABLE
    assert _told(_INPUT, _OUTPUT, "[error] Broken pipe") is EgressFailure.LOST


def test_no_part_of_the_url_is_left_in_a_line() -> None:
    url = "rtmp://h.example/app/SECRET-KEY?x=y"
    line = f"[error] {url}: no; rtmp://h.example/app SECRET-KEY"
    cleaned = without_secret(line, url)
    assert "SECRET" not in cleaned
    assert "h.example" not in cleaned


def test_urls_are_arguments_never_a_shell_line() -> None:
    words = argv("rtmp://a/live/x/out", "rtmp://b/app/key; rm -rf /")
    assert words[-1] == "rtmp://b/app/key; rm -rf /"
