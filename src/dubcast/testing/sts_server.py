"""A speech service that misbehaves as a script says: fakes the wire, to inject faults.

It never stands in for the real service in a claim that something works.

    with ScriptedSts(lambda request, call: success(request) if call else Reply(503)) as sts:
        ...  # sts.url

Each reply is made by the script from the parsed request and the number of the call (from 0).
`dubcast.testing.faults` has the faults by name, and ways to say when each strikes.
"""

from __future__ import annotations

import base64
import functools
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any

import numpy as np

from dubcast.small_http import WokenServer


@dataclass(frozen=True)
class Reply:
    """One scripted reply; sent after `wait_s`.

    `cut_after`: reset the connection after so many bytes of the body. `pace_s`: wait so long before
    each kilobyte. `repeat`: send the body over and over, so many times (huge replies need no
    memory). `copies`: send the whole reply so often. `raw`: the body is all there is, HTTP or not.
    `pieces`: in place of the body, pieces of a stream, each after so many seconds; `breaks`: the
    connection is reset after the last of them.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    cut_after: int | None = None
    pace_s: float = 0.0
    repeat: int = 1
    copies: int = 1
    raw: bool = False
    pieces: tuple[tuple[float, bytes], ...] = ()
    breaks: bool = False


Script = Callable[[dict[str, Any], int], Reply]


@functools.lru_cache(maxsize=32)
def tone(seconds: float, rate_hz: int, hz: float = 440.0, level: float = 0.3) -> bytes:
    """A mono S16LE tone: unlike the original and unlike silence."""
    phase = 2 * np.pi * hz / rate_hz * np.arange(round(seconds * rate_hz))
    return bytes(np.rint(level * 32767 * np.sin(phase)).astype("<i2"))


def success(request: Mapping[str, Any], pcm: bytes | None = None, **changes: Any) -> Reply:
    """A well-formed reply; `pcm` is mono at the request's rate, a tone of its length by default.

    `changes` replace top-level fields; `audio` replaces fields of `dubbed_audio`.
    """
    rate = request["audio"]["sample_rate_hz"]
    pcm = tone(request["audio"]["duration_ms"] / 1000, rate) if pcm is None else pcm
    audio = {
        "format": "pcm_s16le",
        "sample_rate_hz": rate,
        "channels": 1,
        "duration_ms": round(1000 * len(pcm) / 2 / rate),
        "data_base64": base64.b64encode(pcm).decode(),
        **changes.pop("audio", {}),
    }
    words = min(max(len(pcm) * 1000 // (600 * rate), 1), 3)  # no more than fit: one in 0.3 s
    body = {
        "fragment_id": request["fragment_id"],
        "status": "success",
        "dubbed_audio": audio,
        "transcript": " ".join(("one", "two", "three")[:words]),
        "translated_text": " ".join(("um", "dois", "três")[:words]),
        "detected_language": request["config"]["source_language"],
        "speech_ms": audio["duration_ms"],
        "tempo": 1.0,
        "processing_time_ms": 1.0,
        "stages_ms": {},
        "metadata": {
            "asr_model": "scripted",
            "translation_model": "scripted",
            "tts_model": "scripted",
            "replica": "scripted",
        },
        **changes,
    }
    return Reply(200, json.dumps(body).encode())


def no_speech(request: Mapping[str, Any]) -> Reply:
    """A well-formed reply that nothing was said."""
    return success(
        request,
        b"",
        status="no_speech",
        dubbed_audio=None,
        transcript="",
        translated_text="",
        speech_ms=0,
    )


def refusal(
    status: int, code: str, *, retryable: bool, headers: Mapping[str, str] | None = None
) -> Reply:
    """A well-formed error body."""
    error = {"code": code, "message": f"scripted {code}", "retryable": retryable, "stage": None}
    body = {"fragment_id": None, "status": "error", "error": error}
    return Reply(status, json.dumps(body).encode(), headers or {})


class ScriptedSts:
    """The server, on a free loopback port.

    `requests`, `headers` and `peers` (the client's port) keep what came, `pings` the GETs' paths.

    `pages` answer GET requests by path; any other GET is answered 200. `script` and `pages` may be
    replaced at any time. Leaving it ends replies that still wait or trickle.
    """

    def __init__(
        self, script: Script, port: int = 0, pages: Mapping[str, Reply] | None = None
    ) -> None:
        self.script = script
        self.pages = dict(pages or {})
        self.requests: list[dict[str, Any]] = []
        self.peers: list[int] = []
        self.pings: list[str] = []
        self._quit = threading.Event()
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ScriptedSts:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._quit.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _next(self, request: dict[str, Any], headers: Mapping[str, str], peer: int) -> Reply:
        with self._lock:
            call = len(self.requests)
            self.peers.append(peer)
            self.headers.append(dict(headers))
            self.requests.append(request)
        return self.script(request, call)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.pings.append(self.path)
                self._send(outer.pages.get(self.path, Reply(200, b"ready")))

            def do_POST(self) -> None:
                try:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                    request = dict(json.loads(body))
                except (TypeError, ValueError):  # damaged on the way
                    self._send(refusal(400, "INVALID_INPUT", retryable=False))
                    return
                peer = self.client_address[1]
                self._send(outer._next(request, dict(self.headers), peer))

            def _send(self, reply: Reply) -> None:
                if outer._quit.wait(reply.wait_s):
                    self.close_connection = True
                    return
                try:
                    for _ in range(reply.copies):
                        self._send_once(reply)
                except OSError:
                    self.close_connection = True  # the client has given up, as scripted

            def _send_once(self, reply: Reply) -> None:
                if not reply.raw:
                    self.send_response_only(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    if reply.pieces:
                        self.send_header("Transfer-Encoding", "chunked")
                    elif "Content-Length" not in reply.headers:
                        self.send_header("Content-Length", str(len(reply.body) * reply.repeat))
                    self.end_headers()
                for wait_s, part in _parts(reply):
                    if wait_s and outer._quit.wait(wait_s):
                        break
                    self.wfile.write(part)
                cut = reply.cut_after is not None or reply.breaks
                if cut:
                    _reset(self.connection)
                if reply.raw or cut:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        return Handler


class _Server(WokenServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent where the client is gone: it is what a fault does."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _parts(reply: Reply) -> Iterator[tuple[float, bytes]]:
    """What is sent, and after how many seconds each."""
    for wait_s, piece in reply.pieces:
        yield wait_s, b"%x\r\n%b\r\n" % (len(piece), piece)
    if reply.pieces:
        yield 0.0, b"" if reply.breaks else b"0\r\n\r\n"
        return
    body = reply.body if reply.cut_after is None else reply.body[: reply.cut_after]
    size = 1024 if reply.pace_s else max(len(body), 1)
    for _ in range(reply.repeat):
        for start in range(0, len(body), size):
            yield reply.pace_s, body[start : start + size]


def _reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
