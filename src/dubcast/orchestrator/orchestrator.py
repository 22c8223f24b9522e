"""The orchestrator: makes what runs agree with what is published.

One task reconciles; it alone changes the streams' states. Hooks only make it look sooner.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from dubcast import config, log
from dubcast.clock import Clock, SystemClock, ns_to_s, s_to_ns
from dubcast.config import Settings
from dubcast.contract.hooks import HookEvent
from dubcast.contract.ids import ingest_path, is_stream_id, output_path, stream_id_of_ingest
from dubcast.contract.worker import WorkerState, WorkerStatus
from dubcast.errors import ConfigError, MediaServerError
from dubcast.mediaserver.base import MediaServer, PathSource
from dubcast.metrics import OrchestratorMetrics
from dubcast.orchestrator.budget import BudgetPolicy
from dubcast.orchestrator.launch import Launcher
from dubcast.orchestrator.placement.base import PASSTHROUGH, Child, ChildSpec, Placement
from dubcast.orchestrator.stream import Action, Event, Stream, StreamPolicy, StreamState
from dubcast.orchestrator.supervisor import (
    WORKER_BACKOFF,
    ChildState,
    Fate,
    Supervisor,
    SupervisorPolicy,
)

_logger = log.get("orchestrator")
_FORGET_S = 300.0  # how long an idle stream is still listed
_LEAST_PAUSE_S = 0.1  # between two looks, however many hooks come
_TERM_MARGIN_S = 3.0  # beyond what a worker may take to play out


class Actor:
    """One stream: its state, and the supervisors of its children."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.supervisors: dict[str, Supervisor] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.told: StreamState | None = None  # what the metrics know

    @property
    def worker(self) -> Supervisor | None:
        return next((one for one in self.supervisors.values() if one.spec.role == "worker"), None)


