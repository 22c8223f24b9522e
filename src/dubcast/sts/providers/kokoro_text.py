"""Phonemes in pieces that Kokoro takes. Pure."""

from __future__ import annotations

import re

MAX_TOKENS = 510
_CLAUSE = re.compile(r"(?<=[;:,.!?…—])\s+")


def pieces(sounds: str, most: int) -> list[str]:
    """Phonemes in pieces of at most `most` symbols, cut after clauses, else at spaces."""
    if len(sounds) <= most:
        return [sounds] if sounds.strip() else []
    found, current = [], ""
    for clause in _CLAUSE.split(sounds):
        for part in [clause] if len(clause) <= most else _by_words(clause, most):
            joined = f"{current} {part}".strip()
            if len(joined) > most:
                found.append(current)
                joined = part
            current = joined
    return [*found, current] if current else found


def _by_words(clause: str, most: int) -> list[str]:
    lines, current = [], ""
    for word in clause.split():
        # A single "word" longer than the model takes is no word; its end is left out.
        word = word[:most]
        joined = f"{current} {word}".strip()
        if len(joined) > most:
            lines.append(current)
            joined = word
        current = joined
    return [*lines, current]
