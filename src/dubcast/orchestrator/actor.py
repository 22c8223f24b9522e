"""One stream: its state, and the children that its state asks for.

Everything here is a plain call without an await: what the media server says, what a child tells
and what follows from it are one step, which no other task of the event loop can come between.
"""

from __future__ import annotations

from collections.abc import Callable

from dubcast import log
from dubcast.clock import Clock
from dubcast.contract.streams import StreamReason, StreamState
from dubcast.mediaserver.interface import PathSource
from dubcast.mediaserver.ways_in import TrackFault
from dubcast.orchestrator.children import ChildTasks, StreamChild
from dubcast.orchestrator.launch import Launcher
from dubcast.orchestrator.placement.driver import ChildSpec
from dubcast.orchestrator.stream import Action, Stream
from dubcast.orchestrator.worker_event import News, without_a_track, worker_event
from dubcast.processes.child import Child

_logger = log.get("orchestrator")


class Actor:
    """`changed` is called after each step; `look_soon` when the media server is worth a look: the
    last child is gone, or the output may be listed by now."""

    def __init__(
        self,
        stream: Stream,
        launcher: Launcher,
        tasks: ChildTasks,
        clock: Clock,
        changed: Callable[[Actor], None],
        look_soon: Callable[[], None],
    ) -> None:
        self.stream = stream
        self.children: dict[str, StreamChild] = {}
        self._launcher = launcher
        self._tasks = tasks
        self._clock = clock
        self._changed = changed
        self._look_soon = look_soon
        self._output_ready = False
        self._reads: str | None = None  # where the worker reads; None: not known of an adopted one

    @property
    def worker(self) -> StreamChild | None:
        """The worker, or what runs in its place."""
        return next((one for one in self.children.values() if one.spec.role == "worker"), None)

    @property
    def destinations(self) -> list[StreamChild]:
        """The forwarders, one per destination."""
        return [one for one in self.children.values() if one.spec.role == "egress"]

    @property
    def has_running(self) -> bool:
        """True while a child runs, or will be started again."""
        return any(one.task is not None for one in self.children.values())

    @property
    def holds_place(self) -> bool:
        """True while the stream counts against the machine's capacity."""
        return self.stream.state not in (StreamState.IDLE, StreamState.FAILED)

    def requested(self, source: PathSource) -> None:
        """`source` was let in; the media server lists it in a moment, or never."""
        self._carry_out(self.stream.requested(source, self._clock.monotonic_ns()))

    def observed(self, source: PathSource | None, *, output_ready: bool) -> None:
        """The media server's word: who publishes, or None, and whether it lists the output."""
        changed, self._output_ready = output_ready is not self._output_ready, output_ready
        self._carry_out(self.stream.observed(source, self._clock.monotonic_ns()))
        if source is not None:
            self._follow(source)
        worker = self.worker
        if changed and worker is not None and worker.supervisor.status is not None:
            self._child_news(worker)  # what it told last means something else now

    def refused(self, source: PathSource, refusal: TrackFault) -> None:
        """The media server's word: `source` publishes what cannot be served."""
        told = (source, refusal.reason, refusal.message)
        self._carry_out(self.stream.refused(*told, self._clock.monotonic_ns()))

    def tick(self) -> None:
        """Time has passed, and nothing is known of the publisher."""
        self._carry_out(self.stream.tick(self._clock.monotonic_ns()))

    def adopt(self, running: dict[str, Child]) -> None:
        """Take over those children of an earlier orchestrator that are this stream's, out of
        `running`; what is missing of them is started."""
        self.stream.adopted(self._clock.monotonic_ns())
        self._start(running)

    def release(self) -> None:
        """Leave what runs to the next orchestrator."""
        for child in self.children.values():
            child.supervisor.release()

    def _carry_out(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            match action:
                case Action.PREPARE:
                    self._prepare()
                case Action.START:
                    self._start({})
                case Action.STOP:
                    self._stop()
        self._changed(self)

    def _prepare(self) -> None:
        stream, source = self.stream, self.stream.requested_by
        assert source is not None
        self._start_child(self._launcher.worker(stream.stream_id, source), None)
        _logger.info("stream.expected", streamId=stream.stream_id)

    def _start(self, running: dict[str, Child]) -> None:
        stream, source = self.stream, self.stream.source
        self._reads = self._launcher.source_url(source) if source else None
        for spec in self._launcher.children(stream.stream_id, source):
            prepared = self.children.get(spec.key)
            if prepared is None or prepared.task is None:
                self._start_child(spec, running.pop(spec.key, None))
            elif not prepared.spec.is_run_as(spec):  # something else was expected
                prepared.become(spec, self._clock.monotonic_ns(), as_first=True)
        _logger.info("stream.start", streamId=stream.stream_id, children=len(self.children))

    def _start_child(self, spec: ChildSpec, adopted: Child | None) -> None:
        self.children[spec.key] = self._tasks.start(
            spec, adopted, self._child_news, self._child_ended
        )

    def _follow(self, source: PathSource) -> None:
        """Have the worker read where this publisher's tracks are: one that returned may have come
        by another protocol, or with other codecs."""
        url, worker = self._launcher.source_url(source), self.worker
        if worker is None or worker.task is None or url == self._reads:
            return
        spec = self._launcher.worker(self.stream.stream_id, source)
        worker.become(spec, None if self._reads is None else self._clock.monotonic_ns())
        self._reads = url

    def _stop(self) -> None:
        _logger.info("stream.stop", streamId=self.stream.stream_id, reason=self.stream.reason)
        for child in self.children.values():
            if child.task is not None:
                child.task.cancel()

    def _child_news(self, child: StreamChild) -> None:
        """A supervisor has heard something of its child."""
        if child.spec.role == "worker":
            tracks = self.stream.source.tracks if self.stream.source else ()
            news = worker_event(child.supervisor, output_ready=self._output_ready)
            self._worker_news(without_a_track(news, tracks))
        else:
            self._changed(self)

    def _worker_news(self, news: News) -> None:
        now_ns = self._clock.monotonic_ns()
        told = {"detail": news.detail, "message": news.message}
        self._carry_out(self.stream.worker(news.event, news.reason, now_ns, **told))
        awaited = self.stream.state in (StreamState.STARTING, StreamState.DEGRADED)
        if awaited and news.reason == StreamReason.OUTPUT_NOT_READY:
            self._look_soon()

    def _child_ended(self, _child: StreamChild) -> None:
        """A child will not run again; with the last one the stream is stopped."""
        if not self.has_running:
            if self.stream.state is StreamState.STOPPING:
                self.children.clear()
            self.stream.stopped(self._clock.monotonic_ns())
            self._look_soon()
        self._changed(self)
