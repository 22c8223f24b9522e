"""The worker's own states."""

from __future__ import annotations

import pytest
import structlog

from dubcast.contract.worker import WorkerState
from dubcast.metrics import WorkerMetrics
from dubcast.testing.clock import VirtualClock
from dubcast.worker.standing import Standing
from dubcast.worker.state import next_state


def test_final_states_stay_and_unlisted_pairs_are_errors() -> None:
    assert next_state(WorkerState.LIVE, "refuse") is WorkerState.REFUSED
    assert next_state(WorkerState.REFUSED, "input_up") is WorkerState.REFUSED
    assert next_state(WorkerState.LIVE, "stop") is WorkerState.STOPPED
    with pytest.raises(ValueError, match="input_up in live"):
        next_state(WorkerState.LIVE, "input_up")


def standing() -> tuple[VirtualClock, WorkerMetrics, Standing]:
    clock, metrics = VirtualClock(), WorkerMetrics("demo")
    return clock, metrics, Standing(clock, metrics)


def test_only_a_change_sets_since_when_and_is_logged() -> None:
    clock, _, one = standing()
    with structlog.testing.capture_logs() as lines:
        for event in ("input_up", "output_up", "output_up"):
            clock.advance(1)
            one.step(event)
    assert (one.state, one.since_ns) == (WorkerState.LIVE, 2_000_000_000)
    assert [line["state"] for line in lines] == ["buffering", "live"]


def test_up_is_one_while_the_stream_is_on_air() -> None:
    _, metrics, one = standing()
    seen = []
    for event in ("input_up", "output_up", "output_down", "output_up", "stop"):
        one.step(event)
        seen.append(metrics.registry.get_sample_value("dubcast_stream_up", {"stream": "demo"}))
    assert seen == [0, 1, 0, 1, 0]
