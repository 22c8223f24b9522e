"""Resampling so slow that it cannot be heard, and none at all where none is needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubcast.audio.drift import HALF, SlowResampler
from dubcast.audio.pcm import RATE, Int16
from dubcast.audio.store import JUMP_SAMPLES, Placer

CHUNK = 1024


def sine(frames: int, hz: float = 1000.0, level: float = 20_000) -> Int16:
    wave = level * np.sin(2 * np.pi * hz * np.arange(frames) / RATE)
    return np.stack([np.rint(wave)] * 2, axis=1).astype(np.int16)


def noise(frames: int, seed: int = 1) -> Int16:
    return np.random.default_rng(seed).integers(-30_000, 30_000, (frames, 2)).astype(np.int16)


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=20))
def test_at_rate_0_every_bit_passes_at_once(sizes: list[int]) -> None:
    one = SlowResampler()
    for number, size in enumerate(sizes):
        block = noise(size, number)
        assert np.array_equal(one.feed(block, 0.0), block)
        assert one.pending == 0


@pytest.mark.parametrize("rate", [-1e-3, -3e-4, 3e-4, 1e-3])
def test_the_length_follows_the_rate_and_the_wave_stays_a_sine(rate: float) -> None:
    one, source = SlowResampler(), sine(RATE * 2)
    parts = [one.feed(source[at : at + CHUNK], rate) for at in range(0, len(source), CHUNK)]
    out = np.concatenate(parts)[:, 0].astype(float)
    assert len(out) + HALF == pytest.approx(len(source) * (1 + rate), abs=2)
    index = np.arange(len(out))
    expected = 20_000 * np.sin(2 * np.pi * 1000 * index * (1 - rate) / RATE)
    assert np.abs(out - expected)[HALF:].max() < 2


def test_high_notes_keep_their_level_at_every_fraction() -> None:
    one, source = SlowResampler(), sine(RATE * 2, 15_000)
    out = np.concatenate(
        [one.feed(source[at : at + CHUNK], 1e-3) for at in range(0, len(source), CHUNK)]
    )
    levels = [
        np.sqrt(np.mean(np.square(out[at : at + 960, 0], dtype=float)))
        for at in range(960, len(out) - 960, 960)
    ]
    assert 20 * np.log10(max(levels) / min(levels)) < 0.2


@given(rate=st.floats(-1e-3, 1e-3), busy=st.integers(1, 40), size=st.integers(64, 3000))
@settings(max_examples=60, deadline=None)
def test_after_landing_every_bit_passes_again(rate: float, busy: int, size: int) -> None:
    one, source = SlowResampler(), noise(size * (busy + 1) + 4 * RATE)
    blocks = [source[at : at + size] for at in range(0, len(source) - size, size)]
    for block in blocks[:busy]:
        one.feed(block, rate)
    one.land()
    rest = np.concatenate([one.feed(block, 0.0) for block in blocks[busy:]])
    assert one.idle
    end = busy + len(blocks[busy:])
    assert np.array_equal(rest[-2 * RATE :], source[: end * size][-2 * RATE :])


def placed_by_drift(ppm: float, seconds: float, chunk: int) -> tuple[Int16, float]:
    """A sine from a clock that is `ppm` off: what is placed, and the worst error against the PTS
    (in samples): where the end of each chunk is heard against where it belongs."""
    placer, worst, rate = Placer(), 0.0, 1 + ppm * 1e-6
    parts: list[Int16] = []
    source = sine(480 * chunk)  # a whole number of periods for every chunk
    stop = None
    for number in range(int(seconds * RATE / chunk)):
        pts = number * chunk * rate
        given = round(pts / 48) * 48  # milliseconds
        at = number % 480 * chunk
        before = placer.error_samples
        placed = placer.place(given, source[at : at + chunk])
        assert placed.gap == 0
        assert stop is None or placed.start == stop
        stop = placed.start + len(placed.samples)
        parts.append(placed.samples)
        worst = max(worst, abs(stop + placer._resampler.pending - (number + 1) * chunk * rate))
        assert abs(placer.error_samples - before) < 48
    return np.concatenate(parts), worst


@pytest.mark.parametrize(("ppm", "seconds"), [(-300, 60), (300, 120), (-500, 60), (500, 60)])
def test_minutes_of_drift_stay_in_place_without_a_click(ppm: int, seconds: int) -> None:
    out, worst = placed_by_drift(ppm, seconds, 4096)
    assert worst < 0.005 * RATE
    frames = seconds * RATE // 4096 * 4096
    assert len(out) == pytest.approx(frames * (1 + ppm * 1e-6), abs=0.005 * RATE)
    smooth = 20_000 * 2 * np.pi * 1000 / RATE
    assert np.abs(np.diff(out[:, 0].astype(np.int32))).max() < 1.01 * smooth


@given(ppm=st.floats(-300, 300), chunk=st.sampled_from([441, 960, 1024, 2048]))
@settings(max_examples=8, deadline=None)
def test_any_drift_is_followed(ppm: float, chunk: int) -> None:
    out, worst = placed_by_drift(ppm, 40, chunk)
    assert worst < 0.005 * RATE
    assert np.abs(np.diff(out[:, 0].astype(np.int32))).max() < 1.01 * 20_000 * np.pi / 24


@pytest.mark.parametrize("chunk", [1024, 1152])
@pytest.mark.parametrize("offset", [0, 47])  # the first timestamp is itself rounded, more or less
def test_rounded_timestamps_leave_every_bit_alone(chunk: int, offset: int) -> None:
    placer, source = Placer(), noise(chunk * 1500)
    out = []
    for at in range(0, len(source), chunk):
        pts = (at + offset) // 48 * 48  # FLV rounds down to milliseconds
        out.append(placer.place(pts, source[at : at + chunk]).samples)
    assert np.array_equal(np.concatenate(out), source)


def test_a_step_below_a_jump_is_brought_back_and_then_every_bit_passes() -> None:
    """A publisher that loses 5 ms once: the audio is back in place, and untouched, soon after."""
    placer = Placer()
    block = noise(CHUNK)
    for number in range(50 * 47):
        pts = number * CHUNK + (240 if number > 47 else 0)
        placed = placer.place(pts, block)
    assert abs(placer.error_samples) < 0.0005 * RATE
    assert np.array_equal(placed.samples, block)


def test_a_jump_in_the_middle_of_a_correction_is_still_a_jump() -> None:
    placer, pts = Placer(), 0
    block = noise(CHUNK)
    for number in range(20 * 47):
        pts = round(number * CHUNK * 1.0005)
        placer.place(pts, block)
    assert placer.error_samples > 10
    placed = placer.place(pts + CHUNK + JUMP_SAMPLES * 4, block)
    assert placed.start == pts + CHUNK + JUMP_SAMPLES * 4
    assert placed.gap > JUMP_SAMPLES * 3
    assert np.array_equal(placed.samples, block)
