"""DTS made of PTS alone, over orders as encoders and people make them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.clock import NS_PER_MS as MS
from dubcast.clock import NS_PER_S as S
from dubcast.worker.decode_order import DecodeOrder, DtsRestorer
from dubcast.worker.edges import InputUnit

FRAME = 40 * MS
# x264 with three B-frames and a pyramid: in decoding order, when each is shown.
PYRAMID = (0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11)
NO_REORDERING = "0164000dffe100186764000dacb202833f3e0220000003002000000781e2854901000668ebc3cb22c0"
REORDERING = (
    "0164000dffe1001a6764000dacd941419f9f0110000003001000000303c0f142996001000668ebe3cb22c0"
)


def restored(depth: int, shown: list[int] | tuple[int, ...]) -> list[tuple[int, int]]:
    """(DTS, PTS) of units with these PTS, once the source has ended."""
    order: DecodeOrder[int] = DecodeOrder(depth)
    return [one for pts in shown for one in order.add(pts, pts)] + order.flush()


@st.composite
def orders(draw: st.DrawFn) -> tuple[int, list[int]]:
    """A depth, and PTS in a decoding order that keeps to it, at frames of uneven lengths.

    As a decoder sees it: it holds up to `depth` pictures, and shows one of them for each that
    comes.
    """
    depth, count = draw(st.integers(0, 5)), draw(st.integers(1, 60))
    held: list[int] = []
    rank: dict[int, int] = {}
    for picture in range(count + depth):
        held += [picture] if picture < count else []
        if held and (len(held) > depth or picture >= count):
            rank[held.pop(draw(st.integers(0, len(held) - 1)))] = len(rank)
    for picture in held:
        rank[picture] = len(rank)
    lengths = draw(st.lists(st.integers(5 * MS, 100 * MS), min_size=count, max_size=count))
    times = list(itertools.accumulate(lengths, initial=draw(st.integers(-S, 100 * S))))
    return depth, [times[rank[picture]] for picture in range(count)]


@given(orders())
def test_it_grows_and_is_never_after_the_pts_which_stays(given_: tuple[int, list[int]]) -> None:
    depth, shown = given_
    found = restored(depth, shown)
    assert [pts for _, pts in found] == shown
    assert all(dts <= pts for dts, pts in found)
    assert all(before < dts for (before, _), (dts, _) in itertools.pairwise(found))
    # Each is decoded when the one is shown that is `depth` before it.
    assert [dts for dts, _ in found[depth:]] == sorted(shown)[: max(len(shown) - depth, 0)]


def test_at_a_steady_rate_it_is_what_the_encoder_had() -> None:
    found = restored(2, [number * FRAME for number in PYRAMID])
    assert [dts for dts, _ in found[2:]] == [number * FRAME for number in range(len(PYRAMID) - 2)]
    # Of what comes first, it is not known yet how far apart pictures are.
    assert [dts for dts, _ in found[:2]] == [-4 * FRAME, -2 * FRAME]


def test_without_reordering_it_is_the_pts_at_once() -> None:
    order: DecodeOrder[str] = DecodeOrder(0)
    assert order.add(70, "first") == [(70, "first")]
    assert order.add(70 + FRAME, "second") == [(70 + FRAME, "second")]


def test_a_first_key_frame_that_is_shown_after_others_is_decoded_before_them() -> None:
    """A file that was cut at an open group of pictures."""
    found = restored(1, [3 * FRAME, 0, FRAME, 2 * FRAME, 6 * FRAME, 4 * FRAME, 5 * FRAME])
    assert all(dts <= pts for dts, pts in found)
    assert all(before < dts for (before, _), (dts, _) in itertools.pairwise(found))


def test_a_picture_after_a_hole_is_not_decoded_before_the_hole() -> None:
    shown = [n * FRAME for n in PYRAMID]
    shown += [60 * S + pts for pts in shown]
    found = restored(2, shown)
    assert [pts for _, pts in found] == shown
    assert max(pts - dts for dts, pts in found) <= 2 * S
    assert all(before < dts <= pts for (before, _), (dts, pts) in itertools.pairwise(found))


def test_pictures_that_come_seldom_are_decoded_a_little_before_they_are_shown() -> None:
    found = restored(2, [number * 8 * S for number in range(5)])
    assert [dts - pts for dts, pts in found] == [-2 * S] * 5


@pytest.mark.parametrize("shown", [[5, 5, 5, 5], [40, 0, 40, 0], [9 * S, 0, 8 * S, MS, 2 * MS]])
def test_it_grows_whatever_comes(shown: list[int]) -> None:
    found = restored(1, shown)
    assert [pts for _, pts in found] == shown
    assert all(before < dts for (before, _), (dts, _) in itertools.pairwise(found))


def unit(pts: int, config: str) -> InputUnit:
    return InputUnit(pts, pts, False, "picture", bytes.fromhex(config))


def test_the_depth_is_the_stream_s_own_and_may_change() -> None:
    found: list[InputUnit] = []
    restorer = DtsRestorer(found.append)
    for number in (0, 3, 1, 2):
        restorer.take(unit(number * FRAME, REORDERING))
    for number in (4, 5):
        restorer.take(unit(number * FRAME, NO_REORDERING))
    for number in (6, 8):  # and the source ends before it is known where they begin
        restorer.take(unit(number * FRAME, REORDERING))
    assert len(found) == 6
    restorer.flush()
    assert [one.pts // FRAME for one in found] == [0, 3, 1, 2, 4, 5, 6, 8]
    assert [one.dts // FRAME for one in found[:6]] == [-2, -1, 0, 1, 4, 5]
    assert all(one.dts <= one.pts for one in found)
    assert (found[1].payload, found[1].key) == ("picture", False)
