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
_LAST_WORDS = re.compile(r"[\w-]+ [^\s\"“”‘(\[]+$")
_NEXT_WORD = re.compile(r"\W*(\w+(?:['’]\w+)?)")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")
_ORDINAL = re.compile(r"(?:\d{1,3}|[IVX]{1,6})\.")
_NUMBERED = re.compile(r"\W*\d+\.")
_ELIDED = re.compile(r".*['’-]")
_NEXT_LETTER = re.compile(r"[\s\"“”‘’'(\[—–-]*(\w)")
# An abbreviation and the word before it are no longer than this.
_LONGEST = 40
# So few words before `a.C.` may be a date that a sentence begins with.
_DATE = 4
# So few words before `...` may be a hesitation.
_HESITATION = 2


def sentences(text: str, language: Language) -> list[str]:
    """The text's sentences, without the space between them."""
    return [text[start:end] for start, end in spans(text, language)]


def spans(text: str, language: Language) -> list[tuple[int, int]]:
    """Where each sentence of the text begins and ends, without the space between them."""
    found = []
    start = len(text) - len(text.lstrip())
    has_capitals = text != text.lower()
    for border in _border(language).finditer(text):
        may_trail_off = has_capitals or border[0].startswith("…")
        goes_on = (
            (may_trail_off and _is_small(text, border.end()))
            or _hesitates(text, start, border, language)
            or is_part_of_word(text, border.start("behind"), language, start)
        )
        if not goes_on:
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
    words = _last_words(text, start, at)
    if (
        following[:1].islower()
        or not words.isdisjoint(language.abbreviations)
        or (following[:1].isdigit() and _is_before_figure(words, language))
        or _NUMBERED.fullmatch(text, start, at)
    ):
        return True
    begins = following[:1].isupper() and len(text[start:at].split()) > _DATE
    if begins and not words.isdisjoint(language.before_small):
        return False
    may_be = (
        not words.isdisjoint(_shortened(language))
        or any(_INITIALS.fullmatch(word) for word in words)
        or (language.ordinal_dots and any(_ORDINAL.fullmatch(word) for word in words))
    )
    return may_be and not _begins_sentence(following, language)


def _last_words(text: str, start: int, at: int) -> set[str]:
    """The last word before `text[at]`, the same without what is elided before it (`L'art.`), and
    both last words together.
    """
    start = max(start, at - _LONGEST)
    last, two = _LAST_WORD.search(text, start, at), _LAST_WORDS.search(text, start, at)
    found = {last[0], _ELIDED.sub("", last[0])} if last else set()
    return found | ({two[0].lower()} if two else set())


def _is_before_figure(words: set[str], language: Language) -> bool:
    ends = tuple(one[1:] for one in language.before_figures if one.startswith("-"))
    return not words.isdisjoint(language.before_figures) or any(
        word.endswith(ends) for word in words
    )


def _is_small(text: str, at: int) -> bool:
    """Whether a word in small letters is next: `"Go!" he shouted`."""
    letter = _NEXT_LETTER.match(text, at)
    return letter is not None and letter[1].islower()


def _hesitates(text: str, start: int, border: re.Match[str], language: Language) -> bool:
    """`So... I was`: a capital that says nothing, after a few words."""
    following = _NEXT_WORD.match(text, border.end())
    return (
        following is not None
        and re.split("['’]", following[1])[0] in language.capitals
        and text.endswith(("…", "..."), start, border.start("behind"))
        and len(text[start : border.start()].split()) <= _HESITATION
    )


def _begins_sentence(text: str, language: Language) -> bool:
    following = _NEXT_WORD.match(text)
    return following is not None and (
        following[1].lower() in language.starters or following[1].lower() in language.imperatives
    )


@functools.cache
def _shortened(language: Language) -> frozenset[str]:
    """Words with a dot that may end a sentence as well."""
    pairs = language.reading.abbreviations if language.reading else ()
    dotted = (written for written, _ in pairs if written.endswith("."))
    return frozenset((*dotted, *language.before_names))


@functools.cache
def _border(language: Language) -> re.Pattern[str]:
    ends = re.escape(language.sentence_ends)
    return re.compile(rf"[{ends}](?P<behind>[{re.escape(CLOSING)}]*)(?P<space>\s+)(?=\S)")
