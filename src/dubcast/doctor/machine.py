"""Ports and who holds them, and room on the disks."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil

from dubcast import config
from dubcast.config import Settings
from dubcast.doctor.report import Finding
from dubcast.listening import family_of

_LEAST_FREE_MB = 500


def ports(settings: Settings, *, media_kind: str) -> list[Finding]:
    """Whether the ports are free; one in use may be dubcast itself, so it is no fault."""
    media, own = settings.media_server, settings.orchestrator
    wanted = {"RTMP": (media.bind, media.rtmp_port)}
    if media_kind == "mediamtx":
        wanted["RTSP"] = (media.bind, media.rtsp_port)
        if "webrtc" in media.ingest.protocols:
            host = media.ingest.webrtc_bind or media.bind
            wanted["WHIP"] = (host, media.ingest.webrtc_port)
        wanted["the media server's API"] = (media.api_host, media.api_port)
        wanted["the media server's metrics"] = (media.api_host, media.metrics_port)
        if media.hls_port is not None:
            wanted["HLS"] = (media.bind, media.hls_port)
    else:
        wanted["HTTP-FLV"] = ("127.0.0.1", media.http_port)
    wanted["orchestrator"] = (own.host, own.port)
    wanted["speech service"] = (settings.sts_server.host, settings.sts_server.port)
    return [_port(name, host, port) for name, (host, port) in wanted.items()]


def _port(name: str, host: str, port: int) -> Finding:
    reason = _taken(host, port)
    detail = f"{reason}{_holder(port)}" if reason else ""
    return Finding(f"port {port} for {name}", not reason, detail, needed=False)


def _taken(host: str, port: int) -> str:
    """Why it cannot be listened on, or nothing."""
    try:
        with socket.socket(family_of(host)) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((host, port))
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


def _holder(port: int) -> str:
    """Who listens there, as far as this user may know."""
    try:
        for one in psutil.net_connections(kind="tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid:
                return f": held by {_called(psutil.Process(one.pid))} (pid {one.pid})"
    except (psutil.Error, OSError):
        pass
    return ""


def _called(process: psutil.Process) -> str:
    """The process's name; for a role of dubcast, the role."""
    argv = process.cmdline()
    for at, word in enumerate(argv[:-1]):
        if word == "dubcast" or word.endswith("/dubcast"):
            return f"dubcast {argv[at + 1]}"
    return str(process.name())


def disks(settings: Settings) -> Iterator[Finding]:
    """Room and permission where dubcast writes."""
    worker, own = settings.worker, settings.orchestrator
    places: list[tuple[str, Path | None, int]] = [
        ("state", own.state_dir or config.state_dir(), _LEAST_FREE_MB),
        ("models", settings.models.dir or config.cache_dir() / "models", _LEAST_FREE_MB),
        ("as-run log", worker.asrun_dir, _LEAST_FREE_MB),
        ("dumps", worker.dumps.dir, worker.dumps.max_mb),
    ]
    for name, folder, least_mb in places:
        if folder is not None:
            yield _disk(name, folder, least_mb)


def _disk(name: str, folder: Path, least_mb: int) -> Finding:
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    name = f"folder for {name}"
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding(name, False, f"{folder} cannot be written", needed=name.endswith("state"))
    free_mb = shutil.disk_usage(there).free // 1_000_000
    detail = f"{free_mb / 1000:.1f} GB free at {folder}"
    if free_mb < least_mb:
        return Finding(name, False, f"{detail}; {least_mb} MB are wanted", needed=False)
    return Finding(name, True, detail)
