"""Answers the media server's question "may this one publish, or read?".

It lives in the role that runs the media server. Whether there is room for another stream is the
orchestrator's to say, so it is asked about publishers. Everything else needs nothing but the
settings and is answered here; so are publishers while the orchestrator is away, so that one whose
connection breaks can come back: what is already on air has its place.
"""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from pydantic import ValidationError

from dubcast import log
from dubcast.contract.ids import stream_id_of_ingest
from dubcast.mediaserver.auth import Access, AuthRequest, Refusal, basic, is_ours, refusal
from dubcast.mediaserver.keys import USER
from dubcast.small_http import Reply, SmallServer, connection_to

_ASK_S = 1.0  # the embedded media server itself waits for two
_MAX_WORDS = 4096
_logger = log.get("mediaserver.auth")


class AuthRelay(SmallServer):
    """Serves on loopback, at `url`, from a thread of its own; closing twice is harmless."""

    def __init__(self, access: Access, upstream: str) -> None:
        self._access = access
        self._upstream = urlsplit(upstream)
        key = access.own.callback
        super().__init__(
            *("auth", "127.0.0.1", 0, {"POST": lambda _, body: self.answer(body)}),
            admits=lambda authorization: is_ours(authorization, key),
        )
        self.url = f"http://127.0.0.1:{self.port}/auth"

    def answer(self, body: bytes) -> Reply:
        """The answer to a question that our own media server asks."""
        try:
            question = AuthRequest.model_validate_json(body)
        except ValidationError:
            return Reply(401)
        refused = refusal(self._access, question)
        if question.action == "publish" and stream_id_of_ingest(question.path) is not None:
            return self._ask(body) or _decided(question, refused, "auth.decided_here")
        return _decided(question, refused, "auth.refused") if refused else Reply(204)

    def _ask(self, body: bytes) -> Reply | None:
        """What the orchestrator answers, or None if it does not, or cannot, say."""
        headers = {
            "Content-Type": "application/json",
            "Authorization": basic(USER, self._access.own.callback),
        }
        connection = connection_to(self._upstream, _ASK_S)
        try:
            connection.request("POST", self._upstream.path, body, headers)
            answer = connection.getresponse()
            code, words = answer.status, answer.read(_MAX_WORDS)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        # Its word is about the publisher. That it knows us not is our fault, and not his.
        return None if code >= 500 or code == 403 else Reply(code, words)


def _decided(question: AuthRequest, refused: Refusal | None, event: str) -> Reply:
    told = {"reason": refused.reason, "why": refused.words} if refused else {}
    _logger.warning(event, action=question.action, path=question.path, **told)
    return Reply(204) if refused is None else Reply(401, refused.words.encode())
