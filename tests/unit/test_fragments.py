"""The life of a fragment and where its dub goes."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE, Float, ms_to_samples
from dubcast.audio.vad import WINDOW
from dubcast.contract.worker import Outcome
from dubcast.worker.fragment import DECISION_LEAD, Fragment, State
from dubcast.worker.fragments import FragmentBook
from dubcast.worker.planner import Planner


def span(start_s: float, seconds: float = 2.0) -> Span:
    start = round(start_s * RATE)
    stop = start + round(seconds * RATE)
    return Span(start, stop, start + 4800, stop + 9600)


def voice(seconds: float) -> Float:
    return np.zeros(round(seconds * RATE), np.float32)


def book(
    max_shift_s: float = 1.5, *, match: bool = False, quiet_until_s: float = 1e5
) -> FragmentBook:
    planner = Planner(max_shift_s, 1.25, match=match)
    return FragmentBook(planner, lambda: round(quiet_until_s * RATE))


def dubbed(one: FragmentBook, where: Span, seconds: float) -> None:
    fragment = one.add(where, "run")
    fragment.step("send")
    assert one.replied(fragment, voice(seconds))


def test_a_reply_in_time_is_placed_at_the_onset_of_the_speech() -> None:
    one = book()
    dubbed(one, span(10), 2.0)
    (fragment,) = one.decide_until(span(10).start - DECISION_LEAD)
    assert fragment.outcome is Outcome.DUBBED
    assert fragment.dub is not None
    assert fragment.dub.start == span(10).speech_start + WINDOW
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
    assert one.asked(0) is fragment
    assert one.replied(fragment, voice(1))
    assert not one.replied(fragment, voice(1))
    list(one.decide_until(10 * RATE))
    assert not one.replied(fragment, voice(1))
    assert (one.asked(0), one.asked(77)) == (None, None)
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


def test_beyond_the_bound_a_fragment_falls_back_and_the_next_is_in_time() -> None:
    one = book(max_shift_s=0.5)
    dubbed(one, span(10), 4.0)
    dubbed(one, span(12), 2.0)
    first, second = one.decide_until(20 * RATE)
    assert (first.outcome, first.reason, first.dub) == (Outcome.SHIFT, "dub_too_long", None)
    assert second.outcome is Outcome.DUBBED
    assert (second.shift, second.backlog) == (0, 0)


def test_a_fragment_that_turns_up_too_late_to_be_planned_for_falls_back() -> None:
    one = book(max_shift_s=0.5)
    dubbed(one, span(10), 4.0)
    (first,) = one.decide_until(11 * RATE)
    dubbed(one, span(12), 2.0)
    (second,) = one.decide_until(20 * RATE)
    assert first.outcome is Outcome.DUBBED
    assert (second.outcome, second.reason) == (Outcome.SHIFT, "previous_dub_too_long")


def test_the_speech_that_the_service_heard_is_the_onset() -> None:
    one = book()
    fragment = one.add(span(10), "run")
    fragment.step("send")
    fragment.hear(350, 1900)
    one.replied(fragment, voice(1.5))
    list(one.decide_until(20 * RATE))
    assert fragment.dub is not None
    assert fragment.dub.start == 10 * RATE + ms_to_samples(350) + WINDOW


@pytest.mark.parametrize(
    ("start_ms", "onset_ms"),
    [(None, 100), (0, 100), (68, 100), (132, 132), (700, 700), (1900, 1900), (1901, 100)],
)
def test_a_later_start_is_believed_as_long_as_some_speech_is_left(
    start_ms: int | None, onset_ms: int
) -> None:
    """The span's own speech begins 100 ms after it."""
    one = book()
    fragment = one.add(span(10), "run")
    fragment.step("send")
    fragment.hear(start_ms, None)
    one.replied(fragment, voice(1.0))
    list(one.decide_until(20 * RATE))
    assert fragment.dub is not None
    assert fragment.dub.start == 10 * RATE + ms_to_samples(onset_ms) + WINDOW


@pytest.mark.parametrize(("sure_ms", "onset_ms"), [(None, 700), (0, 100), (90, 100), (250, 250)])
def test_a_later_start_is_believed_up_to_where_somebody_speaks_for_sure(
    sure_ms: int | None, onset_ms: int
) -> None:
    fragment = book().add(span(10), "run")
    surely = None if sure_ms is None else 10 * RATE + ms_to_samples(sure_ms)
    fragment.hear(700, None, lambda start, stop: stop if surely is None else surely)
    assert fragment.speech_start == 10 * RATE + ms_to_samples(onset_ms)


