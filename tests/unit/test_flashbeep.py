"""Flashes and beeps on made arrays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dubcast.measure.flashbeep import clear, find_beeps, find_flashes, match

RATE = 48000
Samples = NDArray[np.float32]


def beeps(onsets: list[float], *, seconds: float = 4.0, gain: float = 0.2) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    out = np.zeros_like(time)
    for onset in onsets:
        inside = (time >= onset) & (time < onset + 0.09)
        out[inside] = gain * np.sin(2 * np.pi * 1000 * (time[inside] - onset))
    return out.astype(np.float32)


def onsets(samples: Samples, rate_hz: int = RATE) -> list[float]:
    return [beep.onset_s for beep in clear(find_beeps(samples, rate_hz))]


def pads(seconds: float, gain: float) -> Samples:
    """A steady chord with overtones: 987.8 Hz (a B) is the one nearest to the beep."""
    time = np.arange(round(seconds * RATE)) / RATE
    notes = (110.0, 220.0, 329.6, 440.0, 659.3, 987.8, 1318.5)
    return (gain * sum(np.sin(2 * np.pi * f * time) / 3 for f in notes)).astype(np.float32)


def vowels(seconds: float, gain: float) -> Samples:
    """Speech-like: gliding voice with formants that reach over 1 kHz."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = 2 * np.pi * np.cumsum(120 + 25 * np.sin(2 * np.pi * 1.3 * time)) / RATE
    voice = sum(np.cos(k * pitch) / (1 + abs(k * 120 - 600) / 200) for k in range(1, 25))
    return (gain * voice * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * time))).astype(np.float32)


@pytest.mark.parametrize("onset", [0.7, 1.23456, 2.00001])
def test_an_onset_is_exact(onset: float) -> None:
    assert onsets(beeps([onset])) == [pytest.approx(onset, abs=0.0003)]


def test_an_onset_over_music_and_noise() -> None:
    noise = np.random.default_rng(1).standard_normal(4 * RATE).astype(np.float32) * 0.01
    sound = beeps([1.0, 2.5], gain=0.15) + pads(4.0, 0.02) + noise
    assert onsets(sound) == pytest.approx([1.0, 2.5], abs=0.001)


def test_speech_is_no_beep() -> None:
    assert find_beeps(vowels(4.0, 0.05), RATE) == []


def test_a_beep_near_speech_is_found_once() -> None:
    speech = vowels(4.0, 0.05)
    speech[round(1.9 * RATE) : round(2.2 * RATE)] = 0
    assert onsets(speech + beeps([2.0])) == pytest.approx([2.0], abs=0.001)


def test_other_rates() -> None:
    time = np.arange(44100 * 2) / 44100
    tone = np.where((time >= 1) & (time < 1.1), 0.3 * np.sin(2 * np.pi * 1000 * (time - 1)), 0)
    assert onsets(tone.astype(np.float32), 44100) == [pytest.approx(1.0, abs=0.0003)]


@pytest.mark.parametrize(
    ("fade_s", "begins"),
    [(0.05, 1.98), (0.05, 2.05), (-0.05, 2.02), (0.004, 2.03), (-0.004, 2.06)],
)
def test_a_beep_under_a_fade_has_no_onset(fade_s: float, begins: float) -> None:
    """Out of a ducked span (or, negative, into one): the level moves while it sounds."""
    time = np.arange(4 * RATE) / RATE
    ramp = np.clip((time - begins) / fade_s + (fade_s < 0), 0, 1)
    ramp[np.abs(time - 2.0) > 0.5] = 1
    sound = beeps([1.0, 2.0, 3.0]) * (0.06 + 0.94 * ramp).astype(np.float32)
    assert len(find_beeps(sound, RATE)) == 3
    assert onsets(sound) == pytest.approx([1.0, 3.0], abs=0.001)


def test_a_beep_turned_far_down_is_not_clear() -> None:
    sound = beeps([1.0, 3.0])
    sound[2 * RATE :] *= 0.06
    assert [beep.steady for beep in find_beeps(sound, RATE)] == [True, True]
    assert onsets(sound) == pytest.approx([1.0], abs=0.001)
    sound[: 2 * RATE] = 0
    assert onsets(sound) == pytest.approx([3.0], abs=0.001)  # quiet throughout: nothing ducks it


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(100), np.zeros(RATE)])
def test_silence_and_scraps(samples: Samples) -> None:
    assert find_beeps(samples.astype(np.float32), RATE) == []


def test_flashes_begin_at_their_first_frame() -> None:
    pts = np.arange(60) * 40.0
    luma = np.full(60, 90.0)
    luma[[20, 21, 22, 50]] = 235
    assert find_flashes(pts, luma) == [800.0, 2000.0]


def test_a_bright_scene_is_no_flash() -> None:
    luma = np.concatenate([np.full(20, 60.0), np.linspace(60, 200, 20), np.full(40, 200.0)])
    assert find_flashes(np.arange(80) * 40.0, luma) == []


def test_matching_by_nearness() -> None:
    points, unmatched = match([1000.0, 2000.0, 3000.0], [960.0, 3500.0])
    assert [(p.t_s, p.offset_ms) for p in points] == [(1.0, 40.0)]
    assert unmatched == 2
    assert match([1000.0], []) == ([], 1)
