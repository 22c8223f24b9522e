"""Fitting: length, tempo, alignment, channels. Real stretcher and resampler, made-up sound."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.contract.sts import DurationPolicy
from dubcast.errors import StsError
from dubcast.sts.duration import MIN_TEMPO
from dubcast.sts.providers.fit_signalsmith import SignalsmithFit, to_pcm
from dubcast.sts.providers.interface import FitTask, Fitted, Float, Speech

RATE = 24_000


@pytest.fixture(scope="module")
def fitter() -> SignalsmithFit:
    fitter = SignalsmithFit()
    fitter.load()
    return fitter


def _tone(seconds: float, hz: float = 220.0) -> Float:
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def _fit(
    fitter: SignalsmithFit,
    samples: Float,
    policy: DurationPolicy = "match",
    *,
    fragment_s: float = 4.0,
    slot_s: float = 4.0,
    max_tempo: float = 1.25,
    rate: int = 48_000,
    channels: int = 1,
    bounds_s: tuple[float, float] | None = None,
    clauses: int = 1,
) -> tuple[Fitted, Float]:
    """The fitted dub, and its samples as (frames, channels) in [-1, 1)."""
    task = FitTask(
        (Speech(samples, RATE),) * clauses,
        (0.3,) * clauses,
        policy,
        round(fragment_s * rate),
        round(slot_s * 1000),
        max_tempo,
        rate,
        channels,
        bounds_s,
    )
    fitted = fitter.run([task])[0]
    frames = np.frombuffer(fitted.pcm, "<i2").reshape(-1, channels) / 32768
    return fitted, frames.astype(np.float32)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("speech_s", [0.7, 3.3, 4.0, 4.4, 4.99])
def test_match_is_exactly_as_long_as_the_fragment(
    fitter: SignalsmithFit, rate: int, speech_s: float
) -> None:
    fitted, frames = _fit(fitter, _tone(speech_s), fragment_s=4.0, rate=rate)
    assert len(frames) == 4 * rate
    assert fitted.fits
    assert fitted.speech_ms == round(1000 * speech_s)
    assert MIN_TEMPO <= fitted.tempo <= 1.25


def test_match_that_cannot_fit_is_longer_and_whole(fitter: SignalsmithFit) -> None:
    fitted, frames = _fit(fitter, _tone(6.0), fragment_s=4.0)
    assert not fitted.fits
    assert fitted.tempo == 1.25
    assert len(frames) / 48_000 == pytest.approx(6.0 / 1.25, abs=0.002)


def test_match_speaks_slower_only_a_little(fitter: SignalsmithFit) -> None:
    fitted, frames = _fit(fitter, _tone(2.0), fragment_s=4.0)
    assert fitted.tempo == MIN_TEMPO
    loud = np.flatnonzero(np.abs(frames[:, 0]) > 0.1)
    assert loud[-1] / 48_000 == pytest.approx(2.0 / MIN_TEMPO, abs=0.05)


def test_fit_keeps_the_natural_length(fitter: SignalsmithFit) -> None:
    fitted, frames = _fit(fitter, _tone(3.0), "fit", slot_s=3.9)
    assert (fitted.tempo, fitted.fits) == (1.0, True)
    assert len(frames) == 3 * 48_000


def test_fit_is_faster_only_as_far_as_the_slot_asks(fitter: SignalsmithFit) -> None:
    fitted, frames = _fit(fitter, _tone(4.2), "fit", fragment_s=2.0, slot_s=3.8)
    assert fitted.fits
    assert fitted.tempo == pytest.approx(4.2 / 3.8)
    assert len(frames) <= 3.8 * 48_000
    assert len(frames) / 48_000 == pytest.approx(3.8, abs=0.002)


def test_fit_beyond_the_limit_is_partial_and_whole(fitter: SignalsmithFit) -> None:
    fitted, frames = _fit(fitter, _tone(5.0), "fit", slot_s=3.0, max_tempo=1.25)
    assert (fitted.fits, fitted.tempo) == (False, 1.25)
    assert len(frames) / 48_000 == pytest.approx(4.0, abs=0.002)


def test_max_tempo_is_obeyed(fitter: SignalsmithFit) -> None:
    fitted, _ = _fit(fitter, _tone(5.0), "fit", slot_s=3.0, max_tempo=1.0)
    assert (fitted.fits, fitted.tempo) == (False, 1.0)


@pytest.mark.parametrize("tempo", [0.95, 1.1, 1.25, 1.5])
def test_stretching_keeps_alignment_and_ends(fitter: SignalsmithFit, tempo: float) -> None:
    """Bursts land where the tempo says: the stretcher's latency is compensated, no end is lost."""
    samples = _tone(4.0, 150.0) * 0.05  # loud enough to be no pause
    at = [0.1, 1.0, 2.5, 3.7]
    for start in at:
        samples[round(start * RATE) : round((start + 0.1) * RATE)] = _tone(0.1)
    fitted, frames = _fit(
        fitter,
        samples,
        "fit" if tempo > 1 else "match",
        slot_s=4.0 / tempo,
        max_tempo=1.5,
        fragment_s=4.0 / tempo,
    )
    assert fitted.tempo == pytest.approx(tempo, rel=0.001)
    power = np.convolve(frames[:, 0] ** 2, np.ones(960) / 960, "same")
    for start in at:
        expected = (start + 0.05) / tempo
        low, high = round((expected - 0.2) * 48_000), round((expected + 0.2) * 48_000)
        low = max(low, 0)
        near = power[low:high]
        centre = (low + np.sum(np.arange(len(near)) * near) / np.sum(near)) / 48_000
        assert centre == pytest.approx(expected, abs=0.02)
        assert near.max() > 0.02


