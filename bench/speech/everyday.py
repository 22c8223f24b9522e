"""`python -m bench.speech.everyday`: what is said every day, in other words than the phrasebook's.

Each line of `everyday.tsv` is translated as a fragment would be, and judged by its own rule.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench import parts
from bench.parts import Found, Part
from bench.speech.said import translating, words
from dubcast.config import Settings
from dubcast.measure.figures import Bar
from dubcast.sts.phrases_file import key, parse

BOOK = Path(__file__).parents[2] / "src/dubcast/sts/phrases/en_pt-BR.tsv"
# The lines behind this one were written last, by somebody who did not know the phrasebook.
LAST = "# last"
TABLE = Path(__file__).with_name("everyday.tsv")
BARS = (Bar("everyday_right", ">=", 0.95, "sentences, both directions"),)


@dataclass(frozen=True)
class Line:
    """A sentence, and the expression that its translation's words must match as a whole."""

    source: str
    target: str
    sentence: str
    right: re.Pattern[str]
    last: bool

    def is_right(self, translated: str) -> bool:
        """Whether a translation may stand."""
        return self.right.fullmatch(" ".join(words(translated))) is not None


def lines(file: Path = TABLE) -> list[Line]:
    """The lines of the table, in its order."""
    named: dict[str, str] = {}
    found: list[Line] = []
    last = False
    for row in file.read_text(encoding="utf-8").splitlines():
        if row.startswith("# "):
            last = last or row == LAST
            continue
        first, *rest = row.split("\t")
        if first.startswith("="):
            named[first[1:]] = rest[0]
            continue
        sentence, rule = rest
        source, target = first.split(">")
        right = re.sub(r"{([A-Z]+)}", lambda name: named[name[1]], rule)
        found.append(Line(source, target, sentence, re.compile(right), last))
    return found


def listed(table: Sequence[Line], book: Path = BOOK) -> list[Line]:
    """The lines that stand in the phrasebook as they are: they do not belong into the table."""
    rows = book.read_text(encoding="utf-8").splitlines()
    there, back = parse([row for row in rows if "{" not in row and row[:1] != "@"], book.name)
    plain = {"en": there.said, "pt-BR": back.said}
    return [
        one for one in table if key(one.sentence).removesuffix("?") in _asked(plain[one.source])
    ]


def _asked(phrases: Mapping[str, str]) -> set[str]:
    return {phrase.removesuffix("?") for phrase in phrases}


def translated(table: Sequence[Line], settings: Settings) -> list[str]:
    """What is said of each line. Raises MissingPartError without a translation."""
    with translating(settings) as dubbed:
        return [dubbed(line)[0] for line in table]


def share(table: Sequence[Line], said: Sequence[str]) -> float:
    """How many of these are right."""
    return sum(line.is_right(one) for line, one in zip(table, said, strict=True)) / len(table)


def _measure(settings: Settings, _out: Path, console: Console) -> Found:
    table = lines()
    said = translated(table, settings)
    halves = [(line, one) for line, one in zip(table, said, strict=True) if line.last]
    wrong = {
        line.sentence: one for line, one in zip(table, said, strict=True) if not line.is_right(one)
    }
    for sentence, one in wrong.items():
        console.print(f"everyday_right: {sentence}: {one}", highlight=False, markup=False)
    figures = {
        "everyday_right": share(table, said),
        "everyday_right_last": share(*zip(*halves, strict=True)),
    }
    return Found(figures, wrong)


PART = Part("everyday", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("speech", [PART]))
