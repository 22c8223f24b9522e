"""Polish."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="pl",
    name="Polish",
    varieties=(Variety("pl", espeak="pl"),),
    aliases=("pl-PL",),
    abbreviations=(
        *("np.", "dr.", "prof.", "mgr.", "inż.", "tzn.", "tj.", "ok.", "św.", "im."),
        *("ul.", "al.", "gen.", "płk.", "itp.", "itd."),
    ),
    before_figures=("nr.", "s.", "str.", "art.", "tel.", "poz."),
    ordinal_dots=True,
    starters=(
        *("ja", "ty", "on", "ona", "ono", "my", "wy", "oni", "one", "to", "ten"),
        *("ta", "ale", "i", "więc", "jeśli", "kiedy", "jak", "potem", "bo"),
        *("dlaczego", "kto", "co", "gdzie", "nie", "tak", "teraz", "dziś"),
    ),
    conjunctions=("i", "ale", "bo", "ponieważ", "kiedy", "gdy", "chociaż"),
    fillers=("yyy", "eee"),
    negations=("nie", "nigdy", "nikt", "nic", "ani", "bez", r"żad\w+"),
    numbers=(
        *(r"jed\w+", r"dw\w+", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem"),
        *("dziewięć", "dziesięć", r"\w+naście", "dwadzieścia", "trzydzieści"),
        *("czterdzieści", r"\w+dziesiąt", "sto", "dwieście", r"\w+set", r"tysiąc\w*"),
        *("tysięcy", r"milion\w*", r"miliard\w*", "pół", "połowa", r"pierwsz\w+"),
        *(r"drug\w+", r"trzeci\w*"),
    ),
)