def _loud(frames: Float) -> tuple[float, float]:
    """From when to when there is sound, in seconds at 48 kHz."""
    loud = np.flatnonzero(np.abs(frames[:, 0]) > 0.02)
    return loud[0] / 48_000, (loud[-1] + 1) / 48_000


def test_match_keeps_the_silence_around_the_source(fitter: SignalsmithFit) -> None:
    fitted, frames = _fit(fitter, _tone(2.2), fragment_s=4.0, bounds_s=(0.7, 2.7))
    assert (len(frames), fitted.fits) == (4 * 48_000, True)
    assert fitted.tempo == pytest.approx(1.1, rel=0.001)
    assert _loud(frames) == pytest.approx((0.7, 2.7), abs=0.02)
    assert not frames[: round(0.69 * 48_000)].any()
    assert not frames[round(2.72 * 48_000) :].any()


def test_match_uses_the_silence_behind_before_it_is_too_long(fitter: SignalsmithFit) -> None:
    fitted, frames = _fit(fitter, _tone(3.5), fragment_s=4.0, bounds_s=(0.7, 2.7))
    assert (len(frames), fitted.fits, fitted.tempo) == (4 * 48_000, True, 1.25)
    assert _loud(frames) == pytest.approx((0.7, 0.7 + 3.5 / 1.25), abs=0.02)
    fitted, frames = _fit(fitter, _tone(4.5), fragment_s=4.0, bounds_s=(0.7, 2.7))
    assert not fitted.fits
    assert len(frames) / 48_000 == pytest.approx(0.7 + 4.5 / 1.25, abs=0.002)


def test_a_pause_gets_shorter_before_the_speech_gets_faster(fitter: SignalsmithFit) -> None:
    pause = np.zeros(round(0.6 * RATE), np.float32)
    samples = np.concatenate([_tone(1.5), pause, _tone(1.5, 300.0)])
    fitted, frames = _fit(fitter, samples, "fit", slot_s=3.2)
    assert (fitted.tempo, fitted.fits) == (1.0, True)
    assert len(frames) / 48_000 == pytest.approx(3.2, abs=0.002)
    faster, frames = _fit(fitter, samples, "fit", slot_s=2.8)
    # 3 s of speech, and 80 ms of the pause are left.
    assert faster.tempo == pytest.approx(3.0 / 2.72, rel=0.01)
    assert len(frames) / 48_000 == pytest.approx(2.8, abs=0.002)


def test_silence_is_not_stretched(fitter: SignalsmithFit) -> None:
    """Slowed speech keeps its pause as it was."""
    pause = np.zeros(round(0.5 * RATE), np.float32)
    samples = np.concatenate([_tone(1.9), pause, _tone(1.9)])
    fitted, frames = _fit(fitter, samples, fragment_s=4.5)
    assert fitted.tempo == pytest.approx(0.95, rel=0.001)
    quiet = np.abs(frames[96_000 - 9_600 : 96_000 + 40_000, 0]) < 0.02
    assert quiet.sum() / 48_000 == pytest.approx(0.5, abs=0.04)


def test_clauses_are_told_where_they_sound(fitter: SignalsmithFit) -> None:
    fitted, frames = _fit(
        fitter, _tone(1.0), fragment_s=4.0, bounds_s=(0.5, 3.5), clauses=2, rate=48_000
    )
    assert fitted.speech_ms == 2300
    (a, b), (c, d) = fitted.clauses_ms
    assert (a, c - b) == (500, pytest.approx(300, abs=25))
    quiet = np.abs(frames[:, 0]) < 0.02
    assert quiet[48 * (b + 30) : 48 * (c - 30)].all()
    assert not quiet[48 * (a + 30) : 48 * (b - 30)].all()
    assert _loud(frames)[1] == pytest.approx(d / 1000, abs=0.02)


def test_stretching_keeps_pitch_and_level(fitter: SignalsmithFit) -> None:
    _, frames = _fit(fitter, _tone(4.8, 440.0), fragment_s=4.0)
    middle = frames[24_000:168_000, 0]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * 48_000 / len(middle) == pytest.approx(440, abs=4)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.354, rel=0.15)


def test_equal_input_gives_equal_output(fitter: SignalsmithFit) -> None:
    one, _ = _fit(fitter, _tone(4.6))
    _fit(fitter, _tone(3.9, 700.0))
    two, _ = _fit(fitter, _tone(4.6))
    assert one.pcm == two.pcm


def test_stereo_carries_the_voice_twice(fitter: SignalsmithFit) -> None:
    _, mono = _fit(fitter, _tone(3.0))
    _, stereo = _fit(fitter, _tone(3.0), channels=2)
    assert np.array_equal(stereo[:, 0], stereo[:, 1])
    assert np.array_equal(stereo[:, :1], mono)


def test_a_very_short_dub_reaches_the_contracts_minimum(fitter: SignalsmithFit) -> None:
    _, frames = _fit(fitter, _tone(0.03), "fit")
    assert len(frames) == 4_800


def test_a_dub_longer_than_the_contract_carries_is_an_error(fitter: SignalsmithFit) -> None:
    with pytest.raises(StsError, match="longer than the contract"):
        _fit(fitter, _tone(38.0), "fit", slot_s=30.0)


def test_pcm_is_clipped_not_wrapped() -> None:
    pcm = np.frombuffer(to_pcm(np.array([0.0, 1.5, -1.5, 0.5], np.float32), 1), "<i2")
    assert list(pcm) == [0, 32767, -32768, 16384]
