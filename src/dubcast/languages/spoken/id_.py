"""Indonesian."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="id",
    name="Indonesian",
    varieties=(Variety("id", espeak="id"),),
    aliases=("id-ID",),
    abbreviations=(*("dr.", "prof.", "ir.", "dll.", "dsb.", "mis.", "yth.", "jl."),),
    before_figures=("no.", "hlm.", "tel."),
    starters=(
        *("saya", "aku", "kamu", "anda", "dia", "kami", "kita", "mereka", "ini"),
        *("itu", "tetapi", "tapi", "dan", "jadi", "jika", "kalau", "ketika", "lalu"),
        *("karena", "mengapa", "siapa", "apa", "di", "tidak", "ya", "sekarang"),
    ),
    conjunctions=("dan", "tetapi", "tapi", "karena", "ketika", "meskipun"),
    fillers=("eh", "anu"),
    negations=("tidak", "tak", "bukan", "jangan", "belum", "tanpa"),
    numbers=(
        *("satu", r"se\w+", "dua", "tiga", "empat", "lima", "enam", "tujuh"),
        *("delapan", "sembilan", "sepuluh", "sebelas", "belas", "puluh", "ratus"),
        *("ribu", "juta", "miliar", "setengah", "pertama", "kedua", "ketiga"),
    ),
)
