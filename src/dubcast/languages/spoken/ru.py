"""Russian."""

from __future__ import annotations

import re

from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Plural, Rule, pairs
from dubcast.languages.rules import written_dates
from dubcast.languages.small_reading import small_reading

_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября"),
    *("октября", "ноября", "декабря"),
)


def _plural(number: int) -> Plural:
    if number % 100 in (11, 12, 13, 14):
        return "many"
    return "one" if number % 10 == 1 else "few" if number % 10 in (2, 3, 4) else "many"


def _mended(words: str) -> str:
    """`тысяча`, where a one goes without saying."""
    return re.sub(r"^одна (?=тысяча)", "", words)


def _feminine(words: str) -> str:
    return re.sub(r"\bдва$", "две", re.sub(r"\bодин$", "одна", words))


def _neuter(ordinal: str) -> str:
    return re.sub(r"(?:ый|ой)$", "ое", re.sub(r"ий$", "ье", ordinal))


def _day(numbers: Numbers, day: int) -> str:
    return _neuter(numbers.ordinal(day))


def _date(day: int, month: int, year: int | None, numbers: Numbers) -> str:
    said = f"{_day(numbers, day)} {_MONTHS[month - 1]}"
    if not year:
        return said
    return (
        f"{said} {re.sub(r'(?:ый|ой)$', 'ого', re.sub('ий$', 'ьего', numbers.ordinal(year)))} года"
    )


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = numbers.amount(str(hour), _HOUR)
    return f"{said} {numbers.amount(str(minute), _MINUTE)}" if minute else said


_HOUR = Counted("час", "часов", few="часа")
_MINUTE = Counted("минута", "минут", feminine=True, few="минуты")
_READING = small_reading(
    "ru",
    """
    point = запятая | minus = минус | plus = плюс | also = и | up_to = – | per = в
    dot = точка | at = собака | slash = косая черта | dash = дефис
    underscore = нижнее подчёркивание | hashtag = хештег | number_sign = номер
    """,
    """
    % = процент / процента / процентов | °C ° = градус / градуса / градусов
    км/ч = километр в час / километра в час / километров в час
    км km = километр / километра / километров | см = сантиметр / сантиметра / сантиметров
    м = метр / метра / метров | кг kg = килограмм / килограмма / килограммов
    г = грамм / грамма / граммов | л = литр / литра / литров | мин = ~минута / минуты / минут
    """,
    """
    € EUR = евро, цент / цента / центов | $ USD = доллар / доллара / долларов, цент / цента / центов
    ₽ RUB руб. = рубль / рубля / рублей, ~копейка / копейки / копеек
    """,
    "меньше / больше / не больше / не меньше / не равно"
    " / половина / треть / четверть / три четверти",
    date=_date,
    time=_time,
    plural=_plural,
    mended=_mended,
    feminine=_feminine,
    rules=(
        written_dates(_day, _MONTHS),
        Rule(r"№\s?(?=\d)", lambda found, numbers: "номер "),
    ),
    abbreviations=pairs(
        "т.е. = то есть | т.д. = так далее | т.п. = тому подобное | др. = другие | г. = год"
        " | ул. = улица | проф. = профессор | напр. = например | тыс. = тысяч | млн = миллионов"
        " | млрд = миллиардов | стр. = страница"
    ),
)

LANGUAGE = Language(
    tag="ru",
    name="Russian",
    varieties=(Variety("ru", espeak="ru"),),
    reading=_READING,
    aliases=("ru-RU",),
    abbreviations=(
        *("г.", "ул.", "им.", "проф.", "др.", "т.е.", "т.к.", "т.д.", "т.п.", "см."),
        *("напр.", "руб.", "тыс.", "млн.", "млрд."),
    ),
    before_figures=("стр.", "ст.", "тел.", "гл.", "п."),
    starters=(
        *("я", "ты", "он", "она", "оно", "мы", "вы", "они", "это", "этот", "эта"),
        *("но", "и", "поэтому", "если", "когда", "как", "потом", "потому", "почему"),
        *("кто", "что", "где", "нет", "да", "не", "теперь", "сегодня"),
    ),
    conjunctions=("и", "но", "потому что", "когда", "хотя", "пока"),
    fillers=("э-э", "эм"),
    negations=(
        *("не", "нет", "никогда", "никто", "ничего", "ничто", "ни", "без"),
        *(r"никак\w+",),
    ),
    numbers=(
        *(r"оди\w+", r"одн\w+", "дв[ае]", "три", "четыре", "пять", "шесть", "семь"),
        *("восемь", "девять", "десять", r"\w+надцать", "двадцать", "тридцать"),
        *("сорок", r"\w+десят", "девяносто", "сто", "двести", "триста", r"\w+сот"),
        *(r"тысяч\w*", r"миллион\w*", r"миллиард\w*", r"половин\w+", r"перв\w+"),
        *(r"втор\w+", r"трет\w+"),
    ),
)
