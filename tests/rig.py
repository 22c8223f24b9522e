"""What the media tests share: free ports, real publishers and readers, a stub control plane."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from dubcast.config import MediaServerSettings, Secret, Settings, load
from dubcast.contract.ids import ingest_path_fault, is_output_path
from dubcast.measure.recorder import require_elements
from dubcast.mediaserver.auth import access_of
from dubcast.mediaserver.auth_relay import AuthRelay
from dubcast.mediaserver.choice import create
from dubcast.mediaserver.interface import ControlPlane, MediaServer, control_plane
from dubcast.mediaserver.keys import Purpose, derived
from dubcast.mediaserver.mediamtx import find_binary
from dubcast.small_http import WokenServer
from dubcast.testing.launch_line import elements_of

SECRET = "hook-secret-of-the-tests"
KEY = "right-key"
API_KEY = derived(Secret(SECRET), Purpose.API).get_secret_value()


_BELOW_CLIENTS = range(10_000, 32_000)
_PORTS = random.SystemRandom()  # runs beside each other, and seeded ones, choose differently


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different.

    Below those that the kernel gives to whoever connects: no client of another test takes one
    before it is listened at.
    """
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            one, port = held.enter_context(socket.socket()), _PORTS.choice(_BELOW_CLIENTS)
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(port)
    return found


async def eventually(
    check: Callable[[], Any] | Callable[[], Awaitable[Any]], timeout_s: float = 10.0
) -> Any:
    """Wait until `check` gives something true and return it; fails after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = check()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {timeout_s} s: {check}")
        await asyncio.sleep(0.05)


# ---- control plane ------------------------------------------------------------------------


class StubPlane:
    """Records hooks and answers the media server's questions: publishing needs `KEY`."""

    def __init__(self) -> None:
        self.hooks: list[tuple[str, dict[str, str], dict[str, Any], bytes]] = []
        self.asked: list[dict[str, Any]] = []
        self.fail_hooks = 0
        self.open_to_all = False
        plane = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                code, words = plane._answer(self.path, dict(self.headers.items()), body)
                self.send_response(code)
                self.send_header("Content-Length", str(len(words)))
                self.end_headers()
                self.wfile.write(words)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = WokenServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        value = json.loads(body)
        if path == "/auth":
            if value["action"] == "api":
                return (200, b"") if value["password"] == API_KEY else (401, b"")
            self.asked.append(value)
            fault = ingest_path_fault(value["path"]) if value["action"] == "publish" else None
            if fault is None or is_output_path(value["path"]):
                may = self.open_to_all or f"key={KEY}" in value["query"]
                return (200, b"") if may else (401, b"")
            return 401, fault.encode()
        if self.fail_hooks > 0:
            self.fail_hooks -= 1
            return 503, b""
        lowered = {name.lower(): text for name, text in headers.items()}
        self.hooks.append((path.rpartition("/")[2], lowered, value, body))
        return 200, b""

    def kinds(self, path: str) -> list[str]:
        return [kind for kind, _, value, _ in self.hooks if value["path"] == path]

    def control(self, *, auth_required: bool = True) -> ControlPlane:
        return ControlPlane(
            f"{self.base}/events", Secret(SECRET), f"{self.base}/auth", auth_required
        )

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def stub_plane() -> Iterator[StubPlane]:
    plane = StubPlane()
    try:
        yield plane
    finally:
        plane.close()


# ---- media servers ------------------------------------------------------------------------


def server_settings(kind: str, **changes: Any) -> MediaServerSettings:
    """Settings with free ports; MediaMTX's binary as the machine's settings name it."""
    rtmp, rtsp, http, api, metrics = free_ports(5)
    binary = load().settings.media_server.mediamtx_path
    values = {
        "kind": kind,
        "rtmp_port": rtmp,
        "rtsp_port": rtsp,
        "http_port": http,
        "api_port": api,
        "metrics_port": metrics,
        "mediamtx_path": binary,
        "ingest": free_ingest_ports(),
        **changes,
    }
    return MediaServerSettings.model_validate(values)


def free_ingest_ports() -> dict[str, int]:
    """Ports for what else MediaMTX takes from publishers."""
    rtmps, srt, web, udp, rtp = free_ports(5)
    return {
        "rtmps_port": rtmps,
        "srt_port": srt,
        "webrtc_port": web,
        "webrtc_udp_port": udp,
        "rtp_port": rtp - rtp % 2,
    }


def build_server(settings: MediaServerSettings, plane: ControlPlane) -> MediaServer:
    return create(Settings(media_server=settings), plane)


def mediamtx_found() -> bool:
    return find_binary(load().settings.media_server) is not None


@asynccontextmanager
async def running_server(
    settings: MediaServerSettings, plane: ControlPlane
) -> AsyncIterator[MediaServer]:
    """A server with a plane that is there. MediaMTX asks about its API too: where a plane has
    nobody to answer, a relay does."""
    if settings.kind == "mediamtx" and not plane.auth_required:
        running = _answered(Settings(media_server=settings), plane)
    else:
        running = _started(settings, plane)
    async with running as server:
        yield server


@asynccontextmanager
async def running_role(settings: Settings) -> AsyncIterator[MediaServer]:
    """As the role `media-server` runs it: what asks the orchestrator is between them."""
    async with _answered(settings, control_plane(settings, Secret(SECRET))) as server:
        yield server


