"""Settings of the control plane: its streams, and where they are pushed to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_serializer

from dubcast.config.stream import StreamSettings
from dubcast.config.values import DestinationUrl, Host, HttpUrl, Key, Port, Section, UserPath
from dubcast.contract.ids import StreamId


class DestinationSettings(Section):
    """A third-party endpoint that a dubbed stream is pushed to."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")
    url: DestinationUrl = Field(description="rtmp://, rtmps:// or srt:// URL with its stream key")
    verify: bool = Field(
        True, description="rtmps: off sends the key to whoever answers, whatever its certificate"
    )
    ca_file: UserPath | None = Field(
        None, description="rtmps: believe the authorities in this PEM file, not the system's"
    )
    when_slow: Literal["skip", "wait"] = Field(
        "skip",
        description="it lags more than max_lag_s: skip to the newest key frame, or wait for it, "
        "until 16 MiB wait",
    )
    max_lag_s: float = Field(8.0, ge=1, le=60, description="when_slow skip: the longest lag")


def _one_of_a_name(
    destinations: tuple[DestinationSettings, ...],
) -> tuple[DestinationSettings, ...]:
    names = [one.name for one in destinations]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two destinations are named {', '.join(twice)}; each needs its own name")
    return destinations


Destinations = Annotated[tuple[DestinationSettings, ...], AfterValidator(_one_of_a_name)]


class StreamEntry(Section):
    """One known stream: where it goes, and what differs from the defaults in `stream`."""

    destinations: Destinations = ()
    policy: StreamSettings = Field(
        StreamSettings(), description="keys of the section `stream` that differ"
    )

    @field_serializer("policy")
    def _only_what_differs(self, policy: StreamSettings) -> dict[str, Any]:
        return policy.model_dump(exclude_unset=True)


class OrchestratorSettings(Section):
    """The control plane."""

    host: Host = "127.0.0.1"
    port: Port = 8080
    url: HttpUrl | None = Field(
        None,
        description="where the media server and its hooks reach the orchestrator; default: at "
        "`host` and `port`",
    )
    hook_secret: Key | None = Field(
        None,
        description="signs hooks, and makes the keys of dubcast's own roles; not set: one is made "
        "and kept in the state folder, for the roles on this machine",
    )
    grace_s: float = Field(60.0, ge=0, le=3600, description="how long a gone publisher is awaited")
    reconcile_s: float = Field(2.0, gt=0, le=60, description="period of the reconciler")
    max_streams: int = Field(8, ge=1, le=1000, description="streams on this machine at a time")
    start_timeout_s: float = Field(
        30.0, gt=0, le=300, description="a child that has not answered by then is started anew"
    )
    heartbeat_timeout_s: float = Field(
        4.0,
        gt=0,
        le=60,
        description="a child that does not answer for so long is killed; one that a signal has "
        "stopped, after a second",
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
    state_dir: UserPath | None = Field(
        None, description="where running children are noted; default: the user's state folder"
    )
    open_ingest: bool = Field(
        True, description="accept any well-formed stream id; false: only those in `streams`"
    )
    publish_key: Key | None = Field(
        None, description="key that publishers give as ?key=; none: not asked for"
    )
    read_key: Key | None = Field(
        None,
        description="key with which viewers read `live/<id>/out`; none: only this machine reads, "
        "if the server listens on it alone",
    )
    streams: dict[StreamId, StreamEntry] = Field(
        default_factory=dict, description="known streams: `destinations`, and `policy` that differs"
    )
    destinations: Destinations = Field((), description="pushed to from every stream")
