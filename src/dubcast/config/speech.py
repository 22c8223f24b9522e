"""Settings of both ends of the speech service."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dubcast.config.remote import RemoteStagesSettings
from dubcast.config.values import BearerKey, Host, HttpUrl, Port, Section, UserPath


class BreakerSettings(Section):
    """When an endpoint of the speech service is left alone, and when it is tried again."""

    failures: int = Field(3, ge=1, le=100, description="failures in a row that open it")
    window: int = Field(20, ge=1, le=1000, description="calls that are looked back at")
    min_calls: int = Field(5, ge=1, le=1000, description="fewer calls than these say too little")
    failure_ratio: float = Field(
        0.5, gt=0, le=1, description="share of failed or slow calls that opens it"
    )
    # Fragments are made as long as their deadline allows: up to 0.93 of it is in use in health.
    slow_ratio: float = Field(
        0.95, gt=0, le=1, description="a reply is slow that took more of its time; 1: none is"
    )
    open_s: float = Field(15.0, gt=0, le=3600, description="first open time; doubles")
    longest_open_s: float = Field(
        60.0, gt=0, le=3600, description="longest open time; that of a refused key"
    )
    jitter: float = Field(0.2, ge=0, lt=1, description="share by which an open time varies")
    pings: int = Field(2, ge=1, le=100, description="good pings in a row that allow a try early")
    probes: int = Field(1, ge=1, le=10, description="good tries, one at a time, that close it")


class StsClientSettings(Section):
    """How a worker reaches the speech service."""

    url: HttpUrl = Field("http://127.0.0.1:8000", description="base URL of the service")
    fallback_urls: tuple[HttpUrl, ...] = Field(
        (), description="further services, in order, for when the first fails; the key is the same"
    )
    api_key: BearerKey | None = Field(None, description="bearer key; none: not sent")
    timeout_s: float | None = Field(
        None,
        gt=0,
        le=60,
        description="longest wait for a reply, or for the next piece of a streamed one, where the "
        "deadline leaves more; none: as long as that leaves, so a longer delay waits longer",
    )
    max_inflight: int = Field(3, ge=1, le=16, description="fragments at the service at a time")
    retries: int = Field(1, ge=0, le=1, description="retries of a fragment, if the deadline allows")
    retry_ratio: float = Field(
        0.1, ge=0, le=1, description="retries of the whole process, as a share of its calls"
    )
    ping_s: float = Field(
        1.0, ge=0, le=60, description="period of health pings while a breaker is open; 0: none"
    )
    breaker: BreakerSettings = BreakerSettings()


class ProviderSettings(Section):
    """Which provider does each stage of the speech service; packages can bring more."""

    hear: str = Field("silero", description="finds where speech begins and ends")
    asr: str = Field("whisper", description="recognizes")
    mt: str = Field("fxtranslate", description="translates")
    tts: str = Field("kokoro", description="speaks")
    fit: str = Field("signalsmith", description="brings speech to its length")


class StsServerSettings(Section):
    """The speech service itself."""

    host: Host = Field("127.0.0.1", description="address to listen on")
    port: Port = 8000
    api_key: BearerKey | None = Field(None, description="bearer key asked for; none: open")
    providers: ProviderSettings = ProviderSettings()
    remote: RemoteStagesSettings = RemoteStagesSettings()
    asr_model: str | None = Field(
        None, description="name in the manifest, or a folder; default: the provider's own"
    )
    mt_model: str | None = Field(
        None,
        description="fxtranslate: the architecture that goes first where a direction has several "
        "(tiny: the fastest; base-memory; base; default: the best); ctranslate2: a model's folder "
        "(gpu.md)",
    )
    tts_model: str | None = Field(
        None, description="name in the manifest, or a folder; default: the provider's own"
    )
    piper_voices: UserPath | None = Field(
        None,
        description="folder with Piper voices (NAME.onnx, NAME.onnx.json), offered beside those of "
        "the synthesis (languages.md)",
    )
    glossary: UserPath | None = Field(
        None,
        description="YAML file of names, fixed translations and pronunciations, for every stream; "
        "read again when it changes (wording.md)",
    )
    phrasebook: bool = Field(
        True,
        description="greetings, thanks and calls are translated by dubcast's own phrasebook, where "
        "it has the sentence or its beginning or end, and models are helped with what people say "
        "(wording.md); off: all by the model",
    )
    device: Literal["cpu", "cuda", "auto"] = Field(
        "cpu",
        description="where the models run; cuda: on the GPU, or on the CPU with the reason in the "
        "log; auto: on the GPU if there is one (gpu.md)",
    )
    gpu_memory_gb: float | None = Field(
        None,
        gt=0.5,
        description="what the voice may take of the GPU's memory; none: what it needs (gpu.md)",
    )
    processes: int = Field(
        1,
        ge=1,
        le=16,
        description="processes that share the port, each with its models; for a GPU that one "
        "process cannot keep busy (gpu.md)",
    )
    asr_threads: int = Field(1, ge=1, le=64)
    asr_beam: int = Field(
        5,
        ge=1,
        le=10,
        description="ways of going on that recognition keeps where there is time for it; 1: never",
    )
    tts_threads: int = Field(2, ge=1, le=64)
    tts_engine: Literal["auto", "onnxruntime", "openvino"] = Field(
        "auto",
        description="what runs the voice on a CPU; auto: the one that this machine runs best, "
        "measured once (capacity.md)",
    )
    max_pending: int = Field(
        128,
        ge=1,
        le=1024,
        description="requests inside at a time; fragments are taken on by what can be done in time",
    )
    drain_s: float = Field(20.0, ge=0, le=300, description="time to finish requests on SIGTERM")
    nice: int = Field(
        5, ge=0, le=19, description="niceness: on a shared machine the media path goes first"
    )