class Orchestrator:
    """Call `run`; everything else may be called from the same event loop while it runs."""

    def __init__(
        self,
        settings: Settings,
        server: MediaServer,
        placement: Placement,
        *,
        launcher: Launcher | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._server = server
        self._placement = placement
        self._launcher = launcher or Launcher(settings, server)
        self._clock = clock or SystemClock()
        self._hinted = asyncio.Event()
        self._actors: dict[str, Actor] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._observed_ns: int | None = None
        self.metrics = OrchestratorMetrics()
        own = settings.orchestrator
        self._stream_policy = StreamPolicy(grace_s=own.grace_s)
        self._policies = supervisor_policies(settings)

    async def run(self) -> None:
        """Adopt what still runs, reconcile until cancelled, then stop or leave the children."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await self._adopt()
                while True:
                    await self._reconcile()
                    await self._pause()
            finally:
                if self._settings.orchestrator.on_stop == "leave":
                    self._release()

    def hint(self) -> None:
        """Something may have changed: look now, not at the next turn."""
        self._hinted.set()

    def hooked(self, event: HookEvent) -> bool:
        """A hook came. It is a hint and no more; False if its path is none of ours."""
        if stream_id_of_ingest(event.path) is None:
            return False
        self.hint()
        return True

    @property
    def ready(self) -> bool:
        """True if the media server answered lately."""
        if self._observed_ns is None:
            return False
        age_s = ns_to_s(self._clock.monotonic_ns() - self._observed_ns)
        return age_s < 3 * self._settings.orchestrator.reconcile_s + 2

    @property
    def active(self) -> int:
        """Streams that hold a place."""
        idle = (StreamState.IDLE, StreamState.FAILED)
        return sum(actor.stream.state not in idle for actor in self._actors.values())

    def has_room_for(self, stream_id: str) -> bool:
        """True if a publisher of this stream could be served."""
        actor = self._actors.get(stream_id)
        if actor is not None and actor.stream.state is not StreamState.IDLE:
            return True
        return self.active < self._placement.capacity()

    # ---- reconciling ----------------------------------------------------------------------

    async def _pause(self) -> None:
        # Any number of hooks that come meanwhile is one look.
        await asyncio.sleep(_LEAST_PAUSE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.orchestrator.reconcile_s):
                await self._hinted.wait()
        self._hinted.clear()

    async def _reconcile(self) -> None:
        """Look once, and act on what is seen."""
        try:
            paths = await self._server.ready_paths()
        except MediaServerError as error:
            # Not seen is not gone: the streams stay as they are until it answers again.
            _logger.warning("media_server.away", reason=str(error))
            self._tick()
            return
        self._observed_ns = self._clock.monotonic_ns()
        published = self._published(paths)
        for stream_id in published:
            if stream_id not in self._actors:
                self._actors[stream_id] = self._new_actor(stream_id)
        for stream_id, actor in list(self._actors.items()):
            self._observe(actor, published.get(stream_id))
        self._drop_old()

    def _published(self, paths: dict[str, PathSource]) -> dict[str, PathSource]:
        """Stream id -> its publisher, for the streams that are to be served."""
        known = self._settings.orchestrator
        found = {stream_id_of_ingest(path): source for path, source in paths.items()}
        return {
            stream_id: source
            for stream_id, source in found.items()
            if stream_id is not None and (known.open_ingest or stream_id in known.streams)
        }

    def _observe(self, actor: Actor, source: PathSource | None) -> None:
        stream = actor.stream
        full = stream.state is StreamState.IDLE and self.active >= self._placement.capacity()
        if source is not None and full:
            stream.reason = "no_capacity"
            return
        self._act(actor, stream.observed(source, self._clock.monotonic_ns()))

    def _tick(self) -> None:
        for actor in self._actors.values():
            self._act(actor, actor.stream.tick(self._clock.monotonic_ns()))

    def _new_actor(self, stream_id: str) -> Actor:
        now_ns = self._clock.monotonic_ns()
        return Actor(Stream(stream_id, self._stream_policy, now_ns))

    def _drop_old(self) -> None:
        now_ns = self._clock.monotonic_ns()
        for stream_id, actor in list(self._actors.items()):
            stream = actor.stream
            is_old = now_ns - stream.since_ns > s_to_ns(_FORGET_S)
            if stream.state is StreamState.IDLE and not actor.tasks and is_old:
                del self._actors[stream_id]
                self._clear_metrics(stream_id)

    # ---- children -------------------------------------------------------------------------

    def _act(self, actor: Actor, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if action is Action.START:
                self._start(actor, {})
            else:
                self._stop(actor)
        self._report(actor)

    def _start(self, actor: Actor, running: dict[str, Child]) -> None:
        """Start what the stream needs; `running` children are adopted instead."""
        stream = actor.stream
        query = stream.source.query if stream.source else ""
        for spec in self._launcher.children(stream.stream_id, query):
            self._supervise(actor, spec, running.pop(spec.key, None))
        _logger.info("stream.start", streamId=stream.stream_id, children=len(actor.tasks))

    def _supervise(self, actor: Actor, spec: ChildSpec, adopted: Child | None) -> None:
        supervisor = Supervisor(
            spec,
            self._placement,
            self._clock,
            self._policies[spec.role],
            lambda one: self._child_news(actor, one),
            adopted,
        )
        assert self._tasks is not None
        actor.supervisors[spec.key] = supervisor
        actor.tasks[spec.key] = self._tasks.create_task(
            self._guarded(actor, supervisor), name=spec.key
        )

    async def _guarded(self, actor: Actor, supervisor: Supervisor) -> None:
        """One child's whole life. What breaks here must not end the other streams."""
        try:
            await supervisor.run()
        except Exception as error:  # noqa: BLE001 - task border: one child's fault stays its own
            _logger.error("supervisor.broken", child=supervisor.spec.key, reason=repr(error))
            supervisor.life.state = ChildState.FAILED
        finally:
            self._ended(actor, supervisor)

    def _ended(self, actor: Actor, supervisor: Supervisor) -> None:
        """A child will not run again; with the last one the stream is stopped."""
        actor.tasks.pop(supervisor.spec.key, None)
        if not actor.tasks:
            if actor.stream.state is StreamState.STOPPING:
                actor.supervisors.clear()
            actor.stream.stopped(self._clock.monotonic_ns())
            self.hint()  # a publisher may have returned meanwhile
        self._report(actor)

    def _release(self) -> None:
        """Leave what runs to the next orchestrator."""
        for actor in self._actors.values():
            for supervisor in actor.supervisors.values():
                supervisor.release()

    def _stop(self, actor: Actor) -> None:
        _logger.info("stream.stop", streamId=actor.stream.stream_id, reason=actor.stream.reason)
        for task in list(actor.tasks.values()):
            task.cancel()

    def _child_news(self, actor: Actor, supervisor: Supervisor) -> None:
        """A supervisor has heard something of its child."""
        if supervisor.spec.role == "worker":
            self._count_restarts(actor, supervisor)
            event, reason = _worker_event(supervisor)
            self._act(actor, actor.stream.worker(event, reason, self._clock.monotonic_ns()))
        else:
            self._report(actor)

    def _count_restarts(self, actor: Actor, supervisor: Supervisor) -> None:
        new = supervisor.life.restarts - supervisor.restarts_told
        if new > 0:
            self.metrics.worker_restarts.labels(actor.stream.stream_id).inc(new)
            supervisor.restarts_told += new

    async def _adopt(self) -> None:
        """Take over the children of an earlier orchestrator."""
        running = {child.key: child for child in await self._placement.list()}
        wanted = {key.split(":")[1] for key in running if key.count(":") >= 1}
        for stream_id in sorted(wanted):
            if is_stream_id(stream_id):
                actor = self._actors[stream_id] = self._new_actor(stream_id)
                actor.stream.adopted(self._clock.monotonic_ns())
                self._start(actor, running)
        for child in running.values():  # of a destination that is no longer wanted
            _logger.warning("child.unwanted", child=child.key)
            child.terminate()
            self._placement.forget(child)

    # ---- what is told ---------------------------------------------------------------------

    def _report(self, actor: Actor) -> None:
        stream = actor.stream
        for state in StreamState if stream.state is not actor.told else ():
            gauge = self.metrics.stream_state.labels(stream.stream_id, state.value)
            gauge.set(1 if state is stream.state else 0)
        actor.told = stream.state
        for one in actor.supervisors.values():
            if one.spec.role == "egress":
                up = (one.status or {}).get("state") == "live"
                self.metrics.egress_up.labels(stream.stream_id, one.spec.name).set(up)

    def _clear_metrics(self, stream_id: str) -> None:
        for state in StreamState:
            with contextlib.suppress(KeyError):
                self.metrics.stream_state.remove(stream_id, state.value)

    def metrics_targets(self) -> list[dict[str, Any]]:
        """Workers and forwarders in the form of Prometheus' HTTP service discovery."""
        return [
            {"targets": [f"127.0.0.1:{one.port}"], "labels": {"role": one.spec.role}}
            for actor in self._actors.values()
            for one in actor.supervisors.values()
            if one.port
        ]

    def streams(self) -> list[dict[str, Any]]:
        """Every stream as plain values."""
        return [self._describe(actor) for _, actor in sorted(self._actors.items())]

    def stream(self, stream_id: str) -> dict[str, Any] | None:
        """One stream as plain values, or None."""
        actor = self._actors.get(stream_id)
        return self._describe(actor) if actor else None

    def _describe(self, actor: Actor) -> dict[str, Any]:
        stream = actor.stream
        age_ns = self._clock.monotonic_ns() - stream.since_ns
        source = stream.source
        worker = actor.worker
        return {
            "id": stream.stream_id,
            "state": stream.state.value,
            "reason": stream.reason,
            "since_s": round(ns_to_s(age_ns), 3),
            "sessions": stream.sessions,
            "source": {"id": source.source_id, "type": source.source_type} if source else None,
            "input": self._server.read_url(ingest_path(stream.stream_id)),
            "output": self._server.read_url(output_path(stream.stream_id)),
            "worker": _describe_child(worker) if worker else None,
            "destinations": [
                {"name": one.spec.name, **_describe_child(one)}
                for one in actor.supervisors.values()
                if one.spec.role == "egress"
            ],
        }


def _worker_event(supervisor: Supervisor) -> tuple[Event, str]:
    """What the news of a worker means for its stream."""
    life = supervisor.life
    if life.state is ChildState.FAILED:
        last = WorkerStatus.read(supervisor.last_status)
        refusal = last.reason if last and last.state is WorkerState.REFUSED else ""
        return Event.WORKER_FAILED, refusal or "worker_cannot_start"
    if supervisor.passthrough:
        return Event.WORKER_DEGRADED, PASSTHROUGH
    if life.state is not ChildState.RUNNING:
        return Event.WORKER_LOST, f"worker_{life.fate or Fate.CRASHED}"
    status = WorkerStatus.read(supervisor.status)
    if status is None:
        return Event.WORKER_WAITING, ""
    if status.state is WorkerState.LIVE and status.resuming:
        return Event.WORKER_DEGRADED, "resuming"
    if status.state is WorkerState.LIVE:
        return Event.WORKER_LIVE, status.reason or "on_air"
    if status.state is WorkerState.OUTPUT_LOST:
        return Event.WORKER_DEGRADED, status.reason or status.state
    return Event.WORKER_WAITING, status.reason or status.state


def _describe_child(one: Supervisor) -> dict[str, Any]:
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


def supervisor_policies(settings: Settings) -> dict[str, SupervisorPolicy]:
    """Role -> the times and limits of its supervisors."""
    own = settings.orchestrator
    egress = SupervisorPolicy(
        start_timeout_s=own.start_timeout_s, heartbeat_timeout_s=own.heartbeat_timeout_s
    )
    limit_mb = own.worker_memory_mb
    worker = replace(
        egress,
        term_s=settings.worker.drain_s + _TERM_MARGIN_S,
        memory_bytes=limit_mb * 1024 * 1024 if limit_mb else None,
        backoff=WORKER_BACKOFF,
        budget=BudgetPolicy(own.crash_budget, own.crash_window_s, own.quiet_s),
    )
    return {"worker": worker, "egress": egress}


class InstanceLock:
    """One orchestrator per state folder: a second one would stop the first one's children."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Raises ConfigError if another orchestrator holds it. The kernel frees it at exit."""
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise ConfigError(
                f"another orchestrator, or `dubcast up`, runs with the state folder "
                f"{self._path.parent}; set orchestrator.state_dir or orchestrator.port"
            ) from error

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def state_folder(settings: Settings) -> Path:
    """Where running children are noted, one folder per orchestrator (by its port)."""
    own = settings.orchestrator
    return (own.state_dir or config.state_dir()) / f"orchestrator-{own.port}"
