"""Which words of a known text are found, in order, in what was understood. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dubcast.measure.material import Line

_WORD = re.compile(r"[a-zà-ÿ']+|\d+")
_SMALL_NUMBER = re.compile(r"\b\d{1,2}\b")
# By language: below twenty, tens from twenty on, and what stands between tens and ones.
_NUMBERS = {
    "en": (
        (
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
            *("eighteen", "nineteen"),
        ),
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
        " ",
    ),
    "pt": (
        (
            *("zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"),
            *("dez", "onze", "doze", "treze", "quatorze", "quinze", "dezesseis", "dezessete"),
            *("dezoito", "dezenove"),
        ),
        (
            *("vinte", "trinta", "quarenta", "cinquenta"),
            *("sessenta", "setenta", "oitenta", "noventa"),
        ),
        " e ",
    ),
}
# Whisper hears best what it can decode with ten seconds of padding.
_LONGEST_S = 7.2
_BEFORE_S = 0.1
_AFTER_S = 0.5
# What Whisper makes of a window depends on where it is cut: a few points of the words either way.
_SHIFTS_S = (0.0, -0.1, -0.05, 0.05, 0.1)


@dataclass(frozen=True)
class Window:
    """A part of the programme (s of content) and the words that are said in it."""

    start_s: float
    end_s: float
    words: tuple[str, ...]


def split(text: str) -> list[str]:
    """Words in lower case, numbers below a hundred spelled out, without punctuation."""
    found: list[str] = []
    for word in _WORD.findall(text.lower().replace("’", "'")):
        found += spelled_out(word, "en").split() if word.isdigit() else [word.strip("'")]
    return [word for word in found if word]


def spelled_out(text: str, language: str) -> str:
    """The text with numbers below a hundred in words, where the language's are known.

    Whisper writes digits for what is said in words, and that is no error of who said it.
    """
    if (known := _NUMBERS.get(language.partition("-")[0])) is None:
        return text
    below_twenty, tens, between = known

    def words(found: re.Match[str]) -> str:
        number = int(found[0])
        if number < len(below_twenty):
            return below_twenty[number]
        ten = tens[number // 10 - 2]
        return f"{ten}{between}{below_twenty[number % 10]}" if number % 10 else ten

    return _SMALL_NUMBER.sub(words, text)


def in_order(known: Sequence[str], heard: Sequence[str]) -> int:
    """How many of the known words are heard in their order (longest common subsequence)."""
    row = [0] * (len(heard) + 1)
    for word in known:
        before = 0
        for column, other in enumerate(heard):
            above = row[column + 1]
            row[column + 1] = before + 1 if word == other else max(above, row[column])
            before = above
    return row[-1]


def found(windows: Sequence[Window], heard: Sequence[str]) -> int:
    """How many of the windows' words are read in the text of their own window."""
    pairs = zip(windows, heard, strict=True)
    return sum(in_order(window.words, split(text)) for window, text in pairs)


def windows(narration: Sequence[Line], total_s: float) -> list[Window]:
    """Whole lines together, as many as fit into 7 s, each up to the beginning of the next."""
    made: list[Window] = []
    for group, following in _groups(narration, total_s):
        words = tuple(word for line in group for word in split(line.text))
        end = min(group[-1].end_s + _AFTER_S, following - _BEFORE_S)
        made.append(Window(group[0].start_s - _BEFORE_S, end, words))
    return made


def shifted(cuts: Sequence[Window]) -> list[list[Window]]:
    """The same windows cut a little earlier and later; first as they are."""
    return [
        [replace(one, start_s=one.start_s + by, end_s=one.end_s + by) for one in cuts]
        for by in _SHIFTS_S
    ]


def _groups(narration: Sequence[Line], total_s: float) -> list[tuple[list[Line], float]]:
    """(lines of one window, when the line after them begins)."""
    groups: list[list[Line]] = []
    for line in narration:
        if groups and line.end_s - groups[-1][0].start_s <= _LONGEST_S:
            groups[-1].append(line)
        else:
            groups.append([line])
    starts = [group[0].start_s for group in groups[1:]] + [total_s]
    return list(zip(groups, starts, strict=True))
