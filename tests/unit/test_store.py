"""Placing audio by its PTS, and the ring that holds it."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Int16, ms_to_samples
from dubcast.audio.store import DRIFT_SAMPLES, AudioStore, Placer


def block(value: int, frames: int) -> Int16:
    return np.full((frames, 2), value, dtype=np.int16)


def test_rounded_timestamps_do_not_move_the_audio() -> None:
    placer = Placer()
    next_start = 0
    for i in range(500):
        exact = i * 1024
        pts = round(exact / RATE * 1000) * RATE // 1000  # FLV rounds to milliseconds
        placed = placer.place(pts, 1024)
        assert (placed.start, placed.kept, placed.gap) == (next_start, 1024, 0)
        next_start += 1024


def test_a_gap_becomes_silence_of_its_length() -> None:
    placer = Placer()
    placer.place(0, 1024)
    placed = placer.place(1024 + ms_to_samples(1301), 1024)
    assert placed.start == 1024 + ms_to_samples(1301)
    assert placed.gap == ms_to_samples(1301)


def test_an_overlap_is_dropped() -> None:
    placer = Placer()
    placer.place(0, 4800)
    placed = placer.place(4800 - 1000, 1024)
    assert (placed.start, placed.kept, placed.gap) == (4800, 24, -1000)


def test_audio_that_is_wholly_in_the_past_is_dropped() -> None:
    placer = Placer()
    placer.place(0, 48_000)
    placed = placer.place(1000, 1024)
    assert placed.kept == 0
    assert placer.place(48_000, 1024).start == 48_000


@pytest.mark.parametrize("ppm", [-500, 500])
def test_clock_drift_never_grows_beyond_a_few_milliseconds(ppm: int) -> None:
    placer = Placer()
    worst = 0.0
    for i in range(47 * 600):  # ten minutes
        pts = round(i * 1024 * (1 + ppm * 1e-6))
        placed = placer.place(pts, 1024)
        worst = max(worst, abs(pts - placed.start) if placed.gap >= 0 else 0)
    assert worst <= DRIFT_SAMPLES + ms_to_samples(1)


def test_restart_takes_the_next_timestamp_as_it_is() -> None:
    placer = Placer()
    placer.place(0, 1024)
    placer.restart()
    placed = placer.place(999_999, 10)
    assert (placed.start, placed.gap) == (999_999, 0)


def test_store_reads_back_what_was_written_and_silence_elsewhere() -> None:
    store = AudioStore(1000)
    store.write(5000, block(7, 300))
    store.write(5400, block(9, 100))
    got = store.read(4990, 5510)[:, 0]
    expected = np.concatenate(
        [np.zeros(10), np.full(300, 7), np.zeros(100), np.full(100, 9), np.zeros(10)]
    )
    assert np.array_equal(got, expected)


def test_store_keeps_the_newest_when_it_wraps() -> None:
    store = AudioStore(1000)
    written = np.arange(2500, dtype=np.int16)
    for start in range(0, 2500, 100):
        part = written[start : start + 100]
        store.write(start, np.stack([part, part], axis=1))
    assert (store.start, store.stop) == (1500, 2500)
    assert np.array_equal(store.read(1500, 2500)[:, 1], written[1500:])
    assert not store.read(1400, 1500).any()


def test_store_takes_a_block_larger_than_itself_and_a_far_jump() -> None:
    store = AudioStore(100)
    store.write(0, block(1, 250))
    assert store.read(150, 250).all()
    store.write(10_000, block(2, 50))
    assert not store.read(9_900, 10_000).any()
    assert (store.read(10_000, 10_050) == 2).all()
