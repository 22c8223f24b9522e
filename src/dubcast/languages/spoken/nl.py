"""Dutch."""

from __future__ import annotations

import re

from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Rule, pairs
from dubcast.languages.rules import day_month_year
from dubcast.languages.small_reading import small_reading

_MONTHS = (
    *("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september"),
    *("oktober", "november", "december"),
)


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = f"{numbers.cardinal(hour)} uur"
    return f"{said} {numbers.cardinal(minute)}" if minute else said


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.ordinal(int(found[1]))


_READING = small_reading(
    "nl",
    """
    point = komma | minus = min | plus = plus | also = en | up_to = tot | per = per | dot = punt
    at = apenstaartje | slash = schuine streep | dash = streepje | underscore = laag streepje
    hashtag = hashtag | number_sign = nummer
    """,
    """
    % = procent | °C ° = graden | km/h = kilometer per uur | km = kilometer | cm = centimeter
    m = meter | kg = kilo | g = gram | l L = liter | m² = vierkante meter | min = minuut / minuten
    """,
    "€ EUR = euro, cent | $ USD = dollar, cent | £ GBP = pond, penny / pence",
    "kleiner dan / groter dan / hoogstens / minstens / ongelijk aan"
    " / een half / een derde / een kwart / drie kwart",
    date=day_month_year(Numbers.cardinal, _MONTHS),
    time=_time,
    clock_mark=r":|\.(?=[0-5]\d uur)",
    behind_time=r"(?: uur)?",
    rules=(Rule(r"(?<![\d.,])(\d{1,3})(?:e|ste|de)\b", _ordinal),),
    abbreviations=pairs(
        "dhr. = de heer | mevr. = mevrouw | dr. = dokter | prof. = professor | nr. = nummer"
        " | bijv. = bijvoorbeeld | enz. = enzovoort | ca. = circa | blz. = bladzijde"
    ),
    scales=(("miljoen", Counted("miljoen", "miljoen")), ("mld", Counted("miljard", "miljard"))),
)

LANGUAGE = Language(
    tag="nl",
    name="Dutch",
    varieties=(Variety("nl", espeak="nl"),),
    reading=_READING,
    aliases=("nl-NL", "nl-BE"),
    abbreviations=(
        *("dr.", "drs.", "prof.", "mevr.", "dhr.", "ir.", "bijv.", "d.w.z.", "o.a."),
        *("bijv", "ca.", "m.b.t.", "i.p.v.", "resp."),
    ),
    before_figures=("nr.", "blz.", "art.", "tel."),
    starters=(
        *("ik", "jij", "hij", "zij", "ze", "we", "wij", "jullie", "het", "de", "een"),
        *("dit", "dat", "maar", "en", "dus", "als", "toen", "waarom", "wie", "wat"),
        *("waar", "nee", "ja", "niet", "ook", "nu"),
    ),
    conjunctions=("en", "maar", "omdat", "wanneer", "terwijl", "hoewel"),
    fillers=("eh", "uhm"),
    negations=(*("nee", "niet", "nooit", "niemand", "niets", "geen", "zonder", "noch"),),
    numbers=(
        *("een", "één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht"),
        *("negen", "tien", "elf", "twaalf", r"\w+tien", r"\w*twintig", r"\w+tig"),
        *(r"\w*honderd", r"\w*duizend", "miljoen", "miljard", "half", "halve"),
        *("helft", "eerste", "tweede", "derde"),
    ),
)
