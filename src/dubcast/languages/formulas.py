"""What is written as in a formula: powers, roots, ratios, `about` as a wave; and numbers that only
look like one: of cases, of sets. Rules that several languages share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dubcast.languages.numbers import FIGURE, Numbers
from dubcast.languages.reading import Rule

_RAISED = str.maketrans("²³⁴⁵⁶⁷⁸⁹", "23456789")
_BESIDE = r"(?<![=+*])(?<![=+*−–-]\s)"
_NOT_BESIDE = r"(?!\w|\s?[=+*^²³]|\s[-−–]\s\d)"
# What a set in tennis ends with.
_SET = r"(?:6/[0-4]|[0-4]/6|7/[56]|[56]/7)"


def multiple(figure: str) -> str:
    """A pattern of `2x`, two times; beside a sign, x is a letter."""
    return rf"(?<![\w.,]){_BESIDE}({figure})[xX]{_NOT_BESIDE}"


def powers(names: Mapping[str, str], other: str) -> Rule:
    """`x²`, `10³`, `x^2`. `other` stands before an exponent that has no name."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        exponent = (found["raised"] or found["n"]).translate(_RAISED)
        power = names.get(exponent) or f"{other} {numbers.cardinal(int(exponent))}"
        factor = f"{found['factor']} " if found["factor"] else ""
        return f"{factor}{found['base']} {power}{' ' * found.string[found.end() :][:1].isalnum()}"

    return Rule(
        r"(?:(?<![\w.])(?P<factor>\d{1,9})(?=[a-ln-zA-Z]))?"
        r"(?P<base>(?<![^\W\d])(?:[a-ln-zA-Z]|(?<!\d)(?<!\d\s)m|mc|πr)|\d|\))"
        r"(?:(?P<raised>[²³⁴⁵⁶⁷⁸⁹])|\^(?P<n>\d{1,4})(?![.,]?\d))",
        said,
    )


def less(word: str) -> Rule:
    """`x² - 3x`: a sign that stands apart, before a letter's multiple."""
    return Rule(r"(?<=\w)\s[-−–]\s(?=\d{1,4}[xyz]\b)", lambda found, numbers: f" {word} ")


def roots(square: str, cube: str) -> tuple[Rule, ...]:
    """`√16`."""
    return (
        Rule(r"√\s?(?=[\w(])", lambda found, numbers: f"{square} "),
        Rule(r"∛\s?(?=[\w(])", lambda found, numbers: f"{cube} "),
    )


def about(word: str) -> Rule:
    """`~50`, `~$50`."""
    return Rule(
        r"(?<![\w~])~\s?(?=(?:R\$|US\$|[$€£¥])?\s?\.?\d)", lambda found, numbers: f"{word} "
    )


def ratios(before: str, behind: str, joint: str) -> Rule:
    """`a 3:1 ratio`, `scale 1:50`: no times of day."""
    figures = r"\d{1,6}(?:[.,]\d{1,3})?(?::\d{1,6}(?:[.,]\d{1,3})?){1,3}(?![:\d])"
    figures += r"(?!\s?(?:[ap]\.?m|[AP]\.?M)\b)"
    return Rule(
        rf"\b(?P<before>(?:{before})\s)(?P<a>{figures})"
        rf"|(?<![\w:.,])(?P<b>{figures})(?=[\s-](?:{behind})\b)",
        lambda found, numbers: (
            (found["before"] or "") + (found["a"] or found["b"]).replace(":", f" {joint} ")
        ),
    )


def serials() -> Rule:
    """`2024-017`: behind the dash no number begins with a zero, so it is no range."""
    return Rule(
        r"(?<![\d.,])(?<!\d-)(?P<dash>(?<=[A-Za-z])-)?(?P<a>\d{1,6})-(?P<b>0\d{2,6})(?![\w-]|[.,]\d)",
        lambda found, numbers: f"{' ' if found['dash'] else ''}{found['a']} {found['b']}",
    )


def sets(joint: str, joints: str, before: str) -> Rule:
    """`6/4, 7/5`: what sets in tennis ended with; one alone needs a word of `before`."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        won = found["more"] and any(one[0] > one[2] for one in re.findall(r"\d/\d", found[0]))
        return found[0].replace("/", f" {joint} ") if found["before"] or won else found[0]

    return Rule(
        rf"(?P<before>\b(?:{before})\s)?(?<![\w/.,-]){_SET}"
        rf"(?P<more>(?:(?:,\s|,?\s(?:{joints})\s){_SET}){{0,4}})(?![\w/]|[.,]\d)",
        said,
    )


def points_of(joint: str, what: str) -> Rule:
    """`150/200 HP`: so much is left of so much."""

    def said(found: re.Match[str], numbers: Numbers) -> str:
        have, whole = (int(found[i]) for i in (1, 2))
        sure = found["what"] is not None or (whole % 10 == 0 and have > 9 and whole > 99)
        return f"{have} {joint} {whole}" if sure and have <= whole else found[0]

    return Rule(
        rf"(?<![\w/.,-])(?<!\d\s)(\d{{1,4}})/(\d{{2,4}})(?!/|[.,]?\d|\w)(?P<what>(?=\s?(?:{what})\b))?",
        said,
    )


def dimensions(joint: str, signs: str = "x", behind: str = "") -> Rule:
    """`10x12`, `10 x 12 x 8`: by, wherever no score and no sum is written so."""
    mark = r"[\"”″'’′]?"
    return Rule(
        rf"(?<![\w.,])(?P<all>{FIGURE}{mark}(?:\s?[{signs}]\s?{FIGURE}{mark}){{1,2}})(?!\w){behind}",
        lambda found, numbers: re.sub(r"\s?[xX×]\s?", f" {joint} ", found["all"]),
    )
