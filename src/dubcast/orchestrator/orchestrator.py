"""The orchestrator: makes what runs agree with what is published.

One event loop owns every stream's state. Observations and the news of children are steps of the
stream's `Actor`, plain calls that nothing can come between; only the reconciler looks at the media
server. Hooks change nothing: they only make it look sooner. For a publisher that was let in a
worker gets ready, as the server may list it seconds later.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from dubcast import log
from dubcast.addresses import reachable
from dubcast.clock import Clock, SystemClock, ns_to_s, s_to_ns
from dubcast.config import Settings
from dubcast.contract.hooks import HookEvent
from dubcast.contract.ids import is_stream_id, output_path, stream_id_of_ingest
from dubcast.contract.streams import StreamReason, StreamState
from dubcast.errors import MediaServerError
from dubcast.mediaserver.interface import MediaServer, PathSource
from dubcast.metrics import OrchestratorMetrics
from dubcast.orchestrator import report
from dubcast.orchestrator.actor import Actor
from dubcast.orchestrator.children import ChildTasks, supervisor_policies
from dubcast.orchestrator.launch import Launcher
from dubcast.orchestrator.placement.driver import Placement
from dubcast.orchestrator.stream import Stream, StreamPolicy

_logger = log.get("orchestrator")
_FORGET_S = 300.0  # how long an idle stream is still listed
_LEAST_PAUSE_S = 0.1  # between two looks, however many hooks come


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
        self._children = ChildTasks(placement, self._clock, supervisor_policies(settings))
        self._hinted = asyncio.Event()
        self._actors: dict[str, Actor] = {}
        self._observed_ns: int | None = None
        self.metrics = OrchestratorMetrics()
        self._meters = report.StreamMeters(self.metrics)

    async def run(self) -> None:
        """Adopt what still runs, reconcile until cancelled, then stop or leave the children."""
        async with asyncio.TaskGroup() as tasks:
            self._children.group = tasks
            try:
                await self._adopt()
                while True:
                    await self._reconcile()
                    await self._pause()
            finally:
                if self._settings.orchestrator.on_stop == "leave":
                    for actor in self._actors.values():
                        actor.release()

    def hint(self) -> None:
        """Something may have changed: look now, not at the next turn."""
        self._hinted.set()

    def hooked(self, event: HookEvent) -> bool:
        """A hook came. It is a hint and no more; False if its path is none of ours."""
        if stream_id_of_ingest(event.path) is None:
            return False
        self.hint()
        return True

    def let_in(self, path: str, protocol: str, query: str) -> None:
        """A publisher of `path` was let in: where the server takes its time to list it, a worker
        gets ready. Before the first look it is not known what runs."""
        stream_id = stream_id_of_ingest(path)
        source = self._server.expected(path, protocol, query)
        if stream_id is None or source is None or self._observed_ns is None:
            return
        if stream_id not in self._actors:
            self._actors[stream_id] = self._new_actor(stream_id)
        self._actors[stream_id].requested(source)

    # ---- what is told ---------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """True if the media server answered lately."""
        if self._observed_ns is None:
            return False
        age_s = ns_to_s(self._clock.monotonic_ns() - self._observed_ns)
        return age_s < 3 * self._settings.orchestrator.reconcile_s + 2

    def has_room_for(self, stream_id: str) -> bool:
        """True if a publisher of this stream could be served."""
        actor = self._actors.get(stream_id)
        if actor is not None and actor.stream.state is not StreamState.IDLE:
            return True
        return not self._is_full()

    def streams(self) -> list[dict[str, Any]]:
        """Every stream as plain values."""
        return [self._describe(actor) for _, actor in sorted(self._actors.items())]

    def stream(self, stream_id: str) -> dict[str, Any] | None:
        """One stream as plain values, or None."""
        actor = self._actors.get(stream_id)
        return self._describe(actor) if actor else None

    def metrics_targets(self) -> list[dict[str, Any]]:
        """Workers, forwarders and the media server, for Prometheus' HTTP service discovery."""
        return report.metrics_targets(
            self._actors.values(),
            reachable(self._settings.worker.metrics_host),
            self._server.metrics_address(),
        )

    def _describe(self, actor: Actor) -> dict[str, Any]:
        return report.describe(actor, self._server, self._clock.monotonic_ns())

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
            for actor in self._actors.values():
                actor.tick()
            return
        self._observed_ns = self._clock.monotonic_ns()
        published = self._published(paths)
        for stream_id in published:
            if stream_id not in self._actors:
                self._actors[stream_id] = self._new_actor(stream_id)
        for stream_id, actor in list(self._actors.items()):
            is_listed = output_path(stream_id) in paths
            self._observe(actor, published.get(stream_id), output_ready=is_listed)
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

    def _observe(self, actor: Actor, source: PathSource | None, *, output_ready: bool) -> None:
        is_new = actor.stream.state is StreamState.IDLE
        if source is not None and is_new and self._is_full():
            actor.stream.reason = StreamReason.NO_CAPACITY
            return
        refusal = self._server.refusal(source) if source is not None else None
        if source is not None and refusal is not None:
            actor.refused(source, refusal)
        else:
            actor.observed(source, output_ready=output_ready)

    def _is_full(self) -> bool:
        active = sum(actor.holds_place for actor in self._actors.values())
        return active >= self._placement.capacity()

    def _new_actor(self, stream_id: str) -> Actor:
        policy = StreamPolicy(grace_s=self._settings.orchestrator.grace_s)
        stream = Stream(stream_id, policy, self._clock.monotonic_ns())
        # When all have ended, a publisher may have returned meanwhile; when the worker says that
        # media leaves, the output may be listed: the hint.
        return Actor(
            stream, self._launcher, self._children, self._clock, self._meters.show, self.hint
        )

    def _drop_old(self) -> None:
        now_ns = self._clock.monotonic_ns()
        for stream_id, actor in list(self._actors.items()):
            stream = actor.stream
            is_old = now_ns - stream.since_ns > s_to_ns(_FORGET_S)
            if stream.state is StreamState.IDLE and not actor.has_running and is_old:
                del self._actors[stream_id]
                self._meters.forget(stream_id)

    async def _adopt(self) -> None:
        """Take over the children of an earlier orchestrator."""
        running = {child.key: child for child in await self._placement.list()}
        wanted = {key.split(":")[1] for key in running if key.count(":") >= 1}
        for stream_id in sorted(wanted):
            if is_stream_id(stream_id):
                actor = self._actors[stream_id] = self._new_actor(stream_id)
                actor.adopt(running)
        for child in running.values():  # of a destination that is no longer wanted
            _logger.warning("child.unwanted", child=child.key)
            self._children.end_unwanted(child)
