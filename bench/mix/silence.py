"""What the dub leaves empty: time without any voice, and dead air. Pure but for the detector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.mix.placement import Run, active_runs
from bench.mix.stems import level_db
from dubcast.audio.pcm import RATE, Float, to_int16
from dubcast.audio.vad import WINDOW, SileroVad, SpeechModel, VadStream

_SPEECH = 0.5
_CLOSE_S = 0.3
_DEAD_DBFS = -50.0
_DEAD_S = 0.2
_STEP_S = 0.01


def voice_runs(sound: Float, model: SpeechModel | None = None) -> list[Run]:
    """Where somebody speaks in (frames, 2): spans in s, pauses below 0.3 s closed."""
    pcm = to_int16(sound)
    stream = VadStream(model or SileroVad())
    chance: list[float] = []
    for first in range(0, len(pcm), RATE):
        chance += [w.probability for w in stream.feed(first, pcm[first : first + RATE])]
    return active_runs(np.array(chance), WINDOW / RATE, _SPEECH, _CLOSE_S)


def length_s(runs: Sequence[Run]) -> float:
    """How long the runs are together."""
    return sum(last - first for first, last in runs)


def dead_air_share(source: Float, output: Float) -> float:
    """Share of the time where the source sounds and the output is below -50 dBFS for 0.2 s."""
    quiet_out = _quiet(output)
    quiet_in = _quiet(source)
    count = min(len(quiet_in), len(quiet_out))
    return float(np.mean(quiet_out[:count] & ~quiet_in[:count])) if count else 0.0


def _quiet(sound: Float) -> NDArray[np.bool_]:
    """Per 10 ms: whether it lies in a stretch of 0.2 s or more below -50 dBFS."""
    low = level_db(sound, _STEP_S, _STEP_S) < _DEAD_DBFS
    edges = np.flatnonzero(np.diff(np.concatenate([[0], low.astype(np.int8), [0]])))
    out = np.zeros(len(low), dtype=np.bool_)
    for first, last in edges.reshape(-1, 2).tolist():
        out[first:last] = (last - first) * _STEP_S >= _DEAD_S - 1e-9
    return out
