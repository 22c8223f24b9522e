"""A small HTTP server on a thread of its own, for roles that are no web service themselves.

Standard library only, so that a worker stays small.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import SplitResult

from dubcast.listening import family_of, is_dual

MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True)
class Reply:
    """What a request is answered."""

    code: int
    body: bytes = b""
    content_type: str = "text/plain"


# From path (with its query) and body; called in the server's threads, and must return quickly.
Answer = Callable[[str, bytes], Reply]
# From a request's header `Authorization`: whether it is answered at all.
Admits = Callable[[str], bool]


def connection_to(url: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    """A connection, not yet made, to where a URL of HTTP or HTTPS points."""
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    return kind(url.hostname or "127.0.0.1", url.port, timeout=timeout_s)


class SmallServer:
    """`answers`: HTTP method -> what answers it; closing twice is harmless.

    Raises OSError if it cannot listen. A body without a length, or of more than 64 KiB, is
    refused unread: 413. So is one that `admits` does not admit: 403.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        answers: Mapping[str, Answer],
        *,
        admits: Admits = lambda _: True,
    ) -> None:
        self._server = _Server((host, port), _handler(answers, admits))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(2)
        self._server.server_close()


class WokenServer(ThreadingHTTPServer):
    """Ends at once when it is shut down, and does nothing while nobody asks: the library's looks
    twice a second whether it is to end."""

    def serve_forever(self, poll_interval: float | None = None) -> None:
        super().serve_forever(poll_interval)  # type: ignore[arg-type]  # None: until it is woken

    def shutdown(self) -> None:
        with contextlib.suppress(OSError):  # closed already
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes it
        super().shutdown()


class _Server(WokenServer):
    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = family_of(address[0])
        self._dual = is_dual(address[0])
        super().__init__(address, handler)

    def server_bind(self) -> None:
        if self._dual:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class _Handler(BaseHTTPRequestHandler):
    timeout = 5  # a slow client holds no thread

    def serve(self, answer: Answer, admits: Admits) -> None:
        if not admits(self.headers.get("Authorization", "")):
            return self._send(Reply(403))
        body = self._body()
        self._send(Reply(413) if body is None else answer(self.path, body))

    def _body(self) -> bytes | None:
        """The request's body; None if its length is not given, or too much."""
        if self.command == "GET":
            return b""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
            return None
        return self.rfile.read(int(length))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.code)
        if reply.body:
            self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Polls are not worth a log line; answers that are worth one are logged where they are
        made."""


def _handler(answers: Mapping[str, Answer], admits: Admits) -> type[BaseHTTPRequestHandler]:
    """A handler with a method for each HTTP method that is answered; the others get a 501."""

    def serving(answer: Answer) -> Callable[[_Handler], None]:
        return lambda handler: handler.serve(answer, admits)

    methods = {f"do_{method}": serving(answer) for method, answer in answers.items()}
    return type("Handler", (_Handler,), methods)
