"""Places in the Bible, in every language that dubs services: `John 3:16` is no time of day."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Rule


@dataclass(frozen=True)
class Bible:
    """How a language writes and says such a place.

    `books`: histories and letters are those of which there are several, `1 Kings`, `2 Peter`; each
    is a pattern, or a name with its short form: `Mateus:Mt`. `joint` stands between chapter and
    verse, `marks` are written there.
    """

    books: str
    histories: str
    letters: str
    of_histories: tuple[str, str]
    of_letters: tuple[str, str, str]
    joint: str = ", "
    marks: str = ":"

    def rule(self) -> Rule:
        numbered = _pattern(f"{self.histories} {self.letters}")
        verses = r"(?P<verse>\d{1,3})(?P<more>(?:\s?[-–,]\s?\d{1,3}(?!\d|[:.]\d)){0,4})(?!\d)"
        place = rf"(?P<chapter>\d{{1,3}})(?:[{self.marks}]{verses})"
        return Rule(
            rf"\b(?:(?P<number>[123])[ªaº.]?\s?(?P<numbered>{numbered})\.?\s(?P<alone>\d{{1,3}})"
            rf"(?!\w|[{self.marks}]\d)|"
            rf"(?:(?P<nth>[123])[ªaº.]?\s?(?P<of>{numbered})|(?P<book>{_pattern(self.books)}|{numbered}))"
            rf"\.?\s{place})",
            self._said,
        )

    def _said(self, found: re.Match[str], numbers: Numbers) -> str:
        book = self._name(found["numbered"] or found["of"] or found["book"])
        number = found["number"] or found["nth"]
        if number:
            book = f"{self._ordinal(int(number), book)} {book}"
        said = f"{book} {numbers.cardinal(int(found['chapter'] or found['alone']))}"
        if found["verse"]:
            said += f"{self.joint}{numbers.cardinal(int(found['verse']))}"
        for mark, verse in re.findall(r"([-–,])\s?(\d+)", found["more"] or ""):
            between = ", " if mark == "," else f" {numbers.reading.up_to} "
            said += between + numbers.cardinal(int(verse))
        return said

    def _ordinal(self, number: int, book: str) -> str:
        histories = _names(self.histories).values()
        return (
            (*self.of_histories, "")[number - 1]
            if book in histories and number < 3
            else (self.of_letters[number - 1])
        )

    def _name(self, written: str) -> str:
        return _names(f"{self.books} {self.histories} {self.letters}").get(written, written)


def _names(books: str) -> dict[str, str]:
    """Every form of each book's name, with the full one; `_` is a space in it."""
    forms = (one.replace("_", " ").split(":") for one in books.split())
    return {form: names[0] for names in forms for form in names}


def _pattern(books: str) -> str:
    return "|".join(sorted(map(re.escape, _names(books)), key=len, reverse=True))
