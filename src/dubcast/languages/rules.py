"""Rules that several languages share: each is told how its language says what was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Rule

SayDate = Callable[[int, int, int | None, Numbers], str]
"""Day, month, and year if there is one, as they are said."""
Say = Callable[[Numbers, int], str]
"""A part of a date as it is said: `Numbers.ordinal`, say."""

CONSONANT_AND_VOWEL = r"(?:[B-DF-HJ-NP-TV-Z]?[AEIOU]){2,}[LMNRS]?(?<=\w{4})"
"""Capitals that look like a word wherever each syllable is a vowel with one consonant: `NATO`."""

_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?P<month>0?[1-9]|1[0-2])"


def grouped_by_spaces() -> Rule:
    """`12 500`: the groups are put together, to be read as one number."""
    spaces = "  \N{NARROW NO-BREAK SPACE}"
    return Rule(
        rf"(?<![\d.,/:-])[1-9]\d{{0,2}}(?:[{spaces}]\d{{3}})+(?![\d/:-])",
        lambda found, numbers: re.sub(r"\s", "", found[0]),
    )


def numeric_dates(say: SayDate) -> tuple[Rule, ...]:
    """`24/12/1990`, `24.12.1990`, `24-12-1990`, `1990-12-24`, with the day before the month."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        year = int(found["year"])
        year += 0 if year > 99 else 2000 if year < 50 else 1900
        return say(int(found["day"]), int(found["month"]), year, numbers)

    return (
        Rule(rf"\b{_DAY}(?P<mark>[/.-]){_MONTH}(?P=mark)(?P<year>\d{{4}}|(?<!-)\d\d)\b", said),
        Rule(r"\b(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12]\d|3[01])\b", said),
    )


def day_month_year(
    day: Say, months: Sequence[str], year: Say = Numbers.year, joint: str = " "
) -> SayDate:
    """The parts in this order, with `joint` between them."""

    def said(day_number: int, month: int, year_number: int | None, numbers: Numbers) -> str:
        parts = [day(numbers, day_number), months[month - 1]]
        return joint.join([*parts, year(numbers, year_number)] if year_number else parts)

    return said


def written_dates(day: Say, months: Sequence[str], mark: str = "", joint: str = " ") -> Rule:
    """`24 dicembre`; `mark` may stand behind the figure, `joint` stands before the month."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        return f"{day(numbers, int(found['day']))}{joint}{found['month']}"

    month = "|".join(months)
    return Rule(rf"\b(?P<day>[12]?\d|3[01])(?:{mark})?{joint}(?P<month>{month})\b", said)


def clock(hour_mark: str, say: Callable[[int, int, Numbers], str], behind: str = "") -> Rule:
    """`15:30` and what else stands between hour and minute; `behind` goes with it."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        return say(int(found["hour"]), int(found["minute"] or 0), numbers)

    minute = rf"(?:{hour_mark})(?P<minute>[0-5]\d)"
    return Rule(rf"(?<![\d:.,])(?P<hour>[01]?\d|2[0-4]){minute}(?![\d:]){behind}", said)


def telephone(local: str = r"(?!)") -> Rule:
    """Numbers that begin with a country's code, and those that `local` matches."""
    abroad = r"(?<![\w-])\+\d{1,3}(?:[-. ]\(?\d{1,4}\)?){2,6}\b"
    return Rule(
        rf"{abroad}|{local}", lambda found, numbers: numbers.dialled(re.findall(r"\d+", found[0]))
    )


def fractions(halves: str, parts: Callable[[int, int, Numbers], str], also: str) -> Rule:
    """`3/4`, `2 1/2`. `halves`: how a half is said behind a whole number."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        upper, lower = int(found["upper"]), int(found["lower"])
        if not found["whole"]:
            return parts(upper, lower, numbers)
        behind = halves if (upper, lower) == (1, 2) else parts(upper, lower, numbers)
        return f"{numbers.cardinal(int(found['whole']))} {also} {behind}"

    return Rule(
        r"(?<![\d/.,])(?:(?P<whole>\d+)\s)?(?P<upper>[1-9])/(?P<lower>[2-9]|10)\b(?!/)", said
    )
