"""Vietnamese."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="vi",
    name="Vietnamese",
    varieties=(Variety("vi", espeak="vi"),),
    aliases=("vi-VN",),
    abbreviations=("tp.", "ths.", "ts.", "v.v."),
    before_figures=("số.",),
    starters=(
        *("tôi", "anh", "chị", "em", "nó", "chúng", "họ", "đây", "đó", "nhưng", "và"),
        *("vậy", "nếu", "khi", "rồi", "vì", "sao", "ai", "gì", "đâu", "không", "có"),
        *("bây",),
    ),
    conjunctions=("và", "nhưng", "vì", "khi", "mặc dù"),
    fillers=("ờ", "à"),
    negations=("không", "chưa", "đừng", "chẳng", "chả"),
    numbers=(
        *("một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười"),
        *("mươi", "trăm", "nghìn", "ngàn", "triệu", "tỷ", "nửa", "nhất"),
    ),
)
