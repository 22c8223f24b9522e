"""Readings of languages of which only what is common is said in words, out of short tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Currency, Reading, Rule, Unit, pairs
from dubcast.languages.rules import (
    CONSONANT_AND_VOWEL,
    SayDate,
    clock,
    grouped_by_spaces,
    numeric_dates,
    single_part,
    telephone,
)

# What `compared` names.
_COMPARED = (*"<>≤≥≠", "1/2", "1/3", "1/4", "3/4")


def small_reading(
    numerals: str,
    words: str,
    units: str,
    money: str,
    compared: str,
    *,
    date: SayDate,
    time: Callable[[int, int, Numbers], str],
    clock_mark: str = ":",
    behind_time: str = "",
    decimal_mark: str = ",",
    rules: tuple[Rule, ...] = (),
    **more: Any,
) -> Reading:
    """`words`: the reading's own (`point = komma | ...`); `units`, `money`: signs and names (`km =
    kilometer`, `$ USD = dollar / dollars, cent`), with forms after one, few and many between
    slashes, and ~ before what is feminine. `compared`: less, more, at most, at least, not equal;
    and a half, a third, a quarter, three quarters. `more`: other fields of the reading.
    """
    said: dict[str, Any] = dict(pairs(words))
    signs = tuple(zip(_COMPARED, compared.split(" / "), strict=True))
    grouping = "." if decimal_mark == "," else ","
    return Reading(
        numerals=numerals,
        decimal_mark=decimal_mark,
        grouping_marks=grouping,
        units=tuple(Unit(tuple(signs.split()), _counted(name)) for signs, name in pairs(units)),
        currencies=tuple(_currency(*pair) for pair in pairs(money)),
        signs=(*signs[:5], ("&", said["also"]), ("+", said["plus"]), ("@", said["at"]), ("/", "")),
        rules=(
            telephone(),
            grouped_by_spaces(),
            *rules,
            *numeric_dates(date),
            *(single_part(*one, said["also"]) for one in signs[5:]),
            clock(clock_mark, time, behind_time),
        ),
        speakable=CONSONANT_AND_VOWEL,
        **said,
        **more,
    )


def _counted(names: str) -> Counted:
    forms = [one.strip() for one in names.removeprefix("~").split(" / ")]
    few = forms[1] if len(forms) == 3 else ""
    return Counted(forms[0], forms[-1], names.startswith("~"), few)


def _currency(signs: str, names: str) -> Currency:
    whole, _, part = names.partition(", ")
    return Currency(tuple(signs.split()), _counted(whole), _counted(part) if part else None)