def test_starts_that_move_never_put_two_dubs_over_each_other() -> None:
    rng = random.Random(5)
    one = book()
    starts_s = itertools.accumulate(rng.uniform(2.0, 2.3) for _ in range(200))
    fragments = [one.add(span(start_s, 1.8), "run") for start_s in starts_s]
    for fragment in fragments:
        fragment.step("send")
    for fragment in rng.sample(fragments, len(fragments)):
        fragment.hear(rng.choice([None, 0, 90, 300, 900, 1700]), None)
        one.replied(fragment, voice(rng.uniform(0.3, 3.0)))
    while (task := one.plan.next_stretch()) is not None:
        one.stretched(task, voice(len(task.voice) / RATE / task.factor))
    dubs = [(f.dub, f.speech_start) for f in one.decide_until(10_000 * RATE) if f.dub]
    assert len(dubs) > 70
    assert all(a.stop <= b.start for (a, _), (b, _) in itertools.pairwise(dubs))
    assert all(WINDOW <= dub.start - onset <= WINDOW + 1.5 * RATE for dub, onset in dubs)


@pytest.mark.parametrize(("start_ms", "stop_ms"), [(2500, None), (None, 9000), (500, 400)])
def test_times_outside_the_fragment_are_not_believed(
    start_ms: int | None, stop_ms: int | None
) -> None:
    fragment = book().add(span(10), "run")
    fragment.hear(start_ms, stop_ms)
    assert fragment.span.start <= fragment.speech_start < fragment.speech_stop == fragment.span.stop


def test_a_dub_that_is_too_long_for_its_room_is_stretched_from_what_was_delivered() -> None:
    one = book(quiet_until_s=12.2)
    fragment = one.add(span(10), "run")
    fragment.step("send")
    assert one.replied(fragment, voice(2.3), 1.05)
    task = one.plan.next_stretch()
    assert task is not None
    assert task.fragment is fragment
    assert 1.05 < task.tempo <= 1.15
    assert task.factor == pytest.approx(task.tempo / 1.05)
    assert one.plan.next_stretch() is None  # it is being done
    one.stretched(task, voice(2.3 / task.factor))
    assert one.plan.next_stretch() is None  # it is done
    (decided,) = one.decide_until(20 * RATE)
    assert decided.tempo == task.tempo
    assert decided.dub is not None
    assert len(decided.dub.samples) == round(2.3 / task.factor * RATE)


def test_a_stretch_that_comes_too_late_changes_nothing() -> None:
    one = book(quiet_until_s=12.2)
    dubbed(one, span(10), 2.4)
    task = one.plan.next_stretch()
    assert task is not None
    (decided,) = one.decide_until(20 * RATE)
    one.stretched(task, voice(1.0))
    assert decided.tempo == 1.0
    assert decided.dub is not None
    assert len(decided.dub.samples) == round(2.4 * RATE)


def test_what_the_service_sped_up_for_a_room_that_has_grown_is_slowed_down_again() -> None:
    one = book()
    fragment = one.add(span(10), "run")
    fragment.step("send")
    one.replied(fragment, voice(2.0), 1.2)
    task = one.plan.next_stretch()
    assert task is not None
    assert task.tempo == pytest.approx(1.0)


def test_a_tempo_that_no_service_speaks_at_is_not_believed() -> None:
    one = book()
    fragment = one.add(span(10), "run")
    fragment.step("send")
    one.replied(fragment, voice(2.0), 7.0)
    assert fragment.service_tempo == fragment.tempo == 1.0


def test_a_matched_dub_is_left_as_the_service_made_it() -> None:
    one = book(match=True)
    fragment = one.add(span(10), "run")
    fragment.step("send")
    # Spoken slowly, then silence: exactly as long as the fragment.
    one.replied(fragment, voice(2.0), 0.9)
    assert one.plan.next_stretch() is None


def test_a_matched_dub_of_another_length_is_brought_to_that_of_its_fragment() -> None:
    one = book(match=True)
    dubbed(one, span(10), 2.2)
    task = one.plan.next_stretch()
    assert task is not None
    assert task.tempo == pytest.approx(1.1)


