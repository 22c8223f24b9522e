"""The whole output, brought to a target loudness."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.audio.bed import DuckedOriginal
from dubcast.audio.loudness import integrated
from dubcast.audio.mix import Dub, Mixer
from dubcast.audio.normalise import NormalisedMixer, Normaliser
from dubcast.audio.pcm import RATE, Float, from_db, to_float, to_int16


def noise(seconds: float, lufs: float) -> Float:
    rng = np.random.default_rng(7)
    wave = rng.standard_normal((round(seconds * RATE), 2)).astype(np.float32)
    return wave * np.float32(from_db(lufs - integrated(wave)))


def processed(one: Normaliser, wave: Float) -> Float:
    return np.concatenate([one.process(wave[at : at + 4800]) for at in range(0, len(wave), 4800)])


@pytest.mark.parametrize(("level", "gain"), [(-29, 6), (-18, -5), (-45, 12)])
def test_it_reaches_the_target_as_far_as_its_range_goes(level: float, gain: float) -> None:
    one = Normaliser(-23, -1)
    out = processed(one, noise(20, level))
    assert integrated(out[-3 * RATE :]) == pytest.approx(level + gain, abs=0.3)


def test_the_gain_moves_by_at_most_1_db_a_second() -> None:
    one, gains = Normaliser(-15, -1), [0.0]
    wave = noise(6, -35)
    for at in range(0, len(wave), 4800):
        one.process(wave[at : at + 4800])
        gains.append(one.gain_db)
    steps = np.diff(gains)
    assert steps.max() <= 0.1 + 1e-9
    assert 5.5 < gains[-1] <= 6.0


def test_silence_and_pauses_are_not_turned_up() -> None:
    one = Normaliser(-23, -1)
    processed(one, noise(10, -26))
    before = one.gain_db
    processed(one, noise(30, -60))
    assert one.gain_db == pytest.approx(before, abs=1.0)
    assert not processed(Normaliser(-23, -1), np.zeros((5 * RATE, 2), np.float32)).any()


def test_peaks_are_limited_after_the_gain() -> None:
    out = processed(Normaliser(-9, -1), noise(20, -16))
    assert np.abs(out).max() <= from_db(-1)


def test_the_mixed_output_stays_in_place_to_the_sample() -> None:
    original = to_int16(noise(6, -23))
    plain = Mixer(DuckedOriginal(24), 1.0, 1.0)
    ridden = NormalisedMixer(Mixer(DuckedOriginal(24), 1.0, 1.0), Normaliser(-23, -1))
    outputs = []
    for one in (plain, ridden):
        one.accept(Dub(RATE, 2 * RATE, RATE, np.full(RATE // 2, 0.05, np.float32)))
        padded = np.concatenate([original, np.zeros((one.lookahead, 2), np.int16)])
        blocks = [
            one.render(at, padded[at : at + 4800 + one.lookahead])
            for at in range(0, len(original), 4800)
        ]
        outputs.append(to_float(np.concatenate(blocks)))
    assert len(outputs[0]) == len(outputs[1])
    # Its gain is still near 1: the two are alike sample by sample, but for the gain.
    ratio = float(np.vdot(outputs[0], outputs[1]) / np.vdot(outputs[0], outputs[0]))
    assert np.abs(outputs[1] - ratio * outputs[0]).max() < 0.05
    assert 0.8 < ratio < 1.3
