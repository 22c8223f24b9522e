"""Swedish."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="sv",
    name="Swedish",
    varieties=(Variety("sv", espeak="sv"),),
    aliases=("sv-SE",),
    abbreviations=(
        *("t.ex.", "bl.a.", "dvs.", "dr.", "prof.", "ca.", "s.k.", "m.m.", "osv."),
        *("kl.", "st."),
    ),
    before_figures=("nr.", "s.", "tel."),
    starters=(
        *("jag", "du", "han", "hon", "det", "den", "vi", "ni", "de", "ett", "en"),
        *("men", "och", "så", "om", "när", "som", "sedan", "för", "varför", "vem"),
        *("vad", "var", "nej", "ja", "inte", "också", "nu", "idag"),
    ),
    conjunctions=("och", "men", "eftersom", "när", "medan", "fastän"),
    fillers=("öh", "eh"),
    negations=(*("nej", "inte", "aldrig", "ingen", "inget", "inga", "utan", "varken"),),
    numbers=(
        *("ett", "en", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio"),
        *("tio", "elva", "tolv", r"\w+ton", r"\w*tjugo\w*", r"\w+tio\w*"),
        *(r"\w*hundra\w*", r"\w*tusen\w*", r"miljon\w*", r"miljard\w*", r"halv\w*"),
        *("hälften", "första", "andra", "tredje"),
    ),
)
