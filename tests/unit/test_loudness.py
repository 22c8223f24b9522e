"""Loudness against signals whose loudness is known by definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from dubcast.audio.loudness import (
    HOP,
    SILENT,
    KFilter,
    LoudnessMeter,
    gated,
    hop_powers,
    integrated,
    lufs,
)
from dubcast.audio.pcm import RATE, Float, from_db


def tone(*parts: tuple[float, float], hz: float = 1000.0) -> Float:
    """A stereo sine; `parts`: (seconds, peak level in dBFS) one after the other."""
    level = np.concatenate([np.full(round(s * RATE), from_db(db)) for s, db in parts])
    wave = level * np.sin(2 * np.pi * hz * np.arange(len(level)) / RATE)
    return np.stack([wave, wave], axis=1).astype(np.float32)


def metered(clip: Float, block: int = 4800) -> LoudnessMeter:
    meter = LoudnessMeter()
    for at in range(0, len(clip), block):
        meter.feed(clip[at : at + block])
    return meter


# EBU Tech 3341, table 1, cases 1-5 (shortened where only levels matter): programme and result.
EBU = {
    "1": (((20, -23),), -23.0),
    "2": (((20, -33),), -33.0),
    "3": (((10, -36), (60, -23), (10, -36)), -23.0),
    "4": (((10, -72), (10, -36), (60, -23), (10, -36), (10, -72)), -23.0),
    "5": (((20, -26), (20.1, -20), (20, -26)), -23.0),
}


@pytest.mark.parametrize("case", EBU)
def test_ebu_tech_3341(case: str) -> None:
    parts, expected = EBU[case]
    clip = tone(*parts)
    assert integrated(clip) == pytest.approx(expected, abs=0.1)


def test_a_997_hz_sine_at_full_scale_on_one_channel_is_minus_3_01() -> None:
    clip = tone((5, 0), hz=997)
    clip[:, 1] = 0
    assert integrated(clip) == pytest.approx(-3.01, abs=0.02)


def test_a_mono_clip_counts_as_the_same_on_both_channels() -> None:
    clip = tone((3, -20))
    assert integrated(clip[:, 0]) == pytest.approx(integrated(clip), abs=0.001)


@pytest.mark.parametrize("hz", [25, 60, 200, 2500, 9000, 18000])
def test_the_k_filter_is_the_recursive_one(hz: float) -> None:
    clip = tone((2, -6), hz=hz).astype(np.float64)
    shelf = ((1.53512485958697, -2.69169618940638, 1.19839281085285),
             (1.0, -1.69065929318241, 0.73248077421585))  # fmt: skip
    passed = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
    wave = lfilter(*passed, lfilter(*shelf, clip, axis=0), axis=0)
    expected = np.square(wave).reshape(-1, HOP, 2).sum(axis=2).mean(axis=1)
    assert hop_powers(clip.astype(np.float32)) == pytest.approx(expected, rel=2e-3)


def test_momentary_and_short_term_follow_their_windows() -> None:
    meter = metered(tone((5, -30), (1.5, -20)))
    assert meter.momentary == pytest.approx(-20, abs=0.1)
    # The last 3 s: what is more than 10 LU below the mean of the rest does not count.
    assert meter.short_term_gated == pytest.approx(10 * np.log10((1e-2 + 1e-3) / 2), abs=0.2)
    below = metered(tone((5, -40), (1.5, -20)))
    assert below.short_term_gated == pytest.approx(-20, abs=0.5)
    fresh = metered(tone((0.3, -20)))
    assert fresh.momentary == SILENT
    assert fresh.short_term_gated == pytest.approx(-20, abs=0.2)


def test_the_meter_does_not_depend_on_the_block_size() -> None:
    clip = tone((4, -23), (2, -30))
    meters = [metered(clip, block) for block in (333, 4800, len(clip))]
    assert len({(one.momentary, one.short_term_gated) for one in meters}) == 1


def test_silence_has_no_loudness_and_quiet_noise_is_below_the_gate() -> None:
    assert integrated(np.zeros((RATE, 2), np.float32)) == SILENT
    assert integrated(tone((3, -75))) == SILENT
    assert gated(np.zeros(0)) == SILENT
    assert lufs(0.0) == SILENT


def test_a_clip_shorter_than_a_block_is_measured_whole() -> None:
    assert integrated(tone((0.25, -20))) == pytest.approx(-20, abs=0.2)
    assert integrated(tone((0.05, -20))) == pytest.approx(-20, abs=0.5)
    assert integrated(np.zeros((0, 2), np.float32)) == SILENT


def test_the_filter_keeps_no_hold_of_the_callers_samples() -> None:
    block = tone((0.2, -20))
    one, two = KFilter(), KFilter()
    first = block[:HOP].copy()
    one.power(first)
    two.power(block[:HOP])
    first[:] = 0
    assert one.power(block[HOP:]) == two.power(block[HOP:])
