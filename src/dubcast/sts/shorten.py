"""Texts made shorter, so that they can be spoken in the time that there is. Pure.

What goes first is what says least: repeated words, fillers, discourse markers. Then what explains:
parentheses, asides between commas, trailing subordinate clauses. What holds a negation, a number
or a name never goes; a text that cannot be shortened enough is returned as short as it gets.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dubcast.languages.language import Language
from dubcast.languages.sentences import spans

_REPEATED = re.compile(r"\b(\w+(?:\s\w+){0,3})(?:,?\s+\1\b)+", re.IGNORECASE)
_PARENTHESIS = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\]|\s[—–]\s[^—–]*\s[—–](?=\s))")
_NOTHING = re.compile(r"(?!)")


def shorten(text: str, language: Language, most_chars: float) -> str:
    """The text in at most `most_chars` characters if that can be had; at its shortest if not.

    Nothing more than needed is taken out. A language without lists of words loses repetitions and
    parentheses only.
    """
    steps: tuple[Callable[[str, _Patterns], Iterator[str]], ...] = (
        _without_repetitions,
        _without_markers,
        _without_fillers,
        _without_parentheses,
        _without_trailing_clauses,
    )
    patterns = _patterns(language)
    for step in steps:
        while len(text) > most_chars:
            # The smallest cut that is enough, or the largest if none is.
            options = sorted((_tidy(option, patterns) for option in step(text, patterns)), key=len)
            options = [option for option in options if option and len(option) < len(text)]
            if not options:
                break
            text = next((o for o in reversed(options) if len(o) <= most_chars), options[0])
    return text


def precious(text: str, language: Language) -> bool:
    """True if the text holds a negation, a number or a name."""
    return _patterns(language).is_precious(text)


@dataclass(frozen=True)
class _Patterns:
    """The regular expressions of one language, made of its words and marks."""

    language: Language
    markers: tuple[re.Pattern[str], ...]
    fillers: tuple[re.Pattern[str], ...]
    subordinators: tuple[str, ...]
    negation: re.Pattern[str]
    number: re.Pattern[str]
    name: re.Pattern[str]
    aside: re.Pattern[str]
    space_before_mark: re.Pattern[str]
    comma_before_mark: re.Pattern[str]

    def is_precious(self, text: str) -> bool:
        said = any(pattern.search(text) is not None for pattern in (self.negation, self.number))
        return said or self.has_name(text)

    def has_name(self, text: str) -> bool:
        """Whether a word has a capital that does not begin a sentence."""
        starts = {start for start, _ in spans(text, self.language)}
        return any(found.start() not in starts for found in self.name.finditer(text))

    def is_subordinate(self, text: str) -> bool:
        lower = text.lower()
        return any(lower.startswith(f"{word} ") for word in self.subordinators)


@functools.cache
def _patterns(language: Language) -> _Patterns:
    ends = re.escape(language.sentence_ends)
    marks = re.escape(language.clause_marks + language.sentence_ends)
    at_start = rf"(?:(?<=^)|(?<=[{ends}]\s))"
    no_name = f"(?!{_any(language.capitals)}\\b)" if language.capitals else ""
    return _Patterns(
        language=language,
        markers=_marker_patterns(language, at_start, marks),
        fillers=tuple(
            re.compile(rf"(?:(?<=^)|(?<=\s)){re.escape(word)},?\s+", re.IGNORECASE)
            for word in language.fillers
        ),
        subordinators=language.subordinators,
        negation=_words(language.negations),
        number=re.compile(rf"\d|{_words(language.numbers).pattern}", re.IGNORECASE),
        name=re.compile(rf"\b{no_name}[A-ZÀ-Ý]\w*"),
        aside=re.compile(rf",\s[^{marks}]{{2,60}},(?=\s)"),
        space_before_mark=re.compile(rf"\s+([{marks}])"),
        comma_before_mark=re.compile(rf",+(?=[{marks}])"),
    )


def _marker_patterns(language: Language, at_start: str, marks: str) -> tuple[re.Pattern[str], ...]:
    if not language.markers:
        return ()
    words = _any(map(re.escape, sorted(language.markers, key=len, reverse=True)))
    return (
        re.compile(rf"{at_start}{words},\s+", re.IGNORECASE),
        re.compile(rf",\s+{words}(?=[{marks}])", re.IGNORECASE),
    )


def _words(patterns: Iterable[str]) -> re.Pattern[str]:
    """Any of the words, whole; nothing if there are none."""
    known = tuple(patterns)
    return re.compile(rf"\b{_any(known)}\b", re.IGNORECASE) if known else _NOTHING


def _any(patterns: Iterable[str]) -> str:
    return f"(?:{'|'.join(patterns)})"


def _without_repetitions(text: str, patterns: _Patterns) -> Iterator[str]:
    for found in _REPEATED.finditer(text):
        if patterns.number.search(found.group()) is None:
            yield text[: found.start()] + found.group(1) + text[found.end() :]


def _without_markers(text: str, patterns: _Patterns) -> Iterator[str]:
    for pattern in patterns.markers:
        for found in pattern.finditer(text):
            yield _without(found)


def _without_fillers(text: str, patterns: _Patterns) -> Iterator[str]:
    for pattern in patterns.fillers:
        for found in pattern.finditer(text):
            # "not very good" is not "not good".
            before = " ".join(text[: found.start()].split()[-2:])
            if patterns.negation.search(before) is None:
                yield _without(found)


def _without(found: re.Match[str]) -> str:
    """The text without what was found; the first word of a sentence hands its capital on."""
    text, rest = found.string, found.string[found.end() :]
    if found.group()[:1].isupper():
        rest = rest[:1].upper() + rest[1:]
    return text[: found.start()] + rest


def _without_parentheses(text: str, patterns: _Patterns) -> Iterator[str]:
    for found in (*_PARENTHESIS.finditer(text), *_asides(text, patterns)):
        if not patterns.is_precious(found.group()):
            yield text[: found.start()] + text[found.end() :]


def _asides(text: str, patterns: _Patterns) -> Iterator[re.Match[str]]:
    """Subordinate clauses between two commas; a list of things has commas too, and stays."""
    for found in patterns.aside.finditer(text):
        if patterns.is_subordinate(found.group().strip(", ")):
            yield found


def _without_trailing_clauses(text: str, patterns: _Patterns) -> Iterator[str]:
    for begin, end in spans(text, patterns.language):
        body = text[begin:end].rstrip(patterns.language.sentence_ends)
        for comma in re.finditer(r"[,;]\s", body):
            tail = body[comma.end() :]
            says_little = patterns.is_subordinate(tail) and not patterns.is_precious(tail)
            if says_little and comma.start() >= len(body) / 3:
                yield text[: begin + comma.start()] + text[begin + len(body) :]


def _tidy(text: str, patterns: _Patterns) -> str:
    """Single spaces, no mark without words before it, and each sentence with a capital."""
    text = patterns.space_before_mark.sub(r"\1", " ".join(text.split()))
    text = patterns.comma_before_mark.sub("", text).lstrip(",;: ")
    for start, _ in spans(text, patterns.language):
        text = text[:start] + text[start].upper() + text[start + 1 :]
    return text
