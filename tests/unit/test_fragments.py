"""The life of a fragment and where its dub goes."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE, Float
from dubcast.worker.fragments import (
    DECISION_LEAD,
    FragmentBook,
    Outcome,
    Placement,
    State,
)


def span(start_s: float, seconds: float = 2.0) -> Span:
    start = round(start_s * RATE)
    stop = start + round(seconds * RATE)
    return Span(start, stop, start + 4800, stop + 9600)


def voice(seconds: float) -> Float:
    return np.zeros(round(seconds * RATE), np.float32)


def book(max_shift_s: float = 1.5, *, match: bool = False) -> FragmentBook:
    return FragmentBook(Placement(max_shift_s), match=match)


def dubbed(one: FragmentBook, where: Span, seconds: float) -> None:
    fragment = one.add(where, "run")
    fragment.step("send")
    assert one.replied(fragment.sequence, voice(seconds))


def test_a_reply_in_time_is_placed_at_the_onset_of_the_speech() -> None:
    one = book()
    dubbed(one, span(10), 2.0)
    (fragment,) = one.decide_until(span(10).start - DECISION_LEAD)
    assert fragment.outcome is Outcome.DUBBED
    assert fragment.dub is not None
    assert fragment.dub.start == span(10).speech_start
    assert one.open == 0


def test_match_begins_with_the_fragment() -> None:
    one = book(match=True)
    dubbed(one, span(10), 2.0)
    (fragment,) = one.decide_until(10 * RATE)
    assert fragment.dub is not None
    assert fragment.dub.start == span(10).start


def test_nothing_is_decided_before_its_deadline() -> None:
    one = book()
    one.add(span(10), "run")
    assert list(one.decide_until(span(10).start - DECISION_LEAD - 1)) == []


@pytest.mark.parametrize(
    ("prepare", "outcome"),
    [
        ([], Outcome.OVERLOAD),
        (["send"], Outcome.LATE),
    ],
)
def test_without_a_reply_the_original_plays(prepare: list[str], outcome: Outcome) -> None:
    one = book()
    fragment = one.add(span(10), "run")
    for event in prepare:
        fragment.step(event)
    (decided,) = one.decide_until(10 * RATE)
    assert decided.outcome is outcome
    assert decided.dub is None


def test_a_failure_keeps_its_reason() -> None:
    one = book()
    fragment = one.add(span(10), "run")
    fragment.step("send")
    one.failed(fragment.sequence, Outcome.FAILED, "MODEL_ERROR")
    (decided,) = one.decide_until(10 * RATE)
    assert (decided.outcome, decided.reason) == (Outcome.FAILED, "MODEL_ERROR")


def test_late_doubled_and_unknown_replies_are_dropped() -> None:
    one = book()
    fragment = one.add(span(10), "run")
    fragment.step("send")
    assert one.replied(0, voice(1))
    assert not one.replied(0, voice(1))
    list(one.decide_until(10 * RATE))
    assert not one.replied(0, voice(1))
    assert not one.replied(77, voice(1))
    one.failed(0, Outcome.FAILED, "too late to matter")


def test_a_long_dub_shifts_the_next_one_but_not_beyond_the_bound() -> None:
    one = book(max_shift_s=1.0)
    dubbed(one, span(10), 2.9)
    dubbed(one, span(12), 2.0)  # begins 0.9 s late
    dubbed(one, span(14), 2.0)
    first, second, third = one.decide_until(20 * RATE)
    assert first.dub is not None
    assert second.dub is not None
    assert second.dub.start >= first.dub.stop
    assert second.dub.start - span(12).speech_start <= RATE
    assert third.dub is not None
    assert third.dub.start >= second.dub.stop


def test_beyond_the_bound_a_fragment_falls_back_and_the_backlog_is_gone() -> None:
    one = book(max_shift_s=0.5)
    dubbed(one, span(10), 4.0)
    dubbed(one, span(12), 2.0)
    dubbed(one, span(14), 2.0)
    _, second, third = one.decide_until(20 * RATE)
    assert (second.outcome, second.dub) == (Outcome.SHIFT, None)
    assert third.outcome is Outcome.DUBBED


def test_dubs_never_overlap_whatever_their_lengths_and_the_order_of_replies() -> None:
    rng = random.Random(3)
    one = book()
    fragments = []
    for i in range(300):
        fragment = one.add(span(10 + i * rng.uniform(2.0, 2.2), 1.8), "run")
        fragment.step("send")
        fragments.append(fragment)
    for fragment in rng.sample(fragments, len(fragments)):
        one.replied(fragment.sequence, voice(rng.uniform(0.3, 4.0)))
    decided = list(one.decide_until(10_000 * RATE))
    assert [f.sequence for f in decided] == list(range(300))
    dubs = [f.dub for f in decided if f.dub]
    assert len(dubs) > 100
    assert all(a.stop <= b.start for a, b in itertools.pairwise(dubs))


def test_a_transition_that_is_not_listed_is_an_error() -> None:
    fragment = book().add(span(10), "run")
    with pytest.raises(ValueError, match="reply in waiting"):
        fragment.step("reply")
    assert fragment.state is State.WAITING
