"""The spectrogram that a GPU makes is the one that Whisper was given before."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.sts.providers.interface import ASR_RATE
from dubcast.sts.providers.mel import log_mel

pytest.importorskip("torch", reason="torch is not installed (dubcast[gpu]): NOT TESTED HERE")


def test_clips_of_any_length_have_the_same_spectrogram_together() -> None:
    from dubcast.sts.providers.mel_torch import MelSpectrograms

    random = np.random.default_rng(1)
    clips = [0.1 * random.normal(size=n).astype(np.float32) for n in (1, ASR_RATE, 3 * ASR_RATE)]
    clips.append(np.zeros(ASR_RATE, np.float32))
    found = MelSpectrograms(80, "cpu")(clips, 10)
    assert found.shape == (4, 80, 1000)
    expected = np.stack([log_mel(clip, 10, 80) for clip in clips])
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)


def test_a_clip_that_is_too_long_is_refused() -> None:
    from dubcast.sts.providers.mel_torch import MelSpectrograms

    with pytest.raises(ValueError, match="do not fit in 1 s"):
        MelSpectrograms(80, "cpu")([np.zeros(ASR_RATE + 1, np.float32)], 1)
