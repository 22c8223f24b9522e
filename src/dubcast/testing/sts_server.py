"""A speech service that misbehaves as a script says: fakes the wire, to inject faults.

It never stands in for the real service in a claim that something works.

    with ScriptedSts(lambda request, call: ok(request) if call else Reply(503)) as sts:
        ...  # sts.url

Each reply is made by the script from the parsed request and the number of the call (from 0).
"""

from __future__ import annotations

import base64
import json
import math
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One scripted reply; sent after `wait_s`."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0


Script = Callable[[dict[str, Any], int], Reply]


def tone(seconds: float, rate_hz: int, hz: float = 440.0, level: float = 0.3) -> bytes:
    """A mono S16LE tone: unlike the original and unlike silence."""
    step = 2 * math.pi * hz / rate_hz
    peak = level * 32767
    frames = round(seconds * rate_hz)
    return b"".join(struct.pack("<h", round(peak * math.sin(step * i))) for i in range(frames))


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
    body = {
        "fragment_id": request["fragment_id"],
        "status": "success",
        "dubbed_audio": audio,
        "transcript": "one two three",
        "translated_text": "um dois três",
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


def refusal(
    status: int, code: str, *, retryable: bool, headers: Mapping[str, str] | None = None
) -> Reply:
    """A well-formed error body."""
    error = {"code": code, "message": f"scripted {code}", "retryable": retryable, "stage": None}
    body = {"fragment_id": None, "status": "error", "error": error}
    return Reply(status, json.dumps(body).encode(), headers or {})


class ScriptedSts:
    """The server, on a free loopback port; `requests` keeps what came.

    `pages` answer GET requests by path; any other GET is answered 200.
    """

    def __init__(
        self, script: Script, port: int = 0, pages: Mapping[str, Reply] | None = None
    ) -> None:
        self.script = script
        self.pages = dict(pages or {})
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

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
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _next(self, request: dict[str, Any], headers: Mapping[str, str]) -> Reply:
        with self._lock:
            call = len(self.requests)
            self.requests.append(request)
            self.headers.append(dict(headers))
        return self.script(request, call)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send(outer.pages.get(self.path, Reply(200, b"ready")))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reply = outer._next(json.loads(body), dict(self.headers))
                time.sleep(reply.wait_s)
                self._send(reply)

            def _send(self, reply: Reply) -> None:
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    self.wfile.write(reply.body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the client has given up, as scripted

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        return Handler
