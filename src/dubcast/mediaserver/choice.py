"""Which media server is meant: the one place that knows every adapter."""

from __future__ import annotations

from dubcast.config import Settings
from dubcast.errors import ConfigError, MissingPartError
from dubcast.mediaserver.embedded_server import EmbeddedServer
from dubcast.mediaserver.interface import ControlPlane, MediaServer
from dubcast.mediaserver.mediamtx import MediaMtx, find_binary, version_of

EMBEDDED = "the embedded media server"
ADVICE = "it is made for development and demos; `dubcast mediamtx install` gets MediaMTX"


def create(settings: Settings, plane: ControlPlane) -> MediaServer:
    """The adapter that `settings` choose; `auto` takes MediaMTX when its binary is found.

    Raises MissingPartError if MediaMTX is asked for, is not attached to, and is not found, and
    ConfigError for what the embedded one cannot do.
    """
    chosen = settings.media_server
    binary = None if chosen.kind == "embedded" else find_binary(chosen)
    if chosen.kind == "embedded" or (chosen.kind == "auto" and not (binary or chosen.attach)):
        if chosen.whep:
            raise ConfigError("media_server.whep: the embedded media server has no WebRTC")
        return EmbeddedServer(chosen, plane)
    if binary is None and not chosen.attach:
        raise MissingPartError(
            "no mediamtx binary: `dubcast mediamtx install`, or put it on PATH, or set "
            "media_server.mediamtx_path, or media_server.kind: embedded (development and demo)"
        )
    return MediaMtx(chosen, plane, binary)


def named(settings: Settings) -> str:
    """The media server that is taken, as people call it. Raises as `create` does."""
    chosen = settings.media_server
    binary = None if chosen.kind == "embedded" or chosen.attach else find_binary(chosen)
    if binary is not None:
        return f"MediaMTX {'.'.join(map(str, version_of(binary)))}"
    if chosen.kind == "mediamtx" or (chosen.kind == "auto" and chosen.attach):
        return f"MediaMTX at {chosen.host}"
    return EMBEDDED
