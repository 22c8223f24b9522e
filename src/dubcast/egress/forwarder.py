"""The forwarder: runs the machine's decisions on a real ffmpeg.

ffmpeg is a process of its own, so that a third party's destination never touches the worker.
Its arguments hold the destination's URL, which other users of this machine can see in the
process list (ffmpeg 5 has no other way in); the arguments of dubcast's own processes do not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from dubcast import log
from dubcast.clock import Clock, SystemClock, ns_to_s
from dubcast.contract.streams import EgressFailure, EgressState, EgressStatus
from dubcast.egress import ffmpeg
from dubcast.egress.machine import Action, EgressMachine, EgressPolicy
from dubcast.processes.parent_death import die_with_parent

EXIT_STOPPED = 0
EXIT_BAD_CONFIG = 10
EXIT_INTERNAL = 50
# Of one try (`--once`), by why it ended.
EXIT_CODES = {
    EgressFailure.INPUT_NOT_READY: 20,
    EgressFailure.REFUSED: 30,
    EgressFailure.UNREACHABLE: 40,
    EgressFailure.LOST: 40,
    EgressFailure.STALLED: 40,
    EgressFailure.INTERNAL: EXIT_INTERNAL,
}
_TICK_S = 0.25
_LINE_LIMIT = 64 * 1024
_logger = log.get("egress")


class EgressMetrics:
    """What one forwarder reports."""

    def __init__(self, stream_id: str, destination: str) -> None:
        self.registry = CollectorRegistry()
        labels = {"stream": stream_id, "destination": destination}
        names = list(labels)
        up = Gauge(
            "dubcast_egress_up", "1 while a destination is live", names, registry=self.registry
        )
        again = Counter(
            "dubcast_egress_reconnects_total",
            "Destinations connected again",
            names,
            registry=self.registry,
        )
        self.up = up.labels(**labels)
        self.reconnects = again.labels(**labels)


class Forwarder:
    """One destination of one stream, for as long as `run` runs."""

    def __init__(
        self,
        stream_id: str,
        name: str,
        source: str,
        url: str,
        *,
        policy: EgressPolicy | None = None,
        clock: Clock | None = None,
        argv: Callable[[str, str], list[str]] = ffmpeg.argv,
    ) -> None:
        self.stream_id = stream_id
        self.name = name
        self._source = source
        self._url = url
        self._clock = clock or SystemClock()
        self._argv = argv
        self.machine = EgressMachine(policy or EgressPolicy(), random.Random())
        self.metrics = EgressMetrics(stream_id, name)
        self._process: asyncio.subprocess.Process | None = None
        self._story = ffmpeg.Story()
        self._bytes = 0
        self._finished = asyncio.Event()
        self._wake = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, *, once: bool = False) -> int:
        """Forward until `stop`; returns the exit code. `once`: one try, and the code says how."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await self._carry_out(self.machine.start(self._clock.monotonic_ns()))
            while not self._finished.is_set():
                await self._pause()
                if once and self.machine.last_failure is not None:
                    break
                self._look_at_queue()
                await self._carry_out(self.machine.tick(self._clock.monotonic_ns()))
                self._report()
            await self._reap()
        self._tasks = None
        failure = self.machine.last_failure
        return EXIT_CODES[failure] if once and failure is not None else EXIT_STOPPED

    def stop(self) -> None:
        """Ask `run` to end; it does within a few seconds. From the event loop's thread."""
        actions = self.machine.stop(self._clock.monotonic_ns())
        if Action.TERMINATE in actions:
            self._signal(signal.SIGTERM)
        if Action.FINISH in actions:
            self._finished.set()
        self._wake.set()

    def status(self) -> EgressStatus:
        """How it stands, without any URL. From any thread."""
        machine = self.machine
        now = self._clock.monotonic_ns()
        return EgressStatus(
            stream_id=self.stream_id,
            destination=self.name,
            state=machine.state,
            reason=machine.reason,
            since_s=round(ns_to_s(now - machine.since_ns), 3) if machine.since_ns else 0.0,
            connects=machine.connects,
            tries=machine.tries,
            bytes=self._bytes,
            last_error=self._story.last_error,
        )

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TICK_S):
                await self._wake.wait()
        self._wake.clear()

    def _look_at_queue(self) -> None:
        now = self._clock.monotonic_ns()
        if self._process is not None and self.machine.asks(now):
            self.machine.under_way(now, sum(ffmpeg.queued_bytes(self._process.pid)))

    async def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            if action is Action.SPAWN:
                await self._spawn()
            elif action is Action.TERMINATE:
                self._signal(signal.SIGTERM)
            elif action is Action.KILL:
                self._signal(signal.SIGKILL)
            else:
                self._finished.set()

    async def _spawn(self) -> None:
        self._story, self._bytes = ffmpeg.Story(), 0
        _logger.info("egress.try", destination=self.name, attempt=self.machine.tries)
        argv = die_with_parent(self._argv(self._source, self._url), os.getpid())
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LINE_LIMIT,
                start_new_session=True,
            )
        except OSError as error:
            _logger.error("egress.spawn_failed", reason=str(error))
            await self._carry_out(
                self.machine.exited(self._clock.monotonic_ns(), EgressFailure.INTERNAL)
            )
            return
        self._process = process
        assert self._tasks is not None
        self._tasks.create_task(self._follow(process, self._story), name="ffmpeg")

    async def _follow(self, process: asyncio.subprocess.Process, story: ffmpeg.Story) -> None:
        """Read what one ffmpeg says until it has ended."""
        assert process.stdout and process.stderr
        async with asyncio.TaskGroup() as readers:
            readers.create_task(self._progress(process, process.stdout))
            readers.create_task(self._words(process.stderr, story))
            code = await process.wait()
        failure = story.failure()
        # An exit is a failure whatever its code: ffmpeg ends with 0 when its input dies.
        await self._carry_out(self.machine.exited(self._clock.monotonic_ns(), failure))
        machine = self.machine
        _logger.info(
            "egress.ended",
            destination=self.name,
            code=code,
            state=machine.state.value,
            reason=machine.reason,
            error=story.last_error,
        )
        self._wake.set()

    async def _progress(
        self, process: asyncio.subprocess.Process, stream: asyncio.StreamReader
    ) -> None:
        async for line in stream:
            key, _, value = line.decode(errors="replace").strip().partition("=")
            if key != "total_size" or not value.isdigit():
                continue
            taken = max(0, int(value) - ffmpeg.queued_bytes(process.pid).unsent)
            was = self.machine.state
            self._bytes = int(value)
            self.machine.progressed(self._clock.monotonic_ns(), taken)
            if self.machine.state is EgressState.LIVE and was is not EgressState.LIVE:
                self._became_live()

    def _became_live(self) -> None:
        _logger.info("egress.live", destination=self.name)
        if self.machine.connects > 1:
            self.metrics.reconnects.inc()

    async def _words(self, stream: asyncio.StreamReader, story: ffmpeg.Story) -> None:
        while True:
            try:
                raw = await stream.readline()
            except ValueError:
                continue  # a line beyond the limit says nothing we know
            if not raw:
                return
            line = ffmpeg.without_secret(raw.decode(errors="replace").rstrip(), self._url)
            story.hear(line)
            _logger.debug("ffmpeg", line=line)

    def _report(self) -> None:
        self.metrics.up.set(1 if self.machine.state is EgressState.LIVE else 0)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _reap(self) -> None:
        """No ffmpeg stays behind."""
        if self._process is not None and self._process.returncode is None:
            self._signal(signal.SIGKILL)
            await self._process.wait()
