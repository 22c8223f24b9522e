"""How English writes dates and times."""

from __future__ import annotations

import re

from dubcast.languages import measures
from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Rule
from dubcast.languages.rules import end_of_sentence, short_dates, weekdays

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_SHORT_MONTHS = {one[:3]: one for one in _MONTHS if one != "May"} | {"Sept": "September"}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT_DAYS = {"Tues": _DAYS[1], "Thurs": _DAYS[3], "Thur": _DAYS[3]}
_SHORT_DAYS |= {one[:3]: one for one in _DAYS}
_MONTH = rf"(?P<month>(?:{'|'.join(_MONTHS)})|(?:{'|'.join(_SHORT_MONTHS)})\b\.?)"
_DAY = r"(?P<day>[12]\d|3[01]|0?[1-9])"
_YEAR = r"(?P<year>1[1-9]\d\d|20\d\d)"
_HOUR = Counted("hour", "hours")
_MINUTE = Counted("minute", "minutes")
_SECOND = Counted("second", "seconds")
_HALF = r"(?P<half>[ap]\.?m\b\.?|[AP]\.?M\b\.?)"
_BEFORE_SECONDS = (
    r"t(?:akes?|ook)|last(?:s|ed)?|for|after|within|every|in|under|wait|just|then|only|about|exactly|"
    r"another|than|by"
)
_OF_SECONDS = (
    r"clips?|videos?|timers?|delays?|timeouts?|ads?|rests?|breaks?|intervals?|countdowns?|sprints?|"
    r"holds?|planks?|penalt(?:y|ies)|limit|windows?|exposures?|loops?|cooldowns?|bursts?|reels?|spots?"
)
# Before a noun these are parts: on 1/2 acre.
_PART = r"\s(?:1/[2-58]|2/3|3/4)\s[a-z]{4,}"
_BEFORE_DATE = (
    rf"(?:[Oo]n|[Dd]ue|[Dd]ated?|(?:{'|'.join(_DAYS)}),?)(?!\s9/11\b|{_PART})"
    r"|(?:[Dd]eadline|[Dd]ue\sdate)\s(?:is|was)"
    r"|(?:[Bb]y|[Ff]rom|[Uu]ntil|[Ss]ince|[Bb]efore|[Aa]fter)(?!\s(?:9/11|1/[2-5]|2/3|3/4)\b)"
)


def _month_day(month: str, day: str, numbers: Numbers) -> str:
    return f"{month} {numbers.ordinal(int(day))}"


def _said_date(day: int, month: int, year: int | None, numbers: Numbers) -> str:
    said = _month_day(_MONTHS[month - 1], str(day), numbers)
    return f"{said} {numbers.year(year)}" if year else said


def _date(found: re.Match[str], numbers: Numbers) -> str:
    """`Oct. 5, 1990`, and the same with the day before the month."""
    written = found["month"].rstrip(".")
    month = _SHORT_MONTHS.get(written[:4], _SHORT_MONTHS.get(written, written))
    said = _month_day(month, found["day"], numbers)
    return f"{said} {numbers.year(int(found['year']))}" if found["year"] else said


def _numeric_date(found: re.Match[str], numbers: Numbers) -> str:
    """`07/04/1990`: the month first, unless it can be none."""
    month, day = int(found["a"]), int(found["b"])
    if month > 12:
        month, day = day, month
    if month > 12:
        return found[0]
    year = int(found["year"])
    year += 0 if year > 99 else 2000 if year < 50 else 1900
    return _said_date(day, month, year, numbers)


def _short_date(found: re.Match[str], numbers: Numbers) -> str:
    return _said_date(int(found["b"]), int(found["a"]), None, numbers)


def _whole_date(found: re.Match[str], numbers: Numbers) -> str:
    """`1990-12-24`, `24.12.1990`."""
    return _said_date(int(found["day"]), int(found["month"]), int(found["year"]), numbers)


def _month_year(found: re.Match[str], numbers: Numbers) -> str:
    return f"{_MONTHS[int(found['month']) - 1]} {numbers.year(int(found['year']))}"


def _two_digits(number: int, numbers: Numbers) -> str:
    """`09`: oh nine."""
    words = numbers.cardinal(number) if number else "oh"
    return f"oh {words}" if number < 10 else words


def _time(found: re.Match[str], numbers: Numbers) -> str:
    """`3:30 p.m.`, `15:30`."""
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    half = numbers.letters(found["half"][0] + "m") if found["half"] else ""
    said = numbers.cardinal(hour)
    if minute:
        said += f" {_two_digits(minute, numbers)}"
    elif not half:
        said += " o'clock" if 1 <= hour <= 12 else " hundred"
    return said + f" {half}" * bool(half) + end_of_sentence(found)


def _with_seconds(found: re.Match[str], numbers: Numbers) -> str:
    """`2:01:09`; a clock's last zeros go without saying."""
    hour, minute, second = (int(found[name]) for name in ("hour", "minute", "second"))
    if not minute and not second:
        return numbers.amount(str(hour), _HOUR)
    said = f"{numbers.cardinal(hour)} {_two_digits(minute, numbers)}"
    return f"{said} {_two_digits(second, numbers)}" if second else said


def _seconds(found: re.Match[str], numbers: Numbers) -> str:
    """`in 10s`, `a 30s clip`: no ten in the plural."""
    if found["clip"]:
        return f"{numbers.cardinal(int(found['clip']))} second"
    return (found["before"] or "") + numbers.amount(found["n"] or found["more"], _SECOND)


def _lasting(found: re.Match[str], numbers: Numbers) -> str:
    """`1m 30s`, `2h 15m`."""
    lengths = ((found["hours"], _HOUR), (found["minutes"], _MINUTE), (found["seconds"], _SECOND))
    return measures.lasting(lengths, numbers, "and")


