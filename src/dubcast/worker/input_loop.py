"""Reads the source, and reads it again when it ends, until the stream is over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dubcast import log
from dubcast.clock import ns_to_s
from dubcast.errors import InputError
from dubcast.worker.core import WorkerCore
from dubcast.worker.edges import Edges, InputCallbacks, InputUnit
from dubcast.worker.fragment import Fragment
from dubcast.worker.spec import WorkerSpec
from dubcast.worker.standing import Standing
from dubcast.worker.waiting import End, resolve, until

_INPUT_MARGIN_S = 1.0
_AGAIN_AFTER_S = 0.3
# A worker that gets ready for a publisher is there before it: it is read as soon as it can be.
_AT_FIRST_AFTER_S = 0.1
_AT_FIRST_S = 5.0
_LAST_PUSH_S = 1.0  # what was pushed last is still on its way

_log = log.get("worker")


class Then(StrEnum):
    """What follows an end that is no refusal."""

    AGAIN = "again"  # read it again
    PLAY_OUT = "play_out"  # a file has ended: all of it leaves, then the stream is over
    OVER = "over"  # the publisher stayed away
    UNREADABLE = "unreadable"  # an error: there was nothing to read


@dataclass(frozen=True)
class Gone:
    """A source that ended. `begun`: it ever gave media; `drained`: nothing of it is held."""

    failed: bool  # with an error
    gone_s: float  # since the last media
    begun: bool
    drained: bool


def what_then(spec: WorkerSpec, gone: Gone) -> Then:
    """Whether to read the source again."""
    if spec.end_with_input:
        return Then.UNREADABLE if gone.failed else Then.PLAY_OUT
    if spec.input_patience_s is None or gone.gone_s <= spec.input_patience_s:
        return Then.AGAIN
    if spec.must_begin and not gone.begun:
        return Then.UNREADABLE
    return Then.OVER if gone.drained else Then.AGAIN


class InputLoop:
    """Reads one source into the core; what speech it completes is handed to `submit`.

    `sessions` counts the reads that gave media. `refusal` is set if the source was refused.
    """

    def __init__(
        self,
        spec: WorkerSpec,
        edges: Edges,
        core: WorkerCore,
        standing: Standing,
        submit: Callable[[list[Fragment]], None],
    ) -> None:
        self._spec = spec
        self._edges = edges
        self._core = core
        self._standing = standing
        self._submit = submit
        self._loop: asyncio.AbstractEventLoop
        self._gone_since: int | None = None
        self._said = ""
        self._refused: InputError | None = None
        self.sessions = 0
        self.refusal: InputError | None = None

    async def run(self) -> None:
        """Read until the stream is over: refused, played out, or left by its publisher.

        Raises InputError if there is nothing to read. Cancelling ends the read under way.
        """
        self._loop = asyncio.get_running_loop()
        while True:
            kind, message = await self._read()
            self._standing.step("input_down", kind)
            if kind == "refused":
                self.refusal = self._refused
                return
            if message != self._said:
                self._said = message
                _log.info("input ended", kind=kind, reason=message)
            if await self._is_over(kind, message):
                return
            await asyncio.sleep(self._again_after_s())

    async def _read(self) -> End:
        """Read the source once, to its end."""
        ended: asyncio.Future[End] = self._loop.create_future()
        # What is held plays on meanwhile: a network that stalls for less is not noticed.
        patience_s = self._spec.policy.delay_s + _INPUT_MARGIN_S
        url = self._spec.source.get_secret_value()
        source = self._edges.make_input(url, self._callbacks(ended), patience_s)
        before = self.sessions
        source.play()
        try:
            end = await ended
        finally:
            await self._edges.blocking(source.stop)
            self._submit(self._core.input_ended())
        if self.sessions > before or self._gone_since is None:
            self._gone_since = self._edges.clock.monotonic_ns()
        return end

    def _again_after_s(self) -> float:
        at_first = not self.sessions and self._gone_s() < _AT_FIRST_S
        return _AT_FIRST_AFTER_S if at_first else _AGAIN_AFTER_S

    def _gone_s(self) -> float:
        assert self._gone_since is not None
        return ns_to_s(self._edges.clock.monotonic_ns() - self._gone_since)

    async def _is_over(self, kind: str, message: str) -> bool:
        begun = self.sessions > 0
        gone = Gone(kind == "error", self._gone_s(), begun, self._core.drained)
        then = what_then(self._spec, gone)
        if then is Then.UNREADABLE:
            raise InputError(
                f"{log.redact_url(self._spec.source.get_secret_value())} cannot be read: {message}"
            )
        if then is Then.PLAY_OUT:
            await until(lambda: self._core.drained)
            await asyncio.sleep(_LAST_PUSH_S)
        return then is not Then.AGAIN

    def _callbacks(self, ended: asyncio.Future[End]) -> InputCallbacks:
        """What the threads of one read call."""
        first = threading.Event()
        clock, core, loop = self._edges.clock, self._core, self._loop

        def began() -> None:
            if not first.is_set():
                first.set()
                loop.call_soon_threadsafe(self._session_began)

        def video(unit: InputUnit) -> None:
            now = clock.monotonic_ns()
            core.video(unit.pts, unit.dts, unit.key, unit.payload, unit.config, now)
            began()

        def audio(pts: int, pcm: bytes) -> None:
            fragments = core.audio(pts, pcm, clock.monotonic_ns())
            began()
            if fragments:
                loop.call_soon_threadsafe(self._submit, fragments)

        def refused(reason: str, message: str) -> None:
            self._refused = InputError(message, reason=reason, retryable=False)
            loop.call_soon_threadsafe(resolve, ended, ("refused", message))

        def end(kind: str, message: str) -> None:
            loop.call_soon_threadsafe(resolve, ended, (kind, message))

        return InputCallbacks(video, audio, core.script, refused, end)

    def _session_began(self) -> None:
        self.sessions += 1
        self._standing.step("input_up")
