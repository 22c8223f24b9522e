"""References to the Bible: `Juan 3:16`, `1 Corintios 13:4-7`. Rules that several languages share.

They look like times, decimals and scores; the book before them says what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Rule

# Books have the names of people, and people pay.
_NO_VERSE = r"(?!\d|\s?(?:[€$£%]|[Ee]uros?\b|[Dd][oó]l+ar|Prozent\b|p[eo]r cento\b|por ciento\b))"


def numbered(books: str, say: Callable[[int, Numbers], str], people: str = r"(?!)") -> Rule:
    """The number before a book that there are several of. Behind `people`, a figure must follow."""
    return Rule(
        rf"(?<![\w.,:-])(?P<number>[1-4])\.?[ªºa°]?\s(?=(?:{books})\b|(?:{people})\s\d)",
        lambda found, numbers: f"{say(int(found['number']), numbers)} ",
    )


def verses(books: str) -> Rule:
    """`3:16`, `3,16-18`, `3:16-4:2` behind a book."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        chapter, verse, last_chapter, last = (
            numbers.cardinal(int(found[name])) if found[name] else ""
            for name in ("chapter", "verse", "last_chapter", "last")
        )
        words = f"{found['book']} {chapter}, {verse}"
        until = f"{last_chapter}, {last}" if last_chapter else last
        return f"{words} {numbers.reading.up_to} {until}" if until else words

    place = r"\d{1,3}"
    until = rf"(?:\s?[-–]\s?(?:(?P<last_chapter>{place})[:,])?(?P<last>{place})(?![\d:]))?"
    return Rule(
        rf"\b(?P<book>{books})\s(?P<chapter>{place})[:,](?P<verse>{place})(?!\d){until}{_NO_VERSE}",
        said,
    )