def _raced(found: re.Match[str], numbers: Numbers) -> str:
    """`1:23.45`: one twenty-three point four five."""
    second, minute = int(found["second"]), int(found["minute"])
    part = f"{numbers.reading.point} {numbers.digits(found['part'])}"
    hour = f"{numbers.cardinal(int(found['hour']))} " if found["hour"] else ""
    if hour:
        return f"{hour}{_two_digits(minute, numbers)} {_two_digits(second, numbers)} {part}"
    if not minute:
        return f"{numbers.cardinal(second)} {part}"
    return f"{numbers.cardinal(minute)} {_two_digits(second, numbers)} {part}"


def _decade(found: re.Match[str], numbers: Numbers) -> str:
    """`1990s`, `'90s`: the ten in the plural."""
    written = found["decade"]
    return many(numbers.year(int(written)) if len(written) == 4 else numbers.cardinal(int(written)))


def many(words: str) -> str:
    """A number in the plural: nineties, sixes."""
    said = re.sub(r"y$", "ie", words)
    return said + ("es" if said.endswith("x") else "s")


def _year_range(found: re.Match[str], numbers: Numbers) -> str:
    first, last = found[1], found[2]
    last = last if len(last) == 4 else first[:2] + last
    return f"{numbers.year(int(first))} to {numbers.year(int(last))}"


RULES = (
    Rule(rf"\b{_MONTH}\s(?:the\s)?{_DAY}(?:st|nd|rd|th)?\b(?!:)(?:,?\s{_YEAR}\b)?", _date),
    Rule(rf"\b{_DAY}\s{_MONTH}(?:\s{_YEAR})?\b", _date),
    *weekdays(
        _SHORT_DAYS,
        "to|and|or|through|thru|&",
        "[Oo]n|[Nn]ext|[Ll]ast|[Ee]very|[Ee]ach|[Uu]ntil|[Bb]y|[Oo]pen|[Cc]losed",
        "to",
    ),
    Rule(r"\b(?P<a>\d\d?)/(?P<b>\d\d?)/(?P<year>\d{4}|\d\d)\b", _numeric_date),
    Rule(r"(?<![\w-])(?P<a>\d\d?)-(?P<b>\d\d?)-(?P<year>(?:19|20)\d\d)\b(?!-)", _numeric_date),
    short_dates(_BEFORE_DATE, "to|and|or|until", _said_date, month_first=True),
    # Neither parts nor marks are written with a nought before them.
    Rule(
        r"(?<![\w/.,-])(?=0|\d\d?/0)(?P<a>0?[1-9]|1[0-2])/(?P<b>0?[1-9]|[12]\d|3[01])(?![\w/]|[.,-]\d)",
        _short_date,
    ),
    Rule(r"\b(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)\b", _month_year),
    Rule(r"\b(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3]\d)\b", _whole_date),
    Rule(
        rf"(?<![\w.]){_DAY}\.(?P<month>0?[1-9]|1[0-2])\.(?P<year>(?:19|20)\d\d)\b(?!\.\d)",
        _whole_date,
    ),
    Rule(
        r"(?<![\d:.,])(?:(?P<hour>\d{1,2}):)?(?P<minute>[0-5]?\d):(?P<second>[0-5]\d)"
        r"[.,](?P<part>\d{1,3})(?![\d:])",
        _raced,
    ),
    Rule(r"\b(?P<hour>\d{1,2}):(?P<minute>[0-5]\d):(?P<second>[0-5]\d)\b(?!:)", _with_seconds),
    Rule(
        r"(?<![\w.,:])(?P<hours>\d{1,2})\s?h(?:rs?)?\s?(?P<minutes>\d{1,2})\s?m(?:in)?\b"
        r"(?:\s?(?P<seconds>[0-5]?\d)\s?s(?:ec)?\b)?",
        _lasting,
    ),
    Rule(
        r"(?<![\w.,:])(?P<hours>)(?P<minutes>\d{1,3})\s?m(?:in)?\s?"
        r"(?P<seconds>[0-5]?\d)\s?s(?:ec)?\b",
        _lasting,
    ),
    Rule(
        # Before a word, tens are decades: in 90s fashion.
        rf"\b(?P<before>(?i:{_BEFORE_SECONDS})\s)(?![2-9]0s\s[a-z])(?P<n>\d{{1,3}})s\b(?!\s(?:of|and|or)\b)"
        r"|(?<![\w$£€.,'’-])(?P<more>\d{1,3})s(?=\s(?:more|later|left|remaining|ago|flat)\b)"
        rf"|(?<![\w$£€.,'’-])(?P<clip>\d{{1,3}})s(?=\s(?:{_OF_SECONDS})\b)",
        _seconds,
    ),
    Rule(rf"\b(?P<hour>[01]?\d|2[0-4])[:h](?P<minute>[0-5]\d)(?:\s?{_HALF})?", _time),
    Rule(rf"\b(?P<hour>1[0-2]|[1-9])(?P<minute>)\s?{_HALF}", _time),
    Rule(r"(?<![\w$£€.,])['’]?(?P<decade>(?:1[1-9]|20)?[1-9]0|[12]\d00)['’]?s\b", _decade),
)
LATE_RULES = (
    Rule(rf"(?<![\d.,/-]){_YEAR}\s?[-–]\s?(\d{{4}}|\d\d)\b(?![\d.,/-]\d)", _year_range),
    Rule(
        r"(?<![\d.,/$-])(?:1(?!000)\d{3}|20\d\d)(?![\d/-]|[.,]\d)\b",
        lambda found, numbers: numbers.year(int(found[0])),
    ),
)
