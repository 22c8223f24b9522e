"""Texts in sentences, by the language's own marks. Pure.

A dot is also part of a word: of a title, a month, initials, a number. What says whether it ends the
sentence is the word that it belongs to, and the one that follows.
"""

from __future__ import annotations

import functools
import re

from dubcast.languages.language import Language

CLOSING = "\"”’')]"
_LAST_WORD = re.compile(r"[^\s\"“”‘(\[]+$")
_NEXT_WORD = re.compile(r"\W*(\w+(?:['’]\w+)?)")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")
_ORDINAL = re.compile(r"\d{1,3}\.")
_NUMBERED = re.compile(r"\W*\d+\.")


def sentences(text: str, language: Language) -> list[str]:
    """The text's sentences, without the space between them."""
    return [text[start:end] for start, end in spans(text, language)]


def spans(text: str, language: Language) -> list[tuple[int, int]]:
    """Where each sentence of the text begins and ends, without the space between them."""
    found = []
    start = len(text) - len(text.lstrip())
    for border in _border(language).finditer(text):
        trails_off = border[0].startswith("…") and text[border.end()].islower()
        if not trails_off and not is_part_of_word(text, border.start("behind"), language, start):
            found.append((start, border.start("space")))
            start = border.end()
    end = len(text.rstrip())
    return [*found, (start, end)] if start < end else found


def is_part_of_word(text: str, at: int, language: Language, start: int = 0) -> bool:
    """Whether the mark before `text[at]` is the dot of an abbreviation, of initials or of a number,
    in a sentence that begins at `start`.
    """
    if text[at - 1] != ".":
        return False
    following = text[at:].lstrip(CLOSING + " ")
    last = _LAST_WORD.search(text, start, at)
    word = last[0] if last else ""
    if (
        following[:1].islower()
        or word in language.abbreviations
        or (following[:1].isdigit() and word in language.before_figures)
        or _NUMBERED.fullmatch(text, start, at)
    ):
        return True
    may_be = (
        word in _shortened(language)
        or _INITIALS.fullmatch(word) is not None
        or (language.ordinal_dots and _ORDINAL.fullmatch(word) is not None)
    )
    return may_be and not _begins_sentence(following, language)


def _begins_sentence(text: str, language: Language) -> bool:
    following = _NEXT_WORD.match(text)
    return following is not None and following[1].lower() in language.starters


@functools.cache
def _shortened(language: Language) -> frozenset[str]:
    """Words with a dot that may end a sentence as well."""
    pairs = language.reading.abbreviations if language.reading else ()
    return frozenset(written for written, _ in pairs if written.endswith("."))


@functools.cache
def _border(language: Language) -> re.Pattern[str]:
    ends = re.escape(language.sentence_ends)
    return re.compile(rf"[{ends}](?P<behind>[{re.escape(CLOSING)}]*)(?P<space>\s+)(?=\S)")
