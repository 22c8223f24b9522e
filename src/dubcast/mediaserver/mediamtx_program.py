"""The MediaMTX that dubcast installs: which version, and where it lies."""

from __future__ import annotations

from pathlib import Path

from dubcast import config
from dubcast.config import MediaServerSettings

PINNED = (1, 20, 1)
VERSION = "v" + ".".join(map(str, PINNED))
PROGRAM = "mediamtx"


def program_path(settings: MediaServerSettings) -> Path:
    """Where the program is, or will be."""
    folder = settings.mediamtx_dir or config.cache_dir() / "mediamtx"
    return folder / VERSION / PROGRAM
