"""What no model should touch: addresses, handles, hashtags, names, and dates in figures. Pure.

A small model drops the @ of an address and half of a date. They go through it as terms of a
glossary do; a date in the order of day and month that the target language has.
"""

from __future__ import annotations

import re

from dubcast.languages.language import Language
from dubcast.languages.spoken_form import ADDRESS
from dubcast.sts.glossary import Found

_TAG = re.compile(r"(?<![\w@#])[@#][^\W\d]\w+")
_DATE = re.compile(r"(?<![\d/.-])(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?![\d/-])")
_MONTHS = 12
_MOST_WORDS = 10
_CALLED = re.compile(r"(?<=\s)[^\W\d_A-ZÀ-Þ]\w*,\s+([A-ZÀ-Þ][^\W\d_A-ZÀ-Þ]{2,})(?=[.!?…]*$)")
# Words with a capital that are translated: who is spoken to by title, months, countries.
NO_NAMES = frozenset(
    {"sir", "madam", "doctor", "professor", "captain", "father", "pastor", "coach", "judge"}
    | {"minister", "president", "mom", "mum", "dad", "god", "lord", "everyone", "everybody"}
    | {"ladies", "chat", "senhor", "senhora", "doutor", "doutora", "professora", "capitão"}
    | {"padre", "treinador", "presidente", "ministro", "papai", "mamãe", "deus", "grandma"}
    | {"grandpa", "vovó", "vovô", "mãe", "pai", "january", "february", "march", "april", "june"}
    | {"july", "august", "september", "october", "november", "december", "monday", "tuesday"}
    | {"wednesday", "thursday", "friday", "saturday", "sunday", "english", "portuguese"}
    | {"brazilian", "spanish", "french", "german", "italian", "american", "british", "chinese"}
    | {"japanese", "russian", "european", "african", "christian", "catholic", "internet"}
    | {"germany", "france", "spain", "italy", "england", "japan", "russia", "europe", "africa"}
    | {"america", "brazil", "brasil", "alemanha", "frança", "espanha", "itália", "inglaterra"}
    | {"japão", "rússia", "europa", "áfrica", "américa", "london", "londres", "lisbon", "lisboa"}
)


def verbatim(sentence: str, source: Language, target: Language) -> tuple[Found, ...]:
    """Where such things stand in a sentence, in order, and what they are in the target language."""
    kept = [
        Found(*found.span(), found[0])
        for pattern in (ADDRESS, _TAG)
        for found in pattern.finditer(sentence)
    ]
    dates = [
        Found(*found.span(), _date(found, source, target)) for found in _DATE.finditer(sentence)
    ]
    return without_overlap([*kept, *dates])


def called(sentence: str) -> tuple[Found, ...]:
    """Where somebody is called by name at the end of a short sentence: models make Mary of Maria.

    Behind another name a comma begins what it belongs to ("Lisbon, Portugal"), which is translated.
    """
    found = _CALLED.search(sentence)
    if found is None or len(sentence.split()) > _MOST_WORDS or found[1].casefold() in NO_NAMES:
        return ()
    return (Found(*found.span(1), found[1]),)


def without_overlap(found: list[Found]) -> tuple[Found, ...]:
    """In order; of two that overlap the one that is named first."""
    taken: list[Found] = []
    for one in found:
        if all(one.end <= other.start or other.end <= one.start for other in taken):
            taken.append(one)
    return tuple(sorted(taken, key=lambda one: one.start))


def _date(found: re.Match[str], source: Language, target: Language) -> str:
    """A number above twelve is the day, wherever it stands; else the source's order tells."""
    first, second, year = found.groups()
    month_first = int(first) <= _MONTHS and (int(second) > _MONTHS or source.month_first)
    if month_first != target.month_first:
        first, second = second, first
    return f"{first}/{second}/{year}"
