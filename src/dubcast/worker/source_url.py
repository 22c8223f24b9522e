"""Which sources can be named, and how."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from dubcast.config import SecretUrl
from dubcast.errors import ConfigError

SCHEMES = ("rtmp", "rtmps", "rtsp", "srt", "http", "https", "file")


def scheme_of(url: str) -> str:
    """The scheme of a source; a plain path is `file`. Raises ConfigError for unknown ones."""
    scheme = urlsplit(url).scheme.lower() if "://" in url else "file"
    if scheme not in SCHEMES:
        raise ConfigError(
            f"source {SecretUrl(url)}: scheme {scheme!r} is not supported; "
            f"use one of {', '.join(SCHEMES)}"
        )
    if scheme == "file" and not path_of(url).is_file():
        raise ConfigError(f"source {url!r}: no such file")
    return scheme


def path_of(url: str) -> Path:
    """The file that a source of scheme `file` names."""
    return Path(url.removeprefix("file://"))
