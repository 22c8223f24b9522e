"""How people speak, for a model that learned from what is written. Pure, but for its own data.

Two tables a direction, of regular expressions. *Before*: what people say, as it is written ("tá
ligado" is no verb to a model). *After*: where the source has one thing and the model is known to
make another of it, what is said instead: "goal" is no "objetivo" when somebody scores it.

Commands come out of a model as infinitives where nobody is spoken to ("Drop a like" -> "Soltar um
like"); they are put right by `imperatives`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

from dubcast.sts import imperatives

Pattern = re.Pattern[str]
# A text that begins with a word in small letters, and not as what follows a name would: a sentence
# with protected words is translated in pieces.
_SMALL = re.compile(
    r"(?!(?:is|are|was|were|has|have|had|will|would|can|could|did|does|and|or|of|in|on|at|to|for|"
    r"from|with|by|as|than)\b)[a-z]+(?![^\W\d_a-z])"
)
# An expression by its name, in another one.
_NAMED = re.compile(r"\{([A-Z]+)\}")
_GROUP = re.compile(r"\\(\d)")
# A direction without a table.
_NONE: tuple[()] = ()


@dataclass(frozen=True)
class Table:
    """One direction. `before`: pattern, and what is written for it; `after`: pattern of the source,
    pattern of its translation, and what is said for that."""

    before: tuple[tuple[Pattern, str], ...] = _NONE
    after: tuple[tuple[Pattern, Pattern, str], ...] = _NONE

    def written(self, text: str) -> str:
        """What was said, in words that a model knows."""
        for pattern, plain in self.before:
            text = pattern.sub(_with_case(plain), text)
        return text

    def said(self, text: str, translation: str) -> str:
        """The translation of `text`, without what the model is known to get wrong."""
        for pattern, wrong, right in self.after:
            if pattern.search(text):
                translation = wrong.sub(_with_case(right), translation)
        return translation


def written(text: str, source: str, target: str) -> str:
    """What a model is given for a text; languages by their tags."""
    plain = table(source, target).written(text)
    return plain[0].upper() + plain[1:] if _SMALL.match(plain) and _is(source, target) else plain


def said(text: str, translation: str, source: str, target: str) -> str:
    """What is said for a text that a model translated so."""
    translation = table(source, target).said(text, translation)
    if not _is(source, target):
        return translation
    translation = imperatives.commanded(text, translation)
    small = _SMALL.match(text) and not translation[1:2].isupper()
    return translation[:1].lower() + translation[1:] if small else translation


def _is(source: str, target: str) -> bool:
    """Whether a direction is that of which the model's ways with capitals are known: "that's a
    penalty" becomes a "que", "That's a penalty" does not."""
    return (source, target) == ("en", "pt-BR")


def load() -> None:
    """Read all tables. Raises ValueError if one is wrong."""
    for file in (resources.files("dubcast.sts") / "tables").iterdir():
        table(*file.name.removesuffix(".tsv").split("_"))


@functools.cache
def table(source: str, target: str) -> Table:
    """The table of a direction; an empty one where there is none. Raises ValueError if one is
    wrong."""
    file = resources.files("dubcast.sts") / "tables" / f"{source}_{target}.tsv"
    if not file.is_file():
        return Table()
    return parse(file.read_text(encoding="utf-8").splitlines(), file.name)


def parse(lines: Iterable[str], name: str) -> Table:
    """A table's lines: `before`, a pattern and its replacement, or `after`, a pattern of the
    source, one of the translation and its replacement; between tabs. A replacement may name groups
    of its pattern (`\\1`), and begins with a capital where what it stands for does. A
    line `=NAME` and an expression is what `{NAME}` stands for in later ones. Raises ValueError with
    the line, for one that is none of these or stands for what another does.
    """
    named: dict[str, str] = {}
    before: list[tuple[Pattern, str]] = []
    after: list[tuple[Pattern, Pattern, str]] = []
    rules: set[tuple[str, ...]] = set()
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        kind, *cells = line.split("\t")
        rule = (kind, *cells[:-1])
        try:
            if rule in rules:
                raise ValueError("is there already")
            rules.add(rule)
            if kind.startswith("=") and len(cells) == 1:
                named[kind[1:]] = _whole(cells[0], named)
            elif kind == "before" and len(cells) == 2:
                before.append((_pattern(cells[0], named, cells[1]), cells[1]))
            elif kind == "after" and len(cells) == 3:
                wrong = _pattern(cells[1], named, cells[2])
                after.append((_pattern(cells[0], named), wrong, cells[2]))
            else:
                raise ValueError("neither `before` with two cells nor `after` with three")
        except (KeyError, re.error, ValueError) as error:
            raise ValueError(f"{name}, line {number}: {error}: {line!r}") from error
    return Table(tuple(before), tuple(after))


def _pattern(written: str, named: Mapping[str, str], replacement: str = "") -> Pattern:
    pattern = re.compile(_whole(written, named), re.IGNORECASE)
    if any(int(group) > pattern.groups for group in _GROUP.findall(replacement)):
        raise ValueError("a group that the pattern has not")
    return pattern


def _whole(written: str, named: Mapping[str, str]) -> str:
    return _NAMED.sub(lambda found: named[found[1]], written)


def _with_case(plain: str) -> Callable[[re.Match[str]], str]:
    """Replaces by `plain`, with a capital where the replaced begins with one."""

    def replace(found: re.Match[str]) -> str:
        text = found.expand(plain)
        return text[:1].upper() + text[1:] if found[0][:1].isupper() else text

    return replace
