"""What came to nothing though somebody speaks goes once more, joined with what follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings
from dubcast.contract.sts import LeftAlone
from dubcast.contract.worker import Outcome
from dubcast.errors import StsError
from dubcast.worker.core import WorkerCore
from dubcast.worker.fragment import Fragment, State
from dubcast.worker.scheduler import Tracks
from worker_fakes import LevelVad, dub_reply, pcm

CHUNK = 960
POLICY = {
    "delay_s": 10,
    "match_loudness": False,
    "separation": {"separator": "off"},
    "fragments": {"pause_ms": 180},
}
BROKEN = StsError("MODEL_ERROR", "scripted", retryable=False)
# A word, a breath, and the rest of it.
TALK = ((1.0, 2.2), (3.15, 5.0))


@dataclass
class Stage:
    """Talk as it comes; each fragment is sent when it is cut. Times in s of the stream."""

    talk: tuple[tuple[float, float], ...] = TALK
    policy: dict[str, Any] = field(default_factory=dict)
    cut: list[Fragment] = field(default_factory=list)
    aired: list[Fragment] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = StreamSettings.model_validate({**POLICY, **self.policy})
        self.core = WorkerCore(settings, "run", LevelVad(), 0)
        self.core.set_output(Tracks.SOUND)
        self.at = self.now = 0

    def until(self, seconds: float) -> None:
        while self.at < seconds * RATE:
            loud = any(a <= self.at / RATE < b for a, b in self.talk)
            self.now = self.at * NS_PER_S // RATE
            for fragment in self.core.audio(self.now, pcm(self.at, loud=loud), self.now):
                self.cut.append(fragment)
                assert self.core.dubs.send(fragment) is not None
            self.aired += self.core.poll(self.now)[0].decided
            self.at += CHUNK

    def until_cut(self, count: int) -> Fragment:
        while len(self.cut) < count:
            self.until(self.at / RATE + 0.02)
        return self.cut[-1]

    def no_speech(self, fragment: Fragment, **changes: Any) -> None:
        self.core.dubs.replied(fragment, dub_reply(None, **changes), self.now)

    def outcomes(self) -> list[tuple[int, Outcome | None, str]]:
        self.until(20)
        return [(one.sequence, one.outcome, one.reason) for one in self.aired]


def joined(one: Stage, first: Fragment) -> Fragment:
    second = one.until_cut(2)
    assert second.joined
    assert (second.span.start, second.speech_start) == (first.span.start, first.speech_start)
    assert (second.sequence, second.id, second.overlap) == (0, "run-0.2", 0)
    return second


def test_what_was_rejected_goes_once_more_with_what_follows() -> None:
    one = Stage()
    first = one.until_cut(1)
    one.no_speech(first)
    assert first.state is State.HELD
    second = joined(one, first)
    one.core.dubs.replied(second, dub_reply(np.full(2 * RATE, 0.1, np.float32)), one.now)
    assert one.outcomes() == [(0, Outcome.DUBBED, "")]


def test_what_was_rejected_twice_is_no_speech() -> None:
    one = Stage()
    first = one.until_cut(1)
    one.no_speech(first)
    one.no_speech(joined(one, first))
    assert one.outcomes() == [(0, Outcome.NO_SPEECH, "")]


def test_what_failed_fast_goes_once_more_too() -> None:
    one = Stage()
    first = one.until_cut(1)
    one.core.dubs.call_failed(first, BROKEN, 0.1, one.now)
    joined(one, first)


@pytest.mark.parametrize("code", ["UNAVAILABLE", "BREAKER_OPEN", "TIMEOUT", "UNAUTHORIZED"])
def test_a_service_that_is_not_well_is_not_asked_for_more(code: str) -> None:
    one = Stage()
    first = one.until_cut(1)
    one.core.dubs.call_failed(first, StsError(code, "scripted", retryable=False), 0.1, one.now)
    assert first.state is State.FAILED
    assert not one.until_cut(2).joined


def test_what_is_left_alone_is_right_as_it_is() -> None:
    one = Stage()
    first = one.until_cut(1)
    one.no_speech(first, left_alone=LeftAlone.TARGET_LANGUAGE)
    assert first.state is State.FAILED


def test_where_the_detector_is_not_sure_the_service_is_believed() -> None:
    one = Stage(talk=((1.0, 1.2), *TALK[1:]))
    first = one.until_cut(1)
    one.no_speech(first)
    assert first.state is State.FAILED


def test_what_follows_later_is_of_another_breath() -> None:
    one = Stage(talk=(TALK[0], (4.5, 6.0)))
    first = one.until_cut(1)
    one.no_speech(first)
    second = one.until_cut(2)
    assert not second.joined
    assert second.span.start > first.span.stop
    one.no_speech(second)
    assert one.outcomes()[0] == (0, Outcome.NO_SPEECH, "")


def test_a_dub_as_long_as_its_fragment_is_of_that_fragment() -> None:
    one = Stage(policy={"duration_policy": "match"})
    first = one.until_cut(1)
    one.no_speech(first)
    assert first.state is State.FAILED


def test_where_the_deadline_leaves_no_time_the_original_airs() -> None:
    one = Stage(policy={"delay_s": 4})
    first = one.until_cut(1)
    one.no_speech(first)
    assert first.state is State.FAILED


def test_what_follows_is_cut_early_enough_for_both() -> None:
    held, free = Stage(talk=(TALK[0], (3.15, 14.0))), Stage(talk=(TALK[0], (3.15, 14.0)))
    first = held.until_cut(1)
    held.no_speech(first)
    free.until_cut(1)
    second, other = held.until_cut(2), free.until_cut(2)
    assert second.joined
    assert held.now < free.now - NS_PER_S
    assert second.span.stop < other.span.stop
    assert one_in_time(held, second)


def test_after_a_long_breath_it_is_cut_while_the_two_may_still_be_joined() -> None:
    one = Stage()
    first = one.until_cut(1)
    one.no_speech(first)
    second_try, endless = one.core.dubs.second_try, 10**9
    begun = first.span.stop + round(0.9 * RATE)
    position = begun + RATE
    while second_try.longest(endless, begun, position, position * NS_PER_S // RATE) == endless:
        position += CHUNK
    span = Span(begun, position, begun, position)
    assert second_try.joins(span, position * NS_PER_S // RATE)


def one_in_time(one: Stage, fragment: Fragment) -> bool:
    trip_s = one.core._length_limit.round_trip_s(fragment.length_s)
    return one.now + trip_s * NS_PER_S <= one.core.dubs.deadline_ns(fragment)
