"""The demo's programme: when things are said, and how it sounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dubcast.measure import synth
from dubcast.measure.flashbeep import find_beeps
from dubcast.measure.material import SENTENCES, MaterialSpec, choose, plan
from dubcast.measure.narrated import LONG_GOP, MAIN

LENGTHS = [2.2 + 0.13 * (k % 17) for k in range(len(SENTENCES))]


@pytest.mark.parametrize("pause", [0.2, 1.1, 1.5, 2.2])
def test_beeps_keep_their_distance_from_speech(pause: float) -> None:
    made = plan(LENGTHS, pause)
    ends = [start + length for start, length in zip(made.starts, LENGTHS, strict=True)]
    for beep, end, following in zip(
        made.beeps, ends, [*made.starts[1:], made.total_s], strict=True
    ):
        assert beep - end >= 1.3 - 1e-9
        assert following - beep >= 0.45
        assert following - end >= pause - 1e-9


def test_beeps_lie_on_pictures_and_samples() -> None:
    made = plan(LENGTHS, 1.5)
    for beep in made.beeps:
        assert round(beep * 30) / 30 == pytest.approx(beep, abs=1e-9)
        assert round(beep * 48000) % 1600 == 0
    assert made.total_s * 30 == pytest.approx(round(made.total_s * 30))


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.3])
def test_the_length_stays_between_the_limits(scale: float) -> None:
    made = choose([scale * length for length in LENGTHS], MaterialSpec())
    assert 75 <= made.total_s <= 90


def test_the_long_gop_variant_is_shorter() -> None:
    total = choose(LENGTHS[: len(LONG_GOP.sentences)], LONG_GOP).total_s
    assert LONG_GOP.min_s <= total <= LONG_GOP.max_s < choose(LENGTHS, MAIN).total_s
    assert LONG_GOP.gop == 250 and LONG_GOP.key != MAIN.key


def test_every_part_of_the_spec_names_the_material() -> None:
    spec = MaterialSpec()
    others = [
        replace(spec, seed=8),
        replace(spec, speaker="other"),
        replace(spec, voices=("b",)),
        replace(spec, sentences=SENTENCES[:3]),
    ]
    assert len({spec.key, *(other.key for other in others)}) == 5
    assert spec.key == MaterialSpec().key


def test_the_bed_is_level_and_holds_no_beep() -> None:
    bed = synth.bed(20.0, -28.0, 7)
    assert bed.shape == (20 * synth.RATE, 2)
    assert 20 * np.log10(np.sqrt((bed.astype(float) ** 2).mean())) == pytest.approx(-28, abs=0.1)
    assert find_beeps(bed.mean(axis=1), synth.RATE) == []


def test_a_bed_is_that_of_its_seed() -> None:
    bed = synth.bed(2.0, -28.0, 7)
    assert np.array_equal(bed, synth.bed(2.0, -28.0, 7))
    assert not np.array_equal(bed, synth.bed(2.0, -28.0, 8))


def test_a_beep_begins_at_its_sample() -> None:
    sound = synth.beeps([0.5, 1.1], 2.0, 0.09, 0.25)
    assert not sound[: synth.RATE // 2 + 1].any() and sound[synth.RATE // 2 + 1]
    assert [beep.onset_s for beep in find_beeps(sound, synth.RATE)] == pytest.approx(
        [0.5, 1.1], abs=0.0003
    )


def test_silence_around_speech_is_cut() -> None:
    time = np.arange(synth.RATE) / synth.RATE
    word = 0.3 * np.sin(2 * np.pi * 200 * time)
    quiet = np.zeros(synth.RATE // 2)
    speech = np.concatenate([quiet, word, quiet]).astype(np.float32)
    assert len(synth.trimmed(speech)) / synth.RATE == pytest.approx(1.04, abs=0.02)
    assert len(synth.trimmed(np.zeros(4800, np.float32))) == 0


def test_speech_has_its_level_and_no_high_peaks() -> None:
    random = np.random.default_rng(1)
    speech = random.standard_normal(synth.RATE).astype(np.float32) * 0.01
    out = synth.levelled(speech, -20.0)
    # The level is that of the louder parts; all together are about 1 dB below.
    assert 20 * np.log10(np.sqrt((out**2).mean())) == pytest.approx(-21, abs=0.5)
    speech[100] = 0.5
    assert np.abs(synth.levelled(speech, -20.0)).max() == pytest.approx(0.7, abs=0.001)


def test_resampling_keeps_the_length() -> None:
    assert len(synth.resampled(np.zeros(24000, np.float32), 24000)) == 48000
    assert len(synth.resampled(np.zeros(22050, np.float32), 22050)) == 48000
