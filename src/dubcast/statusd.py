"""A role's small HTTP window on loopback: `/livez`, `/status` (JSON) and `/metrics`.

Read-only; the orchestrator polls `/status` as the heartbeat, Prometheus reads `/metrics`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from dubcast.small_http import Reply, SmallServer


class StatusServer(SmallServer):
    """Serves one role's status.

    `status` is called in the server's threads and must return quickly.
    """

    def __init__(
        self,
        host: str,
        port: int,
        status: Callable[[], dict[str, Any]],
        registry: CollectorRegistry,
    ) -> None:
        self._status = status
        self._registry = registry
        super().__init__("status", host, port, {"GET": self._answer})

    def _answer(self, path: str, _body: bytes) -> Reply:
        path = path.partition("?")[0]
        if path == "/livez":
            return Reply(200, b"ok\n")
        if path == "/status":
            return Reply(200, json.dumps(self._status()).encode(), "application/json")
        if path == "/metrics":
            return Reply(200, generate_latest(self._registry), CONTENT_TYPE_LATEST)
        return Reply(404, b"not found\n")
