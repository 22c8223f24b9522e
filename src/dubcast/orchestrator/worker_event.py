"""What the news of a worker means for its stream. Pure."""

from __future__ import annotations

from dubcast.orchestrator.stream import Event
from dubcast.processes.child import PASSTHROUGH
from dubcast.processes.supervisor import ChildState, Fate, Supervisor


def worker_event(supervisor: Supervisor) -> tuple[Event, str]:
    """The event for the stream's table, and the reason that people are told."""
    life = supervisor.life
    if life.state is ChildState.FAILED:
        refused = supervisor.last_status.get("state") == "refused"
        reason = str(supervisor.last_status.get("reason", "")) if refused else ""
        return Event.WORKER_FAILED, reason or "worker_cannot_start"
    if supervisor.passthrough:
        return Event.WORKER_DEGRADED, PASSTHROUGH
    if life.state is not ChildState.RUNNING:
        return Event.WORKER_LOST, f"worker_{life.fate or Fate.CRASHED}"
    status = supervisor.status or {}
    state, reason = str(status.get("state", "")), str(status.get("reason", ""))
    if state == "live" and status.get("resuming"):
        return Event.WORKER_DEGRADED, "resuming"
    if state == "live":
        return Event.WORKER_LIVE, reason or "on_air"
    if state in {"degraded", "output_lost"}:
        return Event.WORKER_DEGRADED, reason or state
    return Event.WORKER_WAITING, reason or state
