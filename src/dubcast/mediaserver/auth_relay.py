"""Answers the media server's question "may this one publish?" while the orchestrator is away.

It lives in the role that runs the media server, asks the orchestrator, and passes its answer on.
If there is none, it decides by the same rule from the same settings, so that a publisher whose
connection breaks can come back while the orchestrator is down. The one thing that it cannot know
is whether there is room for another stream: what is already on air has its place.
"""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from pydantic import ValidationError

from dubcast import log
from dubcast.config import OrchestratorSettings
from dubcast.mediaserver.auth import AuthRequest, refusal
from dubcast.small_http import Reply, SmallServer

_ASK_S = 1.0  # the media server itself waits for two
_MAX_WORDS = 4096
_logger = log.get("mediaserver.auth")


class AuthRelay(SmallServer):
    """Serves on loopback, at `url`, from a thread of its own; closing twice is harmless."""

    def __init__(self, settings: OrchestratorSettings, upstream: str) -> None:
        self._settings = settings
        self._upstream = urlsplit(upstream)
        super().__init__("auth", "127.0.0.1", 0, {"POST": lambda _, body: self.answer(body)})
        self.url = f"http://127.0.0.1:{self.port}/auth"

    def answer(self, body: bytes) -> Reply:
        """The answer to a question: the orchestrator's, or ours if it gives none."""
        answered = self._ask(body)
        if answered is not None:
            return answered
        try:
            question = AuthRequest.model_validate_json(body)
        except ValidationError:
            return Reply(401)
        refused = refusal(self._settings, question)
        reason = refused.reason if refused else None
        _logger.warning(
            "auth.decided_here", action=question.action, path=question.path, refused=reason
        )
        return Reply(204) if refused is None else Reply(401, refused.words.encode())

    def _ask(self, body: bytes) -> Reply | None:
        """What the orchestrator answers, or None if it does not, or cannot, say."""
        host, port = self._upstream.hostname or "127.0.0.1", self._upstream.port or 80
        connection = http.client.HTTPConnection(host, port, timeout=_ASK_S)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", self._upstream.path, body, headers)
            answer = connection.getresponse()
            code, words = answer.status, answer.read(_MAX_WORDS)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return None if code >= 500 else Reply(code, words)
