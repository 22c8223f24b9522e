"""Texts cut into clauses, so that other streams' speech may come between and each is timed. Pure.

Cut where a speaker breathes: after sentences and commas, and before conjunctions where a clause
would be long. Very short pieces are spoken worse than longer ones, so they stay together.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dubcast.languages.language import Language
from dubcast.languages.sentences import is_part_of_word, sentences

# Below this, text is not cut at all.
LONG = 60
SHORTEST = 25
# More clauses than this are joined again: a fragment has 30 s at most.
MOST = 8
_CONJUNCTION_FROM = 90
# Clauses that are wanted soon, the first two: cut where a speaker may breathe if they are longer
# than this, and where a phrase may begin if they would be longer than that. Synthesis takes about
# half as long as what it speaks (15 characters are a second): each is spoken further ahead.
_SOON = ((45, 55), (60, 90))
_SOONEST, _REST = 20, 12
# "obras | em todas": a word that may begin a sentence begins a phrase too; in a language of which
# such words are not known, a short one. After a word that is not long it goes on: "para | o".
_SHORT_WORD, _LONG_WORD = 3, 5

_DASHES = "—–"
# Natural pauses of the voices in seconds: at a sentence's end, within it at a mark, elsewhere.
_SENTENCE_PAUSE_S = 0.3
_MARK_PAUSE_S = 0.16
_PAUSE_S = 0.04


@dataclass(frozen=True)
class Clause:
    """A piece of a text, the silence after it, and its source where that is known."""

    text: str
    pause_s: float
    source: str | None = None


def split(
    text: str, language: Language, source: Sequence[str] = (), *, soon: bool = False
) -> list[Clause]:
    """The text in clauses of at least 25 characters; a short text is one clause.

    `source`: the sentences that the text was translated from. `soon`: they are wanted as soon as
    can be, and the first ones are made shorter.
    """
    pieces = [text.strip()]
    if len(text) >= LONG:
        parts = _cut(text.strip(), _mark(language), language)
        pieces = [piece for part in parts for piece in _shorter(part, language)]
    while len(pieces) > MOST:
        i = min(range(len(pieces) - 1), key=lambda i: len(pieces[i]) + len(pieces[i + 1]))
        pieces[i : i + 2] = [f"{pieces[i]} {pieces[i + 1]}"]
    if soon:
        pieces = _sooner(pieces, language)
    sources = _by_sentence(sentences(text, language), source)
    return [Clause(one, pause_after(one, language), sources.get(one)) for one in pieces]


def pause_after(text: str, language: Language) -> float:
    """Silence after a clause in seconds, by the mark that it ends with."""
    last = text.rstrip('"”’) ')[-1:]
    if last and last in language.sentence_ends:
        return _SENTENCE_PAUSE_S
    return _MARK_PAUSE_S if last and last in language.clause_marks + _DASHES else _PAUSE_S


def _shorter(piece: str, language: Language) -> list[str]:
    if len(piece) < _CONJUNCTION_FROM or not language.conjunctions:
        return [piece]
    return _cut(piece, _conjunction(language), language)


@functools.cache
def _mark(language: Language) -> re.Pattern[str]:
    marks = re.escape(language.sentence_ends + language.clause_marks)
    return re.compile(rf"(?<=[{marks}])[\"”’)]*\s+|\s+(?=[{_DASHES}-]\s)")


@functools.cache
def _conjunction(language: Language) -> re.Pattern[str]:
    return re.compile(rf"\s+(?=(?:{'|'.join(language.conjunctions)})\s)", re.IGNORECASE)


def _cut(text: str, border: re.Pattern[str], language: Language) -> list[str]:
    """Cut at every border that leaves 25 characters on both sides, and is no abbreviation's dot."""
    pieces: list[str] = []
    start = 0
    for found in border.finditer(text):
        if found.start() - start < SHORTEST or len(text) - found.end() < SHORTEST:
            continue
        if not is_part_of_word(text, found.start(), language, start):
            pieces.append(text[start : found.start()] + found.group().rstrip())
            start = found.end()
    return [*pieces, text[start:]]


def _sooner(pieces: list[str], language: Language) -> list[str]:
    """The clauses with the first ones made shorter."""
    for i, (long, much_longer) in enumerate(_SOON):
        if i < len(pieces):
            pieces[i : i + 1] = _in_two(pieces[i], language, long, much_longer)
    return pieces


def _in_two(text: str, language: Language, long: int, much_longer: int) -> list[str]:
    """A clause, and its rest if it is so long that its sound would come late."""
    if len(text) <= long:
        return [text]
    ends = _ends(text, breaths(text, language), language)
    if len(text) > much_longer and all(end > much_longer for end in ends):
        ends += _ends(text, _phrases(text, language), language)
    if not ends:
        return [text]
    end = min(ends, key=lambda end: abs(end - long))
    return [text[:end], text[end:].lstrip()]


def _ends(text: str, begins: Iterable[int], language: Language) -> list[int]:
    """Where a clause may end, if the next one may begin there: with enough on both sides."""
    ends = [len(text[:at].rstrip()) for at in begins]
    return [
        end
        for end in ends
        if _SOONEST <= end <= len(text) - _REST and not is_part_of_word(text, end, language)
    ]


def breaths(text: str, language: Language) -> list[int]:
    """Where a speaker may breathe: before which letters a word begins after a mark, or one that
    begins a clause."""
    return [found.end() for found in _breath(language).finditer(text)]


@functools.cache
def _breath(language: Language) -> re.Pattern[str]:
    words = "|".join((*language.conjunctions, *language.subordinators))
    before_word = rf"|\s+(?=(?:{words})\s)" if words else ""
    return re.compile(rf"{_mark(language).pattern}{before_word}", re.IGNORECASE)


def _phrases(text: str, language: Language) -> Iterator[int]:
    """Where phrases may begin."""
    for before, word in pairwise(re.finditer(r"\S+", text)):
        known = word[0].lower() in language.starters
        short = not language.starters and len(word[0]) <= _SHORT_WORD and word[0].isalpha()
        if (known or short) and len(before[0]) >= _LONG_WORD:
            yield word.start()


def _by_sentence(here: Sequence[str], there: Sequence[str]) -> dict[str, str]:
    """Translation -> source, if there are as many sentences here as there."""
    return dict(zip(here, there, strict=True)) if len(here) == len(there) else {}
