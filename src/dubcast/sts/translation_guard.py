"""Whether a translation can be one of its source. Pure, by language.

A small model that does not know a sentence says another one that it saw often, says one thing again
and again, gives the source back, or leaves the script. What is found here is sure enough to throw
the translation away; what sounds odd and may be right is left.
"""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum

from dubcast.languages.language import Language
from dubcast.languages.sentences import sentences
from dubcast.sts.unasked import UNASKED
from dubcast.sts.verbatim import NO_NAMES
from dubcast.sts.which_language import primary


class Fault(StrEnum):
    """What is wrong with a translation."""

    EMPTY = "empty"  # nothing can be spoken of it
    COPIED = "copied"  # it is the source
    SCRIPT = "script"  # its letters are not the target language's
    REPEATED = "repeated"  # it says again and again what the source says once
    LENGTH = "length"  # it is far too long or too short
    NUMBERS = "numbers"  # it has a number, or lacks one, that the source does not explain
    NAMES = "names"  # the source's names are gone
    UNASKED = "unasked"  # it has words of the model's own reading that the source does not explain


_CLAUSE = re.compile(r"(?<=[,;:])\s+")
_WORD = re.compile(r"\w+")
_ROMAN = re.compile(r"\b[IVXLCDM]{2,}\b")
# A name that is called: behind a comma, with nothing else before the next mark.
_CALLED = re.compile(r",\s+([^\W\d_]\w{2,})(?=\s*(?:[,.!?…]|$))")
# A language's scripts, as Unicode names their letters; those that are not named here are Latin.
_SCRIPTS = {
    **dict.fromkeys(("ru", "uk", "bg", "be", "sr", "mk"), ("CYRILLIC",)),
    **dict.fromkeys(("ar", "fa", "ur"), ("ARABIC",)),
    **dict.fromkeys(("hi", "mr", "ne"), ("DEVANAGARI",)),
    **{"el": ("GREEK",), "he": ("HEBREW",), "bn": ("BENGALI",), "gu": ("GUJARATI",)},
    **{"kn": ("KANNADA",), "ml": ("MALAYALAM",), "ta": ("TAMIL",), "te": ("TELUGU",)},
    **{"zh": ("CJK",), "ja": ("CJK", "HIRAGANA", "KATAKANA"), "ko": ("HANGUL", "CJK")},
}
# Of the letters, those that may be of another script: a name or a brand inside a sentence.
_FOREIGN = 0.5
# These write a word in a sign or two.
_DENSE, _DENSITY = {"zh", "ja", "ko"}, 2.5
# A translation has from a third to two and a half times the letters, and some more of the shortest.
_LEAST, _MOST, _LESS, _MORE = 0.34, 2.5, 6, 20
_COPIED_WORDS = 2
_LOOP_WORDS = 8
# Two names are one if their letters agree so far: "João" and "John" do not have to.
_ALIKE = 0.75
_MOST_HOURS = 12
# Words that say a number, beside those that a language lists.
_BESIDE = ("uma?", "half", "meio", "meia", "zero", "midnight", "noon")


def fault(source: str, said: str, from_: Language, to: Language) -> Fault | None:
    """What is wrong with `said` as a translation of `source`, or None."""
    source_words, said_words = _words(source), _words(said)
    if not source_words:
        return None
    if not said_words:
        return Fault.EMPTY
    if source_words == said_words and len(_plain_words(source)) >= _COPIED_WORDS:
        return Fault.COPIED
    if _is_foreign(said, to):
        return Fault.SCRIPT
    if _repeats(said_words) > _repeats(source_words):
        return Fault.REPEATED
    if not _is_proportional(source, said, from_, to):
        return Fault.LENGTH
    if not _numbers_agree(source, said, from_, to):
        return Fault.NUMBERS
    if _is_unasked(source, said, from_, to):
        return Fault.UNASKED
    return None if _keeps_names(source, said) else Fault.NAMES


def other_ways(text: str, language: Language) -> Iterator[list[str]]:
    """Other ways through a model for a text whose translation was wrong: by its sentences, without
    its capital, by its clauses, without marks. Each is the pieces in order.

    What it has learned by heart begins with a capital more often than not.
    """
    tried = [[text]]
    by_sentence = sentences(text, language)
    small = [text[:1].lower() + text[1:]]
    by_clause = [piece for one in by_sentence for piece in _CLAUSE.split(one) if piece.strip()]
    bare = [piece.rstrip(".!?… ") for piece in by_clause]
    for pieces in (by_sentence, small, by_clause, bare):
        if pieces not in tried and all(pieces):
            tried.append(pieces)
            yield pieces


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _plain_words(text: str) -> list[str]:
    """Words that are neither names, figures nor signs: these are not the same in two languages."""
    return [
        word for word in text.split()[1:] if len(word) > 2 and word.isalpha() and word.islower()
    ]


