"""What the news of a worker means for its stream. Pure."""

from __future__ import annotations

from dubcast.contract.streams import StreamReason
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
        refused = supervisor.last_status.get("state") == "refused"
        reason = str(supervisor.last_status.get("reason", "")) if refused else ""
        return Event.WORKER_FAILED, reason or StreamReason.WORKER_CANNOT_START
    if supervisor.passthrough:
        return Event.WORKER_DEGRADED, StreamReason.PASSTHROUGH
    if life.state is not ChildState.RUNNING:
        return Event.WORKER_LOST, _OF_FATE[life.fate or Fate.CRASHED]
    status = supervisor.status or {}
    state, reason = str(status.get("state", "")), str(status.get("reason", ""))
    if state == "live" and status.get("resuming"):
        return Event.WORKER_DEGRADED, StreamReason.RESUMING
    if state == "live":
        return Event.WORKER_LIVE, reason or StreamReason.ON_AIR
    if state in {"degraded", "output_lost"}:
        return Event.WORKER_DEGRADED, reason or state
    return Event.WORKER_WAITING, reason or state
