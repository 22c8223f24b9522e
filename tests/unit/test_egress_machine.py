"""The forwarder's decisions, in virtual time."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from dubcast.clock import NS_PER_S, s_to_ns
from dubcast.contract.streams import EgressFailure, EgressState
from dubcast.egress.machine import Action, EgressMachine, EgressPolicy
from dubcast.egress.words import slow, without_secret


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
    """Live at second 0, what it took last at that moment."""
    drive = Drive(now_ns=s_to_ns(-2))
    drive.start()
    drive.taken(1)
    drive.wait(2)
    drive.taken(1000)
    drive.done.clear()
    assert drive.machine.state is EgressState.LIVE
    return drive


def test_it_connects_then_is_live_when_it_has_taken_media_for_a_while() -> None:
    drive = Drive()
    drive.start()
    assert drive.machine.state is EgressState.CONNECTING
    assert drive.times(Action.BEGIN) == [0]
    drive.taken(1)
    drive.wait(1.75)
    assert drive.machine.state is EgressState.CONNECTING
    drive.wait(0.25)
    assert drive.machine.state is EgressState.LIVE
    assert drive.machine.connects == 1


def test_who_closes_before_it_is_live_refuses() -> None:
    early, late = Drive(), live()
    early.start()
    early.taken(1)
    early.wait(1.5)
    for drive in (early, late):
        drive.exited(EgressFailure.LOST)
    assert (early.machine.state, early.machine.reason) == ("refused", "refused")
    assert (late.machine.state, late.machine.reason) == ("retrying", "lost")
    assert early.machine.connects == 0


def test_what_a_live_destination_says_is_believed() -> None:
    drive = live()
    drive.exited(EgressFailure.REFUSED)
    assert drive.machine.state is EgressState.REFUSED
    drive = live()
    drive.exited(EgressFailure.UNREACHABLE)
    assert drive.machine.last_failure is EgressFailure.LOST


def test_a_certificate_that_is_not_believed_is_a_refusal() -> None:
    drive = Drive()
    drive.start()
    drive.exited(EgressFailure.CERTIFICATE)
    assert (drive.machine.state, drive.machine.reason) == ("refused", "certificate")


def test_a_slow_destination_is_told_while_it_is_live() -> None:
    drive = Drive()
    drive.start()
    drive.machine.paced(0, True)
    assert drive.machine.state is EgressState.CONNECTING
    drive = live()
    drive.machine.paced(1, True)
    assert drive.machine.state is EgressState.SLOW
    drive.machine.paced(2, False)
    assert drive.machine.state is EgressState.LIVE


def test_the_first_retry_is_within_a_second() -> None:
    for seed in range(200):
        drive = Drive(EgressMachine(EgressPolicy(), random.Random(seed)))
        drive.start()
        for taken in range(1, 20):
            drive.taken(taken)
            drive.wait(1)
        drive.exited()
        assert drive.machine.state is EgressState.RETRYING
        drive.wait(1)
        assert len(drive.times(Action.BEGIN)) == 2


def test_retries_slow_down_to_half_a_minute_and_never_end() -> None:
    drive = Drive()
    drive.start()
    for _ in range(30):
        drive.exited(EgressFailure.UNREACHABLE)
        drive.wait(31)
    spawns = drive.times(Action.BEGIN)
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
        assert len(drive.times(Action.BEGIN)) <= 8


def test_an_input_that_is_not_there_yet_is_asked_for_every_second() -> None:
    drive = Drive()
    drive.start()
    for _ in range(20):
        drive.exited(EgressFailure.INPUT_NOT_READY)
        drive.wait(1.25)
    assert len(drive.times(Action.BEGIN)) == 21


def test_no_progress_for_six_seconds_is_a_stall_that_is_cut() -> None:
    drive = live()
    drive.wait(5.75)
    assert drive.machine.state is EgressState.LIVE
    drive.wait(0.5)
    assert drive.machine.state is EgressState.STALLED
    assert drive.times(Action.END) == [6]
    drive.wait(2)
    assert drive.times(Action.CUT) == [8]
    drive.exited()
    assert drive.machine.last_failure is EgressFailure.STALLED
    drive.wait(1)
    assert len(drive.times(Action.BEGIN)) == 1


def test_the_same_count_again_is_no_progress() -> None:
    drive = live()
    for _ in range(11):
        drive.wait(1)
        drive.taken(1000)
    assert drive.machine.state is EgressState.STALLED


def idle(drive: Drive, seconds: int) -> None:
    for _ in range(seconds):
        drive.wait(1)
        drive.machine.under_way(drive.now_ns, 0)


def test_a_destination_is_kept_while_there_is_nothing_to_send() -> None:
    drive = live()
    idle(drive, 60)
    assert drive.machine.state is EgressState.LIVE
    drive.wait(5.5)  # now there is, and it takes nothing
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
    idle(drive, 21)
    assert drive.times(Action.END) == [20]


def test_stop_while_running_terminates_then_finishes() -> None:
    drive = live()
    drive.note(drive.machine.stop(drive.now_ns))
    drive.note(drive.machine.stop(drive.now_ns))
    assert drive.times(Action.END) == [0]
    drive.exited()
    assert drive.times(Action.FINISH) == [0]
    assert drive.machine.state is EgressState.STOPPED
    drive.wait(60)
    assert drive.times(Action.BEGIN) == []


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
    assert drive.times(Action.BEGIN) == []


_EVENT = st.sampled_from(["wait", "taken", "exit", "refuse", "long"])


@given(st.lists(_EVENT, max_size=60), st.integers(0, 1000))
def test_there_is_never_more_than_one_try(events: list[str], seed: int) -> None:
    drive = Drive(EgressMachine(EgressPolicy(), random.Random(seed)))
    drive.start()
    taken, exits = 0, 0
    for event in events:
        running = len(drive.times(Action.BEGIN)) - exits
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


def test_no_part_of_the_url_is_left_in_a_line() -> None:
    url = "rtmp://h.example/app/SECRET-KEY?x=y"
    line = f"[error] {url}: no; rtmp://h.example/app SECRET-KEY"
    cleaned = without_secret(line, url)
    assert "SECRET" not in cleaned
    assert "h.example" not in cleaned


def test_how_slow_it_is() -> None:
    assert slow(1.98, 8.13, 3.21) == "takes 2.0 of 8.1 Mbit/s, 3.2 s behind"
