"""A service elsewhere that speaks the wire of OpenAI's API and of LibreTranslate, faults included.

It never stands in for a real one in a claim that something works.

    with Elsewhere() as there:
        ...  # there.url + "/v1", there.url
        there.faults["/v1/audio/speech"] = lambda call: Reply(503) if call == 0 else None
"""

from __future__ import annotations

import io
import json
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any

from dubcast.small_http import WokenServer
from dubcast.testing.sts_server import Reply, tone

Fault = Callable[[int], Reply | None]

TEXT = "The concert begins at eight tonight. The tickets are sold out."
TRANSLATION = "O concerto começa às oito da noite. Os ingressos estão esgotados."
# Without punctuation, as the real one tells them.
WORDS = tuple(TEXT.replace(".", "").split())
WORD_S = 0.25


@dataclass(frozen=True)
class Asked:
    """A request that came: `fields` are those of its JSON or of its form; `key` what it gave."""

    path: str
    fields: dict[str, Any]
    key: str | None


@dataclass
class Elsewhere:
    """The server. `port`: 0 for one that is free; `translations`: what it says to a text, which it
    gives back with a mark before it where it has none; `models`: what it has, None: it lists none.

    `faults`: by path, what is answered instead to the call of this number (from 0), if anything.
    """

    port: int = 0
    translations: dict[str, str] = field(default_factory=lambda: {TEXT: TRANSLATION})
    models: list[str] | None = field(
        default_factory=lambda: ["whisper-1", "gpt-4o-mini", "tts-1", "other"]
    )
    languages: list[str] = field(default_factory=lambda: ["en", "es", "pb"])
    faults: dict[str, Fault] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self.released = threading.Event()  # ends what hangs
        self._server = WokenServer(("127.0.0.1", self.port), self._handler())

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Elsewhere:
        run = self._server.serve_forever
        threading.Thread(target=run, name="elsewhere", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def calls(self, path: str) -> list[Asked]:
        """What was asked of one path."""
        return [one for one in self.asked if one.path == path]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            elsewhere = self

            def do_GET(self) -> None:
                self.elsewhere._answer(self, b"")

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                self.elsewhere._answer(self, self.rfile.read(length))

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path, kind = request.path, request.headers.get("Content-Type", "")
        fields = parsed(kind, body)
        with self._lock:
            call = self._counts.get(path, 0)
            self._counts[path] = call + 1
            self.asked.append(Asked(path, fields, request.headers.get("Authorization")))
        script = self.faults.get(path)
        fault = script(call) if script is not None else None
        try:
            self._send(request, fault or self._good(path, fields))
        except ConnectionError:
            request.close_connection = True

    def _send(self, request: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.wait_s:
            self.released.wait(reply.wait_s)
        request.send_response(reply.status)
        headers = {"Content-Type": "application/json", **reply.headers}
        for name, value in {**headers, "Content-Length": str(len(reply.body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(reply.body[: reply.cut_after])
        if reply.cut_after is not None:
            request.close_connection = True

    def _good(self, path: str, fields: dict[str, Any]) -> Reply:
        if path == "/v1/models" and self.models is not None:
            return told({"object": "list", "data": [{"id": name} for name in self.models]})
        if path == "/languages":
            return told([{"code": code, "name": code} for code in self.languages])
        if path == "/v1/audio/transcriptions":
            return transcribed(fields)
        if path == "/v1/chat/completions":
            text = fields["messages"][-1]["content"]
            return chatted(self.translations.get(text, f"[{fields['model']}] {text}"))
        if path == "/translate":
            text = fields["q"]
            said = self.translations.get(text, f"[{fields['target']}] {text}")
            return told({"translatedText": said})
        if path == "/v1/audio/speech":
            return spoken(0.05 * len(fields["input"]), 24_000)
        return Reply(404, b'{"error": {"message": "no such page"}}')


def told(value: Any, status: int = 200) -> Reply:
    """A reply of JSON."""
    return Reply(status, json.dumps(value).encode())


def refused(status: int, message: str, **headers: str) -> Reply:
    """A refusal in OpenAI's form; `Retry_After` becomes `Retry-After`."""
    body = json.dumps({"error": {"message": message}}).encode()
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def chatted(text: str, finish: str = "stop") -> Reply:
    """An answer of a chat model."""
    message = {"role": "assistant", "content": text}
    return told({"choices": [{"index": 0, "message": message, "finish_reason": finish}]})


def transcribed(fields: dict[str, Any]) -> Reply:
    """A transcript, with the words where they are asked for."""
    end_s = WORD_S * len(WORDS)
    segment = {"text": TEXT, "start": 0.0, "end": end_s, "avg_logprob": -0.2, "no_speech_prob": 0.1}
    reply = {"text": f" {TEXT}", "language": "english", "segments": [segment]}
    if "word" in fields.get("timestamp_granularities[]", []):
        times = [(i * WORD_S, (i + 1) * WORD_S) for i in range(len(WORDS))]
        reply["words"] = [
            {"word": word, "start": start, "end": end}
            for word, (start, end) in zip(WORDS, times, strict=True)
        ]
    return told(reply)


def spoken(seconds: float, rate_hz: int) -> Reply:
    """A tone as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(tone(seconds, rate_hz))
    return Reply(200, out.getvalue(), {"Content-Type": "audio/wav"})


def parsed(kind: str, body: bytes) -> dict[str, Any]:
    """The fields of a body of JSON or of a form; of a form's file its bytes, of what repeats a
    list."""
    if kind.startswith("application/json"):
        found = json.loads(body)
        assert isinstance(found, dict)
        return found
    fields: dict[str, Any] = {}
    if kind.startswith("multipart/form-data"):
        whole = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        for part in whole.walk():
            _put(fields, part)
    return fields


def _put(fields: dict[str, Any], part: Message) -> None:
    name = part.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        return
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    value: Any = content if part.get_filename() else content.decode()
    if name.endswith("[]"):
        fields.setdefault(name, []).append(value)
    else:
        fields[name] = value
