"""Which keys a role is given: one that it does not use is not in its environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from pydantic import BaseModel

from dubcast.config.settings import Settings

M = TypeVar("M", bound=BaseModel)

_DESTINATIONS = "orchestrator.destinations"
_OTHERS = {"orchestrator.hook_secret", "orchestrator.publish_key", "orchestrator.read_key"}
_ROLES = "media_server.roles_key"
_SERVERS = {"media_server.api_key", _ROLES}
_ELSEWHERE = {f"sts_server.remote.{stage}.api_key" for stage in ("asr", "mt", "tts")}
# Dotted keys; `orchestrator.destinations` are those of single streams too.
_USES: Final = {
    "sts": {"sts_server.api_key", *_ELSEWHERE},
    "media-server": {*_OTHERS, *_SERVERS, "media_server.ingest.srt_passphrase"},
    # It hands the others on to its children.
    "orchestrator": {*_OTHERS, *_SERVERS, _DESTINATIONS, "sts.api_key"},
    "worker": {"sts.api_key", _ROLES},
    "passthrough": {_ROLES},
    "egress": {_DESTINATIONS, _ROLES},
}
_KEYS = (
    "sts.api_key",
    "sts_server.api_key",
    "media_server.ingest.srt_passphrase",
    *sorted(_OTHERS | _SERVERS | _ELSEWHERE),
)


def settings_of(role: str, settings: Settings) -> Settings:
    """The settings without the keys that `role` does not use. Raises KeyError if there is none."""
    uses = _USES[role]
    for dotted in _KEYS:
        if dotted not in uses:
            settings = _without(settings, dotted.split("."))
    return settings if _DESTINATIONS in uses else _without_destinations(settings)


def _without(model: M, path: Sequence[str]) -> M:
    first, *rest = path
    value = _without(getattr(model, first), rest) if rest else None
    return model.model_copy(update={first: value})


def _without_destinations(settings: Settings) -> Settings:
    own = settings.orchestrator
    none = {"destinations": ()}
    streams = {name: entry.model_copy(update=none) for name, entry in own.streams.items()}
    orchestrator = own.model_copy(update={**none, "streams": streams})
    return settings.model_copy(update={"orchestrator": orchestrator})
