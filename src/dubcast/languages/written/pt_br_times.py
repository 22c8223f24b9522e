"""How Brazilian Portuguese writes dates and times."""

from __future__ import annotations

import re

from dubcast.languages import measures
from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Rule
from dubcast.languages.rules import end_of_sentence, raced, short_dates, weekdays

_MONTHS = (
    *("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro"),
    *("outubro", "novembro", "dezembro"),
)
_SHORT_MONTHS = {one[:3]: one for one in _MONTHS}
_DAYS = ("segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo")
_SHORT_DAYS = {one[:3]: one for one in _DAYS} | {"sab": "sábado"}
_SHORT_DAYS |= {short.capitalize(): one for short, one in _SHORT_DAYS.items()}
_HOUR = Counted("hora", "horas", feminine=True)
_MINUTE = Counted("minuto", "minutos")
_SECOND = Counted("segundo", "segundos")
_HALVES = {"a": "da manhã", "p": "da tarde"}
# What takes so long, and words that tell that something does.
_LASTING = (
    r"duração|filme|vídeo|viagem|prova|jogo|aula|live|show|voo|espera|atraso|conversa|corrida|"
    r"caminhada|treino|estudo|trabalho|sono|palestra|culto|programa|gravação|partida|estrada"
)
_LASTS = (
    r"(?:[Dd]ur(?:a|ou|am|aram|ar|ação)|[Ll]ev(?:a|ou|am|aram|ar|ei)|[Dd]emor(?:a|ou|am|aram|ei))"
)
# Before a noun these are parts: em 1/2 hora.
_NO_PART = r"(?!\s(?:1/[2-5]|2/3|3/4)\s[a-zà-ÿ]{4,})"
_BEFORE_DATE = (
    r"(?:(?:[Pp]razo|[Vv]encimento|[Aa]niversário)(?:\sfinal)?(?:\s(?:é|era|será|vence|termina))?|"
    rf"[Vv]ence|[Ee]m|[Dd]ias?|[Aa]té|[Dd]esde|[Dd]ata|"
    rf"[Aa] partir de|(?:{'|'.join(_DAYS)})(?:-feira)?,?)"
    rf"{_NO_PART}"
    r"|[Dd]e(?=\s\d\d?/\d\d?\s(?:a|até)\s\d\d?/\d\d?\b)(?!\s(?:1/[2-5]|2/3|3/4)\b)"
)


def _time(found: re.Match[str], numbers: Numbers) -> str:
    """`15h30`, `15:30`, `7:30 p.m.`."""
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    half = found["half"] or ""
    said = numbers.cardinal(hour, feminine=True)
    if minute:
        said += f" e {numbers.cardinal(minute)}"
    elif not half:
        if hour == 0:
            return "meia-noite"
        return numbers.amount(str(hour), _HOUR)
    if half:
        evening = half[0] in "pP" and 7 <= hour < 12
        said += " da noite" if evening else f" {_HALVES[half[0].lower()]}"
    return said + (end_of_sentence(found) if half else "")


def _lasting(found: re.Match[str], numbers: Numbers) -> str:
    """`2h15min`, `durou 2h15`: no time of day, unless `às` says so."""
    lengths = ((found["hours"], _HOUR), (found["minutes"], _MINUTE))
    return (found["before"] or "") + measures.lasting(lengths, numbers, "e")


def _said_date(day: int, month: int, year: int | None, numbers: Numbers) -> str:
    said = f"{_day(day, numbers)} do {numbers.cardinal(month)}"
    return f"{said} de {numbers.cardinal(year)}" if year else said


def _date(found: re.Match[str], numbers: Numbers) -> str:
    """`07/04/1990`: which of both is the month, the translation may have kept from its source."""
    year = int(found["year"]) if found["year"] else None
    return _said_date(int(found["a"]), int(found["b"]), year, numbers)


def _month_year(found: re.Match[str], numbers: Numbers) -> str:
    return f"{_MONTHS[int(found['month']) - 1]} de {numbers.cardinal(int(found['year']))}"


def _day(day: int, numbers: Numbers) -> str:
    return "primeiro" if day == 1 else numbers.cardinal(day)


