"""What a worker tells of itself: `/status`, metrics, the as-run entries, its heartbeat."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from dubcast import log
from dubcast.audio.pcm import RATE, samples_to_s
from dubcast.clock import Clock, ns_to_s
from dubcast.contract.sts import LeftAlone
from dubcast.contract.worker import (
    AsRunEntry,
    InputStatus,
    Outcome,
    OutputStatus,
    SeparationStatus,
    SpeechAired,
    WorkerStatus,
    undubbed_share,
)
from dubcast.metrics import WorkerMetrics
from dubcast.native import free_memory
from dubcast.separation.client import SeparationClient, SeparationState
from dubcast.worker.asrun import entry_of
from dubcast.worker.av_offset import AvOffset
from dubcast.worker.core import CoreView, WorkerCore
from dubcast.worker.delivery import Delivery
from dubcast.worker.dubbing import DubbingWatch
from dubcast.worker.dumps import RollingDumps
from dubcast.worker.fragment import Fragment
from dubcast.worker.input_loop import InputLoop
from dubcast.worker.output_thread import OutputThread
from dubcast.worker.planner import band
from dubcast.worker.publisher import Publisher
from dubcast.worker.spec import WorkerSpec
from dubcast.worker.standing import Standing
from dubcast.worker.sts_client import StsClient

_ROUND_S = 1.0  # the event loop's beat
_FREE_EVERY = 10  # rounds

_log = log.get("worker")


@dataclass(frozen=True)
class Parts:
    """The parts of a worker that something is told of."""

    core: WorkerCore
    client: StsClient
    input: InputLoop
    publisher: Publisher
    output_thread: OutputThread
    separation: SeparationClient | None
    dumps: RollingDumps | None
    dubbing: DubbingWatch
    av_offset: AvOffset
    delivery: Delivery


class Telemetry:
    """Looks at the parts, and never changes them."""

    def __init__(
        self,
        spec: WorkerSpec,
        run_id: str,
        parts: Parts,
        standing: Standing,
        metrics: WorkerMetrics,
        clock: Clock,
        on_fragment: Callable[[AsRunEntry], None],
    ) -> None:
        self._spec = spec
        self._run_id = run_id
        self._parts = parts
        self._standing = standing
        self._metrics = metrics
        self._clock = clock
        self._on_fragment = on_fragment
        self._loop_ns = clock.monotonic_ns()  # when the event loop last came round
        self._peak_s: dict[str, float] = {}
        self._left_alone: Counter[LeftAlone] = Counter()
        self._speech_s: dict[SpeechAired, float] = {}
        self._gap_samples = 0
        self._unseparated_samples = 0

    async def run(self) -> None:
        """Keep the slow gauges up to date, and the event loop's heartbeat."""
        for second in itertools.count(1):
            self.look()
            if second % _FREE_EVERY == 0:
                free_memory()
            await asyncio.sleep(_ROUND_S)

    def look(self) -> None:
        """One round of it."""
        view = self._parts.core.view()
        self._look_at_service()
        self._look_at_queues(view)
        self._look_at_sound(view)
        self._loop_ns = self._clock.monotonic_ns()

    def _look_at_service(self) -> None:
        metrics, stream, client = self._metrics, self._metrics.stream, self._parts.client
        for state, number in client.states().items():
            metrics.breaker.labels(stream, state).set(number)
        for outcome, number in client.new_calls().items():
            metrics.sts_calls.labels(stream, outcome).inc(number)
        metrics.sts_retries.labels(stream).inc(client.new_retries())
        dubbing = self._parts.dubbing
        dubbing.look(endpoint.state for endpoint in client.status())
        metrics.dubbing_up.labels(stream).set(not dubbing.status().fault)

    def _look_at_queues(self, view: CoreView) -> None:
        metrics, stream = self._metrics, self._metrics.stream
        metrics.inflight.labels(stream).set(view.depth["fragments_inflight"])
        for queue, value in view.depth.items():
            metrics.queue_depth.labels(stream, queue).set(value)
            metrics.queue_peak.labels(stream, queue).set(view.peak.get(queue, 0))
        if self._parts.separation is not None:
            self._look_at_seconds("separation_s", self._parts.separation.waiting_s)
        if (output := self._parts.publisher.output) is not None:
            backlog_s = output.backlog_s()
            self._look_at_seconds("output_s", backlog_s)
            if self._parts.publisher.taken:
                self._parts.delivery.stands(output, backlog_s)

    def _look_at_seconds(self, queue: str, value: float) -> None:
        self._peak_s[queue] = max(self._peak_s.get(queue, 0.0), value)
        self._metrics.queue_depth.labels(self._metrics.stream, queue).set(value)
        self._metrics.queue_peak.labels(self._metrics.stream, queue).set(self._peak_s[queue])

    def _look_at_sound(self, view: CoreView) -> None:
        metrics, stream = self._metrics, self._metrics.stream
        gap, self._gap_samples = view.audio_gap_samples - self._gap_samples, view.audio_gap_samples
        bare = view.unseparated_samples - self._unseparated_samples
        self._unseparated_samples = view.unseparated_samples
        metrics.av_offset.labels(stream).set(self._parts.av_offset.seconds)
        metrics.placement_error.labels(stream).set(view.av_error_s)
        metrics.gap.labels(stream).inc(gap / RATE)
        metrics.unseparated.labels(stream).inc(bare / RATE)
        if self._parts.separation is not None:
            running = self._parts.separation.state is SeparationState.RUNNING
            metrics.separation_up.labels(stream).set(running)

    def report(self, decided: list[Fragment]) -> None:
        """These fragments are decided: count them, log them and hand on their entries."""
        for fragment in decided:
            on_air = {"on_air": self._parts.publisher.taken}
            entry = entry_of(fragment).model_copy(update=on_air)
            self._count(entry)
            self._parts.dubbing.decided(entry)
            _log.info(
                "fragment",
                fragmentId=entry.fragment_id,
                batchNumber=entry.sequence_number,
                clause=entry.clause,
                beginning=entry.beginning,
                outcome=entry.outcome.value,
                reason=entry.reason,
                fallback=entry.fallback,
                margin_ms=entry.deadline_margin_ms,
                round_trip_ms=entry.round_trip_ms,
            )
            self._on_fragment(entry)

    def _count(self, entry: AsRunEntry) -> None:
        metrics, stream = self._metrics, self._metrics.stream
        for aired, aired_s in entry.aired_s.items():
            metrics.speech.labels(stream, aired.value).inc(aired_s)
            self._speech_s[aired] = self._speech_s.get(aired, 0.0) + aired_s
        if entry.beginning:
            return
        metrics.fragments.labels(stream, entry.outcome.value).inc()
        for stage, value in entry.stages_ms.items():
            metrics.fragment_seconds.labels(stream, stage).observe(value / 1000)
        if entry.outcome is Outcome.DUBBED:
            self._count_dub(entry)
        elif entry.outcome is Outcome.LEFT_ALONE:
            self._left_alone[LeftAlone(entry.reason)] += 1
            metrics.left_alone.labels(stream, entry.reason).inc()
        elif entry.fallback:
            metrics.fallback.labels(stream, entry.fallback, entry.reason).inc()

    def _count_dub(self, entry: AsRunEntry) -> None:
        metrics, stream = self._metrics, self._metrics.stream
        assert entry.dub_span_s is not None
        assert entry.lag_s is not None
        start_s, end_s = entry.dub_span_s
        metrics.tempo.labels(stream).set(entry.tempo)
        metrics.dub_lag.labels(stream).set(entry.lag_s)
        metrics.backlog.labels(stream).set(entry.backlog_s or 0.0)
        metrics.dubbed.labels(stream, band(entry.tempo)).inc(end_s - start_s)
        for side, lufs in (("source", entry.speech_lufs), ("dub", entry.dub_lufs)):
            if lufs is not None:
                metrics.loudness.labels(stream, side).set(lufs)

    def status(self) -> WorkerStatus:
        """The worker as it is told at `/status`; from any thread."""
        now = self._clock.monotonic_ns()
        parts, view, standing = self._parts, self._parts.core.view(), self._standing
        return WorkerStatus(
            stream_id=self._spec.stream_id,
            run_id=self._run_id,
            state=standing.state,
            reason=standing.reason,
            message=standing.message,
            since_s=round(ns_to_s(now - standing.since_ns), 3),
            delay_s=self._spec.policy.delay_s,
            resuming=view.resuming,
            stuck_s=self._stuck_s(now),
            input=InputStatus(
                sessions=parts.input.sessions,
                video=view.has_video,
                audio=view.has_audio,
                placement_error_ms=round(view.av_error_s * 1000, 2),
            ),
            output=OutputStatus(
                restarts=parts.publisher.restarts,
                av_offset_ms=round(parts.av_offset.seconds * 1000, 2),
                delivered_s=round(parts.delivery.seconds, 3),
                b_frames=parts.publisher.b_frames,
            ),
            separation=separation_status(parts.separation),
            dubbing=parts.dubbing.status(),
            dumps_dropped_samples=parts.dumps.dropped if parts.dumps else 0,
            fragments=view.outcomes,
            left_alone=dict(self._left_alone),
            speech_s={aired: round(s, 1) for aired, s in self._speech_s.copy().items()},
            undubbed_speech_share=undubbed_share(self._speech_s),
            sts=parts.client.status(),
            longest_fragment_s=round(view.longest_fragment_s, 2),
            depth=view.depth,
            peak={**view.peak, **self._peak_s},
        )

    def _stuck_s(self, now: int) -> float:
        """For how long a part of the worker has not come round: all is well up to a second or so.

        The window that tells has a thread of its own, which answers whatever the others do.
        """
        oldest = min(self._loop_ns, self._parts.output_thread.round_ns)
        return max(0.0, round(ns_to_s(now - oldest) - _ROUND_S, 3))


def separation_status(separation: SeparationClient | None) -> SeparationStatus:
    """The separation as it is told; None: it was not asked for."""
    if separation is None:
        return SeparationStatus()
    return SeparationStatus(
        state=separation.state.value,
        separator=separation.name,
        reason=separation.reason,
        restarts=separation.restarts,
        cpu=round(separation.cpu, 3),
        dropped_s=round(samples_to_s(separation.dropped), 3),
    )
