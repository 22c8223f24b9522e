"""Danish."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="da",
    name="Danish",
    varieties=(Variety("da", espeak="da"),),
    aliases=("da-DK",),
    abbreviations=(
        *("f.eks.", "bl.a.", "dvs.", "dr.", "prof.", "ca.", "osv.", "m.m.", "kl."),
        *("hr.", "fr.", "pga."),
    ),
    before_figures=("nr.", "s.", "tlf."),
    ordinal_dots=True,
    starters=(
        *("jeg", "du", "han", "hun", "det", "den", "vi", "i", "de", "et", "en"),
        *("men", "og", "så", "hvis", "når", "som", "derefter", "for", "hvorfor"),
        *("hvem", "hvad", "hvor", "nej", "ja", "ikke", "også", "nu"),
    ),
    conjunctions=("og", "men", "fordi", "når", "mens", "selvom"),
    fillers=("øh", "øhm"),
    negations=(*("nej", "ikke", "aldrig", "ingen", "intet", "uden", "hverken"),),
    numbers=(
        *("en", "et", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni", "ti"),
        *("elleve", "tolv", r"\w+ten", r"\w*tyve", r"\w*tredive", r"\w*fyrre"),
        *(r"\w*halvtreds", r"\w*tres", r"\w*halvfjerds", r"\w*firs", r"\w*halvfems"),
        *(r"\w*hundrede", r"\w*tusind\w*", r"million\w*", r"milliard\w*", r"halv\w*"),
        *("første", "anden", "tredje"),
    ),
)
