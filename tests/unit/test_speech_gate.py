"""The gate: what is not speech passes bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dubcast.audio.pcm import Int16, ms_to_samples
from dubcast.separation.gate import GatePolicy, SpeechGate, silent

BEFORE, AFTER, FADE = ms_to_samples(150), ms_to_samples(350), ms_to_samples(20)


def audio(frames: int, seed: int = 0) -> Int16:
    rng = np.random.default_rng(seed)
    return rng.integers(-32768, 32768, (frames, 2), dtype=np.int16)


def test_speech_is_removed_from_before_to_after_with_ramps_outside() -> None:
    gate = SpeechGate()
    gate.speech(50_000, 60_000)
    mask = gate.mask(0, 100_000)
    first, last = 50_000 - BEFORE, 60_000 + AFTER
    assert np.all(mask[first:last] == 1)
    assert np.all(mask[: first - FADE] == 0)
    assert np.all(mask[last + FADE :] == 0)
    ramp = mask[first - FADE : first]
    assert np.all(np.diff(ramp) > 0)
    assert np.allclose(mask[last : last + FADE][::-1], ramp)
    assert np.abs(np.diff(mask)).max() <= 1 / FADE + 1e-6


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 200_000), st.integers(1, 9_000)), max_size=12), st.data())
def test_a_mask_is_the_same_in_pieces_and_in_any_order(
    spans: list[tuple[int, int]], data: st.DataObject
) -> None:
    gate, other = SpeechGate(), SpeechGate()
    for first, length in spans:
        gate.speech(first, first + length)
    for first, length in data.draw(st.permutations(spans)):
        other.speech(first, first + length)
    whole = gate.mask(0, 240_000)
    cut = data.draw(st.integers(1, 239_999))
    pieces = [other.mask(0, cut), other.mask(cut, 240_000 - cut)]
    assert np.array_equal(whole, np.concatenate(pieces))
    for first, length in spans:
        assert np.all(whole[max(first - BEFORE, 0) : first + length + AFTER] == 1)


@settings(deadline=None, max_examples=50)
@given(
    arrays(np.int16, (3_000, 2)),
    arrays(np.int16, (3_000, 2)),
    st.integers(-20_000, 20_000),
    st.integers(1, 20_000),
)
def test_outside_speech_the_original_passes_bit_for_bit(
    original: Int16, background: Int16, first: int, length: int
) -> None:
    gate = SpeechGate()
    gate.speech(first, first + length)
    out = gate.render(0, original, background)
    mask = gate.mask(0, 3_000)
    assert np.array_equal(out[mask == 0], original[mask == 0])
    inside = (mask == 1) & ~silent(original)
    assert np.array_equal(out[inside], background[inside])
    low, high = np.minimum(original, background), np.maximum(original, background)
    heard = ~silent(original)
    assert np.all((out[heard] >= low[heard]) & (out[heard] <= high[heard]))


def test_digital_silence_stays_silence_whatever_the_background_says() -> None:
    gate = SpeechGate()
    gate.speech(0, 4_000)
    original, background = audio(4_000), audio(4_000, 1)
    original[1_000:2_000] = 0
    original[3_000] = 0  # a crossing, not silence
    background[3_000] = 77
    out = gate.render(0, original, background)
    assert not out[1_000:2_000].any()
    assert np.all(out[3_000] == 77)


@pytest.mark.parametrize(("probability", "removed"), [(0.29, False), (0.3, True), (1.0, True)])
def test_voice_activity_decides_from_its_threshold_on(probability: float, removed: bool) -> None:
    gate = SpeechGate()
    gate.vad(48_000, 1_536, probability)
    assert bool(gate.mask(48_000, 1_536).all()) is removed
    assert bool(gate.mask(0, 96_000).any()) is removed


def test_the_separators_own_share_counts_when_it_lasts() -> None:
    gate = SpeechGate()
    gate.shares(0, np.array([-80, -10, -10, -80, -80, -14, -14], dtype=np.float32))
    assert not gate.mask(0, 96_000).any()
    gate.shares(7 * 480, np.array([-14, -80], dtype=np.float32))  # the third in a row
    mask = gate.mask(0, 96_000)
    assert np.all(mask[: 8 * 480 + AFTER] == 1)
    assert not mask[8 * 480 + AFTER + FADE :].any()


def test_a_gap_in_the_shares_ends_a_run() -> None:
    gate = SpeechGate()
    gate.shares(0, np.full(2, -5, dtype=np.float32))
    gate.shares(5_000, np.full(2, -5, dtype=np.float32))
    assert not gate.mask(0, 20_000).any()


def test_what_is_forgotten_is_gone_and_the_rest_is_kept() -> None:
    gate = SpeechGate(GatePolicy(fade_ms=10))
    gate.speech(10_000, 11_000)
    gate.speech(200_000, 201_000)
    gate.forget(100_000)
    assert not gate.mask(0, 100_000).any()
    assert gate.mask(200_000, 1_000).all()


def test_a_span_of_nothing_is_no_speech() -> None:
    gate = SpeechGate()
    gate.speech(5_000, 5_000)
    assert not gate.mask(0, 50_000).any()
    assert gate.render(0, block := audio(100), audio(100, 1)) is block
