"""Polish."""

from __future__ import annotations

import re

from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Plural, Rule, pairs
from dubcast.languages.rules import written_dates
from dubcast.languages.small_reading import small_reading

_MONTHS = (
    *("stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia"),
    *("września", "października", "listopada", "grudnia"),
)


def _plural(number: int) -> Plural:
    if number == 1:
        return "one"
    return "few" if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else "many"


def _feminine(words: str) -> str:
    return re.sub(r"\bdwa$", "dwie", re.sub(r"^jeden$", "jedna", words))


def _date(day: int, month: int, year: int | None, numbers: Numbers) -> str:
    said = f"{numbers.ordinal(day)} {_MONTHS[month - 1]}"
    return f"{said} {re.sub(r'y(?= |$)', 'ego', numbers.ordinal(year))} roku" if year else said


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = re.sub(r"y(?= |$)", "ej", re.sub(r"i$", "iej", numbers.ordinal(hour)))
    return f"{said} {numbers.cardinal(minute)}" if minute else said


_READING = small_reading(
    "pl",
    """
    point = przecinek | minus = minus | plus = plus | also = i | up_to = – | per = na
    dot = kropka | at = małpa | slash = ukośnik | dash = myślnik | underscore = podkreślnik
    hashtag = hasztag | number_sign = numer
    """,
    """
    % = procent / procent / procent | °C ° = stopień / stopnie / stopni
    km/h = kilometr na godzinę / kilometry na godzinę / kilometrów na godzinę
    km = kilometr / kilometry / kilometrów | cm = centymetr / centymetry / centymetrów
    m = metr / metry / metrów | kg = kilogram / kilogramy / kilogramów | g = gram / gramy / gramów
    l = litr / litry / litrów | min = ~minuta / minuty / minut
    """,
    """
    € EUR = euro, cent / centy / centów | $ USD = dolar / dolary / dolarów, cent / centy / centów
    zł PLN = złoty / złote / złotych, grosz / grosze / groszy
    """,
    "mniejsze niż / większe niż / najwyżej / co najmniej"
    " / różne od / pół / jedna trzecia / jedna czwarta / trzy czwarte",
    date=_date,
    time=_time,
    plural=_plural,
    feminine=_feminine,
    rules=(
        written_dates(Numbers.ordinal, _MONTHS, r"\."),
        Rule(
            r"(?<![\d.,])(\d{1,3})\.(?=\s[a-ząćęłńóśźż])",
            lambda found, numbers: numbers.ordinal(int(found[1])),
        ),
    ),
    abbreviations=pairs(
        "np. = na przykład | dr. = doktor | prof. = profesor | nr. = numer | nr = numer"
        " | itd. = i tak dalej | ok. = około | św. = święty | ul. = ulica | tj. = to jest"
    ),
)

LANGUAGE = Language(
    tag="pl",
    name="Polish",
    varieties=(Variety("pl", espeak="pl"),),
    reading=_READING,
    aliases=("pl-PL",),
    abbreviations=(
        *("np.", "dr.", "prof.", "mgr.", "inż.", "tzn.", "tj.", "ok.", "św.", "im."),
        *("ul.", "al.", "gen.", "płk.", "itp.", "itd."),
    ),
    before_figures=("nr.", "s.", "str.", "art.", "tel.", "poz."),
    ordinal_dots=True,
    starters=(
        *("ja", "ty", "on", "ona", "ono", "my", "wy", "oni", "one", "to", "ten"),
        *("ta", "ale", "i", "więc", "jeśli", "kiedy", "jak", "potem", "bo"),
        *("dlaczego", "kto", "co", "gdzie", "nie", "tak", "teraz", "dziś"),
    ),
    conjunctions=("i", "ale", "bo", "ponieważ", "kiedy", "gdy", "chociaż"),
    fillers=("yyy", "eee"),
    negations=("nie", "nigdy", "nikt", "nic", "ani", "bez", r"żad\w+"),
    numbers=(
        *(r"jed\w+", r"dw\w+", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem"),
        *("dziewięć", "dziesięć", r"\w+naście", "dwadzieścia", "trzydzieści"),
        *("czterdzieści", r"\w+dziesiąt", "sto", "dwieście", r"\w+set", r"tysiąc\w*"),
        *("tysięcy", r"milion\w*", r"miliard\w*", "pół", "połowa", r"pierwsz\w+"),
        *(r"drug\w+", r"trzeci\w*"),
    ),
)
