"""Texts cut into clauses, so that other streams' speech may come between and each is timed. Pure.

Cut where a speaker breathes: after sentences and commas, and before conjunctions where a clause
would be long. Very short pieces are spoken worse than longer ones, so they stay together.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from dubcast.languages.language import Language
from dubcast.languages.sentences import is_part_of_word, sentences
from dubcast.languages.spoken_form import spoken_form

# Below this, text is not cut at all.
LONG = 60
SHORTEST = 25
# More clauses than this are joined again: a fragment has 30 s at most.
MOST = 8
_CONJUNCTION_FROM = 90
# Clauses that are wanted soon, the first two, by the letters that are said: from which length on
# they are cut where a speaker may breathe, from which on where a phrase may begin, and how long the
# first part is to be. Synthesis takes 0.2 s for a clause and 16 ms for a letter, and each clause is
# due later than the first one by what is said before it.
_SOON = ((45, 50, 38), (60, 90, 60))
# The first part has 18 letters or more; of what is longer than 50, and has no other place, 15. The
# rest has 12.
_SOONEST, _REST = ((0, 18), (50, 15)), 12
# "obras | em todas": a word that may begin a sentence begins a phrase too; in a language of which
# such words are not known, a short one. After a word that is not long it goes on: "para | o".
_SHORT_WORD, _LONG_WORD = 3, 5

_FIGURES = re.compile(r"\d\W\s*\d")  # "1, 2, 3"
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
    for i, lengths in enumerate(_SOON):
        if i < len(pieces):
            pieces[i : i + 1] = _in_two(pieces[i], language, *lengths)
    return pieces


def _in_two(text: str, language: Language, long: int, too_long: int, aim: int) -> list[str]:
    """A clause, and its rest if it is so long that its sound would come late: halves, or the first
    one as long as `aim`."""
    said = _said(text, language)
    if said <= long:
        return [text]
    ends: dict[int, int] = {}  # how much is said until there
    leasts = [least for longer_than, least in _SOONEST if said > longer_than]
    for least, places in product(leasts, (breaths, _phrases, _loose_phrases)):
        ends |= {
            end: _said(text[:end], language)
            for end in _ends(text, least, places(text, language), language)
        }
        if said <= too_long or any(until <= too_long for until in ends.values()):
            break
    if not ends:
        return [text]
    end = min(ends, key=lambda end: abs(ends[end] - min(aim, said / 2)))
    return [text[:end], text[end:].lstrip()]


def _said(text: str, language: Language) -> int:
    """How many letters are said: figures are read."""
    return len(spoken_form(text, language))


def _ends(text: str, least: int, begins: Iterable[int], language: Language) -> list[int]:
    """Where a clause may end, if the next one may begin there: with `least` letters or more, enough
    behind it, and not between two figures."""
    ends = [len(text[:at].rstrip()) for at in begins]
    return [
        end
        for end in ends
        if least <= end <= len(text) - _REST
        and not is_part_of_word(text, end, language)
        and not _FIGURES.match(text, end - 2)
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
    """Where phrases may begin: after a long word, but not within a name ("Museu de Arte")."""
    for at, before, word, after in _in_threes(text):
        known = word.lower() in _beginnings(language)
        short = not language.starters and len(word) <= _SHORT_WORD and word.isalpha()
        goes_on = len(before) < _LONG_WORD or before.lower() in language.prepositions
        if (known or short) and not goes_on and not _is_name(before, after):
            yield at


def _loose_phrases(text: str, language: Language) -> Iterator[int]:
    """Where phrases may begin after a shorter word, too, or in a long name, but not behind a figure
    where that may go on ("3 de maio")."""
    begins = _beginnings(language)
    for at, before, word, after in _in_threes(text):
        is_figure = before[-1:].isdigit()
        goes_on = len(word) < _SHORT_WORD if is_figure else before.lower() in begins
        too_short = len(before) < (_LONG_WORD if _is_name(before, after) else _SHORT_WORD)
        if word.lower() in begins and not goes_on and (is_figure or not too_short):
            yield at


def _in_threes(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Each word but the first and the last: where it begins, the one before, it, the one after."""
    words = list(re.finditer(r"\S+", text))
    for before, word, after in zip(words, words[1:], words[2:], strict=False):
        yield word.start(), before[0], word[0], after[0]


def _is_name(before: str, after: str) -> bool:
    """Whether what stands between these words is within a name: "Bay of Fundy"."""
    return before[0].isupper() and after[0].isupper()


@functools.cache
def _beginnings(language: Language) -> frozenset[str]:
    return frozenset((*language.starters, *language.prepositions))


def _by_sentence(here: Sequence[str], there: Sequence[str]) -> dict[str, str]:
    """Translation -> source, if there are as many sentences here as there."""
    return dict(zip(here, there, strict=True)) if len(here) == len(there) else {}
