"""The worker's own states."""

from __future__ import annotations

import pytest

from dubcast.worker.state import WorkerState, next_state


def test_final_states_stay_and_unlisted_pairs_are_errors() -> None:
    assert next_state(WorkerState.LIVE, "refuse") is WorkerState.REFUSED
    assert next_state(WorkerState.REFUSED, "input_up") is WorkerState.REFUSED
    assert next_state(WorkerState.LIVE, "stop") is WorkerState.STOPPED
    with pytest.raises(ValueError, match="input_up in live"):
        next_state(WorkerState.LIVE, "input_up")