def test_the_room_asked_for_reaches_to_the_next_speech_and_over_it_by_the_bound() -> None:
    one = book(max_shift_s=1.0)
    first = one.add(span(10), "run")
    one.add(span(12.5), "run")
    slot = one.plan.slot(first)
    assert slot == round((12.6 + 1.0 - 10.1) * RATE) - ms_to_samples(30)


def test_the_room_is_less_by_what_the_dubs_before_still_need() -> None:
    one = book(max_shift_s=1.0, quiet_until_s=14.4)
    dubbed(one, span(10), 3.0)
    second = one.add(span(12), "run")
    dubbed_stop = 10.1 + WINDOW / RATE + 3.0 / 1.15 + 0.03
    assert one.plan.slot(second) == pytest.approx((14.4 + 1.0 - 0.03 - dubbed_stop) * RATE, abs=2)


def test_in_match_the_room_is_the_fragment() -> None:
    one = book(match=True)
    assert one.plan.slot(one.add(span(10), "run")) == 2 * RATE


def test_dubs_never_overlap_whatever_their_lengths_and_the_order_of_replies() -> None:
    rng = random.Random(3)
    one = book()
    fragments = []
    for i in range(200):
        fragment = one.add(span(10 + i * rng.uniform(2.0, 2.2), 1.8), "run")
        fragment.step("send")
        fragments.append(fragment)
    for fragment in rng.sample(fragments, len(fragments)):
        one.replied(fragment, voice(rng.uniform(0.3, 4.0)))
    while (task := one.plan.next_stretch()) is not None:
        one.stretched(task, voice(len(task.voice) / RATE / task.factor))
    decided = list(one.decide_until(10_000 * RATE))
    assert [f.sequence for f in decided] == list(range(200))
    dubs = [f.dub for f in decided if f.dub]
    assert len(dubs) > 70
    assert all(a.stop <= b.start for a, b in itertools.pairwise(dubs))


def overlapping(one: FragmentBook, count: int) -> list[Fragment]:
    """Chunks of 2 s, each 0.15 s into the one before, sent."""
    chunks = []
    for number in range(count):
        start = round((10 + 1.85 * number) * RATE)
        stop = start + 2 * RATE
        chunks.append(one.add(Span(start, stop, start, stop, ms_to_samples(150)), "run"))
        chunks[-1].step("send")
    return chunks


def reply(one: FragmentBook, fragment: Fragment) -> None:
    fragment.transcript, fragment.translation = f"en {fragment.sequence}", f"pt {fragment.sequence}"
    one.replied(fragment, voice(2.0))


def test_a_chunk_repeats_as_much_as_it_really_shares_with_the_one_before() -> None:
    one = book(match=True)
    first, second = overlapping(one, 2)
    after_a_gap = one.add(span(20), "run")
    assert [f.overlap for f in (first, second, after_a_gap)] == [0, ms_to_samples(150), 0]
    assert [one.words_pending(f) for f in (first, second, after_a_gap)] == [False, True, False]
    for fragment in (first, second):
        reply(one, fragment)
    assert [one.said.repeats(f) for f in (first, second, after_a_gap)] == [0, ms_to_samples(150), 0]


def test_the_context_is_of_the_fragment_before_whatever_the_order_of_replies() -> None:
    one = book(match=True)
    first, second, third, fourth = overlapping(one, 4)
    for fragment in (third, first):
        reply(one, fragment)
    assert one.said.before(first) == ("", "")
    assert one.said.before(second) == ("en 0", "pt 0")
    assert one.said.before(third) == ("", "")  # that of the second does not go on with it
    assert one.said.before(fourth) == ("en 2", "pt 2")
    assert [bool(one.said.repeats(f)) for f in (first, second, third, fourth)] == [0, 1, 0, 1]


def test_what_follows_a_long_silence_has_no_context() -> None:
    for after_s, context in ((1.9, ("en 0", "pt 0")), (2.1, ("", ""))):
        one = book()
        first = one.add(span(10), "run")
        first.step("send")
        reply(one, first)
        follows = one.add(span(first.span.stop / RATE + after_s), "run")
        assert one.said.before(follows) == context


def test_a_seam_is_pending_until_the_chunk_before_has_its_reply_its_failure_or_its_deadline() -> (
    None
):
    one = book(match=True)
    first, second, third, fourth = overlapping(one, 4)
    assert [one.words_pending(f) for f in (first, second)] == [False, True]
    reply(one, first)
    one.failed(second.sequence, Outcome.FAILED, "scripted")
    assert not one.words_pending(second)
    assert not one.words_pending(third)
    assert one.words_pending(fourth)
    list(one.decide_until(third.deadline))
    assert not one.words_pending(fourth)
    reply(one, third)
    assert one.said.repeats(fourth) == 0  # too late: the original was heard


