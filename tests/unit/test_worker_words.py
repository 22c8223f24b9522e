"""What a stream makes of its worker's own words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dubcast.contract.worker import WorkerState, WorkerStatus
from dubcast.orchestrator.orchestrator import _worker_event
from dubcast.orchestrator.stream import Event
from dubcast.orchestrator.supervisor import ChildState

MEANS = {
    WorkerState.LIVE: (Event.WORKER_LIVE, "on_air"),
    WorkerState.OUTPUT_LOST: (Event.WORKER_DEGRADED, "output_lost"),
}


def event(told: WorkerStatus | None, life: ChildState = ChildState.RUNNING) -> tuple[Event, str]:
    """The event of a supervisor whose worker said this last."""
    wire = told.model_dump(mode="json") if told else {}
    known: Any = SimpleNamespace(
        life=SimpleNamespace(state=life), passthrough=False, status=wire, last_status=wire
    )
    return _worker_event(known)


def status(state: WorkerState, **more: Any) -> WorkerStatus:
    return WorkerStatus(stream_id="demo", state=state, **more)


@pytest.mark.parametrize("state", WorkerState)
def test_every_state_that_a_worker_tells_means_something(state: WorkerState) -> None:
    expected = MEANS.get(state, (Event.WORKER_WAITING, state.value))
    assert event(status(state)) == expected
    assert event(status(state, reason="own words")) == (expected[0], "own words")


def test_at_the_short_delay_it_is_not_live_yet() -> None:
    told = status(WorkerState.LIVE, resuming=True)
    assert event(told) == (Event.WORKER_DEGRADED, "resuming")


def test_a_refusal_is_the_reason_of_a_failure_and_nothing_else_is() -> None:
    refused = status(WorkerState.REFUSED, reason="video_codec")
    assert event(refused, ChildState.FAILED) == (Event.WORKER_FAILED, "video_codec")
    live = status(WorkerState.LIVE, reason="own words")
    assert event(live, ChildState.FAILED) == (Event.WORKER_FAILED, "worker_cannot_start")
    assert event(None, ChildState.FAILED) == (Event.WORKER_FAILED, "worker_cannot_start")


def test_before_it_has_told_anything_it_is_waited_for() -> None:
    assert event(None) == (Event.WORKER_WAITING, "")
