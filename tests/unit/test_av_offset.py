"""The offset of the output: of what leaves, at one moment of the source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.audio.pcm import RATE
from dubcast.clock import NS_PER_MS as MS
from dubcast.clock import NS_PER_S as S
from dubcast.worker.av_offset import AvOffset, PlacementLog

LEAD = 200 * MS  # sound leaves so much before its picture


def played(sound_ns: int, picture_ns: int) -> AvOffset:
    """A second of both tracks, each with its constant."""
    one = AvOffset()
    for at in range(0, S, 100 * MS):
        one.left("audio", at + LEAD, at + LEAD + sound_ns)
        one.left("video", at, at + picture_ns)
    return one


@given(st.integers(-S, S), st.integers(-S, S))
def test_it_is_the_difference_of_the_two_constants(sound_ns: int, picture_ns: int) -> None:
    found = played(sound_ns, picture_ns).seconds
    assert found == pytest.approx((picture_ns - sound_ns) / S)


def test_one_track_alone_has_none() -> None:
    one = AvOffset()
    one.left("video", 0, 5 * S)
    assert one.seconds == 0
    one.left("audio", 10 * S, 10 * S)
    one.left("video", 9 * S, 14 * S)  # the sound of that moment never left
    assert one.seconds == 0


def test_a_step_of_both_is_no_offset_while_only_the_sound_has_made_it() -> None:
    one = AvOffset()
    for at in range(0, 4 * S, 100 * MS):
        for track, source in (("audio", at + LEAD), ("video", at)):
            step = 3 * S if source >= 2 * S else 0
            one.left(track, source, source + step)  # type: ignore[arg-type]
            assert one.seconds == 0


def test_sound_that_went_back_is_not_compared_with_pictures_that_did_not_yet() -> None:
    one = played(0, 0)
    one.left("audio", -2 * S, 0)
    one.left("video", S, S)
    assert one.seconds == 0
    one.left("video", -2 * S, 0)
    assert one.seconds == 0


def test_what_is_held_is_bounded_and_a_timeline_that_goes_back_begins_anew() -> None:
    one = AvOffset()
    for at in range(0, 3600 * S, 100 * MS):
        one.left("audio", at, at)
    assert len(one._sound) <= 51
    one.left("audio", 0, 30 * MS)
    one.left("video", 0, 0)
    assert one.seconds == pytest.approx(-0.03)


def test_the_source_time_of_sound_is_where_it_was_placed_plus_its_error() -> None:
    log = PlacementLog(10)
    assert log.source_ns(RATE) == S
    for second, early_s in ((0, 0.0), (1, 0.012), (2, 0.012), (3, -0.004)):
        log.placed(second * RATE, early_s)
    wanted = {0: 0, 1: 12, 2: 12, 3: -4, 9: -4}
    for second, early_ms in wanted.items():
        assert log.source_ns(second * RATE) == second * S + early_ms * MS


def test_placements_are_forgotten_when_their_sound_has_left() -> None:
    log = PlacementLog(10)
    for number in range(3600):
        log.placed(number * RATE, number / 1000)
    assert len(log._placed) <= 12
    assert log.source_ns(3595 * RATE) == 3595 * S + 3595 * MS
