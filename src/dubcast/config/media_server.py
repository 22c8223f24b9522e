"""Settings of the media server."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dubcast.config.ingest import IngestSettings
from dubcast.config.values import Host, HttpUrl, Key, Port, Section, UserPath


class MediaServerSettings(Section):
    """Which media server runs, and where."""

    kind: Literal["auto", "mediamtx", "embedded"] = Field(
        "auto", description="auto: MediaMTX when its binary is found, else the embedded one"
    )
    mediamtx_path: UserPath | None = Field(
        None, description="the binary, if it is neither on PATH nor installed by dubcast"
    )
    mediamtx_dir: UserPath | None = Field(
        None,
        description="where `dubcast mediamtx install` puts it; default: the user's cache folder",
    )
    mediamtx_releases: HttpUrl = Field(
        "https://github.com/bluenviron/mediamtx/releases/download",
        description="where it is installed from; a mirror has the same files below `v1.20.1`",
    )
    attach: bool = Field(False, description="mediamtx: use a running server, start none")
    host: Host = Field("127.0.0.1", description="where the other roles reach it")
    bind: Host = Field(
        "127.0.0.1",
        description="address that publishers reach; 0.0.0.0: all, `::`: all of IPv6 too",
    )
    rtmp_port: Port = 1935
    rtsp_port: Port = 8554
    http_port: Port = Field(8088, description="embedded: HTTP-FLV and its API (loopback only)")
    api_port: Port = Field(9997, description="mediamtx: its API, which asks for a key")
    api_host: Host = Field(
        "127.0.0.1", description="mediamtx: address that its API and its metrics listen on"
    )
    api_url: HttpUrl | None = Field(
        None,
        description="mediamtx: where dubcast asks the API; default: at `api_host`, or at `host` of "
        "an attached server",
    )
    api_key: Key | None = Field(
        None,
        description="mediamtx: key of its API, given as the password of the user `dubcast`; not "
        "set: made of `orchestrator.hook_secret`",
    )
    roles_key: Key | None = Field(
        None,
        description="mediamtx: key with which workers and forwarders read, and publish what was "
        "dubbed; not set: made of `orchestrator.hook_secret`",
    )
    metrics_port: Port = Field(9998, description="mediamtx: its metrics, for Prometheus")
    hls_port: Port | None = Field(
        None, description="mediamtx: low-latency HLS, to look at streams in a browser; none: off"
    )
    whep: bool = Field(
        False,
        description="mediamtx: outputs carry Opus beside AAC, so that browsers hear them by WHEP; "
        "of streams without B-frames",
    )
    silent_s: float = Field(
        10.0, ge=1, le=300, description="a publisher that sends nothing for so long is dropped"
    )
    embedded_dir: UserPath | None = Field(
        None, description="where the embedded server is installed; default: the cache folder"
    )
    ingest: IngestSettings = IngestSettings()
