"""Which keys a role is given: one that it does not use is not in its environment."""

from __future__ import annotations

from typing import Final

from dubcast.config.settings import Settings

_DESTINATIONS = "orchestrator.destinations"
# Dotted keys; `orchestrator.destinations` are those of single streams too.
_USES: Final = {
    "sts": {"sts_server.api_key"},
    "media-server": {"orchestrator.hook_secret", "orchestrator.publish_key"},
    # It hands the others on to its children.
    "orchestrator": {
        "orchestrator.hook_secret",
        "orchestrator.publish_key",
        _DESTINATIONS,
        "sts.api_key",
    },
    "worker": {"sts.api_key"},
    "passthrough": set[str](),
    "egress": {_DESTINATIONS},
}
_KEYS = (
    "sts.api_key",
    "sts_server.api_key",
    "orchestrator.hook_secret",
    "orchestrator.publish_key",
)


def settings_of(role: str, settings: Settings) -> Settings:
    """The settings without the keys that `role` does not use. Raises KeyError if there is none."""
    uses = _USES[role]
    for dotted in _KEYS:
        if dotted not in uses:
            section, key = dotted.split(".")
            without = getattr(settings, section).model_copy(update={key: None})
            settings = settings.model_copy(update={section: without})
    return settings if _DESTINATIONS in uses else _without_destinations(settings)


def _without_destinations(settings: Settings) -> Settings:
    own = settings.orchestrator
    none = {"destinations": ()}
    streams = {name: entry.model_copy(update=none) for name, entry in own.streams.items()}
    orchestrator = own.model_copy(update={**none, "streams": streams})
    return settings.model_copy(update={"orchestrator": orchestrator})
