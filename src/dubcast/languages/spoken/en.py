"""English."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

_MISAKI = (
    ("ə^l", "ᵊl"),
    ("ɚ", "əɹ"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ç", "k"),
    ("ɐ", "ə"),
    ("ɬ", "l"),
)
_AMERICAN = (("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""))

LANGUAGE = Language(
    tag="en",
    varieties=(
        Variety("en-US", espeak="en-us", misaki=(*_MISAKI, *_AMERICAN)),
        Variety("en-GB", espeak="en-gb", misaki=_MISAKI),
    ),
    conjunctions=("and", "but", "because", "when", "while", "although", "so that"),
    subordinators=(
        *("which", "who", "because", "since", "although", "though", "while", "whereas", "as"),
    ),
    markers=(
        *("well", "you know", "i mean", "of course", "actually", "basically", "anyway", "so"),
        *("look", "listen", "right", "okay", "ok", "you see", "let's say", "kind of", "sort of"),
        *("to be honest", "as i said", "as you know", "by the way", "in fact", "honestly"),
        *("now", "um", "uh"),
    ),
    fillers=("um", "uh", "er", "hmm", "really", "just", "very", "actually", "basically"),
    negations=(
        *("no", "not", "never", "none", "nobody", "nothing", "neither", "nor", "without"),
        *("cannot", r"\w+n['’]t"),
    ),
    numbers=(
        *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("eleven", "twelve", r"\w+teen", "twenty", "thirty", "fou?rty", "fifty", "sixty"),
        *("seventy", "eighty", "ninety", "hundred", "thousand", "million", "billion", "half"),
        *("first", "second", "third"),
    ),
    capitals=("I",),
)
