"""What the mix bench compares with an output passes the codec that the output passed."""

from __future__ import annotations

import numpy as np

from bench.mix import recorded
from dubcast.audio.pcm import RATE


def test_the_codec_keeps_every_sample_in_place() -> None:
    rng = np.random.default_rng(3)
    steps = np.cumsum(rng.normal(0, 0.02, (2 * RATE, 2)), axis=0)
    sound = (steps[240:] - steps[:-240]).astype(np.float32)  # mostly below 200 Hz
    coded = recorded.coded(sound)
    assert coded.shape == sound.shape
    assert recorded.lag(coded, sound) == 0
    inner = slice(RATE // 2, RATE)
    assert 1e-5 < np.abs(coded - sound)[inner].mean() < 0.03
