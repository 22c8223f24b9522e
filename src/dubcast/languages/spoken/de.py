"""German."""

from __future__ import annotations

import re

from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Currency, Reading, Rule, Unit, pairs
from dubcast.languages.rules import (
    CONSONANT_AND_VOWEL,
    clock,
    fractions,
    grouped_by_spaces,
    numeric_dates,
    telephone,
)

_MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September"),
    *("Oktober", "November", "Dezember"),
)
# Behind these an ordinal ends in -n: am ersten, zum zweiten.
_INFLECTING = ("am", "vom", "zum", "im", "beim", "ab", "bis", "seit", "dem", "den", "des", "zur")
_FEMININE_NOUN = (
    r"(?:\w+(?:ung|heit|keit|schaft|tion|in)|Frau|Minute|Sekunde|Stunde|Woche|Stadt|Person|Stimme|"
    r"Seite)"
)


def _before_noun(words: str) -> str:
    """`eins` is `ein` before what it counts."""
    return re.sub(r"eins$", "ein", words)


def _feminine(words: str) -> str:
    return re.sub(r"^eins$", "eine", words)


def _counted(number: str, noun: str) -> str:
    return f"{_before_noun(number)} {noun}"


def _mended(words: str) -> str:
    """`tausend` and `hundert`, where a one goes without saying."""
    return re.sub(r"^ein(?=tausend|hundert)", "", words)


def _inflected(ordinal: str, before: str) -> str:
    return f"{ordinal}n" if before.lower() in _INFLECTING else ordinal


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    """`am 24. Dezember`: vierundzwanzigsten; `der 1. Platz`: erste."""
    before = re.search(r"(\w+) $", found.string[: found.start()])
    return _inflected(numbers.ordinal(int(found[1])), before[1] if before else "")


def _date(day: int, month: int, year: int | None, numbers: Numbers) -> str:
    said = f"{numbers.ordinal(day)}r {_MONTHS[month - 1]}"
    return f"{said} {numbers.year(year)}" if year else said


def _date_behind(found: re.Match[str], numbers: Numbers) -> str:
    """`am 24.12.1990`: am vierundzwanzigsten zwölften neunzehnhundertneunzig."""
    day, month = (numbers.ordinal(int(found[name])) + "n" for name in ("day", "month"))
    year = f" {numbers.year(int(found['year']))}" if found["year"] else ""
    return f"{found['before']} {day} {month}{year}"


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = f"{_before_noun(numbers.cardinal(hour))} Uhr"
    return f"{said} {numbers.cardinal(minute)}" if minute else said


def _hour(found: re.Match[str], numbers: Numbers) -> str:
    return _time(int(found[1]), 0, numbers)


def _part(upper: int, lower: int, numbers: Numbers) -> str:
    number = _before_noun(numbers.cardinal(upper))
    if lower == 2:
        return f"{number} halbe" if upper > 1 else "ein halb"
    return f"{number} {re.sub('s?te$', 'tel', numbers.ordinal(lower)).capitalize()}"


def _decade(found: re.Match[str], numbers: Numbers) -> str:
    """`die 90er`, `der 1990er`."""
    number = int(found[1])
    said = numbers.year(number) if number > 100 else numbers.cardinal(number)
    return f"{said}er"


def _one(found: re.Match[str], numbers: Numbers) -> str:
    return "ein"


def _large(found: re.Match[str], numbers: Numbers) -> str:
    return {"Mio": "eine Million", "Mrd": "eine Milliarde"}[found[1]]


def _score(found: re.Match[str], numbers: Numbers) -> str:
    return f"{numbers.cardinal(int(found[1]))} zu {numbers.cardinal(int(found[2]))}"