@asynccontextmanager
async def _answered(settings: Settings, plane: ControlPlane) -> AsyncIterator[MediaServer]:
    relay = AuthRelay(access_of(settings, plane.hook_secret), plane.auth_url)
    relay.start()
    try:
        asking = replace(plane, auth_url=relay.url)
        async with _started(settings.media_server, asking) as server:
            yield server
    finally:
        relay.close()


@asynccontextmanager
async def _started(
    settings: MediaServerSettings, plane: ControlPlane
) -> AsyncIterator[MediaServer]:
    server = build_server(settings, plane)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        await server.close()


# ---- servers that are none -----------------------------------------------------------------

Meet = Callable[[socket.socket], None]


def hang_up(taken: socket.socket) -> None:
    """On everyone."""
    taken.close()


def say_nothing(taken: socket.socket) -> None:
    """The operating system takes the connection, and the program never looks at it."""


def shake_hands(taken: socket.socket) -> None:
    """Answer the handshake of RTMP, and no command."""
    theirs = taken.recv(1537, socket.MSG_WAITALL)
    taken.sendall(b"\3" + bytes(1536) + theirs[1:])


@contextmanager
def bad_server(meet: Meet | None) -> Iterator[int]:
    """A port at which each connection is met so; None: nobody listens."""
    held = []  # what is let go of is closed

    def serve() -> None:
        with contextlib.suppress(OSError):
            while meet is not None:
                held.append(there.accept()[0])
                meet(held[-1])

    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        if meet is None:
            there.close()
        threading.Thread(target=serve, daemon=True).start()
        yield port


# ---- publishers and readers ---------------------------------------------------------------

_PICTURE = "testsrc=size=160x120:rate=25"
_SOUND = "sine=frequency=440:sample_rate=48000"
_NOISE = f"{_PICTURE},noise=alls=10:allf=t"
_HISS = "anoisesrc=amplitude=0.1:sample_rate=48000"


def publish_argv(
    url: str, *, seconds: float = 60, audio_early_s: float = 0, noise: bool = False
) -> list[str]:
    """ffmpeg in real time: a test picture with a key frame each second, and a tone.

    `noise`: both noisy, so that no two frames are the same.
    """
    picture, tone = (_NOISE, _HISS) if noise else (_PICTURE, _SOUND)
    sound = ["-itsoffset", str(-audio_early_s)] if audio_early_s else []
    return [
        *("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin"),
        *("-re", "-f", "lavfi", "-i", picture),
        *(*sound, "-re", "-f", "lavfi", "-i", tone, "-t", str(seconds)),
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25"),
        *("-c:a", "aac", "-b:a", "64k", "-flvflags", "no_duration_filesize"),
        *("-f", "flv", url),
    ]


class Child:
    """A program that a test runs; ended for certain when the test is over."""

    def __init__(self, argv: list[str]) -> None:
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    async def ended(self, timeout_s: float = 10) -> int:
        """Its exit code; fails if it has not ended by then."""
        await eventually(lambda: not self.running, timeout_s)
        return self.process.returncode

    def output(self) -> tuple[bytes, bytes]:
        return self.process.communicate(timeout=10)

    def close(self) -> None:
        if self.running:
            self.signal(signal.SIGCONT)
            self.process.kill()
        self.process.communicate()


@contextmanager
def child(argv: list[str]) -> Iterator[Child]:
    one = Child(argv)
    try:
        yield one
    finally:
        one.close()


@contextmanager
def gst_launch(*pipeline: str) -> Iterator[Child]:
    """gst-launch; a missing element is an error that names it, not something that never comes."""
    require_elements(elements_of(pipeline))
    with child(["gst-launch-1.0", "-q", *pipeline]) as one:
        yield one


@contextmanager
def publisher(url: str, **options: Any) -> Iterator[Child]:
    with child(publish_argv(url, **options)) as one:
        yield one


def read_argv(url: str, file: Path, seconds: float) -> list[str]:
    """ffmpeg that records what arrives, untouched."""
    return [
        *("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y"),
        *("-i", url, "-t", str(seconds), "-c", "copy", "-f", "flv", str(file)),
    ]


async def on_air(url: str, timeout_s: float = 30) -> None:
    """Wait until a reader gets media: not every server lets one wait for it."""
    argv = ["ffprobe", "-loglevel", "error", "-rw_timeout", "20000000", url]

    async def is_there() -> bool:
        with child(argv) as one:
            return await one.ended(25) == 0

    await eventually(is_there, timeout_s)


async def growing(file: Path, size: int = 20_000, timeout_s: float = 20) -> None:
    """Wait until a recording holds so many bytes."""
    await eventually(lambda: file.exists() and file.stat().st_size > size, timeout_s)


def first_timestamps(file: Path) -> dict[str, float]:
    """Kind of track -> its first PTS in seconds, in a recorded file."""
    done = subprocess.run(
        [
            *("ffprobe", "-loglevel", "error", "-show_entries", "packet=codec_type,pts_time"),
            *("-of", "csv=p=0", str(file)),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    found: dict[str, float] = {}
    for line in done.stdout.splitlines():
        kind, time_s = line.split(",")[:2]
        if time_s != "N/A":
            found[kind] = min(found.get(kind, float("inf")), float(time_s))
    return found
