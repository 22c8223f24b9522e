"""True peaks, measured with a filter that is not the limiter's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import firwin, resample_poly

from dubcast.audio.limiter import LATENCY, Limiter, _interpolator
from dubcast.audio.pcm import RATE, Float, from_db

_METER = firwin(2 * 8 * 48 + 1, 1 / 8, window=("kaiser", 6.0))


def true_peak_db(wave: Float) -> float:
    """8 times oversampled, 96 taps per phase."""
    fine = resample_poly(wave.astype(np.float64), 8, 1, axis=0, window=_METER)
    return float(20 * np.log10(max(np.abs(fine).max(), np.abs(wave).max(), 1e-9)))


def limited(wave: Float, block: int = 4800, ceiling: float = -1.0) -> Float:
    """The limiter's output, its latency taken out."""
    one = Limiter(ceiling)
    fed = np.concatenate([wave, np.zeros((LATENCY, 2), np.float32)])
    parts = [one.process(fed[at : at + block]) for at in range(0, len(fed), block)]
    return np.concatenate(parts)[LATENCY:]


def band_limited(seed: int, frames: int, top_hz: float) -> Float:
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.normal(size=(frames, 2)), axis=0)
    spectrum[int(top_hz / RATE * frames) :] = 0
    wave = np.fft.irfft(spectrum, n=frames, axis=0)
    return (wave / np.abs(wave).max()).astype(np.float32)


@st.composite
def programmes(draw: st.DrawFn) -> Float:
    """Tones, noise and bursts up to 20 kHz, from silence to four times full scale."""
    frames = draw(st.integers(600, 9000))
    wave = np.zeros((frames, 2), np.float32)
    time = np.arange(frames)[:, np.newaxis]
    for _ in range(draw(st.integers(0, 3))):
        hz, phase = draw(st.floats(20, 20000)), draw(st.floats(0, 6.3))
        level = np.array([draw(st.floats(0, 4)), draw(st.floats(0, 4))])
        begin, end = sorted([draw(st.integers(0, frames)), draw(st.integers(0, frames))])
        shape = np.zeros((frames, 1))
        # A tone switched on at once would reach beyond 20 kHz.
        shape[begin:end, 0] = np.hanning(end - begin)
        wave += (level * shape * np.sin(2 * np.pi * hz * time / RATE + phase)).astype(np.float32)
    if draw(st.booleans()):
        top = draw(st.floats(500, 20000))
        wave += draw(st.floats(0, 4)) * band_limited(draw(st.integers(0, 999)), frames, top)
    return wave.astype(np.float32)


@settings(max_examples=120, deadline=None)
@given(wave=programmes(), block=st.sampled_from([100, 960, 4800, 20000]))
def test_no_true_peak_passes_the_ceiling(wave: Float, block: int) -> None:
    assert true_peak_db(limited(wave, block)) <= -1.0 + 0.1


@pytest.mark.parametrize("hz", [12_000, 16_000, 18_000, 19_200, 20_000])
@pytest.mark.parametrize("phase", np.linspace(0, 2, 9))
def test_peaks_that_lie_between_the_samples_are_found(hz: float, phase: float) -> None:
    wave = np.sin(2 * np.pi * hz * np.arange(4000) / RATE + phase) * np.hanning(4000)
    assert true_peak_db(limited(np.stack([wave, wave], axis=1).astype(np.float32))) <= -0.9


@settings(max_examples=60, deadline=None)
@given(wave=programmes(), block=st.sampled_from([100, 4800]))
def test_what_is_below_the_ceiling_passes_bit_by_bit(wave: Float, block: int) -> None:
    scale = from_db(min(-1.3 - true_peak_db(wave), 0.0))
    soft = (wave * np.float32(scale)).astype(np.float32)
    assert np.array_equal(limited(soft, block), soft)


@pytest.mark.parametrize("seed", range(8))
def test_noise_up_to_24_khz_stays_within_what_meters_differ_by(seed: int) -> None:
    """Above 20 kHz a true peak is what the meter's filter makes of it; this is SciPy's."""
    wave = np.random.default_rng(seed).uniform(-4, 4, (6000, 2)).astype(np.float32)
    fine = resample_poly(limited(wave).astype(np.float64), 4, 1, axis=0)
    assert 20 * np.log10(np.abs(fine).max()) <= -1.0 + 0.5


def test_the_block_size_does_not_matter() -> None:
    wave = 2 * band_limited(3, 20000, 12000)
    whole = limited(wave, 30000)
    for block in (64, 777, 4800):
        assert np.abs(limited(wave, block) - whole).max() < 1e-6


def test_the_quick_way_misses_no_peak() -> None:
    """The worst input for the interpolator, at the level below which nothing is looked for."""
    one = Limiter(-1.0)
    taps = _interpolator()
    worst = taps[:, np.abs(taps).sum(axis=0).argmax()]
    wave = np.zeros((2000, 2), np.float32)
    wave[1000 : 1000 + len(worst)] = np.sign(worst)[:, np.newaxis] * one._harmless * 0.9999
    peak = np.abs(np.convolve(wave[:, 0], worst[::-1])).max()
    assert from_db(-1.2) < peak <= from_db(-1.1)  # at the ceiling itself: no slack, no miss
    assert np.array_equal(limited(wave), wave)


def test_the_gain_is_down_before_the_peak_and_back_at_exactly_one_after() -> None:
    wave = np.zeros((2 * RATE, 2), np.float32)
    wave += 0.1 * np.sin(np.arange(2 * RATE) / 20)[:, np.newaxis].astype(np.float32)
    wave[RATE - 50 : RATE + 50] += (3 * np.hanning(100))[:, np.newaxis].astype(np.float32)
    out = limited(wave)
    assert np.abs(out).max() <= from_db(-1.0)
    assert np.array_equal(out[: RATE - 600], wave[: RATE - 600])
    assert np.array_equal(out[RATE + 10_000 :], wave[RATE + 10_000 :])
    reduced = np.flatnonzero(np.any(out != wave, axis=1))
    assert 9_000 > reduced[-1] - RATE > 3_000  # a release, not a step


def test_both_channels_get_the_same_gain() -> None:
    wave = np.stack([2 * np.ones(9600), 0.2 * np.ones(9600)], axis=1).astype(np.float32)
    out = limited(wave)[2000:8000]
    assert np.allclose(out[:, 0] / out[:, 1], 10, rtol=1e-5)


def test_a_reset_forgets_everything() -> None:
    one, fresh = Limiter(-1.0), Limiter(-1.0)
    one.process(np.full((4800, 2), 3.0, np.float32))
    one.reset()
    wave = 0.5 * band_limited(1, 4800, 8000)
    assert np.array_equal(one.process(wave), fresh.process(wave))
