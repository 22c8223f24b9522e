"""The separators without a model, under a voice detector that says what the test says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Float
from dubcast.audio.vad import VAD_RATE, WINDOW_16K
from dubcast.separation.fixed_latency import FixedLatency
from dubcast.separation.separator import Core
from dubcast.separation.vad_separators import CentreRemoval, MuteCore, SpectralCore, SpectralGate

SPOKEN = (2.0, 3.0)  # seconds


class Scripted:
    """Speech in SPOKEN; counts windows, since that is all that a detector's time is."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._window = 0

    def probability(self, window: Float) -> float:
        at = self._window * WINDOW_16K / VAD_RATE
        self._window += 1
        return 0.9 if SPOKEN[0] <= at < SPOKEN[1] else 0.1


CORES: dict[str, Callable[[], Core]] = {
    "mute": lambda: MuteCore(Scripted()),
    "centre": lambda: SpectralCore(Scripted(), CentreRemoval()),
    "gate": lambda: SpectralCore(Scripted(), SpectralGate()),
}


def run(core: Core, source: Float, block: int = 1_024) -> tuple[Float, Float]:
    """The background and the speech shares, brought back to the source's time."""
    separator = FixedLatency("plain", core)
    fed = np.concatenate([source, np.zeros((separator.latency, 2), dtype=np.float32)])
    parts = [separator.process(fed[at : at + block]) for at in range(0, len(fed), block)]
    background = np.concatenate([part.background for part in parts])
    shares = np.concatenate([part.speech_share for part in parts])
    return background[separator.latency :], shares[separator.latency // 480 :]


def programme(side: float = 0.1, centre: float = 0.1) -> Float:
    """5 s: five tones in the centre while someone speaks, another on each side always."""
    time = np.arange(5 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * hz * time) for hz in (310, 520, 900, 2_050, 3_300))
    voice = centre * tones * ((time >= 2.0) & (time < 3.0))
    left, right = np.sin(2 * np.pi * 700 * time), np.sin(2 * np.pi * 1_100 * time)
    return np.stack([voice + side * left, voice + side * right], axis=1).astype(np.float32)


def level_db(signal: Float, first: float, last: float) -> float:
    part = signal[round(first * RATE) : round(last * RATE)].astype(np.float64)
    return float(10 * np.log10(np.mean(np.square(part)) + 1e-20))


@pytest.mark.parametrize("name", CORES)
def test_outside_speech_the_source_passes_and_blocks_do_not_matter(name: str) -> None:
    source = programme()
    out, shares = run(CORES[name](), source)
    for first, last in ((0.0, 1.7), (3.6, 4.9)):
        here = slice(round(first * RATE), round(last * RATE))
        assert np.abs(out[here] - source[here]).max() < 2e-6
    assert np.array_equal(shares[:170], np.full(170, -80))
    assert np.array_equal(shares[205:300], np.zeros(95))
    odd, _ = run(CORES[name](), source, 777)
    assert np.abs(odd - out).max() < 1e-6


def test_speech_is_muted_without_a_click() -> None:
    source = np.full((5 * RATE, 2), 0.5, dtype=np.float32)
    out, _ = run(CORES["mute"](), source)
    assert not out[round(1.9 * RATE) : round(3.3 * RATE)].any()
    assert np.abs(np.diff(out[: 4 * RATE], axis=0)).max() <= 0.5 / (0.04 * RATE) + 1e-6


def test_the_centre_goes_and_the_sides_stay() -> None:
    out, _ = run(CORES["centre"](), programme())
    sides, _ = run(CORES["centre"](), programme(centre=0.0))
    with_voice, without = level_db(programme(), 2.2, 2.8), level_db(sides, 2.2, 2.8)
    assert with_voice > without + 7
    assert level_db(out, 2.2, 2.8) == pytest.approx(without, abs=1)


def test_a_mono_source_is_muted_since_all_of_it_is_centre() -> None:
    mono = np.repeat(programme()[:, :1], 2, axis=1)
    out, _ = run(CORES["centre"](), mono)
    assert level_db(out, 2.1, 2.9) < -150


def test_the_gate_holds_speech_down_to_the_level_before_it_by_18_db_at_most() -> None:
    out, _ = run(CORES["gate"](), programme(centre=0.3))
    voice = level_db(programme(side=0, centre=0.3), 2, 3)
    assert voice - 19 < level_db(out, 2.2, 2.8) < voice - 8
    tones, _ = run(CORES["gate"](), programme(centre=0.0))
    assert level_db(tones, 2.2, 2.8) == pytest.approx(level_db(programme(), 0, 1), abs=0.5)
