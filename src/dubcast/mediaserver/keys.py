"""The keys that dubcast's own parts give to each other. Pure.

One secret is kept, the hook secret; the keys are made of it, one for each purpose, so that whoever
learns one of them has none of the others, nor the secret itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from dubcast.config import MediaServerSettings, Secret

USER = "dubcast"  # beside a key, where a protocol wants a name too
_IN_A_QUERY = ("key", "token", "jwt", "pass", "password", "user")


class Purpose(StrEnum):
    """What a key is for; part of what it is made of."""

    API = "media-server-api"  # dubcast asks the media server's API
    CALLBACK = "auth-callback"  # the media server asks dubcast about publishers and readers
    ROLES = "roles"  # workers and forwarders read, and publish what was dubbed


@dataclass(frozen=True)
class OwnKeys:
    """The keys of one dubcast."""

    api: Secret
    callback: Secret
    roles: Secret


def own_keys(settings: MediaServerSettings, hook_secret: Secret) -> OwnKeys:
    """The keys: those that are set, the others made of the hook secret."""
    return OwnKeys(
        api=settings.api_key or derived(hook_secret, Purpose.API),
        callback=derived(hook_secret, Purpose.CALLBACK),
        roles=settings.roles_key or derived(hook_secret, Purpose.ROLES),
    )


def derived(hook_secret: Secret, purpose: Purpose) -> Secret:
    """The key for one purpose: letters, digits, `-` and `_`, so that every protocol carries it."""
    secret = hook_secret.get_secret_value().encode()
    digest = hmac.new(secret, f"dubcast {purpose}".encode(), hashlib.sha256).digest()
    return Secret(base64.urlsafe_b64encode(digest[:24]).decode())


def with_key(url: str, key: Secret | None) -> str:
    """A media server's URL with the key where its protocol has a place for one."""
    if key is None:
        return url
    parts, text = urlsplit(url), quote(key.get_secret_value(), safe="")
    if parts.scheme in {"rtsp", "rtsps"}:
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{USER}:{text}@{host}"))
    if parts.scheme == "srt":  # in the stream id: `read:PATH:USER:PASSWORD`
        return f"{url}:{USER}:{text}"
    joint = "&" if parts.query else ""
    return urlunsplit(parts._replace(query=f"{parts.query}{joint}key={text}"))


def without_keys(query: str) -> str:
    """A publisher's query without what may be a key: the rest is for everybody to see."""
    return "&".join(part for part in query.split("&") if not _is_key(part))


def _is_key(part: str) -> bool:
    return unquote_plus(part.partition("=")[0]).strip().lower() in _IN_A_QUERY
