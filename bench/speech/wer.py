"""Word errors of what was written down, against what was said. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dubcast.languages import catalogue
from dubcast.languages.spoken_form import spoken_form

_WORD = re.compile(r"\w+")
# One word or two, and both are right.
_SPLIT = re.compile(r"(?<=\w)[-‐](?=\w)")
# What people say while they think is no word that has to be written down.
_FILLERS = frozenset({"uh", "um", "uhm", "hm", "mm", "ah", "eh", "hum"})


def words(text: str, language: str) -> list[str]:
    """The words of a text as they are said, in small letters and without marks.

    Numbers are spelled out, so that 28.8 is no error where somebody wrote it in words.
    """
    known = catalogue.find(language)
    spoken = spoken_form(_SPLIT.sub(" ", text), known) if known is not None else text
    found = _WORD.findall(spoken.casefold().replace("’", "'").replace("'", ""))
    return [word for word in found if word not in _FILLERS]


def errors(said: Sequence[str], written: Sequence[str]) -> int:
    """The fewest words to replace, leave out or put in to make what was written what was said."""
    row = list(range(len(written) + 1))
    for number, word in enumerate(said, 1):
        before, row[0] = row[0], number
        for column, other in enumerate(written, 1):
            cost = min(row[column] + 1, row[column - 1] + 1, before + (word != other))
            before, row[column] = row[column], cost
    return row[-1]


def rate(said: Sequence[str], written: Sequence[str]) -> float:
    """Word error rate. Raises ZeroDivisionError if nothing was said."""
    return errors(said, written) / len(said)
