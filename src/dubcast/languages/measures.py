"""Measures that are no plain number and its noun: halves, times that took hours, sums of money that
are written with the currency's name. Rules that several languages share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Rule
from dubcast.languages.rules import end_of_sentence

FindNoun = Callable[[str, Numbers], Counted | None]
"""What a word or a unit's sign counts; none: it is nothing that there are parts of."""
SayParts = Callable[[re.Match[str], Counted, Numbers], str]
"""`whole`, `upper` and `lower` of a fraction with what it counts."""


def parts(noun: FindNoun, say: SayParts) -> Rule:
    """`1/2 taza`, `2 1/2 kg`: a fraction before what it counts."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        counted = noun(found["noun"], numbers)
        return found[0] if counted is None else say(found, counted, numbers)

    return Rule(
        r"(?<![\d/.,])(?:(?P<whole>\d{1,6})\s)?(?P<upper>[1-9])/(?P<lower>[2-9]|10)\s?"
        r"(?P<noun>[^\W\d_]+)(?!\w)",
        said,
    )


def of_units(word: str, numbers: Numbers) -> Counted | None:
    """What is measured by a unit: `kg`, `kilos`."""
    for unit in numbers.reading.units:
        if word in (*unit.signs, unit.name.one, unit.name.many):
            return unit.name
    return None


def lasting(lengths: Sequence[tuple[str | None, Counted]], numbers: Numbers, also: str = "") -> str:
    """Hours, minutes, and seconds, as they are written, those that there are; `also` is said before
    the last of several.
    """
    said = [numbers.amount(str(int(one)), noun) for one, noun in lengths if one and int(one)]
    *most, last = said or [numbers.amount("0", lengths[1][1])]
    joined = f"{', '.join(most)} {also}" if also and most else " ".join(most)
    return f"{joined} {last}".lstrip()


def durations(hour: Counted, minute: Counted, second: Counted, also: str = "") -> tuple[Rule, ...]:
    """`2:05:13`, which may have its unit behind it, `2 h 05 min 13 s`, `1min32s`.

    `also` is said before the last part, where the language says anything there.
    """

    def said(found: re.Match[str], numbers: Numbers) -> str:
        lengths = ((found["hour"], hour), (found["minute"], minute), (found["second"], second))
        return lasting(lengths, numbers, also) + end_of_sentence(found)

    hourly = rf"(?:\s(?:{hour.many}|h|Std\.)(?!\w))?"
    return (
        Rule(
            r"(?<![\d:.,/])(?P<hour>\d{1,2}):(?P<minute>[0-5]\d):(?P<second>[0-5]\d)"
            rf"(?![\d:]|[.,]\d){hourly}",
            said,
        ),
        Rule(
            r"(?<![\d:.,/])(?P<hour>\d{1,2})\s?h\s?(?P<minute>[0-5]?\d)\s?min\b(?:\.(?=\s[a-z\d]))?"
            r"(?:\s?(?P<second>[0-5]?\d)\s?s(?:eg)?\b)?",
            said,
        ),
        Rule(
            r"(?<![\w:.,/])(?P<hour>)(?P<minute>\d{1,3})\s?min\s?(?P<second>[0-5]?\d)\s?s(?:eg)?\b",
            said,
        ),
    )


def named_currencies(signs: Mapping[str, str]) -> Rule:
    """`80,00 Euro`: said as `80,00 €` is."""
    return Rule(
        rf"(?<=\d,\d\d)\s(?P<name>{'|'.join(signs)})\b",
        lambda found, numbers: f" {signs[found['name']]}",
    )
