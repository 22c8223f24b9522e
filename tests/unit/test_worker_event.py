"""What a worker's news means for its stream: the supervisor's view in, event and reason out."""

from __future__ import annotations

import pytest

from dubcast.contract.streams import StreamReason
from dubcast.orchestrator.stream import Event
from dubcast.orchestrator.worker_event import worker_event
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


@pytest.mark.parametrize(
    ("status", "event", "reason"),
    [
        ({"state": "live"}, Event.WORKER_LIVE, "on_air"),
        ({"state": "live", "reason": "not_dubbing"}, Event.WORKER_LIVE, "not_dubbing"),
        ({"state": "live", "resuming": True}, Event.WORKER_DEGRADED, "resuming"),
        ({"state": "output_lost"}, Event.WORKER_DEGRADED, "output_lost"),
        ({"state": "output_lost", "reason": "eof"}, Event.WORKER_DEGRADED, "eof"),
        ({"state": "buffering"}, Event.WORKER_WAITING, "buffering"),
        ({"state": "input_lost", "reason": "timeout"}, Event.WORKER_WAITING, "timeout"),
    ],
)
def test_a_worker_that_answers(
    supervisor: Supervisor, status: dict[str, object], event: Event, reason: str
) -> None:
    supervisor.life.state, supervisor.status = ChildState.RUNNING, {"stream_id": "abc", **status}
    assert worker_event(supervisor) == (event, reason)


@pytest.mark.parametrize("fate", list(Fate))
def test_one_that_ended_says_why(supervisor: Supervisor, fate: Fate) -> None:
    supervisor.life.fate = fate
    event, reason = worker_event(supervisor)
    assert event is Event.WORKER_LOST
    assert reason == f"worker_{fate}"
    assert reason in set(StreamReason)


def test_a_worker_that_was_refused_its_source_passes_the_reason_on(supervisor: Supervisor) -> None:
    supervisor.life.state = ChildState.FAILED
    assert worker_event(supervisor) == (Event.WORKER_FAILED, "worker_cannot_start")
    supervisor.last_status = {"stream_id": "abc", "state": "refused", "reason": "codec"}
    assert worker_event(supervisor) == (Event.WORKER_FAILED, "codec")
    supervisor.last_status = {"stream_id": "abc", "state": "live", "reason": "codec"}
    assert worker_event(supervisor) == (Event.WORKER_FAILED, "worker_cannot_start")


def test_what_runs_in_a_workers_place_is_degraded_whatever_it_says(supervisor: Supervisor) -> None:
    supervisor.life.budget.begin_passthrough(0)
    supervisor.life.state = ChildState.RUNNING
    supervisor.status = {"stream_id": "abc", "state": "live"}
    assert worker_event(supervisor) == (Event.WORKER_DEGRADED, "passthrough")
