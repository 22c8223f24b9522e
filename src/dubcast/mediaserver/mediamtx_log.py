"""What MediaMTX writes, as lines of our own log.

Its lines name a port or a session that is new each time, so that a worker which looks for its
publisher once a second fills a log. Without these equal lines are equal, and `log_repeats` writes
them once a minute.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

from dubcast import log

_LEVELS = {"DEB": "debug", "INF": "info", "WAR": "warning", "ERR": "error"}
_PEER = re.compile(r"\[(?:conn|session|muxer) (\[[^\]]*\]:\d+|[^\]]*)\] ?")
_PORT = re.compile(r"(?<=\d|\]):\d{1,5}$")
_ROUTINE = re.compile(r"^(opened|created by .*)$")
_logger = log.get("mediaserver.mediamtx")


@dataclass(frozen=True)
class Said:
    """One line: how grave it is, the words, and whom they are about (without the port)."""

    level: str
    words: str
    peer: str = ""


def said(line: bytes) -> Said | None:
    """A line of MediaMTX's structured log; None for what is not worth one of ours."""
    try:
        value: Any = json.loads(line)
        level, text = _LEVELS.get(value["level"], "info"), str(value["message"])
    except (ValueError, KeyError, TypeError):
        text = line.decode(errors="replace")
        level = "warning"  # it does not write otherwise: a panic, say
    peer = _PEER.search(text)
    words = " ".join(_PEER.sub("", text).split())
    if not words or _ROUTINE.match(words.rpartition("] ")[2]):
        return None
    return Said(level, words, _address(peer[1]) if peer else "")


def _address(peer: str) -> str:
    """An address without its port; an id, which is new each time, is none."""
    return _PORT.sub("", peer) if _PORT.search(peer) else ""


async def relay(stream: asyncio.StreamReader) -> None:
    """Write what comes on `stream` to our log, until it ends. Safe to cancel."""
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # longer than any line of its log is
            continue
        if not line:
            return
        one = said(line)
        if one is not None:
            fields = {"peer": one.peer} if one.peer else {}
            getattr(_logger, one.level)("mediamtx.said", words=one.words, **fields)
