"""An operator's words: what is kept, translated and said in one way. Pure.

A model cannot be told how to translate a word. But it copies some words: a name that it knows, or
the wanted translation in the middle of the source. So a sentence is translated as it is, with the
translations in place, and with a common name in place; the first that comes out with every term
where it can be found is taken. If none does, the sentence is translated in pieces around its terms.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dubcast.contract.glossary import GlossaryEntry
from dubcast.languages import catalogue

# Two letters of Turkish that a pattern without case takes for an i, and small letters do not.
_DOTS = str.maketrans("İı", "ii")
# Names that are written alike in many languages, and that models leave as they are.
_STAND_INS = ("Ricardo", "Eduardo", "Fernando", "Roberto", "Antonio", "Alfredo")


@dataclass(frozen=True)
class Found:
    """A term in a sentence, and what it is to become."""

    start: int
    end: int
    translation: str


class Glossary:
    """The entries of one direction. Later entries win over earlier ones of the same term."""

    def __init__(self, entries: Iterable[GlossaryEntry] = ()) -> None:
        by_term = {_key(entry.term): entry for entry in entries}
        self._translations = {key: one.translation or one.term for key, one in by_term.items()}
        self._sayings = {
            _key(one.translation or one.term): one.say for one in by_term.values() if one.say
        }
        self._terms = _any_of(one.term for one in by_term.values())
        self._said = _any_of(
            one.translation or one.term for one in by_term.values() if one.say is not None
        )

    def find(self, sentence: str) -> tuple[Found, ...]:
        """The terms in a sentence, longest first where two overlap, in order."""
        return tuple(
            Found(*found.span(), self._translations[_key(found[0])])
            for found in self._terms.finditer(sentence)
        )

    def said(self, text: str) -> str:
        """A text in the target language, with what has a pronunciation written as it is said."""
        return self._said.sub(lambda found: self._sayings[_key(found[0])], text)


@functools.lru_cache(maxsize=64)
def compiled(entries: tuple[GlossaryEntry, ...], source: str, target: str) -> Glossary:
    """The glossary of a direction, its languages by their tags."""
    return Glossary(
        entry
        for entry in entries
        if _is_meant(entry.source, source) and _is_meant(entry.target, target)
    )


@dataclass(frozen=True)
class Protected:
    """A sentence with terms, on its way through a model."""

    sentence: str
    terms: tuple[Found, ...]

    @property
    def attempts(self) -> list[str]:
        """What is given to the model: as it is, with translations, with stand-ins; each once."""
        return list(self._marked)

    def choose(self, results: Sequence[str]) -> str | None:
        """The first of the attempts' results that has every term; None if none has. The results of
        the first attempts alone are enough.
        """
        wanted = [one.translation for one in self.terms]
        for result, marks in zip(results, self._marked.values(), strict=False):
            if (said := _respelled(result, marks, wanted)) is not None:
                return said
        return None

    @property
    def _marked(self) -> dict[str, list[str]]:
        """Each attempt, and what its result is to have in the places of the terms."""
        wanted, stand_ins = [one.translation for one in self.terms], self._stand_ins()
        marked = {self.sentence: wanted, self._with(wanted): wanted}
        return {**marked, **({self._with(stand_ins): stand_ins} if stand_ins else {})}

    @property
    def pieces(self) -> list[str]:
        """What stands before, between and behind the terms; some may be empty or marks alone."""
        borders = [0, *(at for one in self.terms for at in (one.start, one.end))]
        return [
            self.sentence[a:b].strip()
            for a, b in zip(borders[::2], [*borders[1::2], None], strict=True)
        ]

    def joined(self, pieces: Sequence[str]) -> str:
        """The translations of the pieces with those of the terms between them."""
        words = [pieces[0]]
        for term, piece in zip(self.terms, pieces[1:], strict=True):
            words += [term.translation, piece]
        return re.sub(r"\s+(?=[.,;:!?…])", "", " ".join(word for word in words if word))

    def _with(self, words: Sequence[str]) -> str:
        text, at = "", 0
        for term, word in zip(self.terms, words, strict=True):
            text += self.sentence[at : term.start] + word
            at = term.end
        return text + self.sentence[at:]

    def _stand_ins(self) -> list[str]:
        """A name for each term, none of them in the sentence; empty if there are too few."""
        free = [name for name in _STAND_INS if name not in self.sentence]
        return free[: len(self.terms)] if len(free) >= len(self.terms) else []


def _respelled(text: str, found: Sequence[str], wanted: Sequence[str]) -> str | None:
    """The text with each of `found` written as `wanted`; None if one is not in it."""
    pattern = _any_of(found)
    left = [_key(word) for word in found]
    for match in pattern.finditer(text):
        if _key(match[0]) in left:
            left.remove(_key(match[0]))
    if left:
        return None
    spelled = {_key(a): b for a, b in zip(found, wanted, strict=True)}

    def write(match: re.Match[str]) -> str:
        word = spelled[_key(match[0])]
        return word[0].upper() + word[1:] if match.start() == 0 else word

    return pattern.sub(write, text)


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words, whole, the longest first; nothing if there are none."""
    known = sorted(set(words), key=len, reverse=True)
    if not known:
        return re.compile(r"(?!)")
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(_pattern, known))})(?!\w)")


def _pattern(word: str) -> str:
    """Any space between words, any case, but for what is written in capitals (`US` is not `us`)."""
    spelled = r"\s+".join(map(re.escape, word.split()))
    return spelled if word.isupper() and len(word) > 1 else f"(?i:{spelled})"


def _key(word: str) -> str:
    """The same for all spellings that a pattern finds, to which the Turkish i are plain ones."""
    return " ".join(word.translate(_DOTS).casefold().split())


def _is_meant(language: str | None, tag: str) -> bool:
    if language is None:
        return True
    known = catalogue.find(language)
    return known is not None and known.tag == tag


EMPTY = Glossary()