def _iso_date(found: re.Match[str], numbers: Numbers) -> str:
    day, month, year = int(found["day"]), int(found["month"]), int(found["year"])
    return f"{_day(day, numbers)} de {_MONTHS[month - 1]} de {numbers.cardinal(year)}"


def _written_date(found: re.Match[str], numbers: Numbers) -> str:
    month = _SHORT_MONTHS.get(found["month"].rstrip(".")[:3].lower(), found["month"])
    return f"{_day(int(found['day']), numbers)} de {month}"


RULES = (
    # At a sentence's end it is the number.
    Rule(r"\b[Dd]ez\.(?=\s*\w)", lambda found, numbers: "dezembro"),
    *weekdays(
        _SHORT_DAYS,
        "a|à|e|ou|até",
        "[Nn]a|[Nn]o|[Aa]té|[Tt]od[ao]|[Cc]ada|[Pp]róxim[ao]|[Dd]esde|[Dd][aeo]|[Nn]est[ae]",
        "a",
    ),
    Rule(r"(?<=\b[àÀ]s )(\d{1,2}:[0-5]\d):00\b", lambda found, numbers: found[1]),
    Rule(r"(?<=\b[àÀ]s )(\d{1,2}\s?h\s?[0-5]?\d)\s?min\b", lambda found, numbers: found[1]),
    *measures.durations(_HOUR, _MINUTE, _SECOND, "e"),
    raced(_MINUTE, "e"),
    Rule(
        rf"\b(?P<before>{_LASTS}(?:\s(?:de|é|foi|cerca|quase|mais|menos|umas?|por|total)|:){{0,3}}\s)"
        r"(?P<hours>\d{1,2})h(?P<minutes>[0-5]\d)\b",
        _lasting,
    ),
    Rule(
        r"(?<!\b[àÀ]s )(?<![\w.,:])(?P<before>)(?P<hours>\d{1,2})h(?P<minutes>[0-5]\d)"
        rf"(?=\sde\s(?:{_LASTING})\b)",
        _lasting,
    ),
    Rule(
        r"\b(?P<hour>[01]?\d|2[0-4])\s?h\s?(?P<minute>[0-5]\d)(?:min)?\b(?P<half>)",
        _time,
    ),
    Rule(r"\b(?P<hour>[01]?\d|2[0-4])(?:\s?h|\s?hs|:00\s?h)\b(?P<minute>)(?P<half>)", _time),
    Rule(
        r"\b(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?![\d:]|[.,]\d)"
        r"(?:\s?h\b)?(?:\s?(?P<half>[apAP]\.?[mM]\b\.?))?",
        _time,
    ),
    Rule(r"\b(?P<hour>1[0-2]|[1-9])(?P<minute>)\s?(?P<half>[apAP]\.?[mM]\b\.?)", _time),
    Rule(r"\b(?P<a>[0-3]?\d)/(?P<b>[01]?\d)/(?P<year>\d{4}|\d\d)\b", _date),
    Rule(
        r"(?<![\w.])(?P<a>[0-3]?\d)(?P<mark>[.-])(?P<b>[01]?\d)(?P=mark)(?P<year>(?:19|20)\d\d)\b"
        r"(?![.-]\d)",
        _date,
    ),
    short_dates(_BEFORE_DATE, "a|e|ou|até", _said_date),
    # Neither parts nor marks are written with a nought before them.
    Rule(
        r"(?<![\w/.,-])(?=0|\d\d?/0)(?P<a>0?[1-9]|[12]\d|3[01])/(?P<b>0?[1-9]|1[0-2])(?P<year>)"
        r"(?![\w/]|[.,-]\d)",
        _date,
    ),
    Rule(r"\b(?P<a>1[1-9]|2\d|3[01])/(?P<b>0?[1-9]|1[0-2])\b(?P<year>)(?!/)", _date),
    Rule(r"\b(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)\b", _month_year),
    Rule(r"\b(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3]\d)\b", _iso_date),
    Rule(
        rf"\b(?P<day>[12]?\d|3[01])[º°o]? de (?P<month>{'|'.join(_MONTHS)}|"
        rf"(?:{'|'.join(_SHORT_MONTHS)})\.?)(?!\w)",
        _written_date,
    ),
)
