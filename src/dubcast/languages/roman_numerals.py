"""Roman numerals: of centuries, chapters, rulers, wars. Rules that several languages share.

A single letter is a numeral only where a word next to it says so. Two letters or more that are
nothing else are one anywhere: `Rocky IV`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from dubcast.languages.numbers import Numbers, roman
from dubcast.languages.reading import Rule

Say = Callable[[int, Numbers], str]
"""A numeral's value, as it is said."""

# Nothing in it must be there, but something is: it begins with a letter, and ends with one. A lone
# C or L is the letter: group C.
NUMERAL = r"(?=[IVXLC])(?![CL]\b)C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?<=[IVXLC])"
# Without L and C, which are letters far more often than numbers.
SMALL_NUMERAL = r"(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})(?<=[IVX])"
INITIAL = r"[IVX]\.\s?[A-ZÀ-Ý]"
# Sizes and chromosomes.
_NO_NUMERAL = r"(?!XXX?\b)"
_JOINT = r"(?:,\s|\s?[-–]\s?|\s(?:[aeouy]|al|à|au|et|ou|und|bis|oder)\s(?:[ei]l\s|le\s)?)"
_ONE = re.compile(rf"\b{NUMERAL}\b")
_DASH = re.compile(r"\s?[-–]\s?")


def cardinal(number: int, numbers: Numbers) -> str:
    return numbers.cardinal(number)


def ordinal(number: int, numbers: Numbers) -> str:
    return numbers.ordinal(number)


def feminine_ordinal(number: int, numbers: Numbers) -> str:
    return numbers.ordinal(number, feminine=True)


def behind(words: str, say: Say = cardinal) -> Rule:
    """`siglo XXI`, `capítulos IV y V`: every numeral behind one of the words."""
    return Rule(
        rf"\b(?P<word>{words})(?P<numerals>\s{NUMERAL}(?:{_JOINT}{NUMERAL}){{0,4}})(?![\w-])",
        lambda found, numbers: found["word"] + _each(found["numerals"], say, numbers),
    )


def before(nouns: str, say: Say) -> Rule:
    """`II Guerra`, `XV e XVI secolo`: every numeral before one of the nouns."""
    return Rule(
        rf"(?<![\w-])(?:{SMALL_NUMERAL}{_JOINT}){{0,4}}{SMALL_NUMERAL}(?=\s(?:{nouns})\b)",
        lambda found, numbers: _each(found[0], say, numbers),
    )


def _each(written: str, say: Say, numbers: Numbers) -> str:
    apart = _DASH.sub(f" {numbers.reading.up_to} ", written)
    return _ONE.sub(lambda one: say(roman(one[0]), numbers), apart)


def of_rulers(names: Iterable[str], say: Say) -> Rule:
    """`Felipe VI`: kings and queens, popes, and who else has a number; not `Juan V. Ruiz`."""
    numeral = rf"(?!{INITIAL})(?P<numeral>{SMALL_NUMERAL})"
    return Rule(
        rf"\b(?P<name>{'|'.join(names)})\s{numeral}(?![\w-])(?!['’.]\w)",
        lambda found, numbers: f"{found['name']} {say(roman(found['numeral']), numbers)}",
    )


def alone(say: Say = cardinal) -> Rule:
    """`Rocky IV`, `el XXI`: a numeral by its letters."""
    return Rule(
        rf"(?<![\w.&'’-]){_NO_NUMERAL}(?=[IVX]{{2}})(?:{SMALL_NUMERAL})(?![\w&-])(?!['’]\w)",
        lambda found, numbers: say(roman(found[0]), numbers),
    )
