"""Chinese."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="zh",
    name="Chinese",
    varieties=(Variety("zh-CN", espeak="cmn"),),
    aliases=("zh-Hans", "cmn"),
    sentence_ends="。！？!?…",
    clause_marks="、；：，;:,",
    negations=("不", "没", "没有"),
)
