"""A role's small HTTP window on loopback: `/livez`, `/status` (JSON) and `/metrics`.

Standard library only, so that the worker stays small. Read-only; the orchestrator polls
`/status` as the heartbeat, Prometheus reads `/metrics`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


class StatusServer:
    """Serves one role's status from a thread of its own; closing twice is harmless.

    `status` is called in the server's threads and must return quickly.
    """

    def __init__(
        self,
        host: str,
        port: int,
        status: Callable[[], dict[str, Any]],
        registry: CollectorRegistry,
    ) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(status, registry))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="status", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(2)
        self._server.server_close()


def _handler(
    status: Callable[[], dict[str, Any]], registry: CollectorRegistry
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # a slow client holds no thread

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/livez":
                self._reply(200, "text/plain", b"ok\n")
            elif path == "/status":
                self._reply(200, "application/json", json.dumps(status()).encode())
            elif path == "/metrics":
                self._reply(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            else:
                self._reply(404, "text/plain", b"not found\n")

        def _reply(self, code: int, content_type: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Polls are not worth a log line."""

    return Handler
