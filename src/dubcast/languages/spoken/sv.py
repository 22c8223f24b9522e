"""Swedish."""

from __future__ import annotations

import re

from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Rule, pairs
from dubcast.languages.rules import day_month_year
from dubcast.languages.small_reading import small_reading

_MONTHS = (
    *("januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september"),
    *("oktober", "november", "december"),
)


def _mended(words: str) -> str:
    """num2words writes three t's."""
    return words.replace("etttusen", "ettusen")


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    minutes = numbers.cardinal(minute) if minute > 9 else f"noll {numbers.cardinal(minute)}"
    return f"{numbers.cardinal(hour)} {minutes}" if minute else numbers.cardinal(hour)


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.ordinal(int(found[1]))


_READING = small_reading(
    "sv",
    """
    point = komma | minus = minus | plus = plus | also = och | up_to = till | per = per
    dot = punkt | at = snabel-a | slash = snedstreck | dash = bindestreck
    underscore = understreck | hashtag = hashtag | number_sign = nummer
    """,
    """
    % = procent | °C ° = grad / grader | km/h = kilometer i timmen | km = kilometer
    cm = centimeter | m = meter | kg = kilo | g = gram | l L = liter | m² = kvadratmeter
    min = minut / minuter
    """,
    "€ EUR = euro, cent | $ USD = dollar, cent | £ GBP = pund | kr SEK = krona / kronor",
    "mindre än / större än / högst / minst / skilt från"
    " / en halv / en tredjedel / en fjärdedel / tre fjärdedelar",
    date=day_month_year(Numbers.ordinal, _MONTHS, Numbers.cardinal),
    time=_time,
    clock_mark=r":|\.(?=[0-5]\d\b(?! ?kr))",
    mended=_mended,
    rules=(Rule(r"(?<![\d.,])(\d{1,3}):(?:a|e)\b", _ordinal),),
    abbreviations=pairs(
        "dr. = doktor | prof. = professor | nr. = nummer | t.ex. = till exempel | kl. = klockan"
        " | osv. = och så vidare | ca. = cirka | bl.a. = bland annat | dvs. = det vill säga"
    ),
    scales=(("miljoner", Counted("miljon", "miljoner")),),
)

LANGUAGE = Language(
    tag="sv",
    name="Swedish",
    varieties=(Variety("sv", espeak="sv"),),
    reading=_READING,
    aliases=("sv-SE",),
    abbreviations=(
        *("t.ex.", "bl.a.", "dvs.", "dr.", "prof.", "ca.", "s.k.", "m.m.", "osv."),
        *("kl.", "st."),
    ),
    before_figures=("nr.", "s.", "tel."),
    starters=(
        *("jag", "du", "han", "hon", "det", "den", "vi", "ni", "de", "ett", "en"),
        *("men", "och", "så", "om", "när", "som", "sedan", "för", "varför", "vem"),
        *("vad", "var", "nej", "ja", "inte", "också", "nu", "idag"),
    ),
    conjunctions=("och", "men", "eftersom", "när", "medan", "fastän"),
    fillers=("öh", "eh"),
    negations=(*("nej", "inte", "aldrig", "ingen", "inget", "inga", "utan", "varken"),),
    numbers=(
        *("ett", "en", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio"),
        *("tio", "elva", "tolv", r"\w+ton", r"\w*tjugo\w*", r"\w+tio\w*"),
        *(r"\w*hundra\w*", r"\w*tusen\w*", r"miljon\w*", r"miljard\w*", r"halv\w*"),
        *("hälften", "första", "andra", "tredje"),
    ),
)
