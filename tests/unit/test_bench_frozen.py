"""The judge of the frozen worker: known arrivals give known times back."""

from __future__ import annotations

import numpy as np

from bench.faults.rows import Tape, tape
from bench.onair import frozen
from dubcast import flv

S = 1_000_000_000
STRUCK = [20 * S, 60 * S]


def connection(start_s: float, until_s: float, *, sound_s: float = 0.0) -> np.ndarray:
    """Both tracks in step, as (arrival, kind, DTS); the sound begins `sound_s` later."""
    rows = []
    for kind, step_s, late_s in ((flv.VIDEO, 1 / 30, 0.0), (flv.AUDIO, 1024 / 48000, sound_s)):
        for at_s in np.arange(start_s + late_s, until_s, step_s):
            rows.append((round(at_s * S), kind, round(1000 * (at_s - start_s))))
    return np.array(sorted(rows), np.int64)


def stream(*connections: np.ndarray) -> Tape:
    return tape([(one, ()) for one in connections])


def test_it_is_back_with_both_tracks_and_the_worst_time_counts() -> None:
    near = stream(connection(10, 20), connection(23, 60), connection(62, 90, sound_s=1.5))
    far = stream(connection(10, 20), connection(24, 60), connection(64.5, 90))
    found = frozen.measured(STRUCK, {"near": near, "struck": far})
    assert found == {"worker_frozen_recovery_s": 3.5, "worker_frozen_third_party_s": 4.5}


def test_a_stream_that_never_stood_still_was_not_frozen() -> None:
    whole = stream(connection(10, 90))
    once = stream(connection(10, 20), connection(23, 90))
    found = frozen.measured(STRUCK, {"near": whole, "struck": once})
    assert found == {"worker_frozen_recovery_s": None, "worker_frozen_third_party_s": None}


def test_one_that_stays_away_is_not_back_by_the_end() -> None:
    gone = stream(connection(10, 20), connection(23, 60))
    found = frozen.measured(STRUCK, {"near": gone, "struck": gone})
    assert found["worker_frozen_recovery_s"] == 19.0
