"""What the orchestrator tells of its streams: plain values for HTTP, and metrics."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from dubcast.addresses import host_port
from dubcast.clock import ns_to_s
from dubcast.contract.ids import ingest_path, output_path
from dubcast.contract.streams import EgressState, NoWhep, StreamState
from dubcast.mediaserver.interface import MediaServer, PathSource
from dubcast.metrics import OrchestratorMetrics
from dubcast.orchestrator.actor import Actor
from dubcast.orchestrator.children import StreamChild
from dubcast.processes.child import PASSTHROUGH
from dubcast.processes.supervisor import ChildState


def describe(actor: Actor, server: MediaServer, now_ns: int) -> dict[str, Any]:
    """One stream with its worker and destinations; no key, no destination's URL."""
    stream, source, worker = actor.stream, actor.stream.source, actor.worker
    return {
        "id": stream.stream_id,
        "state": stream.state.value,
        "reason": str(stream.reason),
        "detail": str(stream.detail),
        "message": stream.message,
        "since_s": round(ns_to_s(now_ns - stream.since_ns), 3),
        "sessions": stream.sessions,
        "source": _describe_source(source) if source else None,
        "input": server.source_url(source or PathSource(ingest_path(stream.stream_id), "")),
        "output": server.read_url(output_path(stream.stream_id)),
        "whep": _describe_whep(server.whep_url(output_path(stream.stream_id)), worker),
        "worker": _describe_child(worker) if worker else None,
        "destinations": [
            {"name": one.spec.name, **_describe_child(one)} for one in actor.destinations
        ],
    }


def _describe_source(source: PathSource) -> dict[str, Any]:
    return {"id": source.source_id, "type": source.source_type, "tracks": list(source.tracks)}


def _describe_whep(url: str | None, worker: StreamChild | None) -> dict[str, Any]:
    """Where a browser looks at the output, or why it cannot."""
    status = (worker.supervisor.status if worker else None) or {}
    reason: str = NoWhep.OFF if url is None else ""
    if url is not None and (status.get("output") or {}).get("b_frames"):
        reason = NoWhep.B_FRAMES
    return {"url": None if reason else url, "reason": str(reason)}


def _describe_child(child: StreamChild) -> dict[str, Any]:
    one = child.supervisor
    failed = one.life.state is ChildState.FAILED
    status = one.status or (one.last_status if failed else {})
    return {
        "process": one.life.state.value,
        "mode": PASSTHROUGH if one.passthrough else "normal",
        "pid": one.pid,
        "port": one.port,
        "restarts": max(0, one.life.restarts),
        "exit_code": one.life.exit_code,
        "last_end": one.life.fate,
        "state": status.get("state", "unknown"),
        "reason": status.get("reason", ""),
        "status": status,
    }


def metrics_targets(
    actors: Iterable[Actor], host: str, media_server: str | None
) -> list[dict[str, Any]]:
    """Workers and forwarders, on `host`, and the media server if it tells metrics, in the form of
    Prometheus' HTTP service discovery."""
    found = [
        {"targets": [host_port(host, one.supervisor.port)], "labels": {"role": one.spec.role}}
        for actor in actors
        for one in actor.children.values()
        if one.supervisor.port
    ]
    if media_server is not None:
        found.append({"targets": [media_server], "labels": {"role": "media-server"}})
    return found


class StreamMeters:
    """Keeps the metrics of the streams up to date."""

    def __init__(self, metrics: OrchestratorMetrics) -> None:
        self._metrics = metrics
        self._states: dict[str, StreamState] = {}  # as the metrics have them
        self._destinations: dict[str, set[str]] = {}  # whose series there are

    def show(self, actor: Actor) -> None:
        """Bring a stream's metrics to where it stands."""
        stream = actor.stream
        if self._states.get(stream.stream_id) is not stream.state:
            self._states[stream.stream_id] = stream.state
            for state in StreamState:
                gauge = self._metrics.stream_state.labels(stream.stream_id, state.value)
                gauge.set(1 if state is stream.state else 0)
        self._show_destinations(stream.stream_id, actor.destinations)
        if actor.worker is not None:
            self._count_restarts(stream.stream_id, actor.worker)

    def _show_destinations(self, stream_id: str, running: Sequence[StreamChild]) -> None:
        up = self._metrics.egress_up
        for one in running:
            told = (one.supervisor.status or {}).get("state")
            is_up = told in (EgressState.LIVE, EgressState.SLOW)
            up.labels(stream_id, one.spec.name).set(is_up)
        names = {one.spec.name for one in running}
        # Of a stream that has ended nobody misses its destinations.
        for name in self._destinations.get(stream_id, set()) - names:
            up.remove(stream_id, name)
        self._destinations[stream_id] = names

    def forget(self, stream_id: str) -> None:
        """A stream is no longer listed."""
        self._show_destinations(stream_id, ())
        self._destinations.pop(stream_id)
        self._states.pop(stream_id, None)
        for state in StreamState:
            with contextlib.suppress(KeyError):
                self._metrics.stream_state.remove(stream_id, state.value)

    def _count_restarts(self, stream_id: str, worker: StreamChild) -> None:
        new = worker.supervisor.life.restarts - worker.restarts_metered
        if new > 0:
            self._metrics.worker_restarts.labels(stream_id).inc(new)
            worker.restarts_metered += new
