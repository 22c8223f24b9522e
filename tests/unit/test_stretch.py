"""Faster and slower speech: its length, its pitch, and where its words are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubcast.audio.pcm import RATE, Float
from dubcast.audio.stretch import stretch

TEMPI = [0.85, 0.95, 1.02, 1.1, 1.25]


def voice(seconds: float, hz: float = 120.0) -> Float:
    """A buzz with formants, as a voice has them."""
    t = np.arange(round(seconds * RATE)) / RATE
    parts = [np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 20)]
    return (0.2 * np.sum(parts, axis=0)).astype(np.float32)


def pitch(samples: Float) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * RATE / len(samples)


@given(st.integers(0, 30_000), st.floats(0.5, 2.0))
@settings(max_examples=60, deadline=None)
def test_the_length_is_exact_whatever_comes(frames: int, tempo: float) -> None:
    samples = np.random.default_rng(frames).normal(0, 0.1, frames).astype(np.float32)
    out = stretch(samples, tempo)
    assert len(out) == (frames if tempo == 1.0 else round(frames / tempo))
    assert out.dtype == np.float32
    assert np.isfinite(out).all()


def test_at_tempo_1_nothing_is_touched() -> None:
    samples = voice(1.0)
    assert stretch(samples, 1.0) is samples


@pytest.mark.parametrize("tempo", TEMPI)
@pytest.mark.parametrize("hz", [80.0, 120.0, 230.0])
def test_the_pitch_is_kept_and_no_window_shows(tempo: float, hz: float) -> None:
    source = voice(2.0, hz)
    out = stretch(source, tempo)
    assert pitch(out) == pytest.approx(pitch(source), abs=1.0)
    # Windows that cancel or double each other would show in the level, their seams as clicks.
    level = np.sqrt(np.convolve(out**2, np.ones(2400) / 2400, "valid"))
    whole = np.sqrt(np.convolve(source**2, np.ones(2400) / 2400, "valid"))
    assert level.min() > 0.9 * whole.min()
    assert level.max() < 1.1 * whole.max()
    assert np.abs(np.diff(out)).max() < 1.2 * np.abs(np.diff(source)).max()


@pytest.mark.parametrize("tempo", TEMPI)
def test_words_are_where_the_tempo_puts_them(tempo: float) -> None:
    source = np.zeros(4 * RATE, np.float32)
    at = np.array([0.0, 1.0, 2.5, 3.85])
    for start in at:
        source[round(start * RATE) : round((start + 0.15) * RATE)] = voice(0.15)
    loud = np.flatnonzero(np.abs(stretch(source, tempo)) > 0.02)
    begins = loud[np.flatnonzero(np.diff(loud, prepend=-RATE) > 0.1 * RATE)] / RATE
    assert begins == pytest.approx(at / tempo, abs=0.02)


def test_silence_stays_silence() -> None:
    assert not stretch(np.zeros(RATE, np.float32), 1.2).any()


def test_a_tempo_that_no_speech_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2\.5 is not within"):
        stretch(voice(0.1), 2.5)
