"""Who may publish and read: the answer to the media server's question. Pure."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field

from dubcast.addresses import is_loopback
from dubcast.config import OrchestratorSettings, Secret
from dubcast.contract.ids import ingest_path_fault, is_output_path, stream_id_of_ingest


class AuthRequest(BaseModel):
    """What the media server asks; fields that newer servers add are accepted."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    user: str | None = Field(default="", max_length=1024)
    password: Secret | None = Field(default=None, max_length=1024)
    token: Secret | None = Field(default=None, max_length=1024)
    ip: str = Field(default="", max_length=64)
    action: str = Field(max_length=32)
    path: str = Field(default="", max_length=512)
    protocol: str = Field(default="", max_length=32)
    query: Secret = Field(default=Secret(""), max_length=4096)  # the key may be in it


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused: a code, and the words for whoever asked."""

    reason: str
    words: str


WRONG_KEY = Refusal("wrong_key", "the key is missing or wrong: give it as ?key=")
UNKNOWN_STREAM = Refusal("unknown_stream", "this stream is not among those of the settings")
NOT_ALLOWED = Refusal("not_allowed", "this is for dubcast's own roles on its machine")


def refusal(settings: OrchestratorSettings, request: AuthRequest) -> Refusal | None:
    """Why the request is refused, or None if it is allowed.

    Publishers of `live/<id>/in` need the key, if one is set. Everything else (reading, and
    publishing what was dubbed) is for the roles of dubcast on this machine.
    """
    stream_id = stream_id_of_ingest(request.path)
    if request.action == "publish" and stream_id is not None:
        return _publisher_refusal(settings, stream_id, request)
    here = is_loopback(request.ip)
    if request.action == "publish" and not (here and is_output_path(request.path)):
        return Refusal("path", ingest_path_fault(request.path) or NOT_ALLOWED.words)
    if request.action in {"publish", "read"} and here:
        return None
    return NOT_ALLOWED


def _publisher_refusal(
    settings: OrchestratorSettings, stream_id: str, request: AuthRequest
) -> Refusal | None:
    if not settings.open_ingest and stream_id not in settings.streams:
        return UNKNOWN_STREAM
    if settings.publish_key is None:
        return None
    expected = settings.publish_key.get_secret_value().encode()
    asked = [one.get_secret_value() for one in (request.token, request.password) if one]
    given = [*asked, *_keys_of(request.query.get_secret_value())]
    # Every candidate is compared, so that the time says nothing about which one it was.
    matches = [hmac.compare_digest(expected, one.encode()) for one in given]
    return None if any(matches) else WRONG_KEY


def _keys_of(query: str) -> list[str]:
    try:
        return parse_qs(query, max_num_fields=32).get("key", [])
    except ValueError:
        return []
