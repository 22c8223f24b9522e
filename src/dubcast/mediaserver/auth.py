"""Who may publish and read: the answer to the media server's question. Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field

from dubcast.addresses import is_loopback, is_this_machine
from dubcast.config import MediaServerSettings, Secret, Settings
from dubcast.contract.ids import ingest_path_fault, is_output_path, stream_id_of_ingest
from dubcast.mediaserver.keys import OwnKeys, own_keys


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
NOT_ALLOWED = Refusal("not_allowed", "this is for dubcast's own roles, which have a key")
NO_READ_KEY = Refusal("no_read_key", "viewers need a key, and orchestrator.read_key is not set")


@dataclass(frozen=True)
class Access:
    """Who may do what, as the settings say."""

    publish: Secret | None  # None: publishers are not asked for a key
    read: Secret | None  # None: viewers have none
    own: OwnKeys
    streams: frozenset[str] | None  # None: any well-formed id
    # Of a server that listens on this machine alone: whoever reaches it may read, and publish what
    # was dubbed. Where others reach it too an address says nothing: a proxy may stand between.
    trusts_machine: bool


def access_of(settings: Settings, hook_secret: Secret) -> Access:
    """The rule that `settings` describe."""
    own = settings.orchestrator
    return Access(
        publish=own.publish_key,
        read=own.read_key,
        own=own_keys(settings.media_server, hook_secret),
        streams=None if own.open_ingest else frozenset(own.streams),
        trusts_machine=is_private(settings.media_server),
    )


def is_private(settings: MediaServerSettings) -> bool:
    """True if only this machine reaches the media server: its roles and readers need no key."""
    return is_this_machine(settings.bind) and not settings.attach


def refusal(access: Access, request: AuthRequest) -> Refusal | None:
    """Why the request is refused, or None if it is allowed.

    Publishers of `live/<id>/in` need the key, if one is set. Everything else is for the roles of
    dubcast, but for viewers of `live/<id>/out`, who need the read key.
    """
    stream_id = stream_id_of_ingest(request.path)
    if request.action == "publish" and stream_id is not None:
        return _publisher_refusal(access, stream_id, request)
    if request.action == "publish" and not is_output_path(request.path):
        return Refusal("path", ingest_path_fault(request.path) or NOT_ALLOWED.words)
    if request.action in {"api", "metrics"}:
        # As a password or token alone: what is in a query is in every log on the way.
        given = (request.password, request.token)
        return None if _is_given(access.own.api, given) else NOT_ALLOWED
    if request.action in {"publish", "read"}:
        return _media_refusal(access, request)
    return NOT_ALLOWED


def _publisher_refusal(access: Access, stream_id: str, request: AuthRequest) -> Refusal | None:
    if access.streams is not None and stream_id not in access.streams:
        return UNKNOWN_STREAM
    if access.publish is None or _is_given(access.publish, _given(request)):
        return None
    return WRONG_KEY


def _media_refusal(access: Access, request: AuthRequest) -> Refusal | None:
    """For reading, and for publishing what was dubbed."""
    if access.trusts_machine and is_loopback(request.ip):
        return None
    given = _given(request)
    if _is_given(access.own.roles, given):
        return None
    if request.action != "read" or not is_output_path(request.path):
        return NOT_ALLOWED
    if access.read is None:
        return NO_READ_KEY
    return None if _is_given(access.read, given) else WRONG_KEY


def _given(request: AuthRequest) -> list[Secret | None]:
    return [request.token, request.password, *_keys_of(request.query)]


def _is_given(expected: Secret, given: Iterable[Secret | None]) -> bool:
    key = expected.get_secret_value().encode()
    texts = [one.get_secret_value() if one is not None else "" for one in given]
    # Every candidate is compared, so that the time says nothing about which one it was.
    matches = [hmac.compare_digest(key, text.encode()) for text in texts]
    return any(matches)


def _keys_of(query: Secret) -> list[Secret]:
    try:
        found = parse_qs(query.get_secret_value(), max_num_fields=32).get("key", [])
    except ValueError:
        return []
    return [Secret(one) for one in found]


def is_ours(authorization: str, key: Secret) -> bool:
    """True if an `Authorization: Basic` header has this key as its password."""
    scheme, _, coded = authorization.partition(" ")
    try:
        text = base64.b64decode(coded, validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and _is_given(key, [Secret(text.partition(":")[2])])


def basic(user: str, key: Secret) -> str:
    """The header that `is_ours` takes."""
    return "Basic " + base64.b64encode(f"{user}:{key.get_secret_value()}".encode()).decode()
