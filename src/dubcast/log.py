"""Structured logs: one JSON object a line, or readable lines on a terminal.

Fields: `ts, level, event, component, streamId, fragmentId, batchNumber`.
Per fragment, never per frame. URLs pass through `redact_url`, so no stream key is written.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO
from urllib.parse import urlsplit, urlunsplit

import structlog

from dubcast.config import LogSettings

Logger = structlog.stdlib.BoundLogger


def setup(settings: LogSettings, component: str, **fields: str) -> None:
    """Configure logging of this process; `fields` (streamId) go on every line.

    Lines go to standard error, so that standard output stays a program's own.
    """
    console = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    level = getattr(logging, settings.level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            _redact_urls,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=_Sturdy(sys.stderr)),  # type: ignore[arg-type]
        # Not cached: loggers are made at import, before the role has set its renderer.
        cache_logger_on_first_use=False,
    )
    # Context variables do not reach other threads, so the fields are bound as defaults.
    _BASE.clear()
    _BASE.update({"component": component, **fields})


class _Sturdy:
    """A stream that may go away: what read our lines may have been killed, and we play on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


_BASE: dict[str, str] = {}


def get(name: str | None = None) -> Any:
    """A logger; `name` becomes the field `part`."""
    # Not bound yet: binding would freeze the configuration that is in force at import.
    return structlog.get_logger(**({"part": name} if name else {}))


_URL = re.compile(r"\w+://[^\s\"'()]+")


def redact_url(url: str) -> str:
    """The URL without what may be a secret: userinfo, query, and the last path segment.

    `rtmp://host/app/KEY?x=y` becomes `rtmp://host/app/***`. Paths of dubcast's own media server
    (`live/<id>/in|out`) hold no key and stay.
    """
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return url
    host = parts.netloc.rpartition("@")[2]
    segments = parts.path.strip("/").split("/")
    own = len(segments) == 3 and segments[0] == "live" and segments[2].startswith(("in", "out"))
    if not own and len(segments) > 1 and parts.scheme in {"rtmp", "rtmps", "srt", "rtsp"}:
        segments[-1] = "***"
    return urlunsplit((parts.scheme, host, "/" + "/".join(segments), "", ""))


def _shown(found: re.Match[str]) -> str:
    try:
        return redact_url(found[0])
    except ValueError:  # not a URL after all: an address in brackets that is none, say
        return "***"


def _redact_urls(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and key != "event" and "://" in value:
            # Also amid words: libraries put the URL that failed into what they say.
            event[key] = _URL.sub(_shown, value)
    return {**_BASE, **event}