def _is_foreign(said: str, to: Language) -> bool:
    letters = [char for char in said if char.isalpha()]
    scripts = _SCRIPTS.get(primary(to.tag), ("LATIN",))
    own = sum(_script(char) in scripts for char in letters)
    return bool(letters) and own < _FOREIGN * len(letters)


@functools.lru_cache(maxsize=4096)
def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]


def _repeats(words: list[str]) -> int:
    """How many words say at once again what was just said: of two words and more once is enough, of
    one word the third time.

    In one pass for each length: a model that loops says thousands, and this is on the event loop.
    """
    most = 0
    for size in range(1, min(_LOOP_WORDS, len(words) // 2) + 1):
        allowed, alike = 1 if size == 1 else 0, 0
        for word, before in zip(words[size:], words, strict=False):
            alike = alike + 1 if word == before else 0
            most = max(most, (alike // size - allowed) * size)
    return most


def _is_proportional(source: str, said: str, from_: Language, to: Language) -> bool:
    before, after = (
        _length(text) * (_DENSITY if primary(one.tag) in _DENSE else 1)
        for text, one in ((source, from_), (said, to))
    )
    return _LEAST * before - _LESS <= after <= _MOST * before + _MORE


def _length(text: str) -> int:
    return sum(char.isalnum() for char in text)


def _numbers_agree(source: str, said: str, from_: Language, to: Language) -> bool:
    """Figures are the same, or words stand for them; hours may be those of another clock."""
    before, after = _figures(source), _figures(said)
    if before == after:
        return True
    if before and not after:
        return _has_number_word(said, to)
    if after and not before:
        return _has_number_word(source, from_)
    return all(
        any(_is_same(one, other) for other in before) or _has_number_word(source, from_)
        for one in after
    )


def _figures(text: str) -> set[int]:
    """The figures of a text as numbers, zeros left out: 3 p.m. is 15:00."""
    return {int(one) for one in re.findall(r"\d+", unicodedata.normalize("NFKC", text))} - {0}


def _is_same(one: int, other: int) -> bool:
    clock = max(one, other) <= 2 * _MOST_HOURS and abs(one - other) == _MOST_HOURS
    return one == other or clock or str(one) in str(other) or str(other) in str(one)


def _has_number_word(text: str, language: Language) -> bool:
    """True as well if it is not known how the language says numbers."""
    pattern = _number_words(language.numbers)
    if pattern is None or _ROMAN.search(text):
        return True
    return pattern.search(text.casefold()) is not None


@functools.cache
def _number_words(numbers: tuple[str, ...]) -> re.Pattern[str] | None:
    """`numbers` leaves out what is an article as well."""
    if not numbers:
        return None
    more = (*_BESIDE, r"\w+ésim[oa]s?", r"\w+[dnt]th")
    return re.compile(rf"\b(?:{'|'.join((*numbers, *more))})\b")


def _is_unasked(source: str, said: str, from_: Language, to: Language) -> bool:
    rules = UNASKED.get((from_.tag, to.tag), ())
    own, theirs = source.casefold(), said.casefold()
    return any(wrong.search(theirs) and not explains.search(own) for wrong, explains in rules)


def _keeps_names(source: str, said: str) -> bool:
    """Whether those who are called by name still are, by it or by another ("João", "John"). True as
    well in a script without capitals, in which nobody could tell.
    """
    names = [word for word in _CALLED.findall(source) if _is_name(word)]
    if not names or not any(char.islower() for char in said):
        return True
    if any(word[0].isupper() for word in _WORD.findall(said)[1:]):
        return True
    return any(_is_alike(name, word) for name in names for word in _words(said))


def _is_name(word: str) -> bool:
    return word[0].isupper() and word.casefold() not in NO_NAMES


def _is_alike(name: str, word: str) -> bool:
    a, b = _bare(name), _bare(word)
    return difflib.SequenceMatcher(None, a, b, autojunk=False).ratio() >= _ALIKE


def _bare(word: str) -> str:
    plain = unicodedata.normalize("NFD", word.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))
