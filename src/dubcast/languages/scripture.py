"""Places in the Bible, in every language that dubs services: `John 3:16` is no time of day."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Rule

# Books have the names of people, and people pay.
_NO_VERSE = r"(?!\d|\s?(?:[€$£%]|[Ee]uros?\b|[Dd][oó]l+ar|Prozent\b|p[eo]r cento\b|por ciento\b))"


@dataclass(frozen=True)
class Bible:
    """How a language writes and says such a place.

    `books`: histories and letters are those of which there are several, `1 Kings`, `2 Peter`, with
    the ordinals that count them; each is a name, with its short forms behind it: `Mateus:Mt`.
    `joint` stands between chapter and verse, `marks` are written there. `sure`: those of several
    that are nobody's name, and so need no chapter. `chapters`: short forms of others that are
    nothing else, and so need no verse; a comma may stand behind their chapter.
    """

    books: str
    histories: str
    letters: str
    of_histories: tuple[str, ...]
    of_letters: tuple[str, ...]
    joint: str = ", "
    marks: str = ":,"
    sure: str = ""
    chapters: str = ""

    def rules(self) -> tuple[Rule, ...]:
        nth = rf"(?<![\w.,:-])(?P<nth>[1-{len(max(self.of_histories, self.of_letters, key=len))}])"
        numbered = rf"{nth}\.?[ªºa°]?\s?(?P<of>{_pattern(f'{self.histories} {self.letters}')})"
        book = rf"\b(?P<book>{_pattern(f'{self.books} {self.histories} {self.letters}')})"
        # What says `to` may stand there already: it looks like two times of day.
        to = r"(?:\s?[-–]\s?|\s(?:to|a|à|bis)\s)"
        until = rf"(?:{to}(?P<last_chapter>\d{{1,3}})(?P=mark)(?P<last>\d{{1,3}})(?!\d))?"
        more = r"(?P<more>(?:\s?[-–,]\s?\d{1,3}(?!\d|[:.]\d)){0,4})"
        verse = rf"(?P<mark>[{self.marks}])(?P<verse>\d{{1,3}})(?!\d){until}{more}{_NO_VERSE}"
        alone = rf"(?(book)(?!)|(?!\w|[{self.marks}]\d))"
        whole = rf"\b(?P<book>{_pattern(self.chapters)})\.?\s(?P<chapter>\d{{1,3}})(?![\d:])"
        return (
            Rule(rf"{whole}(?P<verse>,\s?(?=\d{{1,3}}(?!\d|,\d)))?", self._in_full),
            Rule(
                rf"(?:{numbered}|{book})\.?\s(?P<chapter>\d{{1,3}})(?:{verse}|{alone})", self._place
            ),
            Rule(rf"{nth}\.?[ªºa°]?\s(?P<of>{_pattern(self.sure)})\b", self._numbered),
        )

    def _in_full(self, found: re.Match[str], _: Numbers) -> str:
        mark = self.marks[0] if found["verse"] else ""
        return f"{self._name(found['book'])} {found['chapter']}{mark}"

    def _place(self, found: re.Match[str], numbers: Numbers) -> str:
        book = self._numbered(found, numbers) if found["nth"] else self._name(found["book"])
        said = f"{book} {numbers.cardinal(int(found['chapter']))}"
        if found["verse"]:
            said += f"{self.joint}{numbers.cardinal(int(found['verse']))}"
        if found["last"]:
            chapter, last = (numbers.cardinal(int(found[i])) for i in ("last_chapter", "last"))
            said += f" {numbers.reading.up_to} {chapter}{self.joint}{last}"
        for mark, verse in re.findall(r"([-–,])\s?(\d+)", found["more"] or ""):
            between = ", " if mark == "," else f" {numbers.reading.up_to} "
            said += between + numbers.cardinal(int(verse))
        return said

    def _numbered(self, found: re.Match[str], numbers: Numbers) -> str:
        book, number = self._name(found["of"]), int(found["nth"])
        history = book in _names(self.histories).values()
        ordinals = self.of_histories if history else self.of_letters
        counted = number <= len(ordinals)
        return f"{ordinals[number - 1] if counted else numbers.cardinal(number)} {book}"

    def _name(self, written: str) -> str:
        return _names(f"{self.books} {self.histories} {self.letters}").get(written, written)


def _names(books: str) -> dict[str, str]:
    """Every form of each book's name, with the full one; `_` is a space in it."""
    forms = (one.replace("_", " ").split(":") for one in books.split())
    return {form: names[0] for names in forms for form in names}


def _pattern(books: str) -> str:
    return "|".join(sorted(map(re.escape, _names(books)), key=len, reverse=True)) or "(?!)"
