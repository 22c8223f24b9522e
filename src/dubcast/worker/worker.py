"""One stream's worker: the two pipelines, the output scheduler's thread and the service's client
around the core. Only this module starts threads and tasks for a stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dubcast import log
from dubcast.audio.pcm import RATE, Float, Int16
from dubcast.audio.stretch import stretch
from dubcast.audio.vad import SileroVad
from dubcast.backoff import Backoff, BackoffPolicy
from dubcast.clock import NS_PER_S, Clock, SystemClock
from dubcast.config import DumpSettings, StreamSettings, StsClientSettings
from dubcast.errors import InputError, StsError
from dubcast.metrics import WorkerMetrics
from dubcast.native import free_memory
from dubcast.separation.client import SeparationClient, SeparationState
from dubcast.worker import asrun, separating
from dubcast.worker.core import WorkerCore
from dubcast.worker.dumps import RollingDumps
from dubcast.worker.fragments import Fragment, Outcome
from dubcast.worker.gst.input import InputCallbacks, InputPipeline, InputUnit, scheme_of
from dubcast.worker.gst.output import OutputPipeline
from dubcast.worker.planner import band
from dubcast.worker.scheduler import Batch
from dubcast.worker.state import WorkerState, next_state
from dubcast.worker.sts_client import StsClient

# So long a refusal can be read from `/status`: a supervisor asks twice a second.
_TOLD_S = 1.5
_INPUT_MARGIN_S = 1.0
_REBUILD_INPUT_S = 0.3
_TRACK_WAIT_S = 1.5  # a track that has not shown up by then is missing
# The media server is near, and everyone waits for it: tried often, for however long it is away.
_OUTPUT_BACKOFF = BackoffPolicy(first_s=0.5, floor_s=0.1, cap_s=2.0, reset_s=10.0)
_LAST_PUSH_S = 0.3  # what was pushed last is still on its way
_SETTLED_S = 1.0  # a server may accept and refuse within this time
_LONGEST_BACKLOG_S = 10.0
_LONGEST_WAIT_S = 0.25
_ROUND_S = 1.0  # the event loop's beat
_FREE_EVERY_S = 10
_MAX_WAITING = 8  # fragments cut but not sent; more means that the service cannot keep up

_log = log.get("worker")


@dataclass(frozen=True)
class WorkerSpec:
    """What one worker does."""

    stream_id: str
    source: str
    destination: str
    policy: StreamSettings
    sts: StsClientSettings
    end_with_input: bool = False  # `run` on a file: stop when it has ended and all has left
    dumps: DumpSettings = field(default_factory=DumpSettings)
    models_dir: Path | None = None  # None: the user's cache folder
    input_patience_s: float | None = None  # stop when the source is gone this long
    must_begin: bool = False  # `run`: a source that never came is an error
    resume_delay_s: float | None = None  # after a crash: the delay to start with
    drain_s: float = 0.0  # on `stop`: play out what is held, at most so long


class Worker:
    """Runs one stream until it is stopped, refused, or (if so specified) its input has ended."""

    def __init__(
        self,
        spec: WorkerSpec,
        metrics: WorkerMetrics,
        on_fragment: Callable[[dict[str, Any]], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        scheme_of(spec.source)  # a bad source is refused before anything starts
        self.spec = spec
        self.run_id = uuid.uuid4().hex[:12]
        self._clock = clock or SystemClock()
        self._started = self._clock.monotonic_ns()
        self._unseparated_s = 0.0
        self._dumps = (
            RollingDumps(spec.dumps, spec.stream_id, self.run_id) if spec.dumps.dir else None
        )
        self._core = WorkerCore(spec.policy, self.run_id, SileroVad(), self._started, self._tap)
        chosen = separating.settings_of(spec.policy, spec.models_dir)
        self._peak_s: dict[str, float] = {}
        self._separation = SeparationClient(self._core.background, chosen) if chosen else None
        self._client = StsClient(spec.sts, spec.stream_id, spec.policy, self._clock.monotonic_ns)
        if spec.resume_delay_s is not None:
            self._core.resume(spec.resume_delay_s)
        self._metrics = metrics
        self._on_fragment = on_fragment or (lambda entry: None)
        self.state = WorkerState.WAITING
        self._since = self._started
        self.reason = ""
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._refused: InputError | None = None  # the latest, which may be damage
        self._refusal: InputError | None = None  # the one that ends the stream
        self._output: OutputPipeline | None = None
        self._output_restarts = 0
        self._sessions = 0
        self._waiting: deque[Fragment] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._last_call: asyncio.Task[None] | None = None  # of the fragment before
        self._quit = threading.Event()
        # When the event loop and the scheduler's thread last came round.
        self._beats = {"loop": self._started, "scheduler": self._started}

    def _tap(self, stem: str, start: int, samples: Int16 | Float) -> None:
        """What the core shows of each stem; called within its lock, and never waits."""
        if stem == "original" and self._separation is not None:
            self._separation.feed(start, samples.astype(np.int16, copy=False))
        if self._dumps is not None:
            self._dumps.offer(stem, start, samples)

    # -- life ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Run the stream. Raises InputError if the source carries what dubcast does not take."""
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        scheduler = threading.Thread(target=self._schedule, name="scheduler", daemon=True)
        scheduler.start()
        if self._separation is not None:
            self._separation.start()
        try:
            await self._supervise()
        finally:
            self._quit.set()
            await asyncio.to_thread(scheduler.join, 2)
            await self._client.close()
            for part in (self._separation, self._dumps):
                if part is not None:
                    await asyncio.to_thread(part.close)
        if self._refusal is not None:
            await asyncio.sleep(_TOLD_S)
            raise self._refusal

    def stop(self) -> None:
        """End the stream soon; from the loop's thread."""
        self._stop.set()

    async def _supervise(self) -> None:
        tasks = [
            asyncio.create_task(self._run_input(), name="input"),
            asyncio.create_task(self._run_output(), name="output"),
            asyncio.create_task(self._watch(), name="watch"),
        ]
        stop = asyncio.create_task(self._stop.wait(), name="stop")
        done, _ = await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
        if stop in done:
            await self._drain(tasks[0])
        if self._refusal is None:
            self._step("stop")
        else:
            self._step("refuse", self._refusal.reason)
        pending = [*tasks, stop, *self._calls]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _drain(self, reading: asyncio.Task[None]) -> None:
        """Take no more in, and let what is held leave: viewers miss nothing that was there."""
        if self._output is None or not self.spec.drain_s:
            return
        reading.cancel()
        await asyncio.wait([reading])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.spec.drain_s):
                await _until(lambda: self._core.drained or self._output is None)
                await asyncio.sleep(_LAST_PUSH_S)

    def _step(self, event: str, reason: str = "") -> None:
        state = next_state(self.state, event)
        if state is not self.state:
            _log.info("state", state=state.value, before=self.state.value, reason=reason)
            self._since = self._clock.monotonic_ns()
        self.state, self.reason = state, reason
        self._metrics.up.labels(self._metrics.stream).set(state is WorkerState.LIVE)

    # -- input ---------------------------------------------------------------------------

    async def _run_input(self) -> None:
        """Read the source; when it ends, read it again."""
        gone_since: int | None = None
        said, careful = "", False
        headers: dict[int, bytes] = {}
        while True:
            ended: asyncio.Future[tuple[str, str]] = self._loop.create_future()
            # What is held plays on meanwhile: a network that stalls for less is not noticed.
            patience_s = self.spec.policy.delay_s + _INPUT_MARGIN_S
            callbacks = self._input_callbacks(ended)
            pipeline = InputPipeline(
                self.spec.source, callbacks, patience_s, headers, careful=careful
            )
            sessions = self._sessions
            pipeline.play()
            try:
                kind, message = await ended
            finally:
                await asyncio.to_thread(pipeline.stop)
                self._submit(self._core.input_ended())
            self._step("input_down", kind)
            was_careful, careful = careful, pipeline.may_be_damage(kind, message)
            if kind == "refused" and (was_careful or not careful):
                self._refusal = self._refused
                return
            if not careful:
                headers.clear()  # another publisher may have others
            now = self._clock.monotonic_ns()
            had_media = self._sessions > sessions
            gone_since = now if had_media or gone_since is None else gone_since
            if message != said:
                said = message
                _log.info("input ended", kind=kind, reason=message)
            if await self._input_is_over(kind, message, now - gone_since):
                return
            await asyncio.sleep(_REBUILD_INPUT_S)

    async def _input_is_over(self, kind: str, message: str, gone_ns: int) -> bool:
        spec = self.spec
        if spec.end_with_input:
            if kind == "error":
                raise InputError(f"{log.redact_url(spec.source)} cannot be read: {message}")
            await _until(lambda: self._core.drained)
            await asyncio.sleep(_SETTLED_S)  # what was pushed last is still on its way
            return True
        if spec.input_patience_s is not None and gone_ns > spec.input_patience_s * NS_PER_S:
            if spec.must_begin and not self._sessions:
                raise InputError(f"{log.redact_url(spec.source)} cannot be read: {message}")
            return self._core.drained
        return False

    def _input_callbacks(self, ended: asyncio.Future[tuple[str, str]]) -> InputCallbacks:
        first = threading.Event()

        def began() -> None:
            if not first.is_set():
                first.set()
                self._loop.call_soon_threadsafe(self._session_began)

        def video(unit: InputUnit) -> None:
            now = self._clock.monotonic_ns()
            self._core.video(unit.pts, unit.dts, unit.key, unit.payload, unit.caps, now)
            began()

        def audio(pts: int, pcm: bytes) -> None:
            fragments = self._core.audio(pts, pcm, self._clock.monotonic_ns())
            began()
            if fragments:
                self._loop.call_soon_threadsafe(self._submit, fragments)

        def refused(reason: str, message: str) -> None:
            self._refused = InputError(message, reason=reason, retryable=False)
            self._loop.call_soon_threadsafe(_resolve, ended, ("refused", message))

        def end(kind: str, message: str) -> None:
            self._loop.call_soon_threadsafe(_resolve, ended, (kind, message))

        return InputCallbacks(video, audio, refused, end)

    def _session_began(self) -> None:
        self._sessions += 1
        self._step("input_up")

    # -- output --------------------------------------------------------------------------

    async def _run_output(self) -> None:
        """Publish; when the destination goes away, publish again with growing pauses."""
        backoff = Backoff(_OUTPUT_BACKOFF, random.Random())
        while True:
            await self._tracks_known()
            ended: asyncio.Future[tuple[str, str]] = self._loop.create_future()
            started = self._clock.monotonic_ns()
            try:
                reason = await self._publish(ended)
            finally:
                await self._close_output()
            self._step("output_down", reason)
            lasted = (self._clock.monotonic_ns() - started) / NS_PER_S
            retry_s = backoff.failed(lasted) / NS_PER_S
            self._output_restarts += 1
            _log.warning("output lost", reason=reason, retry_s=round(retry_s, 2))
            await asyncio.sleep(retry_s)

    async def _tracks_known(self) -> None:
        # A server cuts a publisher that sends nothing: without media there is no output.
        await _until(lambda: not self._core.drained)
        for _ in range(round(_TRACK_WAIT_S / 0.05)):
            if self._core.view().has_video and self._core.view().has_audio:
                return
            await asyncio.sleep(0.05)
        _log.warning(
            "track missing", video=self._core.view().has_video, audio=self._core.view().has_audio
        )

    async def _publish(self, ended: asyncio.Future[tuple[str, str]]) -> str:
        def on_end(kind: str, message: str) -> None:
            self._loop.call_soon_threadsafe(_resolve, ended, (kind, message))

        caps = self._core.view().video_caps
        output = OutputPipeline(self.spec.destination, caps, on_end)
        output.play()
        self._output = output
        self._core.connect(audio_only=not output.has_video)
        connected_at = self._clock.monotonic_ns()
        while not ended.done():
            await asyncio.wait([ended], timeout=0.25)
            now = self._clock.monotonic_ns()
            if not ended.done() and now - connected_at > _SETTLED_S * NS_PER_S:
                self._step("output_up")
                self._metrics.publish_up.labels(self._metrics.stream).set(1)
            if output.backlog_s() > _LONGEST_BACKLOG_S:
                return "the destination stopped reading"
            if self._core.view().has_video and not output.has_video:
                return "video has appeared"
        return ended.result()[1]

    async def _close_output(self) -> None:
        output, self._output = self._output, None
        self._core.disconnect()
        self._metrics.publish_up.labels(self._metrics.stream).set(0)
        if output is not None:
            await asyncio.to_thread(output.stop)

    def _schedule(self) -> None:
        """The scheduler's thread: pushes what is due, then sleeps until the next is."""
        while not self._quit.is_set():
            now = self._beats["scheduler"] = self._clock.monotonic_ns()
            batch, due = self._core.poll(now)
            self._push(batch, now)
            # Nothing that arrives now is due before the delay has passed: no need to be woken.
            now = self._clock.monotonic_ns()
            wait_s = _LONGEST_WAIT_S if due is None else (due - now) / NS_PER_S
            if wait_s > 0:
                self._quit.wait(min(wait_s, _LONGEST_WAIT_S))

    def _push(self, batch: Batch, now: int) -> None:
        output = self._output
        if output is not None:
            for block in batch.audio:
                output.push_audio(block)
            if output.has_video:
                for unit in batch.video:
                    output.push_video(unit)
        if batch.delay_s is not None:
            self._metrics.delay.labels(self._metrics.stream).set(batch.delay_s)
        if batch.decided:
            self._loop.call_soon_threadsafe(self._report, batch.decided)

    # -- fragments -----------------------------------------------------------------------

    def _submit(self, fragments: list[Fragment]) -> None:
        self._waiting.extend(fragments)
        while len(self._waiting) > _MAX_WAITING:
            self._core.failed(self._waiting.popleft(), Outcome.OVERLOAD, "queue_full")
        self._send_next()

    def _send_next(self) -> None:
        while self._waiting and len(self._calls) < self.spec.sts.max_inflight:
            task = asyncio.create_task(self._dub_in_time(self._waiting.popleft(), self._last_call))
            self._last_call = task
            self._calls.add(task)
            task.add_done_callback(self._called)

    def _called(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("fragment call failed", error=repr(error))
        if not self._stop.is_set():
            self._send_next()

    async def _dub_in_time(self, fragment: Fragment, before: asyncio.Task[None] | None) -> None:
        """Have a fragment dubbed, then bring to their tempo all dubs that wait: each reply and
        each failure changes what room the others have."""
        patience_s = self._core.patience_s(fragment, self._clock.monotonic_ns())
        if before is not None and patience_s > 0:
            await asyncio.wait([before], timeout=patience_s)
        await self._dub(fragment)
        while (task := self._core.next_stretch()) is not None:
            voice = await asyncio.to_thread(stretch, task.voice, task.factor)
            self._core.stretched(task, voice)

    async def _dub(self, fragment: Fragment) -> None:
        work = self._core.send(fragment)
        if work is None:
            return
        started = self._clock.monotonic_ns()
        try:
            reply = await self._client.dub(work)
        except StsError as error:
            waited_s = (self._clock.monotonic_ns() - started) / NS_PER_S
            self._core.call_failed(fragment, error, waited_s)
            _log.warning(
                "fragment not dubbed",
                fragmentId=fragment.id,
                batchNumber=fragment.sequence,
                code=error.code,
                reason=str(error),
            )
            return
        self._core.replied(fragment, reply, self._clock.monotonic_ns())

    def _report(self, decided: list[Fragment]) -> None:
        metrics, stream = self._metrics, self._metrics.stream
        for fragment in decided:
            entry = asrun.record(fragment)
            assert fragment.outcome is not None
            metrics.fragments.labels(stream, fragment.outcome.value).inc()
            for stage, value in fragment.stages_ms.items():
                metrics.fragment_seconds.labels(stream, stage).observe(value / 1000)
            if fragment.outcome is Outcome.DUBBED:
                metrics.tempo.labels(stream).set(fragment.tempo)
                lag = entry["dub_start_s"] - entry["source_start_s"]
                metrics.dub_lag.labels(stream).set(lag)
                if fragment.speech_lufs is not None:
                    metrics.loudness.labels(stream, "source").set(fragment.speech_lufs)
                if fragment.dub_lufs is not None:
                    metrics.loudness.labels(stream, "dub").set(fragment.dub_lufs)
                metrics.backlog.labels(stream).set(entry["backlog_s"])
                dubbed_s = entry["dub_end_s"] - entry["dub_start_s"]
                metrics.dubbed.labels(stream, band(fragment.tempo)).inc(dubbed_s)
            elif fragment.fallback:
                metrics.fallback.labels(stream, fragment.fallback, fragment.reason).inc()
            _log.info(
                "fragment",
                fragmentId=fragment.id,
                batchNumber=fragment.sequence,
                outcome=fragment.outcome.value,
                reason=fragment.reason,
                fallback=fragment.fallback,
                margin_ms=fragment.margin_ms,
                round_trip_ms=entry["round_trip_ms"],
            )
            self._on_fragment(entry)

    # -- views ---------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Keep the slow gauges up to date."""
        metrics, stream = self._metrics, self._metrics.stream
        gap = 0
        for second in itertools.count(1):
            self._watch_service()
            self._watch_queues()
            metrics.av_offset.labels(stream).set(self._core.view().av_error_s)
            metrics.gap.labels(stream).inc((self._core.view().audio_gap_samples - gap) / RATE)
            self._watch_separation()
            gap = self._core.view().audio_gap_samples
            self._beats["loop"] = self._clock.monotonic_ns()
            if second % _FREE_EVERY_S == 0:
                free_memory()
            await asyncio.sleep(1)

    def _watch_queues(self) -> None:
        metrics, stream = self._metrics, self._metrics.stream
        depth, peak = self._core.view().depth, self._core.view().peak
        metrics.inflight.labels(stream).set(depth["fragments_inflight"])
        for queue, value in depth.items():
            metrics.queue_depth.labels(stream, queue).set(value)
            metrics.queue_peak.labels(stream, queue).set(peak.get(queue, 0))
        if self._separation is not None:
            self._watch_seconds("separation_s", self._separation.waiting_s)
        if (output := self._output) is not None:
            self._watch_seconds("output_s", output.backlog_s())

    def _watch_seconds(self, queue: str, value: float) -> None:
        self._peak_s[queue] = max(self._peak_s.get(queue, 0.0), value)
        self._metrics.queue_depth.labels(self._metrics.stream, queue).set(value)
        self._metrics.queue_peak.labels(self._metrics.stream, queue).set(self._peak_s[queue])

    def _watch_separation(self) -> None:
        metrics, stream = self._metrics, self._metrics.stream
        bare = self._core.view().unseparated_samples / RATE
        metrics.unseparated.labels(stream).inc(bare - self._unseparated_s)
        self._unseparated_s = bare
        if self._separation is not None:
            running = self._separation.state is SeparationState.RUNNING
            metrics.separation_up.labels(stream).set(running)

    def _watch_service(self) -> None:
        metrics, stream, client = self._metrics, self._metrics.stream, self._client
        for state, number in client.states().items():
            metrics.breaker.labels(stream, state).set(number)
        for outcome, number in client.new_calls().items():
            metrics.sts_calls.labels(stream, outcome).inc(number)
        metrics.sts_retries.labels(stream).inc(client.new_retries())

    def status(self) -> dict[str, Any]:
        """The worker as plain values, for `/status`; from any thread."""
        now = self._clock.monotonic_ns()
        return {
            "stream_id": self.spec.stream_id,
            "run_id": self.run_id,
            "state": self.state.value,
            "reason": self.reason,
            "message": "" if self._refusal is None else str(self._refusal),
            "since_s": round((now - self._since) / NS_PER_S, 3),
            "delay_s": self.spec.policy.delay_s,
            "resuming": self._core.view().resuming,
            "stuck_s": self._stuck_s(now),
            "input": {
                "sessions": self._sessions,
                "video": self._core.view().has_video,
                "audio": self._core.view().has_audio,
                "av_error_ms": round(self._core.view().av_error_s * 1000, 2),
            },
            "output": {"restarts": self._output_restarts},
            "separation": separating.describe(self._separation),
            "dumps_dropped_samples": self._dumps.dropped if self._dumps else 0,
            "fragments": dict(self._core.view().outcomes),
            "sts": self._client.view(),
            "longest_fragment_s": round(self._core.view().longest_fragment_s, 2),
            "depth": self._core.view().depth,
            "peak": {**self._core.view().peak, **self._peak_s},
        }

    def _stuck_s(self, now: int) -> float:
        """For how long a part of the worker has not come round: all is well up to a second or so.

        The window that tells has a thread of its own, which answers whatever the others do.
        """
        return max(0.0, round((now - min(self._beats.values())) / NS_PER_S - _ROUND_S, 3))


async def _until(condition: Callable[[], bool]) -> None:
    """Wait for something that threads of the pipelines bring about."""
    while not condition():  # noqa: ASYNC110 - an event would be set a thousand times a second
        await asyncio.sleep(0.05)


def _resolve(future: asyncio.Future[tuple[str, str]], value: tuple[str, str]) -> None:
    if not future.done():
        future.set_result(value)
