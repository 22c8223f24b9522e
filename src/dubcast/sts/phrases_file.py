"""A file of the phrasebook: phrases in two languages, with slots that other lines fill. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# What a name's slot is in a key and in what is said: a word that nobody says.
NAME = "0name0"
_MARKS = re.compile(r"[^\w\s'?]|_")
_STRETCHED = re.compile(r"([^\W\d])\1{2,}")
_SLOT = re.compile(r"\{(\w+)\}")
_OWN_NAME = "{name}"
# The slots that stand beside phrases, not in them: who is spoken to, and what a row begins with.
_ADDRESS, _LEAD = "who", "lead"

# A slot's words: of each the phrases in both languages, the first of which is said.
_Words = list[list[list[str]]]


@dataclass
class Phrases:
    """One direction: what is recognised, by its `key`, and what is said."""

    said: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    leads: dict[str, str] = field(default_factory=dict)
    _own_words: set[str] = field(default_factory=set)
    _their_words: set[str] = field(default_factory=set)
    _capitals: set[str] = field(default_factory=set)

    def is_word(self, text: str) -> bool:
        """Whether a text is of the book's own words, and so no name."""
        return all(word in self._own_words for word in key(text).split())

    def inside(self, said: str) -> str:
        """What is said, in the middle of a sentence: with a capital only where it keeps one."""
        first = said.split()[0].strip(",")
        lowers = first not in self._capitals and self._their_words.issuperset(key(first).split())
        return said[0].lower() + said[1:] if lowers else said

    def learn(self) -> None:
        """Note the words of all that is recognised and said. Called when the file has been read."""
        for one in (self.said, self.addresses, self.leads):
            self._own_words |= {word.strip("?") for text in one for word in text.split()}
            for text in one.values():
                first, *rest = text.split()
                self._their_words |= {word.strip("?") for word in key(text).split()}
                inner = [first] if re.match(r"I\b", first) else []
                self._capitals |= {word.strip(",?") for word in rest + inner if word[0].isupper()}


def key(text: str) -> str:
    """What of a text counts: its words in small letters, and whether it asks."""
    plain = _MARKS.sub(" ", text.casefold().replace("’", "'"))
    return " ".join(_STRETCHED.sub(r"\1", plain).replace("?", " ? ").split()).replace(" ?", "?")


def parse(lines: Iterable[str], name: str) -> tuple[Phrases, Phrases]:
    """The phrases of a file in both directions.

    A line holds two cells, its phrases between bars: the first is said, each is recognised, unless
    it stands in parentheses. A line `@slot` and two cells adds a word to a slot, which stands in
    braces in phrases; `{name}` is any name. A phrase that is written out wins over one whose slot
    is filled. Raises ValueError with the line, for one that says what another does.
    """
    slots: dict[str, _Words] = {}
    rows: list[tuple[int, list[list[str]]]] = []
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        head, *rest = line.split("\t") if line.startswith("@") else ["", *line.split("\t")]
        cells = [cell.split(" | ") for cell in rest]
        if len(cells) != 2:
            raise ValueError(f"{name}, line {number}: {len(cells)} cells, not 2")
        if head:
            slots.setdefault(head[1:], []).append(cells)
        else:
            rows.append((number, cells))
    there, back = Phrases(), Phrases()
    for plain in (True, False):
        for number, cells in rows:
            _add(there, cells, slots, f"{name}, line {number}", plain=plain)
            _add(back, cells[::-1], _turned(slots), f"{name}, line {number}", plain=plain)
    for one, words in ((there, slots), (back, _turned(slots))):
        one.addresses.update(_plain(words.get(_ADDRESS, [])))
        one.leads.update(_plain(words.get(_LEAD, [])))
        one.learn()
    return there, back


def _add(
    phrases: Phrases,
    cells: list[list[str]],
    slots: Mapping[str, _Words],
    where: str,
    *,
    plain: bool,
) -> None:
    own, said = cells[0], cells[1][0].strip("()")
    for phrase in own:
        if phrase.startswith("(") or plain == bool(_slots(phrase)):
            continue
        for recognised, meant in _filled(phrase, said, slots, where):
            one = key(recognised)
            if one not in phrases.said:
                phrases.said[one] = meant
            elif plain:
                raise ValueError(f"{where}: {recognised!r} is there already")


def _filled(
    phrase: str, said: str, slots: Mapping[str, _Words], where: str
) -> Iterable[tuple[str, str]]:
    """A phrase with every word in its slots, and what is said then: in a slot that the phrase has
    not, the slot's first word.
    """
    names, others = _slots(phrase), _slots(said)
    if unknown := [name for name in (*names, *others) if name not in slots]:
        raise ValueError(f"{where}: nothing fills {{{unknown[0]}}} of {phrase!r}")
    first = {name: slots[name][0][1][0] for name in others}
    for words in itertools.product(*(slots[name] for name in names)):
        chosen = first | {name: theirs[0] for name, (_, theirs) in zip(names, words, strict=True)}
        meant = _with(said, chosen)
        for own in itertools.product(*(mine for mine, _ in words)):
            yield _with(phrase, dict(zip(names, own, strict=True))), meant


def _with(text: str, words: Mapping[str, str]) -> str:
    """A text with its slots filled, beginning with a capital."""
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word.strip("()"))
    text = text.replace(_OWN_NAME, NAME)
    return text[0].upper() + text[1:]


def _slots(phrase: str) -> list[str]:
    return [name for name in _SLOT.findall(phrase) if f"{{{name}}}" != _OWN_NAME]


def _turned(slots: Mapping[str, _Words]) -> dict[str, _Words]:
    return {name: [cells[::-1] for cells in words] for name, words in slots.items()}


def _plain(words: _Words) -> dict[str, str]:
    """A slot by itself: what is recognised, and what is said. The first of two wins."""
    found: dict[str, str] = {}
    for own, theirs in words:
        for phrase in own:
            if not phrase.startswith("("):
                found.setdefault(key(phrase), theirs[0].strip("()"))
    return found
