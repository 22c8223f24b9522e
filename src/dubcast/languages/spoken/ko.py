"""Korean."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="ko",
    name="Korean",
    varieties=(Variety("ko", espeak="ko"),),
    aliases=("ko-KR",),
    negations=("아니", "아니요", "안", "못", r"없\w+"),
)
