"""Numbers in words. The words of each language come from num2words; how a number was written, and
what it agrees with, from the language's `Reading`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dubcast.languages.reading import Counted, Reading

# A figure: digits, with marks between them. Bounded, so that a row of digits without end takes no
# time without end.
FIGURE = r"(?:\d{1,20}(?:[.,]\d{1,20}){0,7}|(?<!\w)\.\d{1,20})"
# What is one number for all its marks: in groups of three, or as India groups. Else what stands
# between marks is a number of its own: in a version, in the address of a machine.
_ONE_NUMBER = re.compile(
    r"\d*(?:[.,]\d+)?"
    r"|[1-9]\d{0,2}(?P<mark>[.,])\d{3}(?:(?P=mark)\d{3})*(?:(?!(?P=mark))[.,]\d+)?"
    r"|[1-9]\d?(?:,\d\d)+,\d{3}(?:\.\d+)?"
)
_MACHINE = re.compile(r"(?:(?:1?\d?\d|2[0-4]\d|25[0-5])(?:\.|$)){4}")
# Beyond this nobody says a number; its digits are read.
_MOST_DIGITS = 15


class Numbers:
    """Says numbers as one language does."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._letters = dict(reading.letters)
        self._digits = dict(reading.spoken_digits)

    def cardinal(self, number: int, *, feminine: bool = False) -> str:
        """`21`: twenty-one."""
        words = self._words(number, "cardinal")
        return self.reading.feminine(words) if feminine else words

    def ordinal(self, number: int, *, feminine: bool = False) -> str:
        """`21`: twenty-first."""
        words = self._words(number, "ordinal")
        return self.reading.feminine_ordinal(words) if feminine else words

    def year(self, number: int) -> str:
        """`1990`: nineteen ninety."""
        return self._words(number, "year")

    def figure(self, written: str, *, feminine: bool = False) -> str:
        """A number as it is written, with its marks and sign: `-1,234.5`."""
        sign = f"{self.reading.minus} " if written[0] in "-−–" else ""
        written = written.lstrip("-−–")
        if not _ONE_NUMBER.fullmatch(written) or _MACHINE.fullmatch(written):
            return sign + self.part_by_part(written)
        whole, part = self.parts(written)
        if not whole:
            return f"{sign}{self.reading.point} {self.digits(part)}"
        if len(whole) > _MOST_DIGITS or (len(whole) > 1 and whole[0] == "0" and not part):
            return sign + self.digits(whole)
        if part:
            return sign + self.decimal(int(whole), part, feminine=feminine)
        return sign + self.cardinal(int(whole), feminine=feminine)

    def decimal(self, whole: int, part: str, *, feminine: bool = False) -> str:
        """`3` and `14`: three point one four."""
        words = self.cardinal(whole, feminine=feminine)
        return f"{words} {self.reading.point} {self._decimals(part)}"

    def part_by_part(self, written: str) -> str:
        """What is no number but several: `17.2.1`, `1,2,3`."""
        point = self.reading.point if self.reading.decimal_mark == "." else self.reading.dot
        between = {".": f" {point} ", ",": ", "}
        pieces = re.findall(r"\d+|[.,]", written)
        return "".join(between.get(one) or self.figure(one) for one in pieces)

    def parts(self, written: str) -> tuple[str, str]:
        """The digits before and after the decimal mark of a number without sign.

        Either mark may be the decimal one where it can be nothing else: translations keep the
        figures of their source.
        """
        marks = [char for char in written if char in ".,"]
        if not marks:
            return written, ""
        whole, part = written[: written.rindex(marks[-1])], written[written.rindex(marks[-1]) + 1 :]
        digits = "".join(char for char in whole if char.isdigit())
        grouped = (
            len(part) == 3 and marks[-1] in self.reading.grouping_marks and whole not in ("", "0")
        )
        in_threes = len(set(marks)) == 1 and len(marks) > 1 and len(part) == 3
        if in_threes or (len(marks) == 1 and grouped):
            return digits + part, ""
        return digits, part

    def amount(self, written: str, noun: Counted) -> str:
        """A number and what it counts: `one kilometer`."""
        words = self.figure(written, feminine=noun.feminine)
        return self.reading.counted(words, self._form(*self.parts(written.lstrip("-−–")), noun))

    def _form(self, whole: str, part: str, noun: Counted) -> str:
        """The form of a noun that goes with a number."""
        if self.reading.plural is not None:
            form = "few" if part else self.reading.plural(int(whole or 0))
            return {"one": noun.one, "few": noun.few or noun.many, "many": noun.many}[form]
        value = float(f"{whole or 0}.{part or 0}")
        single = value == 1 or 0 < value < self.reading.singular_below
        return noun.one if single else noun.many

    def digits(self, written: str) -> str:
        """The digits one by one."""
        return " ".join(self.cardinal(int(one)) for one in written if one.isdigit())

    def dialled(self, groups: Sequence[str]) -> str:
        """Digits as those of a telephone number, with a breath between groups."""
        return ", ".join(
            " ".join(self._digits.get(one, self.cardinal(int(one))) for one in group)
            for group in groups
        )

    def letters(self, written: str) -> str:
        """Letters by their names."""
        names = (self._letters.get(one, one) for one in written.upper())
        return self.reading.letter_joint.join(names)

    def _decimals(self, part: str) -> str:
        joined = self.reading.joined_decimals and len(part) == 2 and part[0] != "0"
        return self.cardinal(int(part)) if joined else self.digits(part)

    def _words(self, number: int, form: str) -> str:
        if self.reading.words is not None:
            return self.reading.words(number)
        # Needed for speaking alone: who only lists languages starts without it.
        from num2words import num2words

        words: str = num2words(number, lang=self.reading.numerals, to=form)
        return self.reading.mended(words.replace(",", ""))


def roman(written: str) -> int:
    """The value of a Roman numeral in capitals."""
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}[one] for one in written]
    following = [*values[1:], 0]
    return sum(-one if one < next_ else one for one, next_ in zip(values, following, strict=True))
