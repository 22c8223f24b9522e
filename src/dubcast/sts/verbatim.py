"""What no model should touch: addresses, handles, hashtags, and dates in figures. Pure.

A small model drops the @ of an address and half of a date. They go through it as terms of a
glossary do; a date in the order of day and month that the target language has.
"""

from __future__ import annotations

import re

from dubcast.languages.language import Language
from dubcast.languages.spoken_form import ADDRESS
from dubcast.sts.glossary import Found

_TAG = re.compile(r"(?<![\w@#])[@#][^\W\d]\w+")
_DATE = re.compile(r"(?<![\d/.-])(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\d/-])")
_MONTHS = 12


def verbatim(sentence: str, source: Language, target: Language) -> tuple[Found, ...]:
    """Where such things stand in a sentence, in order, and what they are in the target language."""
    kept = [
        Found(*found.span(), found[0])
        for pattern in (ADDRESS, _TAG)
        for found in pattern.finditer(sentence)
    ]
    dates = [
        Found(*found.span(), _date(found, source, target)) for found in _DATE.finditer(sentence)
    ]
    return without_overlap([*kept, *dates])


def without_overlap(found: list[Found]) -> tuple[Found, ...]:
    """In order; of two that overlap the one that is named first."""
    taken: list[Found] = []
    for one in found:
        if all(one.end <= other.start or other.end <= one.start for other in taken):
            taken.append(one)
    return tuple(sorted(taken, key=lambda one: one.start))


def _date(found: re.Match[str], source: Language, target: Language) -> str:
    """A number above twelve is the day, wherever it stands; else the source's order tells."""
    first, second, year = found.groups()
    month_first = int(first) <= _MONTHS and (int(second) > _MONTHS or source.month_first)
    if month_first != target.month_first:
        first, second = second, first
    return f"{first}/{second}/{year}"
