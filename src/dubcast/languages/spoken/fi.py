"""Finnish."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="fi",
    name="Finnish",
    varieties=(Variety("fi", espeak="fi"),),
    aliases=("fi-FI",),
    abbreviations=(*("esim.", "tri.", "prof.", "ns.", "mm.", "ym.", "jne.", "n.", "eli"),),
    before_figures=("nro.", "s.", "puh."),
    ordinal_dots=True,
    starters=(
        *("minä", "sinä", "hän", "se", "me", "te", "he", "tämä", "mutta", "ja"),
        *("siis", "jos", "kun", "kuin", "sitten", "koska", "miksi", "kuka", "mitä"),
        *("missä", "ei", "kyllä", "nyt", "tänään"),
    ),
    conjunctions=("ja", "mutta", "koska", "kun", "vaikka"),
    fillers=("öö", "niinku"),
    negations=(
        *("ei", "en", "et", "emme", "ette", "eivät", "koskaan", "kukaan", "mitään"),
        *("ilman",),
    ),
    numbers=(
        *("yksi", "kaksi", "kolme", "neljä", "viisi", "kuusi", "seitsemän"),
        *("kahdeksan", "yhdeksän", "kymmenen", r"\w+toista", r"\w+kymmentä", "sata"),
        *(r"\w*sataa", "tuhat", r"\w*tuhatta", r"miljoona\w*", r"miljardi\w*"),
        *("puoli", "puolet", r"ensimmäi\w+", "toinen", "kolmas"),
    ),
)
