"""How long fragments may be, for services of all speeds."""

from __future__ import annotations

import random

import pytest

from dubcast.audio.pcm import samples_to_ns
from dubcast.worker.fragment import DECISION_LEAD
from dubcast.worker.fragment_length import LONGEST_S, MIX_LEAD_S, SHORTEST_S, FragmentLengthLimit
from dubcast.worker.scheduler import AUDIO_LEAD_NS, BLOCK


def fed(delay_s: float, base_s: float, slope: float, count: int = 40) -> FragmentLengthLimit:
    """A limit after `count` fragments of a service with this cost, as long as it allowed."""
    limit, rng = FragmentLengthLimit(delay_s), random.Random(1)
    for _ in range(count):
        length = min(rng.uniform(1.0, 8.0), limit.longest_s)
        limit.record(length, base_s + slope * length)
    return limit


@pytest.mark.parametrize("delay_s", [5, 8, 15])
@pytest.mark.parametrize(("base_s", "slope"), [(0.2, 0.05), (0.6, 0.6), (1.2, 0.4), (0.3, 1.2)])
def test_the_longest_fragment_meets_its_deadline_and_wastes_little(
    delay_s: float, base_s: float, slope: float
) -> None:
    longest = fed(delay_s, base_s, slope).longest_s
    room = delay_s - MIX_LEAD_S
    shortest = min(SHORTEST_S, 0.4 * room)
    best = min(max((room - base_s) / (1 + slope), shortest), LONGEST_S)
    assert longest <= best + 0.05
    assert longest >= best - 0.7


def test_a_slow_service_gets_shorter_fragments() -> None:
    assert fed(8, 0.3, 1.5).longest_s < fed(8, 0.3, 0.5).longest_s < fed(8, 0.2, 0.05).longest_s


def test_short_fragments_do_not_make_the_limit_shorter_and_shorter() -> None:
    """Each costs a second whatever its length: a ratio would take that for slowness."""
    limit = FragmentLengthLimit(8)
    for _ in range(40):
        limit.record(1.2, 1.0 + 0.5 * 1.2)
    assert limit.longest_s > 3.5


def test_one_slow_reply_does_not_cut_the_fragments_short_for_ever() -> None:
    limit = fed(8, 0.3, 0.3)
    before = limit.longest_s
    limit.record(3, 7.0)
    for _ in range(40):
        limit.record(random.Random(2).uniform(1, before), 1.0)
    assert limit.longest_s >= before - 0.7


def test_a_timeout_shortens_the_next_fragments() -> None:
    limit = FragmentLengthLimit(8)
    before = limit.longest_s
    limit.record(before, 5.0)
    assert limit.longest_s < before - 0.5


def test_an_overloaded_service_is_not_sent_ever_more_and_shorter_fragments() -> None:
    limit = FragmentLengthLimit(8)
    for _ in range(20):
        limit.record(2.0, 9.0)
    assert limit.longest_s == SHORTEST_S
    assert FragmentLengthLimit(3).longest_s < 1.5  # but a short delay leaves no choice


def test_the_lead_is_all_that_lies_between_a_fragment_and_its_dub_but_the_round_trip() -> None:
    decided_s = (AUDIO_LEAD_NS + samples_to_ns(BLOCK + DECISION_LEAD)) / 1e9
    margin_s, asked_after_s = 0.06, 0.11  # of a reply; from a fragment's end on, as measured
    assert decided_s + margin_s + asked_after_s <= MIX_LEAD_S


def test_a_set_maximum_is_kept() -> None:
    assert FragmentLengthLimit(15, fixed_s=2.0).longest_s == 2.0


def test_one_slow_reply_among_many_is_an_accident_and_two_are_not() -> None:
    limit = FragmentLengthLimit(8)
    for number in range(12):
        limit.record(4.0 + number % 3, 1.0)
    before = limit.longest_s
    limit.record(5.0, 4.0)
    assert limit.longest_s > before - 0.3
    limit.record(5.0, 4.0)
    assert limit.longest_s < before - 1


def test_a_first_clause_after_1_4_s_leaves_nearly_six_seconds_at_a_delay_of_8() -> None:
    limit = FragmentLengthLimit(8, clausewise=True)
    assert 4.0 < limit.longest_s < 5.0
    for _ in range(16):
        length_s = limit.longest_s - 0.5
        limit.record(length_s, 1.0 + 0.06 * length_s)
    assert limit.longest_s >= 5.7


def test_a_service_that_answers_in_one_piece_gets_shorter_ones_at_once() -> None:
    limit = FragmentLengthLimit(8, clausewise=True)
    limit.record(5.0, 0.6 + 0.6 * 5.0)
    assert limit.longest_s < 4.0
