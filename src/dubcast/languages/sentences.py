"""Texts in sentences, by the language's own marks. Pure."""

from __future__ import annotations

import functools
import re

from dubcast.languages.language import Language


def sentences(text: str, language: Language) -> list[str]:
    """The text's sentences, without the space between them."""
    return [part for part in _border(language).split(text.strip()) if part]


def not_abbreviated(language: Language) -> str:
    """A piece of a regular expression: what stands before is no abbreviation's end."""
    return "".join(rf"(?<!\b{re.escape(word)})" for word in language.abbreviations)


@functools.cache
def _border(language: Language) -> re.Pattern[str]:
    ends = re.escape(language.sentence_ends)
    return re.compile(rf"(?<=[{ends}]){not_abbreviated(language)}\s+(?=\S)")
