"""What the recordings hold of a source's sound: known pieces leave known holes."""

import numpy as np
import pytest

from bench.onair.coverage import Samples, covered, holes, lost

RATE = 8000


@pytest.fixture
def source() -> Samples:
    noise = np.random.default_rng(1).standard_normal(10 * RATE) * 0.02
    return np.asarray(noise, np.float32)


def padded(piece: Samples, before: int, after: int) -> Samples:
    return np.pad(piece, (before, after))


def test_a_piece_is_found_without_its_padding(source: Samples) -> None:
    first, last = covered(source, padded(source[12_345:50_000], 1600, 700), RATE)
    assert (first, last) == pytest.approx((12_345, 50_000), abs=3)


def test_pieces_that_follow_each_other_leave_nothing(source: Samples) -> None:
    pieces = [padded(source[:30_000], 1600, 900), padded(source[30_000:], 1600, 0)]
    assert sum(lost(source, pieces, RATE)) <= 5


@pytest.mark.parametrize(("start", "middle", "end"), [(400, 0, 0), (0, 1600, 0), (0, 0, 512)])
def test_what_no_piece_has_is_told(source: Samples, start: int, middle: int, end: int) -> None:
    pieces = [source[start:30_000], source[30_000 + middle : len(source) - end]]
    assert sum(lost(source, pieces, RATE)) == pytest.approx(start + middle + end, abs=5)


def test_spans_that_overlap_leave_no_hole() -> None:
    assert holes([(0, 10), (5, 8), (9, 20), (25, 30)]) == [5]
