"""Japanese."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="ja",
    name="Japanese",
    varieties=(Variety("ja", espeak="ja"),),
    aliases=("ja-JP",),
    sentence_ends="。！？!?…",
    clause_marks="、；：，;:,",
    negations=("ない", "ません"),
)
