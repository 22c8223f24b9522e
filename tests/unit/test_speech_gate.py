"""The gate: where speech is removed, and where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dubcast.audio.pcm import Float, ms_to_samples
from dubcast.separation.gate import GatePolicy, SpeechGate
from dubcast.separation.separator import CELL

BEFORE, AFTER, FADE = ms_to_samples(150), ms_to_samples(350), ms_to_samples(20)


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


def shares(*parts: tuple[float, float]) -> Float:
    """Cells of 10 ms: (dB, seconds) one after the other."""
    return np.concatenate([np.full(round(100 * s), db, np.float32) for db, s in parts])


@pytest.mark.parametrize(("probability", "removed"), [(0.49, False), (0.5, True), (1.0, True)])
def test_voice_activity_decides_from_its_threshold_on(probability: float, removed: bool) -> None:
    gate = SpeechGate()
    gate.vad(48_000, 1_536, probability)
    assert bool(gate.mask(48_000, 1_536).all()) is removed
    assert bool(gate.mask(0, 96_000).any()) is removed


@pytest.mark.parametrize(("share_db", "removed"), [(-18.0, False), (-16.0, True)])
@pytest.mark.parametrize("first", ["vad", "shares"])
def test_voice_activity_is_believed_where_the_separator_finds_some_speech(
    share_db: float, removed: bool, first: str
) -> None:
    gate = SpeechGate()
    values = np.full(300, share_db, np.float32)
    if first == "shares":
        gate.shares(0, values)
    gate.vad(48_000, 1_536, 1.0)
    if first == "vad":
        gate.shares(0, values)
    assert bool(gate.mask(48_000, 1_536).all()) is removed
    assert bool(gate.mask(0, 96_000).any()) is removed


def test_voice_activity_is_believed_as_long_as_the_separator_has_not_judged() -> None:
    gate = SpeechGate()
    gate.vad(48_000, 1_536, 1.0)
    gate.shares(0, np.full(100, -80, np.float32))  # the mean reaches 205 ms less far
    assert gate.mask(48_000, 1_536).all()
    gate.shares(48_000, np.full(100, -80, np.float32))
    assert not gate.mask(0, 96_000).any()


def test_voice_activity_is_believed_where_shares_are_missing() -> None:
    gate = SpeechGate()
    gate.shares(0, np.full(50, -80, np.float32))
    gate.vad(48_000, 1_536, 1.0)
    gate.shares(96_000, np.full(300, -80, np.float32))
    assert gate.mask(48_000, 1_536).all()


def test_the_separators_own_share_is_enough_when_it_is_high_and_lasts() -> None:
    gate, clicks = SpeechGate(), SpeechGate()
    gate.shares(0, shares((-80, 1), (-3, 1), (-80, 1)))
    assert gate.mask(48_000 + 9_600, 28_800).all()
    assert not gate.mask(0, 28_800).any()
    clicks.shares(0, np.tile(shares((-3, 0.05), (-80, 0.25)), 10))
    assert not clicks.mask(0, 144_000).any()


@settings(deadline=None, max_examples=30)
@given(
    arrays(np.float32, 200, elements=st.floats(-30, 0, width=32)),
    st.lists(st.integers(0, 90), max_size=6),
    st.integers(1, 60),
    st.booleans(),
)
def test_a_judgement_is_the_same_in_pieces_and_in_any_order(
    values: Float, windows: list[int], piece: int, late: bool
) -> None:
    whole, pieces = SpeechGate(), SpeechGate()
    whole.shares(0, values)
    cuts = [(at, values[at : at + piece]) for at in range(0, 200, piece)]
    if late:
        for at, part in cuts:
            pieces.shares(at * CELL, part)
    for window in sorted(windows):
        pieces.vad(window * 1_000, 1_536, 1.0)
    for window in windows:
        whole.vad(window * 1_000, 1_536, 1.0)
    if not late:
        for at, part in cuts:
            pieces.shares(at * CELL, part)
    assert np.array_equal(whole.mask(0, 96_000), pieces.mask(0, 96_000))


def test_a_mask_is_final_behind_the_lookahead() -> None:
    gate = SpeechGate()
    gate.shares(0, np.full(200, -80, np.float32))
    early = gate.mask(0, 96_000 - gate.lookahead)
    gate.vad(96_000, 48_000, 1.0)
    gate.shares(96_000, np.zeros(200, np.float32))
    assert np.array_equal(gate.mask(0, 96_000 - gate.lookahead), early)
    assert gate.mask(96_000, 1).all()


def test_what_is_forgotten_is_gone_and_the_rest_is_kept() -> None:
    gate = SpeechGate(GatePolicy(fade_ms=10))
    gate.speech(10_000, 11_000)
    gate.speech(200_000, 201_000)
    gate.forget(100_000)
    assert not gate.mask(0, 100_000).any()
    assert gate.mask(200_000, 1_000).all()


def test_voice_activity_fades_out_before_it_is_forgotten() -> None:
    gate, other = SpeechGate(), SpeechGate()
    for one in (gate, other):
        one.vad(48_000, 1_536, 1.0)
    end = 48_000 + 1_536 + AFTER
    gate.forget(end + FADE // 2)
    assert np.array_equal(gate.mask(end, 48_000), other.mask(end, 48_000))
    gate.forget(end + FADE)
    assert not gate.mask(0, 96_000).any()


def test_a_span_of_nothing_is_no_speech() -> None:
    gate = SpeechGate()
    gate.speech(5_000, 5_000)
    assert not gate.mask(0, 50_000).any()
