"""Sums over timestamps."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.measure import timing

FRAMES = [round(k * 100 / 3) for k in range(90)]


def test_an_even_track_has_no_gap() -> None:
    found = timing.track_timing(FRAMES)
    assert found is not None and found.monotone
    assert found.nominal_ms == pytest.approx(33.33, abs=0.02)
    assert found.gap_max_ms < 1.0 and found.gaps == []


def test_a_gap_is_measured_beyond_one_frame() -> None:
    found = timing.track_timing([t + (200 if t > 1000 else 0) for t in FRAMES])
    assert found is not None
    assert found.gap_max_ms == pytest.approx(200, abs=1)
    assert [(gap.at_ms, round(gap.ms)) for gap in found.gaps] == [(1000, 200)]


def test_disorder_is_counted_and_is_no_gap() -> None:
    swapped = [*FRAMES[:10], FRAMES[11], FRAMES[10], *FRAMES[12:]]
    found = timing.track_timing(swapped)
    assert found is not None and not found.monotone
    assert found.dts_backwards == 1
    assert found.gap_max_ms == pytest.approx(33.3, abs=1)


def test_one_stray_timestamp_makes_no_gap_on_its_way_back() -> None:
    found = timing.track_timing([*FRAMES[:30], 0, *FRAMES[30:]])
    assert found is not None and found.dts_backwards == 1
    assert found.gap_max_ms < 2


def test_a_repeat_is_not_disorder() -> None:
    found = timing.track_timing([0, 33, 33, 67])
    assert found is not None and found.monotone and found.dts_repeats == 1


def test_an_empty_track_has_no_timing() -> None:
    assert timing.track_timing([]) is None


def test_the_slope_is_not_moved_by_outliers() -> None:
    x = np.arange(60.0)
    y = 2.0 * x + 5
    y[[3, 17, 40]] = 900
    assert timing.robust_slope(x, y) == pytest.approx(2.0)
    assert timing.robust_slope([1.0], [5.0]) == 0.0


def test_the_slope_of_many_points_is_sampled() -> None:
    x = np.arange(20_000.0)
    assert timing.robust_slope(x, 0.5 * x) == pytest.approx(0.5)


def test_runs_of_constant_differences() -> None:
    runs = timing.constant_runs([5, 5, 5, 9], [5, 5, 5, 9])
    assert [(r.start, r.count, r.dts_delta_ms) for r in runs] == [(0, 3, 5), (3, 1, 9)]
    assert len(timing.constant_runs([5, 5], [5, 6])) == 2
    assert timing.constant_runs([], []) == []


def test_a_burst_at_the_start_is_not_steady() -> None:
    dts = np.array(FRAMES, dtype=float)
    arrival = np.maximum(dts, 1000.0) * 1e6
    usable = timing.steady(arrival.astype(np.int64), dts)
    assert not usable[: FRAMES.index(967)].any() and usable[FRAMES.index(1000) :].all()


def test_delay_and_its_spread() -> None:
    came = np.arange(100, dtype=np.int64) * 33_000_000
    left = came + 8_000_000_000
    left[50:52] += 30_000_000
    found = timing.delay(came, left, np.ones(100, bool), np.arange(100) * 33.0)
    assert found is not None
    assert found.median_s == pytest.approx(8.0) and found.max_s == pytest.approx(8.03)
    assert 29 < found.spread_p99_ms <= 30
    assert timing.delay(came, left, np.zeros(100, bool), np.arange(100)) is None
