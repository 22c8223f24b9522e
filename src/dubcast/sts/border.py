"""Where the words of a fragment end that was cut in running speech. Pure.

What comes after the cut is heard too. So the words that follow the last sentence or clause go with
the next fragment, which is told what has been said and has their sound as well: recognition and
translation do better with whole phrases than with what happens to lie before the cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from dubcast.languages.language import Language
from dubcast.languages.sentences import CLOSING, is_part_of_word
from dubcast.sts.providers.interface import Word

# So far before and after the cut a border may lie. What goes with the next fragment is heard later.
_BACK_S, _AHEAD_S = 1.5, 0.4
# Seconds from the cut that a border is worth: after a sentence, after a mark within it, before what
# begins a phrase.
_SENTENCE_S, _MARK_S, _PHRASE_S = 1.5, 0.8, 0.3
# "to", "of the": a word so short is the beginning of a phrase, not its end.
_LIGHT = 3


def spoken_until(words: Sequence[Word], cut_s: float, language: Language) -> int:
    """How many of the words belong to the fragment, which was cut at `cut_s`."""
    near = [i for i, word in enumerate(words, 1) if -_BACK_S <= word.end_s - cut_s <= _AHEAD_S]
    if not near:
        return sum(word.end_s < cut_s for word in words)
    return min(near, key=lambda i: abs(words[i - 1].end_s - cut_s) - _worth_s(words, i, language))


def _worth_s(words: Sequence[Word], count: int, language: Language) -> float:
    """What it is worth to end after so many words."""
    text = " ".join(word.text for word in words)
    at = len(" ".join(word.text for word in words[:count]))
    mark = text[:at].rstrip(CLOSING)[-1:]
    if mark and mark in language.sentence_ends and not is_part_of_word(text, at, language):
        return _SENTENCE_S
    if mark and mark in language.clause_marks:
        return _MARK_S
    if _is_light(words[count - 1].text, language):
        return -_PHRASE_S
    return _PHRASE_S if count < len(words) and _is_light(words[count].text, language) else 0.0


def _is_light(word: str, language: Language) -> bool:
    known = (*language.conjunctions, *language.subordinators, *language.starters)
    return word.isalpha() and (len(word) <= _LIGHT or word.lower() in known)
