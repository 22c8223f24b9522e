"""Structured logs: one JSON object a line, or readable lines on a terminal.

Fields: `ts, level, event, component, streamId, fragmentId, batchNumber`.
Per fragment, never per frame. Every URL passes through `redact_url`, in tracebacks too, and a
`Secret` shows asterisks: no key is written.
"""

from __future__ import annotations

import importlib
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any, TextIO
from urllib.parse import urlsplit, urlunsplit


def _load_structlog() -> None:
    """Load it without rich, which it takes for tracebacks of its own where it finds it.

    `format_exc_info` writes them here, and each role would hold 4 MB more.
    """
    found = sys.modules.pop("rich", None)
    sys.modules["rich"] = None  # type: ignore[assignment]  # the import system's word for "absent"
    try:
        importlib.import_module("structlog")
    finally:
        del sys.modules["rich"]
        if found is not None:
            sys.modules["rich"] = found


_load_structlog()

import structlog  # noqa: E402

from dubcast.config import LogSettings, colours_wanted  # noqa: E402
from dubcast.log_repeats import Repeats  # noqa: E402

Logger = structlog.stdlib.BoundLogger


def setup(settings: LogSettings, component: str, **fields: str) -> None:
    """Configure logging of this process; `fields` (streamId) go on every line.

    Lines go to standard error, so that standard output stays a program's own.
    """
    console = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=colours_wanted() and sys.stderr.isatty())
        if console
        else structlog.processors.JSONRenderer()
    )
    level = getattr(logging, settings.level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            Repeats(),  # before the time, which makes every line another
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.processors.format_exc_info,
            _redact,  # last: a library puts the URL that failed into its errors, too
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
        with suppress(OSError, ValueError):  # gone, or closed
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


_BASE: dict[str, str] = {}


def get(name: str | None = None) -> Any:
    """A logger; `name` becomes the field `part`."""
    # Not bound yet: binding would freeze the configuration that is in force at import.
    return structlog.get_logger(**({"part": name} if name else {}))


_URL = re.compile(r"\w[\w+.-]*://\S+")
_AFTER_URL = "\"'),.;:>"  # what a sentence puts behind one
_OWN_PATH = re.compile(r"live/[a-z0-9][a-z0-9_-]{0,63}/(in|out(-[A-Za-z0-9-]{1,16})?)")


def redact_url(url: str) -> str:
    """The URL without what may be a secret: userinfo, query, and the last path segment.

    `rtmp://host/app/KEY?x=y` becomes `rtmp://host/app/***`. Paths of dubcast's own media server
    (`live/<id>/in|out`) and those of HTTP hold no key and stay.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # not a URL after all: an address in brackets that is none, say
        return "***"
    if not parts.scheme or not parts.netloc:
        return url
    host = parts.netloc.rpartition("@")[2]
    path = parts.path.strip("/")
    if path and parts.scheme not in {"http", "https"} and not _OWN_PATH.fullmatch(path):
        path = "/".join([*path.split("/")[:-1], "***"])
    return urlunsplit((parts.scheme, host, "/" + path, "", ""))


def _without_keys(value: Any) -> Any:
    """A field's value, each URL in it redacted, also amid words and inside of lists."""
    if isinstance(value, str):
        return _URL.sub(_shown, value) if "://" in value else value
    if isinstance(value, Mapping):
        return {key: _without_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_without_keys(item) for item in value]
    return value


def _shown(found: re.Match[str]) -> str:
    url = found[0].rstrip(_AFTER_URL)
    return redact_url(url) + found[0][len(url) :]


def _redact(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {**_BASE, **_without_keys(event)}