def _year(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.year(int(found[0]))


_READING = Reading(
    numerals="de",
    decimal_mark=",",
    grouping_marks=".",
    point="Komma",
    minus="minus",
    plus="plus",
    also="und",
    up_to="bis",
    per="pro",
    dot="Punkt",
    at="ät",
    slash="Schrägstrich",
    dash="Minus",
    underscore="Unterstrich",
    hashtag="Hashtag",
    number_sign="Nummer",
    mended=_mended,
    feminine=_feminine,
    feminine_noun=_FEMININE_NOUN,
    counted=_counted,
    units=(
        Unit(("%",), Counted("Prozent", "Prozent")),
        Unit(("°C", "ºC", "°"), Counted("Grad", "Grad")),
        Unit(("km/h",), Counted("Kilometer pro Stunde", "Kilometer pro Stunde")),
        Unit(("m²", "m2", "qm"), Counted("Quadratmeter", "Quadratmeter")),
        Unit(("km",), Counted("Kilometer", "Kilometer")),
        Unit(("cm",), Counted("Zentimeter", "Zentimeter")),
        Unit(("mm",), Counted("Millimeter", "Millimeter")),
        Unit(("m",), Counted("Meter", "Meter")),
        Unit(("kg",), Counted("Kilo", "Kilo")),
        Unit(("g",), Counted("Gramm", "Gramm")),
        Unit(("l", "L"), Counted("Liter", "Liter")),
        Unit(("ml",), Counted("Milliliter", "Milliliter")),
        Unit(("GB",), Counted("Gigabyte", "Gigabyte")),
        Unit(("MB",), Counted("Megabyte", "Megabyte")),
        Unit(("Std.", "h"), Counted("Stunde", "Stunden", feminine=True)),
        Unit(("Min.", "min"), Counted("Minute", "Minuten", feminine=True)),
        Unit(("s", "Sek."), Counted("Sekunde", "Sekunden", feminine=True)),
    ),
    currencies=(
        Currency(("€", "EUR"), Counted("Euro", "Euro"), Counted("Cent", "Cent")),
        Currency(("US$", "USD", "$"), Counted("Dollar", "Dollar"), Counted("Cent", "Cent")),
        Currency(("£", "GBP"), Counted("Pfund", "Pfund"), Counted("Penny", "Pence")),
        Currency(("CHF", "Fr."), Counted("Franken", "Franken"), Counted("Rappen", "Rappen")),
    ),
    scales=(
        ("Tsd.", Counted("tausend", "tausend")),
        *(
            (one, Counted("Million", "Millionen", feminine=True))
            for one in ("Million", "Millionen", "Mio.", "Mio")
        ),
        *(
            (one, Counted("Milliarde", "Milliarden", feminine=True))
            for one in ("Milliarde", "Milliarden", "Mrd.", "Mrd")
        ),
    ),
    signs=pairs(
        "& = und | + = plus | = = gleich | @ = ät | × = mal | ° = Grad | § = Paragraf | / = "
    ),
    abbreviations=pairs(
        """
        Dr. = Doktor | Prof. = Professor | Hr. = Herr | Fr. = Frau | Str. = Straße | St. = Sankt
        z. B. = zum Beispiel | z.B. = zum Beispiel | d. h. = das heißt | d.h. = das heißt
        u. a. = unter anderem | u.a. = unter anderem | usw. = und so weiter | bzw. = beziehungsweise
        ca. = circa | ggf. = gegebenenfalls | evtl. = eventuell | inkl. = inklusive | Nr. = Nummer
        S. = Seite | Tel. = Telefon | v. Chr. = vor Christus | n. Chr. = nach Christus
        vgl. = vergleiche | Abs. = Absatz | Art. = Artikel | vs. = gegen | Mio. = Millionen
        Mrd. = Milliarden | Jh. = Jahrhundert | Bd. = Band | etc. = et cetera | Std. = Stunden
        """
    ),
    rules=(
        telephone(r"(?<![\w.,-])0\d{2,4}[ /-]\d{2,4}(?:[ -]?\d{2,5}){1,3}\b"),
        grouped_by_spaces(),
        Rule(
            rf"\b(?P<before>{'|'.join(_INFLECTING)}) (?P<day>0?[1-9]|[12]\d|3[01])\."
            r"\s?(?P<month>0?[1-9]|1[0-2])\.\s?(?P<year>\d{4})?(?!\d)",
            _date_behind,
        ),
        *numeric_dates(_date),
        clock(r":|\.(?=[0-5]\d Uhr\b)", _time, r"(?: Uhr\b)?"),
        Rule(r"\b([01]?\d|2[0-4]) Uhr\b", _hour),
        Rule(r"\b([1-9]0|1[0-9]\d0)er\b", _decade),
        Rule(r"(?<![\d.,])(\d{1,3})\.(?=\s[A-Za-zÄÖÜäöü])", _ordinal),
        Rule(r"(?<![\d:.,])(\d{1,2}):(\d)(?![\d:])", _score),
        Rule(r"(?<![\d.,])1 (Mio|Mrd)\b\.?(?! ?[€$£])", _large),
        fractions("ein halb", _part, "und"),
    ),
    late_rules=(
        Rule(r"(?<![\d.,:/-])1(?=\s[A-ZÄÖÜ][a-zäöü]+(?:er|el|en|f|g|t|k|l|m|n|r|d|z)\b)", _one),
        Rule(r"(?<![\d.,/$-])1[1-9]\d\d(?![\d/-]|[.,]\d|\s[A-ZÄÖÜ€])\b", _year),
    ),
    acronyms=("NATO", "UNO", "UNESCO", "UNICEF", "FIFA", "UEFA", "NASA", "AIDS", "COVID", "PIN"),
    spelled=("USA", "EU", "CDU", "AOK", "IOC"),
    speakable=CONSONANT_AND_VOWEL,
    shouted=(
        *("nein", "ja", "tor", "der", "die", "das", "und", "ist", "nicht", "alle", "jetzt", "los"),
        *("danke", "heute", "für", "mit", "ein", "eine", "wir", "ihr", "ich", "du", "so", "sehr"),
    ),
)

LANGUAGE = Language(
    tag="de",
    name="German",
    varieties=(Variety("de", espeak="de"),),
    aliases=("de-DE", "de-AT", "de-CH"),
    reading=_READING,
    ordinal_dots=True,
    abbreviations=(
        *("Dr.", "Prof.", "Hr.", "Fr.", "St.", "z.", "z.B.", "d.", "d.h.", "bzw.", "ca.", "ggf."),
        *("evtl.", "inkl.", "vgl.", "v.", "n."),
    ),
    before_figures=("Nr.", "S.", "Tel.", "Abs.", "Art.", "Bd.", "Kap."),
    starters=(
        *("ich", "du", "er", "sie", "es", "wir", "ihr", "der", "die", "das", "ein", "eine"),
        *("dieser", "diese", "dieses", "aber", "und", "dann", "wenn", "als", "wie", "nach", "vor"),
        *("weil", "jetzt", "was", "wer", "wo", "warum", "nein", "ja", "nicht", "in", "im", "am"),
        *("für", "mit", "auch", "heute", "gestern", "morgen", "alle", "niemand", "man", "danach"),
    ),
    conjunctions=("und", "aber", "weil", "wenn", "während", "obwohl", "sondern"),
    subordinators=("weil", "dass", "obwohl", "während", "wobei", "wo", "da", "damit"),
    markers=(
        *("also", "na ja", "nun", "tja", "wissen sie", "weißt du", "sagen wir", "eigentlich"),
        *(
            "übrigens",
            "jedenfalls",
            "natürlich",
            "sozusagen",
            "quasi",
            "ehrlich gesagt",
            "schauen sie",
        ),
    ),
    fillers=("äh", "ähm", "eigentlich", "wirklich", "einfach", "halt", "eben"),
    negations=(
        "nein",
        "nicht",
        "nie",
        "niemals",
        "niemand",
        "nichts",
        "weder",
        "noch",
        "ohne",
        r"kein\w*",
    ),
    numbers=(
        *(
            "eins?",
            "zwei",
            "drei",
            "vier",
            "fünf",
            "sechs",
            "sieben",
            "acht",
            "neun",
            "zehn",
            "elf",
        ),
        *(
            "zwölf",
            r"\w+zehn",
            r"\w*zwanzig",
            r"\w*dreißig",
            r"\w+zig",
            r"\w*hundert",
            r"\w*tausend",
        ),
        *(
            r"million\w*",
            r"milliarde\w*",
            r"halb\w*",
            "hälfte",
            r"erste\w?",
            r"zweite\w?",
            r"dritte\w?",
        ),
    ),
    capitals=("Sie", "Ihnen", "Ihr", "Ihre"),
)
