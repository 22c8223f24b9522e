"""Texts cut into clauses, so that other streams' speech may come between and each is timed. Pure.

Cut where a speaker breathes: after sentences and commas, and before conjunctions where a clause
would be long. Very short pieces are spoken worse than longer ones, so they stay together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Below this, text is not cut at all.
LONG = 60
SHORTEST = 25
# More clauses than this are joined again: a fragment has 30 s at most.
MOST = 8
_CONJUNCTION_FROM = 90

_MARK = re.compile(r"(?<=[.!?…;:,])[\"”’)]*\s+|\s+(?=[—–-]\s)")
_CONJUNCTION = re.compile(
    r"\s+(?=(?:e|mas|porque|quando|enquanto|embora"
    r"|and|but|because|when|while|although|so that)\s)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=\S)")
# Natural pauses of the voices at these marks, in seconds.
_PAUSES = (("?!.…", 0.3), (",;:—–", 0.16))
_PAUSE_S = 0.04


@dataclass(frozen=True)
class Clause:
    """A piece of a text, the silence after it, and its source where that is known."""

    text: str
    pause_s: float
    source: str | None = None


def split(text: str, source: str = "") -> list[Clause]:
    """The text in clauses of at least 25 characters; a short text is one clause."""
    pieces = [text.strip()]
    if len(text) >= LONG:
        pieces = [part for piece in _cut(text.strip(), _MARK) for part in _shorter(piece)]
    while len(pieces) > MOST:
        i = min(range(len(pieces) - 1), key=lambda i: len(pieces[i]) + len(pieces[i + 1]))
        pieces[i : i + 2] = [f"{pieces[i]} {pieces[i + 1]}"]
    sources = _by_sentence(text, source)
    return [Clause(piece, pause_after(piece), sources.get(piece)) for piece in pieces]


def pause_after(text: str) -> float:
    """Silence after a clause in seconds, by the mark that it ends with."""
    last = text.rstrip('"”’) ')[-1:]
    return next((pause for marks, pause in _PAUSES if last and last in marks), _PAUSE_S)


def sentences(text: str) -> list[str]:
    """The text's sentences."""
    return [part for part in _SENTENCE.split(text.strip()) if part]


def _shorter(piece: str) -> list[str]:
    return _cut(piece, _CONJUNCTION) if len(piece) >= _CONJUNCTION_FROM else [piece]


def _cut(text: str, border: re.Pattern[str]) -> list[str]:
    """Cut at every border that leaves 25 characters on both sides."""
    pieces: list[str] = []
    start = 0
    for found in border.finditer(text):
        if found.start() - start >= SHORTEST and len(text) - found.end() >= SHORTEST:
            pieces.append(text[start : found.start()] + found.group().rstrip())
            start = found.end()
    return [*pieces, text[start:]]


def _by_sentence(text: str, source: str) -> dict[str, str]:
    """Translation -> source, if there are as many sentences here as there."""
    here, there = sentences(text), sentences(source)
    return dict(_pairs(here, there)) if len(here) == len(there) else {}


def _pairs(here: Sequence[str], there: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(here, there, strict=True))
