"""The bed's gain under a dub."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.audio.duck import Ducker
from dubcast.audio.pcm import RATE, Float, from_db

ATTACK, RELEASE = 2400, 14400
START = 10 * RATE


def ducker(depth: float = 12.0, threshold: float = -45.0) -> Ducker:
    return Ducker(ATTACK, RELEASE, depth, threshold)


def tone(frames: int, level_db: float) -> Float:
    wave = np.sqrt(2) * from_db(level_db) * np.sin(np.arange(frames) / 7)
    return wave.astype(np.float32)


def gain_db(one: Ducker, voice: Float, start: int, stop: int, block: int = 4800) -> Float:
    curve = one.curve(START, voice)
    parts = []
    for at in range(start, stop, block):
        gain = curve.gain(at, min(at + block, stop))
        parts.append(np.ones(min(block, stop - at), np.float32) if gain is None else gain)
    return 20 * np.log10(np.concatenate(parts))


def test_it_is_down_when_the_word_begins_and_back_after_the_release() -> None:
    frames = RATE
    got = gain_db(ducker(), tone(frames, -20), START - RATE, START + 3 * RATE)
    at = {name: RATE + offset for name, offset in
          (("before", -ATTACK), ("half", -ATTACK // 2), ("onset", 0), ("end", frames),
           ("half up", frames + RELEASE // 2), ("after", frames + RELEASE + 480))}  # fmt: skip
    assert got[at["before"] - 480] == 0
    assert got[at["half"]] == pytest.approx(-6, abs=0.5)
    assert got[at["onset"] : at["end"]] == pytest.approx(-12, abs=0.01)
    assert got[at["half up"]] == pytest.approx(-6, abs=0.5)
    assert got[at["after"]] == 0


def test_a_pause_shorter_than_the_release_does_not_let_it_up() -> None:
    voice = np.concatenate([tone(RATE, -20), np.zeros(4800, np.float32), tone(RATE, -20)])
    got = gain_db(ducker(), voice, START + RATE, START + RATE + 4800)
    assert got.max() < -7.5
    assert got[-ATTACK:].min() < -11


@pytest.mark.parametrize(("level", "ducked"), [(-40, True), (-50, False)])
def test_the_threshold_decides(level: float, ducked: bool) -> None:
    curve = ducker().curve(START, tone(RATE, level))
    assert (curve.gain(START, START + 4800) is not None) == ducked


def test_far_from_the_dub_there_is_nothing_to_do() -> None:
    curve = ducker().curve(START, tone(RATE, -20))
    assert curve.gain(START - RATE, START - RATE + 4800) is None
    assert curve.gain(START + 3 * RATE, START + 3 * RATE + 4800) is None
    assert ducker().curve(START, np.zeros(0, np.float32)).gain(START, START + 10) is None


def test_the_block_size_does_not_matter_and_nothing_steps() -> None:
    voice = tone(RATE + 333, -20)
    one = gain_db(ducker(), voice, START - 4803, START + 2 * RATE, 777)
    whole = gain_db(ducker(), voice, START - 4803, START + 2 * RATE, 10 * RATE)
    assert np.allclose(one, whole, atol=1e-4)
    assert np.abs(np.diff(whole)).max() <= 12 / (ATTACK - 480) + 1e-4
