"""How a language reads aloud what is written in digits, signs and abbreviations. Data.

A language's own file holds one `Reading`; `spoken_form` applies it. What follows the same pattern
in every language (numbers, money, units, abbreviations, initials, addresses) is data here; what
does not (dates, times) is a `Rule` of the language: a pattern, and a function that says what it
found.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from dubcast.languages.numbers import Numbers


Plural = Literal["one", "few", "many"]


@dataclass(frozen=True)
class Counted:
    """What is counted, as it is said after one and after many; `few` where a language has a form
    for two to four, or for parts of one.
    """

    one: str
    many: str
    feminine: bool = False
    few: str = ""


@dataclass(frozen=True)
class Unit:
    """A unit with the signs that stand for it behind a number: `km`, `%`."""

    signs: tuple[str, ...]
    name: Counted


@dataclass(frozen=True)
class Currency:
    """A currency; `signs` stand before or behind the amount. `part`: its hundredth."""

    signs: tuple[str, ...]
    name: Counted
    part: Counted | None = None


Step = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
"""What is found, and how it is said."""


@dataclass(frozen=True)
class Rule:
    """What `pattern` finds is said as `say` tells."""

    pattern: str
    say: Callable[[re.Match[str], Numbers], str]


def _side_by_side(number: str, noun: str) -> str:
    return f"{number} {noun}"


def _unchanged(words: str) -> str:
    return words


@dataclass(frozen=True)
class Reading:
    """A language's way to say what is written. Pairs are (as written, as said).

    Patterns are regular expressions; what is written is found in the case in which it stands here.
    """

    numerals: str
    """num2words' name of the language."""
    decimal_mark: str
    grouping_marks: str
    """Marks that may stand before each group of three digits."""
    point: str
    """How the decimal mark is said."""
    minus: str
    plus: str
    also: str
    """Between whole and part of an amount of money: `and`."""
    up_to: str
    """Between two numbers with a dash: a range, a score."""
    per: str
    """The slash behind an amount: `$5/month`."""
    dot: str
    at: str
    slash: str
    dash: str
    underscore: str
    hashtag: str
    number_sign: str

    mended: Callable[[str], str] = _unchanged
    """What num2words says, where the language says it otherwise."""
    words: Callable[[int], str] | None = None
    """A number in words, where num2words does not know the language."""
    feminine: Callable[[str], str] = _unchanged
    """A cardinal before a feminine noun."""
    feminine_ordinal: Callable[[str], str] = _unchanged
    feminine_noun: str = r"(?!)"
    """What follows a number, if it is a feminine noun."""
    plural: Callable[[int], Plural] | None = None
    """Which form follows a whole number; none: one after 1, many after others."""
    counted: Callable[[str, str], str] = _side_by_side
    """Number and noun together: `um milhão de reais`."""
    joined_decimals: bool = False
    """Two decimals are said as one number: `três vírgula setenta e cinco`."""
    singular_below: float = 1.0
    """Amounts up to one take the singular; so do those below this."""

    units: tuple[Unit, ...] = ()
    currencies: tuple[Currency, ...] = ()
    scales: tuple[tuple[str, Counted], ...] = ()
    """Words and letters after an amount that multiply it: `million`, `M`."""
    large: str = r"(?!)"
    """Which of these letters multiply a bare number: `250k`."""
    no_noun: str = r"\w+"
    """What is no noun, behind such a number; nouns may be joined to it in the language's own way:
    `um milhão de visualizações`."""
    signs: tuple[tuple[str, str], ...] = ()
    """Single signs that are said as words, wherever nothing else reads them."""
    abbreviations: tuple[tuple[str, str], ...] = ()
    """Words with their dot, or short forms of capitals: `Dr.`, `TV`."""
    rules: tuple[Rule, ...] = ()
    """Asked before numbers, money and units are read."""
    late_rules: tuple[Rule, ...] = ()
    """Asked after money and units: for numbers that stand alone."""

    letters: tuple[tuple[str, str], ...] = ()
    """Names of letters that a voice would not say by itself."""
    letter_joint: str = " "
    """Between the letters of what is spelled."""
    letters_plural: str = "s"
    """Behind what is spelled, for more than one of it."""
    spoken_digits: tuple[tuple[str, str], ...] = ()
    """Digits that have another name in a telephone number."""
    acronyms: tuple[str, ...] = ()
    """Capitals that are said as a word, though they do not look like one: `NASA`."""
    spelled: tuple[str, ...] = ()
    """Capitals that are spelled, though they look like a word: `USA`."""
    speakable: str = r"(?!)"
    """Capitals that look like a word of this language."""
    shouted: tuple[str, ...] = ()
    """Words that people write in capitals to stress them."""
    cues: str = r"(?!)"
    """What captions write in brackets of sounds: `laughs`."""
    domains: tuple[str, ...] = ("com", "org", "net", "gov", "info")
    """Ends of addresses that are said as words."""


def pairs(table: str) -> tuple[tuple[str, str], ...]:
    """Pairs as a table of text: `Dr. = Doctor | Mr. = Mister`, on any number of lines."""
    cells = (cell.partition(" =") for line in table.splitlines() for cell in line.split(" | "))
    return tuple((one.strip(), other.strip()) for one, _, other in cells if one.strip())
