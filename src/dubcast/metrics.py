"""Names of the Prometheus metrics, one place for all roles.

Base units; never a key, a URL or a session id as a label. Each role makes its own set on its
own registry, so that tests can look at one without the others.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector

from dubcast import __version__

_STAGE_BUCKETS = (0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)


def _build_info(registry: CollectorRegistry, role: str) -> None:
    info = Info("dubcast_build", "Version and role", registry=registry)
    info.info({"version": __version__, "role": role})


class WorkerMetrics:
    """What a stream worker reports."""

    def __init__(self, stream: str, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.stream = stream
        _build_info(self.registry, "worker")
        self.up = self._gauge("dubcast_stream_up", "1 while the stream is on air")
        self.fragments = self._counter(
            "dubcast_fragments_total",
            "Fragments with speech, or their clauses where those are known, by outcome",
            ["outcome"],
        )
        self.fragment_seconds = Histogram(
            "dubcast_fragment_seconds",
            "Time of a fragment at the speech service, by stage",
            ["stream", "stage"],
            buckets=_STAGE_BUCKETS,
            registry=self.registry,
        )
        self.inflight = self._gauge("dubcast_inflight_fragments", "Fragments at the speech service")
        self.queue_depth = self._gauge("dubcast_queue_depth", "Waiting items or seconds", ["queue"])
        self.queue_peak = self._gauge("dubcast_queue_peak", "The most that ever waited", ["queue"])
        self.av_offset = self._gauge(
            "dubcast_av_offset_seconds",
            "Audio against video in what leaves, compared with the source (+: audio early)",
        )
        self.placement_error = self._gauge(
            "dubcast_input_placement_error_seconds", "Audio placed against its PTS (+: audio early)"
        )
        self.gap = self._counter(
            "dubcast_output_gap_seconds_total", "Output time without audio from the source"
        )
        self.delay = self._gauge("dubcast_output_delay_seconds", "Input arrival to output")
        self.dub_lag = self._gauge("dubcast_dub_lag_seconds", "Dub onset after its source onset")
        self.tempo = self._gauge("dubcast_tempo_ratio", "Tempo of the last dub")
        self.dubbed = self._counter(
            "dubcast_dubbed_seconds_total", "Time of dubs on air, by band of tempo", ["tempo"]
        )
        self.backlog = self._gauge(
            "dubcast_dub_backlog_seconds", "How late the last dub lets the next one begin"
        )
        self.loudness = self._gauge(
            "dubcast_loudness_lufs", "Of the last fragment: its speech, and the dub", ["side"]
        )
        self.separation_up = self._gauge("dubcast_separation_up", "1 while speech is separated")
        self.unseparated = self._counter(
            "dubcast_unseparated_seconds_total", "Bed for which there was no background in time"
        )
        self.fallback = self._counter(
            "dubcast_fallback_total", "Fragments not dubbed", ["mode", "reason"]
        )
        self.left_alone = self._counter(
            "dubcast_left_alone_total",
            "Fragments with words that are right as they are",
            ["reason"],
        )
        self.publish_up = self._gauge("dubcast_publish_up", "1 while the output leaves")
        self._of_the_speech()
        self._of_the_service()

    def _of_the_speech(self) -> None:
        self.dubbing_up = self._gauge(
            "dubcast_dubbing_up", "1 while what is said is dubbed, or nobody speaks"
        )
        self.speech = self._counter(
            "dubcast_speech_seconds_total",
            "Speech by how it went on air: dubbed, undubbed whatever the reason, or left alone",
            ["aired"],
        )

    def _of_the_service(self) -> None:
        self.breaker = self._gauge(
            "dubcast_breaker_state", "Endpoints of the speech service in a state", ["state"]
        )
        self.sts_calls = self._counter(
            "dubcast_sts_calls_total", "Calls to the speech service, by outcome", ["outcome"]
        )
        self.sts_retries = self._counter(
            "dubcast_sts_retries_total", "Fragments sent to the speech service a second time"
        )

    def _gauge(self, name: str, text: str, labels: list[str] | None = None) -> Gauge:
        return Gauge(name, text, ["stream", *(labels or [])], registry=self.registry)

    def _counter(self, name: str, text: str, labels: list[str] | None = None) -> Counter:
        return Counter(name, text, ["stream", *(labels or [])], registry=self.registry)


class StsMetrics:
    """What the speech service reports."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.looks: list[Callable[[], None]] = []  # set what is only looked up when asked for
        _build_info(self.registry, "sts")
        self.requests = Counter(
            "dubcast_sts_requests_total",
            "Requests by outcome",
            ["outcome"],
            registry=self.registry,
        )
        self.stage_seconds = Histogram(
            "dubcast_sts_stage_seconds",
            "Time per stage",
            ["stage"],
            buckets=_STAGE_BUCKETS,
            registry=self.registry,
        )
        self.first_clause_seconds = Histogram(
            "dubcast_sts_first_clause_seconds",
            "From a request to the first clause of its streamed reply",
            buckets=_STAGE_BUCKETS,
            registry=self.registry,
        )
        self.batch_size = Histogram(
            "dubcast_sts_batch_size",
            "Items per model call",
            ["stage"],
            buckets=(1, 2, 4, 8, 16, 32),
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "dubcast_sts_queue_depth",
            "Items waiting for a model",
            ["stage"],
            registry=self.registry,
            multiprocess_mode="liveall",
        )
        self.gpu_memory = Gauge(
            "dubcast_sts_gpu_memory_bytes",
            "Memory of the GPU that is taken, by all that use it; 0 without one",
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )
        self.audio_seconds = Counter(
            "dubcast_sts_audio_seconds_total", "Source audio taken in", registry=self.registry
        )
        self._count_translations()
        self._of_services_elsewhere()

    def _count_translations(self) -> None:
        self.phrases = Counter(
            "dubcast_sts_phrases_total",
            "Sentences translated by the phrasebook",
            registry=self.registry,
        )
        self.terms = Counter(
            "dubcast_sts_glossary_terms_total",
            "Terms of glossaries, addresses and dates that were kept",
            registry=self.registry,
        )
        self.guarded = Counter(
            "dubcast_sts_untrusted_translations_total",
            "Translations that cannot be right, by what is wrong, and what then became of them",
            ["fault", "then"],
            registry=self.registry,
        )

    def _of_services_elsewhere(self) -> None:
        self.provider_cost = Counter(
            "dubcast_sts_provider_cost_total",
            "What services elsewhere cost, by the prices of the settings and in their currency",
            ["stage", "provider"],
            registry=self.registry,
        )
        self.provider_calls = Counter(
            "dubcast_sts_provider_calls_total",
            "Calls to services elsewhere, each try of one, by outcome",
            ["stage", "provider", "outcome"],
            registry=self.registry,
        )
        self.provider_breaker = Gauge(
            "dubcast_sts_provider_breaker_state",
            "1 for the state that the breaker of a service elsewhere is in",
            ["stage", "provider", "state"],
            registry=self.registry,
            multiprocess_mode="liveall",
        )
        self.provider_left_alone = Gauge(
            "dubcast_sts_provider_left_alone_seconds",
            "How long a service elsewhere is not called yet: it failed, or asked for it",
            ["stage", "provider"],
            registry=self.registry,
            multiprocess_mode="liveall",
        )

    def exposition(self) -> bytes:
        """What Prometheus is told; where several processes serve together, of all of them."""
        for look in self.looks:
            look()
        if values.ValueClass is values.MutexValue:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


class OrchestratorMetrics:
    """What the orchestrator reports, its egress forwarders included."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        _build_info(self.registry, "orchestrator")
        self.stream_state = Gauge(
            "dubcast_stream_state",
            "1 for the state a stream is in",
            ["stream", "state"],
            registry=self.registry,
        )
        self.worker_restarts = Counter(
            "dubcast_worker_restarts_total",
            "Workers started again",
            ["stream"],
            registry=self.registry,
        )
        self.egress_up = Gauge(
            "dubcast_egress_up",
            "1 while a destination is live",
            ["stream", "destination"],
            registry=self.registry,
        )
