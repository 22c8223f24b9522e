"""The bed: the separated background while it is there, the ducked original otherwise."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dubcast.audio.bed import DuckedOriginal, StoredBed
from dubcast.audio.pcm import RATE, Float, Int16, from_db

FADE = 960
DUCKED = 0.5 * from_db(-40)
ORIGINAL = np.full((RATE, 2), 0.5, np.float32)


def background(frames: int, value: int = 8192) -> Int16:
    return np.full((frames, 2), value, np.int16)


def bed(capacity: int = 4 * RATE) -> StoredBed:
    return StoredBed(capacity, DuckedOriginal(40), FADE)


def render(one: StoredBed, start: int, stop: int, block: int = 4800) -> Float:
    parts = [one.render(at, ORIGINAL[: min(block, stop - at)]) for at in range(start, stop, block)]
    return np.concatenate(parts)[:, 0]


def test_without_a_background_it_is_the_ducked_original_and_is_counted() -> None:
    one = bed()
    assert np.allclose(render(one, 0, RATE), DUCKED)
    assert one.substituted == RATE
    assert one.covered(0, RATE) == 0


def test_with_it_the_background_comes_to_the_sample() -> None:
    one = bed()
    ramp = np.arange(RATE, dtype=np.int16)
    one.write(0, np.stack([ramp, -ramp], axis=1))
    got = one.render(5000, ORIGINAL[:4800])
    assert np.array_equal(got[:, 0], ramp[5000:9800] / np.float32(32768))
    assert np.array_equal(got[:, 1], -got[:, 0])
    assert one.substituted == 0


def test_at_the_ends_of_the_background_the_two_cross_over() -> None:
    one = bed()
    one.write(9600, background(9600))
    out = render(one, 0, 28800)
    assert np.allclose(out[:9600], DUCKED)
    assert np.allclose(out[9600 + FADE : 19200 - FADE], 0.25)
    assert np.allclose(out[19200:], DUCKED)
    assert np.abs(np.diff(out)).max() < 0.25 / FADE * 1.01
    assert one.substituted == 19200


def test_a_background_that_comes_late_makes_no_step() -> None:
    one = bed()
    one.write(0, background(4800 + 300))
    first = render(one, 0, 4800)
    one.write(5100, background(9600))
    second = render(one, 4800, 9600)
    out = np.concatenate([first, second])
    assert out[4799] < 0.1  # it was on its way out
    assert out[4800 + FADE] > 0.249
    assert np.abs(np.diff(out)).max() < 0.25 / FADE * 1.01


def test_what_the_ring_has_lost_is_not_taken_for_background() -> None:
    one = bed(capacity=9600)
    for at in range(0, 48_000, 4800):
        one.write(at, background(4800))
    assert one.covered(0, 4800) == 0
    assert one.covered(38_400, 50_000) == 9600
    assert np.allclose(render(one, 0, 4800), DUCKED)


def test_an_overlap_is_dropped_and_a_gap_is_kept_apart() -> None:
    one = bed()
    one.write(0, background(4800))
    one.write(4000, background(1600, 16384))
    one.write(9600, background(4800))
    assert one.covered(0, 20_000) == 5600
    assert one.read(4000, 5600)[:, 0].tolist() == [8192] * 800 + [16384] * 800
    one.write(100, background(100))  # wholly known
    assert one.covered(9600, 20_000) == 4800


@given(
    spans=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 3000)), max_size=6),
    blocks=st.lists(st.integers(1, 4000), min_size=1, max_size=12),
)
def test_it_is_always_between_the_two_and_never_steps(
    spans: list[tuple[int, int]], blocks: list[int]
) -> None:
    one, at, writes = bed(), 0, []
    for gap, length in spans:
        writes.append((at + gap, length))
        at += gap + length
    cursor, out = 0, []
    for number, frames in enumerate(blocks):
        if number < len(writes):
            one.write(writes[number][0], background(writes[number][1]))
        out.append(one.render(cursor, ORIGINAL[:frames])[:, 0])
        cursor += frames
    whole = np.concatenate(out)
    assert whole.min() >= DUCKED - 1e-6
    assert whole.max() <= 0.25 + 1e-6
    # What was written behind the cursor cannot have been heard: from one block on it is there.
    assert np.diff(whole).max(initial=0) < 0.25 / FADE * 1.01
