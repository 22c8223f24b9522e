"""Which media server is meant: the one place that knows every adapter."""

from __future__ import annotations

from dubcast.config import Settings
from dubcast.errors import MissingPartError
from dubcast.mediaserver.embedded_server import EmbeddedServer
from dubcast.mediaserver.interface import ControlPlane, MediaServer
from dubcast.mediaserver.mediamtx import MediaMtx, find_binary


def create(settings: Settings, plane: ControlPlane) -> MediaServer:
    """The adapter that `settings` choose; `auto` takes MediaMTX when its binary is found.

    Raises MissingPartError if MediaMTX is asked for, is not attached to, and is not found.
    """
    chosen = settings.media_server
    binary = None if chosen.kind == "embedded" else find_binary(chosen.mediamtx_path)
    if chosen.kind == "embedded" or (chosen.kind == "auto" and not (binary or chosen.attach)):
        return EmbeddedServer(chosen, plane)
    if binary is None and not chosen.attach:
        raise MissingPartError(
            "no mediamtx binary: put it on PATH, set media_server.mediamtx_path, or set "
            "media_server.kind: embedded (development and demo)"
        )
    return MediaMtx(chosen, plane, binary)
