"""Placing audio by its PTS, and the ring that holds it."""

from __future__ import annotations

import numpy as np

from dubcast.audio.pcm import RATE, Int16, ms_to_samples
from dubcast.audio.store import AudioStore, Placer


def block(value: int, frames: int) -> Int16:
    return np.full((frames, 2), value, dtype=np.int16)


def test_a_gap_becomes_silence_of_its_length() -> None:
    placer = Placer()
    placer.place(0, block(1, 1024))
    placed = placer.place(1024 + ms_to_samples(1301), block(1, 1024))
    assert placed.start == 1024 + ms_to_samples(1301)
    assert placed.gap == ms_to_samples(1301)


def test_an_overlap_is_dropped() -> None:
    placer = Placer()
    placer.place(0, block(1, 4800))
    late = np.repeat(np.arange(1024, dtype=np.int16)[:, np.newaxis], 2, axis=1)
    placed = placer.place(4800 - 1000, late)
    assert (placed.start, placed.gap) == (4800, -1000)
    assert np.array_equal(placed.samples, late[1000:])


def test_audio_that_is_wholly_in_the_past_is_dropped() -> None:
    placer = Placer()
    placer.place(0, block(1, 48_000))
    placed = placer.place(1000, block(1, 1024))
    assert len(placed.samples) == 0
    assert placer.place(48_000, block(1, 1024)).start == 48_000


def test_restart_takes_the_next_timestamp_as_it_is() -> None:
    placer = Placer()
    placer.place(0, block(1, 1024))
    placer.restart()
    placed = placer.place(999_999, block(1, 10))
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


def test_the_quietest_place_is_the_middle_of_a_pause_between_words() -> None:
    store = AudioStore(RATE)
    sound = np.full((RATE, 2), 9000, np.int16)
    sound[20_000:22_000] = -300
    sound[30_000:30_400] = 0  # a closure within a word is shorter
    store.write(0, sound)
    assert 20_000 + RATE // 100 < store.quietest(15_000, 33_000) < 22_000 - RATE // 100
    assert store.quietest(5_000, 5_100) == 5_050
