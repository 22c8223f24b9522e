"""What the news of a worker means for its stream. Pure."""

from __future__ import annotations

from dubcast.contract.streams import StreamReason
from dubcast.contract.worker import WorkerState, WorkerStatus
from dubcast.orchestrator.stream import Event
from dubcast.processes.supervisor import ChildState, Fate, Supervisor

_OF_FATE = {
    Fate.CRASHED: StreamReason.WORKER_CRASHED,
    Fate.HUNG: StreamReason.WORKER_HUNG,
    Fate.MEMORY: StreamReason.WORKER_MEMORY,
    Fate.QUIET_OVER: StreamReason.WORKER_QUIET_OVER,
}


def worker_event(supervisor: Supervisor) -> tuple[Event, str]:
    """The event for the stream's table, and the reason that people are told."""
    life = supervisor.life
    if life.state is ChildState.FAILED:
        last = WorkerStatus.read(supervisor.last_status)
        refusal = last.reason if last is not None and last.state is WorkerState.REFUSED else ""
        return Event.WORKER_FAILED, refusal or StreamReason.WORKER_CANNOT_START
    if supervisor.passthrough:
        return Event.WORKER_DEGRADED, StreamReason.PASSTHROUGH
    if life.state is not ChildState.RUNNING:
        return Event.WORKER_LOST, _OF_FATE[life.fate or Fate.CRASHED]
    status = WorkerStatus.read(supervisor.status)
    if status is None:
        return Event.WORKER_WAITING, ""
    if status.state is WorkerState.LIVE and status.resuming:
        return Event.WORKER_DEGRADED, StreamReason.RESUMING
    if status.state is WorkerState.LIVE:
        return Event.WORKER_LIVE, status.reason or StreamReason.ON_AIR
    if status.state is WorkerState.OUTPUT_LOST:
        return Event.WORKER_DEGRADED, status.reason or status.state
    return Event.WORKER_WAITING, status.reason or status.state
