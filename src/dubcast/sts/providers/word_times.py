"""When the words of a text were said, by what a recognizer tells of them. Pure.

Services give words without their punctuation, or only times of segments. The letters of both are
laid beside each other: a word of the text lies where its letters do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from dubcast.sts.providers.interface import Word


def timed(text: str, told: Sequence[Word]) -> tuple[Word, ...]:
    """The words of `text`, punctuation included, with their times; none if nothing is told.

    `told`: words or longer pieces with their times, in order. What is spelled otherwise in both
    ("20", "twenty") shifts its neighbours by a few letters.
    """
    tokens = text.split()
    there = sum(_letters(token) for token in tokens)
    ends = list(accumulate(_letters(one.text) for one in told))
    if not there or not ends or not ends[-1]:
        return ()
    scale = ends[-1] / there
    words: list[Word] = []
    at = 0
    for token in tokens:
        end = at + _letters(token)
        start_s = _when(at * scale, told, ends)
        stop_s = _when(end * scale, told, ends, is_end=True)
        words.append(Word(token, start_s, max(start_s, stop_s)))
        at = end
    return tuple(words)


def _letters(text: str) -> int:
    return sum(char.isalnum() for char in text)


def _when(at: float, told: Sequence[Word], ends: Sequence[int], *, is_end: bool = False) -> float:
    """The time of a place among all letters. Between two pieces, an end is the first one's."""
    nudge = -1e-6 if is_end else 1e-6
    index = min(bisect_right(ends, at + nudge), len(told) - 1)
    piece, end = told[index], ends[index]
    begin = ends[index - 1] if index else 0
    share = (at - begin) / (end - begin) if end > begin else 0.0
    return piece.start_s + min(max(share, 0.0), 1.0) * (piece.end_s - piece.start_s)
