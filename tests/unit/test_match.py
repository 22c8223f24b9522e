"""A dub is as loud as the speech that it replaces."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, istft, sosfilt, stft

from dubcast.audio.loudness import SILENT, integrated
from dubcast.audio.match import gain_between, match_gain
from dubcast.audio.pcm import RATE, Float, Int16, from_db, to_int16


def talk(seed: int, seconds: float, lufs: float) -> Float:
    """Speech-like: band-limited noise in syllables, with pauses of 0.3 s. Mono."""
    frames = round(seconds * RATE)
    time = np.arange(frames) / RATE
    noise = np.random.default_rng(seed).standard_normal(frames)
    wave = sosfilt(butter(2, [150, 3500], "bandpass", fs=RATE, output="sos"), noise)
    wave *= (0.15 + np.sin(2 * np.pi * 4 * time) ** 2) * (time % 1.5 < 1.2)
    wave = wave.astype(np.float32)
    return wave * np.float32(from_db(lufs - integrated(wave)))


def crowd(seconds: float, lufs: float) -> Float:
    rng = np.random.default_rng(99)
    wave = sosfilt(
        butter(1, [100, 6000], "bandpass", fs=RATE, output="sos"),
        rng.standard_normal((round(seconds * RATE), 2)),
        axis=0,
    ).astype(np.float32)
    return wave * np.float32(from_db(lufs - integrated(wave)))


def wiener_background(speech: Float, under: Float) -> Float:
    """What a separator leaves: a Wiener gain with over-subtraction 2, on the mix."""
    window = {"nperseg": 2048, "noverlap": 1536}
    parts = []
    for channel in (0, 1):
        _, _, s = stft(speech[:, channel], RATE, **window)
        _, _, m = stft((speech + under)[:, channel], RATE, **window)
        rest = np.abs(m - s) ** 2
        _, wave = istft(m * rest / (rest + (2 * np.abs(s)) ** 2 + 1e-20), RATE, **window)
        parts.append(wave[: len(speech)])
    return np.stack(parts, axis=1).astype(np.float32)


def stereo(mono: Float) -> Float:
    return np.stack([mono, mono], axis=1)


def error_lu(speech: Float, under: Float | None, original: Int16, voice: Float) -> float:
    """Loudness of the matched voice against that of the true speech."""
    gain = match_gain(original, None if under is None else to_int16(under), voice)
    return integrated(voice * np.float32(gain)) - integrated(speech)


@pytest.mark.parametrize("level", [-33, -23, -18])
def test_clean_speech_is_met(level: float) -> None:
    speech, voice = talk(1, 5, level), talk(2, 4, -22)
    assert abs(error_lu(speech, None, to_int16(stereo(speech)), voice)) < 0.3


@pytest.mark.parametrize(("snr", "most"), [(12, 0.3), (6, 0.6), (0, 1.2), (-6, 2.2)])
def test_over_a_background_the_separated_one_tells_how_loud_the_speech_is(
    snr: float, most: float
) -> None:
    speech, voice = talk(1, 6, -23), talk(2, 5, -20)
    under = crowd(6, -23 - snr)
    original = to_int16(stereo(speech) + under)
    estimate = wiener_background(stereo(speech), under)
    assert abs(error_lu(speech, estimate, original, voice)) < most


@pytest.mark.parametrize("kept", [0.2, 0.4])
def test_speech_that_the_separator_left_in_the_background_is_half_made_good(kept: float) -> None:
    """By itself the estimate, (1 - kept) of the speech, would be so much too soft."""
    speech, voice = talk(1, 6, -23), talk(2, 5, -20)
    under = crowd(6, -29)
    estimate = under + np.float32(kept) * stereo(speech)
    assert abs(
        error_lu(speech, estimate, to_int16(stereo(speech) + under), voice)
    ) < -11 * np.log10(1 - kept)


@pytest.mark.parametrize("snr", [12, 6, 3])
def test_without_separation_what_stands_still_is_reckoned_away(snr: float) -> None:
    speech, voice = talk(1, 6, -23), talk(2, 5, -20)
    original = to_int16(stereo(speech) + crowd(6, -23 - snr))
    assert abs(error_lu(speech, None, original, voice)) < 1.0


def test_the_gain_is_bounded() -> None:
    assert gain_between(-10.0, -50.0) == pytest.approx(from_db(12))
    assert gain_between(-60.0, -10.0) == pytest.approx(from_db(-18))


def test_silence_on_either_side_changes_nothing() -> None:
    silent, speech = np.zeros((2 * RATE, 2), np.int16), talk(1, 2, -23)
    assert match_gain(silent, None, speech) == 1.0
    assert match_gain(silent, silent, speech) == 1.0
    assert match_gain(to_int16(stereo(speech)), None, np.zeros(RATE, np.float32)) == 1.0
    assert match_gain(silent[:0], None, speech) == 1.0
    assert gain_between(SILENT, SILENT) == 1.0
