"""What live streams say most, translated by people. Pure, but for reading its own data.

A translation model that learned from web pages makes "Thank you for submitting an edit" of a thank
you, and a noun of a goal. A sentence that is in the book is not given to it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from importlib import resources

Direction = tuple[str, str]
_MARKS = re.compile(r"[^\w\s'?]|_")
_STRETCHED = re.compile(r"([^\W\d])\1{2,}")
_PIECES = re.compile(r",\s+")
_END = re.compile(r"[.!?…,:;]+$")


class Phrasebook:
    """Phrases by direction, as (source tag, target tag)."""

    def __init__(self, phrases: Mapping[Direction, Mapping[str, str]]) -> None:
        self._phrases = phrases

    def __len__(self) -> int:
        return sum(map(len, self._phrases.values()))

    def find(self, sentence: str, direction: Direction) -> str | None:
        """The translation of a sentence, whatever its case and punctuation, or None.

        What is said in a row ("Goal, goal!") is found by its parts, if all of them are there. The
        sentence keeps its mark; a question of the book stays one.
        """
        phrases = self._phrases.get(direction, {})
        whole = _lookup(sentence, phrases)
        if whole is not None:
            return _ended(whole, sentence)
        pieces = [_lookup(piece, phrases) for piece in _PIECES.split(sentence)]
        if len(pieces) < 2 or None in pieces:
            return None
        first, *rest = (_END.sub("", piece) for piece in pieces if piece)
        return _ended(", ".join([first, *(one[0].lower() + one[1:] for one in rest)]), sentence)


@functools.cache
def built_in() -> Phrasebook:
    """The book of this package: a file a pair of languages. Raises ValueError if one is wrong."""
    phrases: dict[Direction, Mapping[str, str]] = {}
    for file in (resources.files("dubcast.sts") / "phrases").iterdir():
        one, other = file.name.removesuffix(".tsv").split("_")
        there, back = parse(file.read_text(encoding="utf-8").splitlines(), file.name)
        phrases |= {(one, other): there, (other, one): back}
    return Phrasebook(phrases)


def parse(lines: Iterable[str], name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The phrases of a file in both directions: what is recognised -> what is said.

    A line holds two cells, its phrases between bars: the first is said, each is recognised, unless
    it stands in parentheses. Raises ValueError with the line, for one that says what another does.
    """
    there: dict[str, str] = {}
    back: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        cells = [cell.split(" | ") for cell in line.split("\t")]
        if len(cells) != 2:
            raise ValueError(f"{name}, line {number}: {len(cells)} cells, not 2")
        for phrases, (own, said) in ((there, cells), (back, cells[::-1])):
            for phrase in own:
                key = _key(phrase)
                if phrase.startswith("("):
                    continue
                if key in phrases:
                    raise ValueError(f"{name}, line {number}: {phrase!r} is there already")
                phrases[key] = said[0].strip("()")
    return there, back


def _lookup(text: str, phrases: Mapping[str, str]) -> str | None:
    """A question is first looked up as one: "Tudo bem?" asks, "Tudo bem." answers."""
    key = _key(text)
    plain = key.removesuffix("?")
    options = (key, plain, f"{plain}?")
    return next((phrases[one] for one in options if one in phrases), None)


def _key(text: str) -> str:
    plain = _MARKS.sub(" ", text.casefold().replace("’", "'"))
    return " ".join(_STRETCHED.sub(r"\1", plain).replace("?", " ? ").split()).replace(" ?", "?")


def _ended(said: str, sentence: str) -> str:
    mark = _END.search(sentence.rstrip(' "”’)'))
    if said.endswith("?"):
        return said
    return said + (mark[0] if mark else ".")
