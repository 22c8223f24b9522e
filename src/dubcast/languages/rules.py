"""Rules that several languages share: each is told how its language says what was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from dubcast.languages.numbers import FIGURE, Numbers
from dubcast.languages.reading import Counted, Rule

SayDate = Callable[[int, int, int | None, Numbers], str]
"""Day, month, and year if there is one, as they are said."""
Say = Callable[[Numbers, int], str]
"""A part of a date as it is said: `Numbers.ordinal`, say."""

CONSONANT_AND_VOWEL = r"(?:[B-DF-HJ-NP-TV-Z]?[AEIOU]){2,}[LMNRS]?(?<=\w{4})"
"""Capitals that look like a word wherever each syllable is a vowel with one consonant: `NATO`."""

# What has versions, in every language.
_PRODUCTS = (
    r"Python|Ubuntu|i(?:Pad)?OS|macOS|watchOS|tvOS|Android|Windows|Chrome|Firefox|Safari|Linux|"
    r"[Kk]ernel|Node(?:\.js)?|Java|PHP|USB(?:-C)?|HDMI|Wi-Fi|Bluetooth|HTTP|TLS|GPT|Llama|Claude|"
    r"Gemini|Qwen|DeepSeek|Debian|Fedora|Django|Rust|Swift|Unity|Unreal Engine|DirectX|OpenGL|"
    r"CUDA|PyTorch|TensorFlow|React|Angular|[Ff]irmware|[Pp]atch|[Bb]uild|Web|PCIe|DDR"
)
# Marks that open a quotation, and those that close one; behind a figure they may be inches.
_OPENS = re.compile(r"(?<![^\s(\[—–-])[\"“](?=\S)")
_CLOSES = re.compile(r"(?<=[^\s\d(])[\"”]")
# A country's code, and groups of any length: +34 612 34 56 78, +49 170/1234567, +34612345678.
_ABROAD = (
    r"(?<![\w-])\+\d{1,3}(?:[-. ]\(?\d{1,8}\)?){2,6}\b"
    r"|(?<![\w-])\+\d{1,3}(?:[-. /]\(?\d{1,5}\)?){1,3}[-. /]\d{4,9}\b"
    r"|(?<![\w-])\+(?:\d{1,3}[-. /])?\d{6,12}\b"
)
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?P<month>0?[1-9]|1[0-2])"


def grouped_by_spaces() -> Rule:
    """`12 500`: the groups are put together, to be read as one number."""
    spaces = "  \N{NARROW NO-BREAK SPACE}"
    return Rule(
        rf"(?<![\d.,/:-])[1-9]\d{{0,2}}(?:[{spaces}]\d{{3}})+(?![\d/:-])",
        lambda found, numbers: re.sub(r"\s", "", found[0]),
    )


# `gli anni '80`: what stands for the century is not said.
SHORT_YEARS = Rule(r"(?<=\s)['’](?=\d\d(?:er)?\b)", lambda found, numbers: "")
# Behind the word before a date: a part of a whole.
NO_PART = r"(?!\s(?:1/[2-5]|2/3|3/4)\b)"


def numeric_dates(say: SayDate) -> tuple[Rule, ...]:
    """`24/12/1990`, `24.12.1990`, `24-12-1990`, `1990-12-24`, with the day before the month."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        year = int(found["year"])
        year += 0 if year > 99 else 2000 if year < 50 else 1900
        return say(int(found["day"]), int(found["month"]), year, numbers)

    return (
        Rule(rf"\b{_DAY}(?P<mark>[/-]){_MONTH}(?P=mark)(?P<year>\d{{4}}|(?<!-)\d\d)\b", said),
        # With dots and a short year it may be a version: 1.2.11.
        Rule(
            rf"(?<![\d.]){_DAY}\.{_MONTH}\.(?P<year>\d{{4}}|(?<=\d\d\.\d\d\.)\d\d)(?![\d.]\d|\d)",
            said,
        ),
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
    return Rule(
        rf"(?<![\d:.,])(?P<hour>[01]?\d|2[0-4]){minute}(?![\d:]|[.,]\d{{1,3}}(?!\d|:)){behind}",
        said,
    )


def telephone(local: str = r"(?!)") -> Rule:
    """Numbers that begin with a country's code, and those that `local` matches."""
    return Rule(
        rf"{_ABROAD}|{local}", lambda found, numbers: numbers.dialled(re.findall(r"\d+", found[0]))
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


def raced(
    minute: Counted,
    also: str,
    say: Callable[[re.Match[str], str], str] = lambda _, minutes: minutes,
) -> Rule:
    """`1:23,45`, a race's time, with its unit or without; `say` may inflect its minutes."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        seconds = numbers.decimal(int(found["second"]), found["part"])
        minutes = int(found["minute"])
        if not minutes:
            return seconds
        return f"{say(found, numbers.amount(str(minutes), minute))} {also} {seconds}"

    return Rule(
        r"(?<![\d:.,])(?P<minute>[0-5]?\d):(?P<second>[0-5]\d)[.,](?P<part>\d{1,3})(?![\d:])"
        rf"(?:\s(?:{minute.many}|min)\b)?",
        said,
    )


def versions(words: str) -> Rule:
    """`Python 3.11` is no decimal number; `words` are those that stand for `version`."""
    named = rf"\b(?:(?P<name>{words}|{_PRODUCTS})[\s/-]|(?P<v>[vV])\.?\s?)"
    return Rule(
        rf"{named}(?P<number>\d{{1,4}}(?:\.\d{{1,5}}){{1,3}})(?![\w,]|\.\d)",
        lambda found, numbers: (
            f"{found['name'] or found['v']} {numbers.part_by_part(found['number'])}"
        ),
    )


def inches(name: Counted, no_noun: str = r"\w+") -> Rule:
    """`55"`, `6″`, unless the mark closes a quotation. What is no `no_noun` behind it is measured,
    and takes the singular: fifty-five inch screen.
    """
    noun = re.compile(rf"\s(?!(?:{no_noun})\b)[^\W\d_]")

    def said(found: re.Match[str], numbers: Numbers) -> str:
        before = found.string[: found.start()]
        if found["mark"] != "″" and len(_OPENS.findall(before)) > len(_CLOSES.findall(before)):
            return found[0]
        if noun.match(found.string, found.end()):
            return f"{numbers.figure(found['n'])} {name.one}"
        return numbers.amount(found["n"], name)

    return Rule(rf'(?<![\w.,])(?P<n>{FIGURE})(?P<mark>["”″])(?!\w)', said)


def weekdays(days: Mapping[str, str], joints: str, before: str, up_to: str) -> tuple[Rule, ...]:
    """`Mon-Fri`, `Sat. and Sun.`, `Sun 9am`: short forms, where another one or a time of day stands
    beside them, or a word of `before`. `joints`: words between two.
    """
    day = rf"(?:{'|'.join(days)})\b"
    between = rf"(?:\s?[-–—/]\s?|,?\s(?:{joints})\s|,\s)"

    def said(found: re.Match[str], numbers: Numbers) -> str:
        written = re.sub(rf"\b({day})\.?", lambda one: days[one[1]], found[0])
        written = re.sub(r"\s?[-–—]\s?", f" {up_to} ", written)
        return re.sub(r"\s?/\s?", ", ", written) + end_of_sentence(found)

    return (
        Rule(rf"\b{day}\.?(?:{between}{day}\.?){{1,6}}(?!\w)", said),
        Rule(rf"\b{day}\.?(?=,?\s\d{{1,2}}(?::\d\d|\s?h\b|h\d|\s?[ap]\.?m\b))", said),
        Rule(rf"\b(?:{before})\s{day}\.(?!\w)", said),
    )


def short_codes(verbs: str, joints: str, following: str) -> Rule:
    """`Call 911`: digit by digit, unless it is a round number or something follows that it may
    count."""
    ends = rf"(?=\s*(?:$|[.,;:!?…\"”)])|\s(?:{following})\b)"
    code = r"(?!(?:[2-9]|\d\d)00\b)\d{3,6}"
    codes = rf"{code}(?:(?:,|\s(?:{joints}))\s{code}){{0,3}}"
    return Rule(
        rf"\b(?P<verb>{verbs})\s(?P<codes>{codes})(?![.,:/-]?\d|\w|\s?[%-]){ends}",
        lambda found, numbers: (
            f"{found['verb']} "
            + re.sub(r"\d+", lambda code: numbers.dialled([code[0]]), found["codes"])
        ),
    )


def out_of(joint: str, of: str) -> Rule:
    """`9/10`, `4.5/5`: a mark that somebody gave; `9/10 of` is a part."""

    ten = r"(?:\d(?:[.,]\d)?|10)/10"
    five = r"(?:[0-4][.,]\d|5)/5"
    return Rule(
        rf"(?<![\w/.,-])(?<!\d\s)(?=(?:{ten}|{five}|\d\d(?:[.,]\d)?/20|\d{{1,3}}/100)\b)"
        rf"({FIGURE})/(\d{{1,3}})(?!/|[.,]?\d|\s(?:{of})\b)",
        lambda found, numbers: f"{found[1]} {joint} {found[2]}",
    )


def short_dates(before: str, joints: str, say: SayDate, *, month_first: bool = False) -> Rule:
    """`on 7/4`: behind such a word a date, or two."""
    first, second = (r"0?[1-9]|1[0-2]", r"0?[1-9]|[12]\d|3[01]")[:: 1 if month_first else -1]

    def one(found: re.Match[str], names: str, numbers: Numbers) -> str:
        parts = [int(found[name]) for name in names]
        day, month = parts[::-1] if month_first else parts
        return say(day, month, None, numbers)

    def said(found: re.Match[str], numbers: Numbers) -> str:
        text = f"{found['before']} {one(found, 'ab', numbers)}"
        if not found["c"]:
            return text
        joint = found["joint"] or numbers.reading.up_to
        return f"{text} {joint} {one(found, 'cd', numbers)}"

    to = rf"(?:(?:\s(?P<joint>{joints})\s|\s?[-–]\s?)(?P<c>{first})/(?P<d>{second})\b(?!/))?"
    return Rule(
        rf"\b(?P<before>{before})\s(?P<a>{first})/(?P<b>{second})\b(?!/|\s(?:of|d[aeo]s?)\s(?!\d)){to}",
        said,
    )


def single_part(fraction: str, name: str, also: str) -> Rule:
    """`1/2`, `2 1/2`."""
    return Rule(
        rf"(?<![\d/.,])(\d{{1,4}}\s)?{fraction}(?![\d/])",
        lambda found, numbers: (
            f"{numbers.figure(found[1].strip())} {also} {name}" if found[1] else name
        ),
    )


def end_of_sentence(found: re.Match[str]) -> str:
    """The mark that an abbreviation shares with the sentence that it ends."""
    ends = found[0].rstrip().endswith(".") and not found.string[found.end() :].strip(' "”’')
    return "." if ends else ""
