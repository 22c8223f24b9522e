"""What the news of a worker means for its stream. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dubcast.contract.streams import StreamReason
from dubcast.contract.worker import WorkerState, WorkerStatus
from dubcast.mediaserver.ways_in import NO_AUDIO, NO_VIDEO, missing
from dubcast.orchestrator.stream import Event
from dubcast.processes.supervisor import ChildState, Fate, Supervisor

_OF_FATE = {
    Fate.CRASHED: StreamReason.WORKER_CRASHED,
    Fate.HUNG: StreamReason.WORKER_HUNG,
    Fate.MEMORY: StreamReason.WORKER_MEMORY,
    Fate.QUIET_OVER: StreamReason.WORKER_QUIET_OVER,
    Fate.REPLACED: StreamReason.WORKER_REPLACED,
}


@dataclass(frozen=True)
class News:
    """An event for the stream's table, and what people are told: the reason, more exactly the
    detail, and words for them."""

    event: Event
    reason: str
    detail: str = ""
    message: str = ""


def worker_event(supervisor: Supervisor, *, output_ready: bool) -> News:
    """What a worker's supervisor knows of it now, as news for its stream.

    `output_ready`: the media server lists the stream's output. Before, nobody can read it, however
    sure the worker is that media leaves.
    """
    life = supervisor.life
    if life.state is ChildState.FAILED:
        return _failed(WorkerStatus.read(supervisor.last_status))
    if supervisor.passthrough:
        return News(Event.WORKER_DEGRADED, StreamReason.PASSTHROUGH)
    if life.state is not ChildState.RUNNING:
        return News(Event.WORKER_LOST, _OF_FATE[life.fate or Fate.CRASHED])
    status = WorkerStatus.read(supervisor.status)
    if status is None:
        return News(Event.WORKER_WAITING, "")
    if status.state is WorkerState.LIVE and not output_ready:
        return News(Event.WORKER_WAITING, StreamReason.OUTPUT_NOT_READY)
    if status.state is WorkerState.LIVE:
        return _on_air(status)
    if status.state is WorkerState.OUTPUT_LOST:
        return News(Event.WORKER_DEGRADED, StreamReason.OUTPUT_LOST, message=status.reason)
    return News(Event.WORKER_WAITING, status.state, message=status.reason)


def without_a_track(news: News, tracks: Collection[str]) -> News:
    """The same news of a worker whose publisher sends `tracks`: on air, but not with all."""
    fault = missing(tracks)
    if news.event is not Event.WORKER_LIVE or fault is None:
        return news
    return News(Event.WORKER_DEGRADED, fault.reason, message=fault.message)


def _failed(last: WorkerStatus | None) -> News:
    if last is None or last.state is not WorkerState.REFUSED:
        return News(Event.WORKER_FAILED, StreamReason.WORKER_CANNOT_START)
    reason = last.reason or StreamReason.WORKER_CANNOT_START
    return News(Event.WORKER_FAILED, reason, message=last.message)


def _on_air(status: WorkerStatus) -> News:
    """Media leaves. What is missing most is told first: the dub, then the bed under it."""
    dubbing, separation = status.dubbing, status.separation
    if status.resuming:
        return News(Event.WORKER_DEGRADED, StreamReason.RESUMING)
    came = status.input
    if came.sessions and not (came.video and came.audio):
        fault = NO_AUDIO if came.video else NO_VIDEO
        return News(Event.WORKER_DEGRADED, fault.reason, message=fault.message)
    if dubbing.fault:
        reason = StreamReason.NOT_DUBBING
        return News(Event.WORKER_DEGRADED, reason, dubbing.fault, dubbing.message)
    if separation.state == "off" and separation.reason:  # it was asked for, and gave up
        return News(Event.WORKER_DEGRADED, StreamReason.SEPARATION_OFF, message=separation.reason)
    return News(Event.WORKER_LIVE, StreamReason.ON_AIR)
