"""Which destinations a stream has, and how each is reached."""

from __future__ import annotations

from dubcast.config import SRT, DestinationSettings, Settings, parse_srt_url
from dubcast.egress.outgoing import Target
from dubcast.errors import ConfigError
from dubcast.rtmp import address
from dubcast.rtmp.connection import Trust


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
    of = f" of stream {stream_id}" if stream_id else ""
    choices = ", ".join(one.name for one in known) or "none"
    raise ConfigError(f"there is no destination {name!r}{of}; known: {choices}")


def target(one: DestinationSettings) -> Target:
    """How a destination is reached. Raises ConfigError for a URL that is none."""
    url = one.url.get_secret_value()
    return Target(
        parse_srt_url(url) if url.startswith(SRT) else address.parse(url),
        Trust(one.verify, one.ca_file),
        when_slow=one.when_slow,
        max_lag_s=one.max_lag_s,
    )