def test_texts_do_not_pile_up() -> None:
    one = book(match=True)
    fragments = overlapping(one, 100)
    for fragment in fragments:
        reply(one, fragment)
    assert one.said.before(fragments[-1]) != ("", "")
    assert one.said.before(fragments[-17]) == ("", "")


def test_a_transition_that_is_not_listed_is_an_error() -> None:
    fragment = book().add(span(10), "run")
    with pytest.raises(ValueError, match="reply in waiting"):
        fragment.step("reply")
    assert fragment.state is State.WAITING


def test_a_dub_keeps_off_the_words_that_follow_and_are_left_alone() -> None:
    """The room before them is that before a fragment to be dubbed; silence would be taken."""
    tempo = {}
    for outcome in (Outcome.NO_SPEECH, Outcome.LEFT_ALONE):
        one = book(quiet_until_s=14.5)
        dubbed(one, span(10), 2.3)
        follows = one.add(span(12), "run")
        follows.step("send")
        one.failed(follows.sequence, outcome, "")
        task = one.plan.next_stretch()
        tempo[outcome] = task.tempo if task else 1.0
    assert tempo[Outcome.NO_SPEECH] < 1.01
    assert tempo[Outcome.LEFT_ALONE] > 1.1


def test_the_words_that_are_left_alone_take_the_time_that_they_take() -> None:
    """No longer than they are, as a dub of them would be: nothing has to hurry for what follows."""
    one = book(quiet_until_s=20)
    dubbed(one, span(10), 2.06)
    one.add(span(12), "run").step("send")
    one.failed(1, Outcome.LEFT_ALONE, "target_language")
    one.add(span(14), "run")
    assert one.plan.next_stretch() is None


def test_the_words_that_are_left_alone_are_no_context() -> None:
    one = book()
    dubbed(one, span(10), 2.0)
    one.add(span(13), "run").step("send")
    one.failed(1, Outcome.LEFT_ALONE, "target_language")
    assert one.said.before(one.add(span(16), "run")) == ("", "")
    assert not one.said.repeats(one.add(span(22), "run"))


def late(speech_start_s: float, **changes: Any) -> Fragment:
    """Three seconds from 10 s on at the service, whose clauses are known."""
    start, speech_start, stop = (round(at * RATE) for at in (10.0, 10 + speech_start_s, 13.0))
    where = Span(start, stop, speech_start, stop)
    return Fragment(0, "run-0", where, may_begin_late=True, state=State.INFLIGHT, **changes)


def begin_later(fragment: Fragment, *, bed: bool = True) -> Fragment | None:
    return fragment.begin_later(lambda first, last: last, lambda span: bed)


def test_speech_that_begins_later_by_itself_is_not_dubbed_before_it_begins() -> None:
    one = late(0.6)
    for _ in range(3):
        assert begin_later(one) is not None
    assert one.span.start == round(10.3 * RATE)
    assert one.speech_start == one.span.speech_start == round(10.6 * RATE)
    one = late(0.0)
    assert begin_later(one) is not None
    assert one.speech_start == one.span.speech_start == round(10.1 * RATE)


def test_where_the_background_ends_no_original_follows_while_the_dub_is_awaited() -> None:
    one = late(0.0)
    assert begin_later(one) is not None
    assert begin_later(one, bed=False) is None
    one.begin_undubbed(lambda first, last: last)
    assert one.aired is not None
    assert one.aired.bridged
    assert one.aired.span.stop == one.span.start == round(10.35 * RATE)


@pytest.mark.parametrize("fallback", ["original", "background"])
def test_behind_an_overdue_beginning_what_is_late_is_bridged(fallback: str) -> None:
    aired = begin_later(late(0.0, fallback=fallback))
    assert aired is not None
    assert (aired.bridged, aired.fallback) == (True, "")


def test_what_is_heard_already_is_not_bridged() -> None:
    for changes in ({"fallback": "ducked"}, {"fallback": "silence"}):
        aired = begin_later(late(0.0, **changes))
        assert aired is not None
        assert not aired.bridged
    one = late(0.0)
    assert begin_later(one, bed=False) is not None
    aired = begin_later(one)  # the background came meanwhile
    assert aired is not None
    assert not aired.bridged
