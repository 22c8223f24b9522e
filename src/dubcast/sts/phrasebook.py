"""What live streams say most, translated by people. Pure, but for reading its own data.

A translation model that learned from web pages makes "Thank you for submitting an edit" of a thank
you, and a noun of a goal. A sentence that is in the book is not given to it: as it stands, with a
name or another word in a phrase's slot, or as phrases, names and forms of address in a row.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

from dubcast.sts.glossary import Found
from dubcast.sts.phrases_file import NAME, Phrases, key, parse
from dubcast.sts.verbatim import NO_NAMES

Direction = tuple[str, str]
# Between two pieces of a sentence: a comma, or the language's "and".
_BORDER = re.compile(r"(,?\s+(?:and|e)\s+|,\s+)", re.IGNORECASE)
_COMMA = re.compile(r",\s+")
_START = ","
_AND = {"en": " and ", "pt-BR": " e "}
_LAST = re.compile(r",\s+([^,.!?…]+)[.!?…]*$")
_MOST_PIECES = 8
# What begins so belongs to what is before it ("Thank you, Maria, for ..."), and what does so, to
# what is behind it ("If you can hear me, raise your hand").
_GOES_ON = re.compile(
    r"(?:and|for|to|that(?!['’]s)|of|with|from|in|on|at|by|as|because|which|who|than|"
    r"e|por|pel[oa]s?|para|pra|d[eoa]s?|com|em|n[oa]s?|porque|pois)\b",
    re.IGNORECASE,
)
_DEPENDS = re.compile(
    r"(?:if|when|whoever|whenever|who|what|while|since|unless|until|before|after|because|as|once|"
    r"se|quando|quem|enquanto|caso|como|assim|desde|até|antes|depois|porque)\b",
    re.IGNORECASE,
)
# Words that keep their capital within a sentence.
_CAPITAL = re.compile(r"(?:I|Mr|Mrs|Ms|Dr|God)\b")
# Words that are left for a model: fewer are no sentence ("Yes, I do").
_LEAST_REST = 3
# Words: a phrase and an address have no more, so that no more are tried.
_LONGEST_PHRASE, _LONGEST_ADDRESS = 16, 6
_END = re.compile(r"[.!?…,:;]+$")
_SURNAME = r"(?:\s+(?:(?:da|de|do|dos|das|van|von)\s+)?[^\W\d_a-zà-ÿ][\w'’-]+){0,2}"
_A_NAME = re.compile(rf"\b[^\W\d_a-zà-ÿ][\w'’-]*[^\W\d_A-ZÀ-Þ]{_SURNAME}(?!\w)")


@dataclass(frozen=True)
class Phrasebook:
    """Phrases by direction, as (source tag, target tag)."""

    phrases: Mapping[Direction, Phrases] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(one.said) for one in self.phrases.values())

    def find(self, sentence: str, direction: Direction) -> str | None:
        """The translation of a sentence, whatever its case and punctuation, or None.

        What is said in a row ("Good evening, Maria, and welcome!") is found by its parts, if all
        of them are there. The sentence keeps its mark; a question of the book stays one.
        """
        phrases = self.phrases.get(direction)
        if phrases is None:
            return None
        whole = _whole(sentence, phrases)
        if whole is not None:
            return _ended(whole, sentence)
        row = _row(sentence, phrases)
        return None if row is None else _ended(_joined(row, direction[1], phrases), sentence)

    def partly(self, sentence: str, direction: Direction) -> Partly | None:
        """A sentence that begins or ends with what is in the book, set off by a comma ("Never mind,
        I found it"); None if the book has neither, or nothing is left for a model.
        """
        phrases = self.phrases.get(direction)
        if phrases is None:
            return None
        bare = sentence.strip().strip("“”\"'").strip()
        mark = _END.search(bare)
        pieces = _COMMA.split(_END.sub("", bare))
        if not 1 < len(pieces) <= _MOST_PIECES:
            return None
        asks = bare.endswith("?")
        first, before = _known(pieces, direction[1], phrases)
        if _GOES_ON.match(pieces[first]):
            first, before = 0, ""
        last, behind = 0, ""
        if not _DEPENDS.match(pieces[first]):
            last, behind = _known(pieces[first:], direction[1], phrases, asks=asks, behind=True)
        rest = ", ".join(pieces[first : len(pieces) - last])
        if not (before or behind) or len(rest.split()) < _LEAST_REST:
            return None
        return Partly(before, f"{rest}{mark[0] if mark else '.'}", behind)

    def addressed(self, sentence: str, direction: Direction) -> tuple[Found, ...]:
        """Who is spoken to at the end of a sentence, if by one of the book's forms of address: a
        model makes something personal of "pessoal".
        """
        phrases, last = self.phrases.get(direction), _LAST.search(sentence)
        said = phrases.addresses.get(key(last[1])) if phrases and last else None
        return (Found(*last.span(1), said),) if last and said else ()


@dataclass(frozen=True)
class Partly:
    """A sentence of which the book has a part: what is said `before` the translation of `rest`, and
    what `behind` it; either may be empty.
    """

    before: str
    rest: str
    behind: str

    def around(self, said: str) -> str:
        """The whole sentence, from what the rest is translated to."""
        mark = _END.search(said)
        text = _END.sub("", said)
        if self.before:
            is_name = self.rest[:1].isupper() and not _CAPITAL.match(self.rest)
            keeps = is_name or _CAPITAL.match(text)
            text = f"{self.before}, {text if keeps else text[:1].lower() + text[1:]}"
        if self.behind:
            text = f"{text}, {self.behind}"
        return text + (mark[0] if mark else ".")


@functools.cache
def built_in() -> Phrasebook:
    """The book of this package: a file a pair of languages. Raises ValueError if one is wrong."""
    phrases: dict[Direction, Phrases] = {}
    for file in (resources.files("dubcast.sts") / "phrases").iterdir():
        one, other = file.name.removesuffix(".tsv").split("_")
        there, back = parse(file.read_text(encoding="utf-8").splitlines(), file.name)
        phrases |= {(one, other): there, (other, one): back}
    return Phrasebook(phrases)


@dataclass(frozen=True)
class _Piece:
    """A translated part of a row: whether "and" stands before it, and whether it is a phrase or who
    is spoken to.
    """

    said: str
    after_and: bool
    is_phrase: bool


def _row(sentence: str, phrases: Phrases) -> list[_Piece] | None:
    """The pieces of a sentence, if all of them are known and one at least is a phrase."""
    bare = _END.sub("", sentence.strip().strip("“”\"'").strip())
    asks = sentence.rstrip(' "”’)').endswith("?")
    cut = _BORDER.split(bare)
    pieces, borders = cut[::2], [_START, *cut[1::2]]
    if not any(pieces) or len(pieces) > _MOST_PIECES:
        return None
    found: list[_Piece] = []
    at = 0
    while at < len(pieces):
        piece = None
        for end in range(len(pieces), at, -1):
            text = "".join(cut[2 * at : 2 * end - 1])
            piece = _piece(text, phrases, borders[at], asks=asks)
            if piece is not None:
                found.append(piece)
                at = end
                break
        if piece is None:
            return None
    return found if any(piece.is_phrase for piece in found) else None


def _known(
    pieces: Sequence[str],
    target: str,
    phrases: Phrases,
    *,
    asks: bool = False,
    behind: bool = False,
) -> tuple[int, str]:
    """How many pieces at the beginning, or `behind`, are the book's while others are left, and what
    they are. A single word at the end belongs to its sentence ("..., right?").
    """
    for count in range(len(pieces) - 1, 0, -1):
        text = ", ".join(pieces[-count:] if behind else pieces[:count])
        alone = key(text) in phrases.leads or " " not in text
        if behind and (alone or (asks and f"{key(text)}?" not in phrases.said)):
            continue
        if not behind and any(_only_asks(piece, phrases) for piece in pieces[:count]):
            continue
        row = _row(text, phrases)
        if row is not None:
            said = _END.sub("", _joined(row, target, phrases))
            return count, phrases.inside(said) if behind else said
    return 0, ""


def _only_asks(piece: str, phrases: Phrases) -> bool:
    """Whether the book has this as a question alone: "what's next", "e agora"."""
    return key(piece) not in phrases.said and f"{key(piece)}?" in phrases.said


def _piece(text: str, phrases: Phrases, border: str, *, asks: bool) -> _Piece | None:
    after_and = border.strip(", ") != ""
    said = _phrase(text, phrases, asks=asks)
    if said is not None:
        return _Piece(said, after_and=after_and, is_phrase=True)
    address = _address(text, phrases, first=border == _START)
    return None if address is None else _Piece(address, after_and=after_and, is_phrase=False)


def _phrase(text: str, phrases: Phrases, *, asks: bool) -> str | None:
    """What a piece is in the other language, a form of address at its end set off."""
    said = _whole(f"{text}?" if asks else text, phrases)
    if said is not None:
        return _END.sub("", said)
    words = text.split()
    if len(words) > _LONGEST_PHRASE + _LONGEST_ADDRESS:
        return None
    for end in range(len(words) - 1, max(0, len(words) - 1 - _LONGEST_ADDRESS), -1):
        last = " ".join(words[end:])
        address = _address(last, phrases, first=False)
        # "Who is that man?" calls nobody: without a comma a question has names alone at its end.
        if address is not None and (not asks or address == last):
            said = _whole(" ".join(words[:end]) + "?" * asks, phrases)
            return None if said is None else f"{_END.sub('', said)}, {address}"
    return None


def _address(text: str, phrases: Phrases, *, first: bool) -> str | None:
    """Who is spoken to, by one of the book's forms of address or a name; or what begins a row."""
    known = phrases.addresses.get(key(text)) or (phrases.leads.get(key(text)) if first else None)
    if known is not None:
        return known
    return text if _A_NAME.fullmatch(text) and _may_be_name(text, phrases) else None


def _may_be_name(text: str, phrases: Phrases) -> bool:
    return not phrases.is_word(text) and text.casefold() not in NO_NAMES


def _whole(text: str, phrases: Phrases) -> str | None:
    """A text that is a phrase, as it stands or with a name in its slot."""
    said = _lookup(text, phrases.said)
    if said is not None:
        return said
    for name in _A_NAME.finditer(text, text.find(" ") + 1):
        if name.start() > 0 and _may_be_name(name[0], phrases):
            said = _lookup(f"{text[: name.start()]}{NAME}{text[name.end() :]}", phrases.said)
            if said is not None:
                return said.replace(NAME, name[0])
    return None


def _lookup(text: str, phrases: Mapping[str, str]) -> str | None:
    """A question is first looked up as one: "Tudo bem?" asks, "Tudo bem." answers."""
    wanted = key(text)
    plain = wanted.removesuffix("?")
    options = (wanted, plain, f"{plain}?")
    return next((phrases[one] for one in options if one in phrases), None)


def _joined(row: Iterable[_Piece], target: str, phrases: Phrases) -> str:
    text = ""
    for piece in row:
        if not text:
            text = piece.said[0].upper() + piece.said[1:]
        else:
            joint = _AND.get(target, ", ") if piece.after_and else ", "
            text += joint + phrases.inside(piece.said)
    return text


def _ended(said: str, sentence: str) -> str:
    mark = _END.search(sentence.rstrip(' "”’)'))
    if said.endswith("?"):
        return said
    return said + (mark[0] if mark else ".")
