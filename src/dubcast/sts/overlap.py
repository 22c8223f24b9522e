"""Words that were heard twice because two chunks overlap. Pure.

Fixed chunks repeat the last 100-200 ms of the chunk before. What was said in there comes again in
the next transcript: whole ("the match" / "match is on"), better ("gard" / "garden was"), or as the
rest of a word ("garden" / "den was"). A word is dropped only if it began in the overlap, so that
"very, very good" keeps both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from dubcast.sts.providers.interface import Word

MOST_WORDS = 4
# Whisper's alignment is right to about so much.
_TIMING_S = 0.1
_ALIKE = 0.7
_SHORTEST_PART = 2


def repeated_words(previous: str, words: Sequence[Word], overlap_s: float) -> int:
    """How many of the first `words` were in `previous`, the transcript of the chunk before.

    `overlap_s`: how much of the chunk's start was in the chunk before; 0: nothing is repeated.
    """
    if overlap_s <= 0:
        return 0
    before = [part for part in map(normalized, previous.split()) if part]
    inside = [normalized(word.text) for word in words if word.start_s < overlap_s + _TIMING_S]
    for count in range(min(MOST_WORDS, len(before), len(inside)), 0, -1):
        if all(map(same_word, before[-count:], inside[:count])):
            return count
    return 0


def normalized(word: str) -> str:
    """A word without case and punctuation."""
    return re.sub(r"[^\w]+", "", word.lower())


def same_word(before: str, now: str) -> bool:
    """True if `now` may be the same word as `before`, one of the two being cut or misheard."""
    if before == now:
        return True
    part, whole = sorted((before, now), key=len)
    if len(part) >= _SHORTEST_PART and (
        (part == before and whole.startswith(part)) or (part == now and whole.endswith(part))
    ):
        return True
    return SequenceMatcher(None, before, now).ratio() >= _ALIKE
