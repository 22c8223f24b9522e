"""Where somebody speaks and no words were recognized. Pure.

A recognizer passes over a sentence now and then and says nothing of it; the words beside it then
seem to last as long as it does. Fragments are cut at pauses, so that what lasts is no silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import category, east_asian_width

from dubcast.sts.providers.interface import Word

# Hardly a word takes longer than so much, and so much for each of its letters; a sign that stands
# for a syllable or two takes longer than a letter, and so does a figure.
_WORD_S, _LETTER_S, _SIGN_S = 0.3, 0.13, 0.35
# What is left of words that follow one another: from here on it is a sentence, or half of one. Of
# 253 fragments of readers, prompts, talk, sport, presenters and songs 8 had so much left, nearly
# all of it voice: six of them of a talk by radio, with its call signs.
_LEAST_S = 1.2

Span = tuple[float, float]


def unheard(words: Sequence[Word], end_s: float) -> list[Span]:
    """(start, end) of what lasts too long for the words that are in it, in seconds; `end_s`: where
    the speech ends. Of no words nothing is known."""
    found: list[Span] = []
    start_s = left_s = most_s = 0.0
    for number, word in enumerate(words):
        if left_s <= 0:
            start_s, left_s, most_s = word.start_s, 0.0, 0.0
        last = number + 1 == len(words)
        until_s = end_s if last else words[number + 1].start_s
        left_s += until_s - word.start_s - _longest_s(word)
        most_s = max(most_s, left_s)
        if (left_s <= 0 or last) and most_s >= _LEAST_S:
            found.append((start_s, start_s + most_s))
    return found


def unheard_s(words: Sequence[Word], end_s: float) -> float:
    """How much of the speech that is."""
    return sum(end - start for start, end in unheard(words, end_s))


def _longest_s(word: Word) -> float:
    written = [char for char in word.text if category(char)[0] in "LMN"]
    signs = sum(char.isdigit() or east_asian_width(char) in "WF" for char in written)
    return _WORD_S + _SIGN_S * signs + _LETTER_S * (len(written) - signs)
