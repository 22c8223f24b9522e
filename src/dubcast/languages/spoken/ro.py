"""Romanian."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="ro",
    name="Romanian",
    varieties=(Variety("ro", espeak="ro"),),
    aliases=("ro-RO",),
    abbreviations=(
        *("dl.", "dna.", "dr.", "prof.", "ing.", "str.", "nr.", "ex.", "etc."),
        *("aprox.", "sf."),
    ),
    before_figures=("nr.", "pag.", "art.", "tel."),
    starters=(
        *("eu", "tu", "el", "ea", "noi", "voi", "ei", "ele", "un", "o", "acest"),
        *("această", "dar", "și", "deci", "dacă", "când", "cum", "apoi", "pentru"),
        *("de", "cine", "ce", "unde", "nu", "da", "acum", "azi"),
    ),
    conjunctions=("și", "dar", "pentru că", "când", "deși", "în timp ce"),
    fillers=("ăă", "păi"),
    negations=(*("nu", "niciodată", "nimeni", "nimic", "nici", "fără", "nicio?", "niciun"),),
    numbers=(
        *("unu", "una", "doi", "două", "trei", "patru", "cinci", "șase", "șapte"),
        *("opt", "nouă", "zece", r"\w+sprezece", "douăzeci", r"\w+zeci", "sut[aăe]"),
        *("mie", "mii", r"milion\w*", r"miliard\w*", "jumătate", r"prim\w+"),
        *("dou?ilea", "treilea"),
    ),
)
