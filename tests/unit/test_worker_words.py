"""What a worker's news means for its stream: the supervisor's view in, event and reason out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dubcast.contract.streams import NotDubbing, StreamReason
from dubcast.contract.worker import DubbingStatus, SeparationStatus, WorkerState, WorkerStatus
from dubcast.orchestrator.stream import Event
from dubcast.orchestrator.worker_event import News, worker_event
from dubcast.processes.child import Child, ChildSource, Start
from dubcast.processes.supervisor import ChildState, Fate, Supervisor, SupervisorPolicy
from dubcast.testing.clock import VirtualClock


class NoSource(ChildSource):
    """The news is written into the supervisor; nothing is started."""

    key = "worker:abc"

    async def start(self, which: Start) -> Child:
        raise AssertionError

    def forget(self, child: Child) -> None:
        raise AssertionError


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor(NoSource(), VirtualClock(), SupervisorPolicy(), lambda _: None)


MEANS = {
    WorkerState.LIVE: News(Event.WORKER_LIVE, "on_air"),
    WorkerState.OUTPUT_LOST: News(Event.WORKER_DEGRADED, "output_lost"),
}


def told(state: WorkerState, **more: Any) -> dict[str, Any]:
    """What a worker's `/status` answers."""
    return WorkerStatus(stream_id="demo", state=state, **more).model_dump(mode="json")


@pytest.mark.parametrize("state", WorkerState)
def test_every_state_that_a_worker_tells_means_something(
    supervisor: Supervisor, state: WorkerState
) -> None:
    expected = MEANS.get(state, News(Event.WORKER_WAITING, state.value))
    supervisor.life.state, supervisor.status = ChildState.RUNNING, told(state)
    assert worker_event(supervisor, output_ready=True) == expected
    supervisor.status = told(state, reason="own words")
    message = "" if state is WorkerState.LIVE else "own words"
    assert worker_event(supervisor, output_ready=True) == replace(expected, message=message)


def test_what_is_said_and_not_dubbed_is_told_with_why(supervisor: Supervisor) -> None:
    supervisor.life.state = ChildState.RUNNING
    fault = DubbingStatus(fault=NotDubbing.STS_REFUSED_KEY, message="the key is wrong")
    supervisor.status = told(WorkerState.LIVE, dubbing=fault)
    expected = News(Event.WORKER_DEGRADED, "not_dubbing", "sts_refused_key", "the key is wrong")
    assert worker_event(supervisor, output_ready=True) == expected


@pytest.mark.parametrize(
    ("separation", "reason"),
    [
        (SeparationStatus(), "on_air"),  # not asked for
        (SeparationStatus(state="waiting", separator="dfn3", reason="crashed"), "on_air"),
        (SeparationStatus(state="off", reason="no model"), "separation_off"),
    ],
)
def test_separation_that_gave_up_is_told(
    supervisor: Supervisor, separation: SeparationStatus, reason: str
) -> None:
    supervisor.life.state = ChildState.RUNNING
    supervisor.status = told(WorkerState.LIVE, separation=separation)
    assert worker_event(supervisor, output_ready=True).reason == reason


def test_media_that_nobody_can_read_yet_is_waited_for(supervisor: Supervisor) -> None:
    supervisor.life.state = ChildState.RUNNING
    for more in ({}, {"resuming": True}):
        supervisor.status = told(WorkerState.LIVE, **more)
        expected = News(Event.WORKER_WAITING, "output_not_ready")
        assert worker_event(supervisor, output_ready=False) == expected


def test_at_the_short_delay_it_is_not_live_yet(supervisor: Supervisor) -> None:
    supervisor.life.state = ChildState.RUNNING
    supervisor.status = told(WorkerState.LIVE, resuming=True)
    assert worker_event(supervisor, output_ready=True) == News(Event.WORKER_DEGRADED, "resuming")


@pytest.mark.parametrize("status", [None, {}, {"state": "nothing we know"}])
def test_before_it_has_told_anything_it_is_waited_for(
    supervisor: Supervisor, status: dict[str, Any] | None
) -> None:
    supervisor.life.state, supervisor.status = ChildState.RUNNING, status
    assert worker_event(supervisor, output_ready=True) == News(Event.WORKER_WAITING, "")


@pytest.mark.parametrize("fate", list(Fate))
def test_one_that_ended_says_why(supervisor: Supervisor, fate: Fate) -> None:
    supervisor.life.fate = fate
    news = worker_event(supervisor, output_ready=True)
    event, reason = news.event, news.reason
    assert event is Event.WORKER_LOST
    assert reason == f"worker_{fate}"
    assert reason in set(StreamReason)


def test_a_worker_that_was_refused_its_source_passes_the_reason_on(supervisor: Supervisor) -> None:
    supervisor.life.state = ChildState.FAILED
    assert worker_event(supervisor, output_ready=True) == News(
        Event.WORKER_FAILED, "worker_cannot_start"
    )
    supervisor.last_status = told(WorkerState.REFUSED, reason="codec", message="not H.265")
    assert worker_event(supervisor, output_ready=True) == News(
        Event.WORKER_FAILED, "codec", message="not H.265"
    )
    supervisor.last_status = told(WorkerState.LIVE, reason="codec")
    assert worker_event(supervisor, output_ready=True) == News(
        Event.WORKER_FAILED, "worker_cannot_start"
    )


def test_what_runs_in_a_workers_place_is_degraded_whatever_it_says(supervisor: Supervisor) -> None:
    supervisor.life.budget.begin_passthrough(0)
    supervisor.life.state, supervisor.status = ChildState.RUNNING, told(WorkerState.LIVE)
    assert worker_event(supervisor, output_ready=True) == News(Event.WORKER_DEGRADED, "passthrough")
