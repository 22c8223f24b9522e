"""Leaps in timestamps, in virtual time: one session of two tracks."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.clock import NS_PER_MS as MS
from dubcast.clock import NS_PER_S as S
from dubcast.worker.rebase import Rebaser, Track

FRAME = 33_333_333
AAC = 21_333_333


def programme(seconds: float) -> list[tuple[int, Track]]:
    """(content time in ns, track) of a live source, in order of arrival."""
    video = [(n * FRAME, "video") for n in range(int(seconds * S) // FRAME)]
    audio = [(n * AAC, "audio") for n in range(int(seconds * S) // AAC)]
    return sorted([*video, *audio])  # type: ignore[return-value]


def passed(leaps: list[tuple[float, int]], seconds: float = 20) -> list[tuple[int, Track, int]]:
    """(content time, track, timestamp out) when timestamps move by `leaps` (at s, by ns)."""
    rebaser, result = Rebaser(), []
    for content, track in programme(seconds):
        given = content + sum(by for at, by in leaps if content >= at * S)
        result.append((content, track, rebaser.steady(track, given, content)))
    return result


def errors(result: list[tuple[int, Track, int]]) -> list[int]:
    return [out - content for content, _, out in result]


def test_without_leaps_nothing_changes() -> None:
    assert set(errors(passed([]))) == {0}


@pytest.mark.parametrize("by", [10 * S, -5 * S, -6 * S, 1 << 62, -(1 << 41), 1500 * MS])
def test_a_leap_of_both_tracks_is_taken_out_of_both(by: int) -> None:
    result = errors(passed([(6, by)]))
    # The first packet after the leap is put one frame after the last: nothing else is known.
    assert max(result) - min(result) < MS


def test_the_tracks_keep_their_distance_through_many_leaps() -> None:
    leaps = [(2 + 2 * n, (-1) ** n * (n + 2) * 7 * S) for n in range(8)]
    after = [out - content for content, _, out in passed(leaps) if content > 17 * S]
    assert max(after) - min(after) == 0


def test_one_track_may_leap_later_than_the_other() -> None:
    """The audio of the old epoch comes 300 ms after the picture has leapt."""
    rebaser, out = Rebaser(), []
    packets = sorted(
        (content + (300 * MS if track == "audio" else 0), content, track)
        for content, track in programme(10)
    )
    for arrival, content, track in packets:
        leapt = content + (100 * S if content >= 5 * S else 0)
        out.append(rebaser.steady(track, leapt, arrival) - content)
    assert max(out) - min(out) < MS


def test_a_hole_in_the_source_is_no_leap() -> None:
    """Nothing came for three seconds, and the timestamps say so."""
    rebaser = Rebaser()
    for content, track in programme(20):
        if not 8 * S <= content < 11 * S:
            assert rebaser.steady(track, content, content) == content


def test_a_burst_is_no_leap() -> None:
    rebaser = Rebaser()
    assert all(rebaser.steady(track, content, 0) == content for content, track in programme(8))


def test_a_stall_with_a_restart_goes_on_after_the_time_that_passed() -> None:
    rebaser = Rebaser()
    rebaser.steady("video", 5 * S, 0)
    rebaser.steady("video", 5 * S + FRAME, FRAME)
    assert rebaser.steady("video", 0, FRAME + 4 * S) == 5 * S + FRAME + 4 * S


def test_a_dts_that_repeats_or_steps_back_still_grows() -> None:
    rebaser = Rebaser()
    given = [0, 33, 33, 66, 60, 100, 133]
    out = [rebaser.steady("video", ts * MS, ts * MS) for ts in given]
    assert all(later > earlier for earlier, later in itertools.pairwise(out))
    assert out[-1] == 133 * MS


def test_a_track_that_appears_after_a_leap_finds_its_place() -> None:
    rebaser = Rebaser()
    for n in range(100):
        rebaser.steady("video", n * FRAME + (50 * S if n > 50 else 0), n * FRAME)
    late = 100 * FRAME
    assert abs(rebaser.steady("audio", late + 50 * S, late) - late) < MS


@given(
    st.sampled_from([-1, 1]),
    st.lists(st.tuples(st.floats(1, 19), st.integers(3 * S, 1 << 45)), max_size=4),
)
def test_any_leaps_leave_a_video_that_grows_and_time_that_keeps_up(
    sign: int, leaps: list[tuple[float, int]]
) -> None:
    result = passed([(at, sign * by) for at, by in leaps])
    video = [out for _, track, out in result if track == "video"]
    assert all(later > earlier for earlier, later in itertools.pairwise(video))
    # Several leaps within one frame may cost a frame each.
    assert all(abs(out - content) <= (1 + len(leaps)) * FRAME for content, _, out in result)
