"""One stream's worker: its parts put together, started, and ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable

import numpy as np

from dubcast.audio.pcm import RATE, Float, Int16
from dubcast.contract.worker import AsRunEntry, WorkerStatus
from dubcast.errors import InputError, PolicyError
from dubcast.metrics import WorkerMetrics
from dubcast.separation.client import SeparationClient
from dubcast.worker.av_offset import AvOffset
from dubcast.worker.core import WorkerCore
from dubcast.worker.delivery import Delivery
from dubcast.worker.dubber import Dubber
from dubcast.worker.dubbing import DubbingWatch
from dubcast.worker.dumps import RollingDumps
from dubcast.worker.edges import Edges, Output
from dubcast.worker.fragment import Fragment
from dubcast.worker.input_loop import InputLoop
from dubcast.worker.output_thread import OutputThread
from dubcast.worker.publisher import Publisher
from dubcast.worker.scheduler import Batch
from dubcast.worker.source_url import scheme_of
from dubcast.worker.spec import WorkerSpec, separation_settings
from dubcast.worker.standing import Standing
from dubcast.worker.sts_client import StsClient
from dubcast.worker.telemetry import Parts, Telemetry
from dubcast.worker.waiting import until

# So long a refusal can be read from `/status`: a supervisor asks twice a second.
_TOLD_S = 1.5
_LAST_PUSH_S = 0.5  # what was rendered last is still to be sent


class Worker:
    """Runs one stream until it is stopped, refused, or (if so specified) its input has ended."""

    def __init__(
        self,
        spec: WorkerSpec,
        metrics: WorkerMetrics,
        edges: Edges,
        on_fragment: Callable[[AsRunEntry], None] | None = None,
    ) -> None:
        scheme_of(spec.source.get_secret_value())  # a bad source is refused before anything starts
        self.spec = spec
        self.run_id = uuid.uuid4().hex[:12]
        self._edges = edges
        clock, policy = edges.clock, spec.policy
        self._loop: asyncio.AbstractEventLoop
        self._broken: asyncio.Future[None]  # why nothing leaves any more
        self._stop = asyncio.Event()
        self._policy_refusal: PolicyError | None = None
        self._standing = Standing(clock, metrics)
        self._dumps = (
            RollingDumps(spec.dumps, spec.stream_id, self.run_id) if spec.dumps.dir else None
        )
        now = clock.monotonic_ns()
        self._core = WorkerCore(policy, self.run_id, edges.make_vad(), now, self._tap)
        if spec.resume_delay_s is not None:
            self._core.resume(spec.resume_delay_s)
        chosen = separation_settings(policy, spec.models_dir)
        self._separation = SeparationClient(self._core.background, chosen) if chosen else None
        self._client = StsClient(spec.sts, spec.stream_id, policy, clock.monotonic_ns)
        dubbing = DubbingWatch(clock.monotonic_ns)
        self._dubber = Dubber(
            *(self._core.dubs, self._client, clock, edges.blocking, spec.sts.max_inflight),
            on_failed=dubbing.failed,
        )
        self._input = InputLoop(spec, edges, self._core, self._standing, self._dubber.submit)
        self._publisher = Publisher(spec.destination, edges, self._core, self._standing, metrics)
        self._output_thread = OutputThread(
            self._core,
            clock,
            self._publisher.outlet.push,
            self._decided,
            metrics.delay.labels(metrics.stream).set,
            self._pushed,
            self._output_broke,
            self._cut,
        )
        self._av_offset, self._delivery = AvOffset(), Delivery()
        parts = Parts(
            *(self._core, self._client, self._input, self._publisher, self._output_thread),
            *(self._separation, self._dumps, dubbing, self._av_offset, self._delivery),
        )
        hand_on = on_fragment or (lambda entry: None)
        self._telemetry = Telemetry(
            *(spec, self.run_id, parts, self._standing, metrics, clock, hand_on)
        )

    def _tap(self, stem: str, start: int, samples: Int16 | Float) -> None:
        """What the core shows of each stem; called within its lock, and never waits."""
        if stem == "original" and self._separation is not None:
            self._separation.feed(start, samples.astype(np.int16, copy=False))
        if self._dumps is not None:
            self._dumps.offer(stem, start, samples)

    def _pushed(self, output: Output, batch: Batch) -> None:
        """An output took this."""
        self._delivery.pushed(output, sum(len(one.samples) for one in batch.audio) / RATE)
        for block in batch.audio:
            source_ns = self._core.placements.source_ns(block.start)
            self._av_offset.left("audio", source_ns, block.pts_ns)
        for unit in batch.video if output.has_video else ():
            self._av_offset.left("video", unit.pts_ns, unit.pts_ns + unit.shift_ns)

    def _decided(self, fragments: list[Fragment]) -> None:
        self._loop.call_soon_threadsafe(self._telemetry.report, fragments)

    def _cut(self, fragments: list[Fragment]) -> None:
        self._loop.call_soon_threadsafe(self._dubber.submit, fragments)

    def _output_broke(self, error: Exception) -> None:
        self._loop.call_soon_threadsafe(_fail, self._broken, error)

    async def _until_broken(self) -> None:
        await self._broken

    async def run(self) -> None:
        """Run the stream. Raises InputError if the source carries what dubcast does not take,
        PolicyError if the speech service does not offer what the stream is to be dubbed by.
        """
        self._loop = asyncio.get_running_loop()
        self._broken = self._loop.create_future()
        self._output_thread.start()
        if self._separation is not None:
            self._separation.start()
        try:
            await self._stream()
        finally:
            await self._close()
        if (refusal := self._refusal) is not None:
            await asyncio.sleep(_TOLD_S)
            raise refusal

    def stop(self) -> None:
        """End the stream soon; from the loop's thread."""
        self._stop.set()

    def status(self) -> WorkerStatus:
        """The worker as it is told at `/status`; from any thread."""
        return self._telemetry.status()

    async def _stream(self) -> None:
        try:
            async with asyncio.TaskGroup() as parts:
                reading = parts.create_task(self._input.run(), name="input")
                publishing = parts.create_task(self._publisher.run(), name="output")
                watching = parts.create_task(self._telemetry.run(), name="watch")
                stopping = parts.create_task(self._stop.wait(), name="stop")
                checking = parts.create_task(self._check_policy(), name="policy")
                pushing = parts.create_task(self._until_broken(), name="scheduler")
                try:
                    await asyncio.wait([reading, stopping], return_when=asyncio.FIRST_COMPLETED)
                    if self._stop.is_set():
                        await self._drain(reading)
                finally:
                    self._tell_end()
                for part in (reading, publishing, watching, stopping, checking, pushing):
                    part.cancel()
        except ExceptionGroup as failed:
            # One part has failed and the others were cancelled: what it says is what counts.
            raise failed.exceptions[0] from None

    async def _check_policy(self) -> None:
        """End the stream before anything is on air if its policy cannot be served. One that was on
        air before could be."""
        if self.spec.resume_delay_s is not None:
            return
        why_not = await self._client.why_not()
        if why_not:
            self._policy_refusal = PolicyError(why_not)
            self._stop.set()

    async def _drain(self, reading: asyncio.Task[None]) -> None:
        """Take no more in, and let what is held leave: viewers miss nothing that was there."""
        if not self._publisher.on or not self.spec.drain_s or self._refusal is not None:
            return
        reading.cancel()
        await asyncio.wait([reading])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.spec.drain_s):
                await until(lambda: self._core.drained or not self._publisher.on)
                await asyncio.sleep(_LAST_PUSH_S)
                await self._edges.blocking(self._output_thread.close)  # it has pushed what it took
                await self._publisher.finish()

    @property
    def output_lost_for(self) -> str:
        """Why the destination was last lost, or was not reached; empty if it took everything."""
        return self._standing.output_lost_for or self._publisher.unanswered

    def _tell_end(self) -> None:
        self._telemetry.look()  # a last time, at an output that still stands
        refusal = self._refusal
        if refusal is None:
            self._standing.step("stop")
        else:
            self._standing.step("refuse", refusal.reason, str(refusal))

    @property
    def _refusal(self) -> InputError | PolicyError | None:
        """Why the stream cannot be served, if it cannot."""
        return self._policy_refusal or self._input.refusal

    async def _close(self) -> None:
        """End what does not end with the tasks, each part after those that feed it."""
        await self._dubber.close()
        await self._edges.blocking(self._output_thread.close)
        await self._client.close()
        for part in (self._separation, self._dumps):
            if part is not None:
                await self._edges.blocking(part.close)


def _fail(part: asyncio.Future[None], error: Exception) -> None:
    if not part.done():
        part.set_exception(error)
