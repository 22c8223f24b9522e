"""Which destinations a stream has."""

from __future__ import annotations

from dubcast.config import DestinationSettings, Settings
from dubcast.errors import ConfigError


def destinations(settings: Settings, stream_id: str) -> tuple[DestinationSettings, ...]:
    """The stream's own destinations, then those of every stream; its own win by name."""
    entry = settings.orchestrator.streams.get(stream_id)
    own = entry.destinations if entry else ()
    names = {one.name for one in own}
    return own + tuple(one for one in settings.orchestrator.destinations if one.name not in names)


def find(settings: Settings, stream_id: str, name: str) -> DestinationSettings:
    """The destination of that name. Raises ConfigError if the stream has none."""
    known = destinations(settings, stream_id)
    for one in known:
        if one.name == name:
            return one
    choices = ", ".join(one.name for one in known) or "none"
    raise ConfigError(f"stream {stream_id} has no destination {name!r}; known: {choices}")
