"""What the voice activity detector is given: quiet sound raised, loud sound as it is."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.audio.pcm import Float, from_db
from dubcast.audio.vad import VAD_RATE, WINDOW_16K, Raised

SECOND = VAD_RATE // WINDOW_16K


def tone(level_db: float) -> Float:
    """A window of a sine at this level (RMS, dBFS)."""
    phase = 2 * np.pi * 500 * np.arange(WINDOW_16K) / VAD_RATE
    return (np.sqrt(2) * from_db(level_db) * np.sin(phase)).astype(np.float32)


def level_db(window: Float) -> float:
    return float(10 * np.log10(np.mean(np.square(window))))


@pytest.mark.parametrize(
    ("level", "raised"), [(-60, -48), (-38, -28), (-29, -25), (-23, -23), (-12, -12), (-3.1, -3.1)]
)
def test_quiet_sound_is_raised_by_12_db_at_most_and_loud_sound_stays(
    level: float, raised: float
) -> None:
    assert level_db(Raised().window(tone(level))) == pytest.approx(raised, abs=0.1)


def test_what_follows_a_loud_word_is_raised_within_half_a_second_for_10_db() -> None:
    one = Raised()
    one.window(tone(-20))
    after = [level_db(one.window(tone(-35))) for _ in range(SECOND)]
    assert after[0] == pytest.approx(-35, abs=0.7)
    assert after[round(0.4 * SECOND)] < -28
    assert after[round(0.8 * SECOND)] == pytest.approx(-27, abs=0.5)


def test_a_loud_window_is_not_clipped_after_a_quiet_one() -> None:
    one = Raised()
    one.window(tone(-50))
    loud = tone(-6)
    assert np.array_equal(one.window(loud), loud)


def test_silence_stays_silence() -> None:
    assert not Raised().window(np.zeros(WINDOW_16K, np.float32)).any()
