"""Publishes the stream: one connection after the other, for as long as there is media."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass
from math import inf

from dubcast import log
from dubcast.backoff import Backoff, BackoffPolicy
from dubcast.clock import ns_to_s
from dubcast.config import SecretUrl
from dubcast.metrics import WorkerMetrics
from dubcast.worker.core import CoreView, WorkerCore
from dubcast.worker.edges import Edges, Output
from dubcast.worker.outlet import Outlet
from dubcast.worker.scheduler import Tracks
from dubcast.worker.standing import Standing
from dubcast.worker.waiting import End, resolve, until

_TRACK_WAIT_S = 1.5  # a track that has not shown up by then is missing
# Of the first connection nothing is due yet, at the shortest delay too, and a server that keeps no
# group of pictures has its first key frame up to 2 s later: with it, one connection is enough.
_FIRST_TRACK_WAIT_S = 2.25
# After a crash a picture that comes later would be shown only at the full delay; a server that
# keeps no group of pictures has its next key frame 2 s later, or 4.
_PICTURE_WAIT_S = 4.5
_LOOK_S = 0.05
# The media server is near, and everyone waits for it: tried often, for however long it is away.
_BACKOFF = BackoffPolicy(first_s=0.5, floor_s=0.1, cap_s=2.0, reset_s=10.0)
_SETTLED_S = 1.0  # a server may accept and refuse within this time
_ANSWER_S = 10.0  # a server that has not taken the publish by then never will
_NO_ANSWER = "the destination does not answer"
_ROUND_S = 0.25
_LONGEST_BACKLOG_S = 10.0
# A connection with a picture is prepared so long before its first one leaves.
_PICTURE_AHEAD_S = 1.0
_FINISH_S = 5.0  # the one before it takes its last so soon, or does without

_log = log.get("worker")


@dataclass
class _Connection:
    """An output, and its end once it has come."""

    output: Output
    ended: asyncio.Future[End]
    opened_ns: int
    taken_ns: int | None = None  # when the server was seen to have taken the publish
    sent: int = 0  # bytes of media, when it was last looked at


class Publisher:
    """Keeps an output connected. `outlet` is where media goes."""

    def __init__(
        self,
        url: SecretUrl,
        edges: Edges,
        core: WorkerCore,
        standing: Standing,
        metrics: WorkerMetrics,
    ) -> None:
        self._url = url
        self._edges = edges
        self._core = core
        self._standing = standing
        self._up = metrics.publish_up.labels(metrics.stream)
        self.outlet = Outlet()
        self.restarts = 0
        self.b_frames = False  # on the connection that was looked at last
        self._over = False
        self._changing = False  # a connection takes over from another
        self.taken = False  # a server took the publish, and has not taken that back at once
        self.unanswered = ""  # of the last connection: the words for that it was not taken

    @property
    def output(self) -> Output | None:
        """The connection that takes media now, if there is one."""
        return self.outlet.output

    @property
    def on(self) -> bool:
        """True while there is a connection, or what is due is kept for the next."""
        return self._changing or self.outlet.output is not None

    async def run(self) -> None:
        """Publish; when the destination goes away, publish again with growing pauses."""
        backoff = Backoff(_BACKOFF, random.Random())
        clock = self._edges.clock
        while True:
            await self._tracks_known()
            started = clock.monotonic_ns()
            try:
                reason = await self._publish()
            finally:
                await self._close_output()
            if self._over:
                return
            self._standing.step("output_down", reason)
            retry_s = ns_to_s(backoff.failed(ns_to_s(clock.monotonic_ns() - started)))
            self.restarts += 1
            _log.warning("output lost", reason=reason, retry_s=round(retry_s, 2))
            await asyncio.sleep(retry_s)

    async def finish(self) -> None:
        """Send what is held to its last sample, and end; for a stream that is over."""
        self._over = True
        await until(lambda: not self._changing)
        output = self.outlet.close()
        if output is not None:
            await self._edges.blocking(output.finish)
            await self._edges.blocking(output.stop)

    async def _tracks_known(self) -> None:
        # A server cuts a publisher that sends nothing: without media there is no output.
        await until(lambda: not self._core.drained)
        began_ns = self._edges.clock.monotonic_ns()
        while True:
            view = self._core.view()
            if view.has_video and view.has_audio:
                return
            if self._since_s(began_ns) >= self._patience_s(view):
                break
            await asyncio.sleep(_LOOK_S)
        _log.warning("track missing", video=view.has_video, audio=view.has_audio)

    def _patience_s(self, view: CoreView) -> float:
        """For how long a track that has not shown up is waited for."""
        if view.resuming and not view.has_video:
            return _PICTURE_WAIT_S
        return _TRACK_WAIT_S if self.restarts else _FIRST_TRACK_WAIT_S

    async def _publish(self) -> str:
        """Publish until the connection is lost or of no more use; why.

        One without a picture is followed by one with it, when there is one.
        """
        connection = self._connection(self._core.view().video_config)
        self._core.set_output(Tracks.BOTH if connection.output.has_video else Tracks.SOUND)
        self.outlet.open(connection.output)
        while True:
            reason = await self._last(connection)
            if reason is not None:
                return reason
            connection = await self._with_picture(connection)

    def _connection(self, video_config: bytes | None) -> _Connection:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[End] = loop.create_future()

        def on_end(kind: str, message: str) -> None:
            loop.call_soon_threadsafe(resolve, ended, (kind, message))

        output = self._edges.make_output(self._url.get_secret_value(), video_config, on_end)
        output.play()
        self.unanswered = _NO_ANSWER
        return _Connection(output, ended, self._edges.clock.monotonic_ns())

    async def _last(self, connection: _Connection) -> str | None:
        """Keep a connection for as long as it lasts; why it ended, None: a picture is due on it."""
        output, ended = connection.output, connection.ended
        while not ended.done():
            await asyncio.wait([ended], timeout=_ROUND_S)
            if not ended.done():
                self._look(connection)
            if connection.taken_ns is None and self._since_s(connection.opened_ns) > _ANSWER_S:
                return _NO_ANSWER
            if output.backlog_s() > _LONGEST_BACKLOG_S:
                return "the destination stopped reading"
            if self._until_picture_s() < _PICTURE_AHEAD_S:
                return None
        return ended.result()[1]

    def _look(self, connection: _Connection) -> None:
        """The output is up when the server took it, that lasts, and media leaves for it."""
        self.b_frames = connection.output.b_frames
        sent = connection.output.sent_bytes()
        if sent is None:
            return
        if connection.taken_ns is None:
            connection.taken_ns, self.unanswered = self._edges.clock.monotonic_ns(), ""
        self.taken = self.taken or self._since_s(connection.taken_ns) > _SETTLED_S
        leaves, connection.sent = sent > connection.sent, sent
        if self.taken and leaves:
            self._standing.step("output_up")
            self._up.set(1)

    def _since_s(self, at_ns: int) -> float:
        return ns_to_s(self._edges.clock.monotonic_ns() - at_ns)

    def _until_picture_s(self) -> float:
        first = self._core.view().first_picture
        return inf if first is None else ns_to_s(first[1] - self._edges.clock.monotonic_ns())

    async def _with_picture(self, before: _Connection) -> _Connection:
        """A connection that takes over from one without a picture, at the first key frame."""
        first = self._core.view().first_picture
        assert first is not None
        unit, _ = first
        self._changing = True
        self.outlet.split(unit.dts_ns)
        self._core.set_output(Tracks.BOTH)
        await until(lambda: before.ended.done() or self.outlet.split_over)
        self.outlet.close()
        if not before.ended.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FINISH_S):
                    await self._edges.blocking(before.output.finish)
        await self._edges.blocking(before.output.stop)
        _log.info("picture begins")
        connection = self._connection(unit.config)
        self.outlet.open(connection.output)
        self._changing = False
        return connection

    async def _close_output(self) -> None:
        output = self.outlet.close()
        self.outlet.drop()
        self._changing = self.taken = False
        self._core.set_output(Tracks.NONE)
        self._up.set(0)
        if output is not None:
            await self._edges.blocking(output.stop)
