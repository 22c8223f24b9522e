"""The plan of tempo and pauses, and the surgery on silence. Made-up sound, no model."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.sts.duration import (
    MIN_TEMPO,
    PAUSE_FLOOR_S,
    Room,
    find_pauses,
    join,
    plan,
    room,
    squeeze,
    trim,
)
from dubcast.sts.providers.interface import Float, Speech

RATE = 24_000


def _tone(seconds: float) -> Float:
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * 220 * t)).astype(np.float32)


def _silence(seconds: float) -> Float:
    return np.zeros(round(seconds * RATE), np.float32)


def test_the_order_of_means() -> None:
    pauses = [0.5, 0.3]
    natural = plan(3.0, pauses, Room(4.0, 4.0), 1.0, 1.25)
    assert (natural.tempo, natural.pauses_s, natural.fits) == (1.0, (0.5, 0.3), True)
    paused = plan(3.0, pauses, Room(3.48, 3.48), 1.0, 1.25)
    assert paused.tempo == 1.0
    assert sum(paused.pauses_s) == pytest.approx(0.48)
    assert paused.pauses_s[0] > paused.pauses_s[1] > PAUSE_FLOOR_S
    faster = plan(3.0, pauses, Room(2.9, 2.9), 1.0, 1.25)
    assert faster.pauses_s == (PAUSE_FLOOR_S, PAUSE_FLOOR_S)
    assert faster.tempo == pytest.approx(3.0 / (2.9 - 0.16))
    assert faster.fits
    assert not plan(3.0, pauses, Room(2.4, 2.4), 1.0, 1.25).fits


def test_more_room_than_wanted_saves_what_is_too_long() -> None:
    late = plan(3.0, [], Room(2.0, 2.5), 1.0, 1.25)
    assert (late.tempo, late.fits) == (1.25, True)
    assert not plan(3.0, [], Room(2.0, 2.3), 1.0, 1.25).fits


def test_slower_only_so_far_and_only_where_it_is_asked() -> None:
    assert plan(3.0, [0.2], Room(3.3, 4.0), MIN_TEMPO, 1.25).tempo == pytest.approx(3.0 / 3.1)
    assert plan(3.0, [0.2], Room(9.0, 9.0), MIN_TEMPO, 1.25).tempo == MIN_TEMPO
    assert plan(3.0, [0.2], Room(9.0, 9.0), 1.0, 1.25).tempo == 1.0


def test_the_room_of_each_policy() -> None:
    assert room("fit", 4.0, 3.0, (0.5, 3.5)) == (0.0, Room(3.0, 3.0))
    assert room("match", 4.0, 3.0, (0.5, 3.5)) == (0.5, Room(3.0, 3.5))
    assert room("match", 4.0, 3.0, None) == (0.0, Room(4.0, 4.0))


@given(
    st.floats(0.05, 60),
    st.lists(st.floats(0.0, 2.0), max_size=5),
    st.floats(0.1, 30),
    st.floats(0.0, 5),
    st.floats(1.0, 2.0),
    st.sampled_from([MIN_TEMPO, 1.0]),
)
def test_the_plan_never_leaves_its_bounds(
    voice_s: float,
    pauses: list[float],
    wanted_s: float,
    more_s: float,
    max_tempo: float,
    slowest: float,
) -> None:
    chosen = plan(voice_s, pauses, Room(wanted_s, wanted_s + more_s), slowest, max_tempo)
    assert slowest <= chosen.tempo <= max_tempo
    assert all(
        min(before, PAUSE_FLOOR_S) - 1e-9 <= after <= before + 1e-9
        for before, after in zip(pauses, chosen.pauses_s, strict=True)
    )
    length_s = voice_s / chosen.tempo + sum(chosen.pauses_s)
    assert chosen.fits == (length_s <= wanted_s + more_s + 0.002)
    if chosen.tempo > 1.0:
        assert all(after <= PAUSE_FLOOR_S for after in chosen.pauses_s)


def test_pauses_are_found_and_stops_are_not() -> None:
    samples = np.concatenate([_tone(0.5), _silence(0.08), _tone(0.5), _silence(0.4), _tone(0.3)])
    (found,) = find_pauses(samples, RATE)
    assert found == pytest.approx((1.08 * RATE, 1.48 * RATE), abs=0.011 * RATE)
    assert find_pauses(_silence(1.0), RATE) == []
    assert find_pauses(_silence(0.0), RATE) == []


def test_trim_takes_silence_off_both_ends() -> None:
    soft = 0.0005 * np.ones(RATE // 2, np.float32)
    trimmed = trim(np.concatenate([soft, _tone(1.0), soft]), RATE)
    assert len(trimmed) / RATE == pytest.approx(1.03, abs=0.011)
    assert np.abs(trimmed[: RATE // 100]).max() < 0.001
    assert trimmed[0] == trimmed[-1] == 0.0
    assert len(trim(_silence(1.0), RATE)) == 0
    assert len(trim(np.zeros(3, np.float32), RATE)) == 3


def test_join_puts_pauses_between() -> None:
    one, two = Speech(_tone(0.5), RATE), Speech(_tone(0.25), RATE)
    joined, marks = join([one, two, one], [0.3, 0.1, 9.0])
    assert marks == [(0, 12_000), (19_200, 25_200), (27_600, 39_600)]
    assert len(joined.samples) == 39_600
    assert not joined.samples[12_000:19_200].any()


def test_squeeze_shortens_pauses_and_moves_marks() -> None:
    parts = [Speech(_tone(0.5), RATE)] * 3
    joined, marks = join(parts, [0.4, 0.3, 0.0])
    pauses = find_pauses(joined.samples, RATE)
    samples, moved = squeeze(joined, pauses, [round(0.1 * RATE), round(0.1 * RATE)], marks)
    assert len(samples) / RATE == pytest.approx(1.7, abs=0.03)
    for start, stop in moved:
        assert np.abs(samples[start + 10 : stop - 10]).max() > 0.4
        assert stop - start == pytest.approx(0.5 * RATE, abs=2)
    for (_, stop), (start, _) in itertools.pairwise(moved):
        assert not samples[stop:start].any()
    assert np.abs(np.diff(samples)).max() <= np.abs(np.diff(joined.samples)).max() + 1e-6


def test_squeeze_never_makes_a_pause_longer() -> None:
    joined, marks = join([Speech(_tone(0.5), RATE)] * 2, [0.2, 0.0])
    pauses = find_pauses(joined.samples, RATE)
    samples, moved = squeeze(joined, pauses, [RATE], marks)
    assert np.array_equal(samples, joined.samples)
    assert moved == marks


def test_a_seam_in_noise_does_not_click() -> None:
    rng = np.random.default_rng(3)
    noise = (0.001 * rng.standard_normal(RATE)).astype(np.float32)
    speech = Speech(np.concatenate([_tone(0.5), noise, _tone(0.5)]), RATE)
    (pause,) = find_pauses(speech.samples, RATE)
    samples, _ = squeeze(speech, [pause], [RATE // 5], [])
    inside = samples[pause[0] + 100 : pause[0] + RATE // 5 - 100]
    assert np.abs(np.diff(inside)).max() <= np.abs(np.diff(noise)).max() * 1.5
