"""Hungarian."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="hu",
    name="Hungarian",
    varieties=(Variety("hu", espeak="hu"),),
    aliases=("hu-HU",),
    abbreviations=(*("dr.", "prof.", "pl.", "kb.", "ill.", "ún.", "stb.", "ifj.", "id.", "u."),),
    before_figures=("sz.", "old.", "tel."),
    ordinal_dots=True,
    starters=(
        *("én", "te", "ő", "mi", "ti", "ők", "ez", "az", "egy", "de", "és", "tehát"),
        *("ha", "amikor", "hogy", "majd", "mert", "miért", "ki", "mit", "hol", "nem"),
        *("igen", "most", "ma"),
    ),
    conjunctions=("és", "de", "mert", "amikor", "bár", "míg"),
    fillers=("izé", "ööö"),
    negations=(*("nem", "ne", "soha", "senki", "semmi", "sem", "nélkül", r"nincs\w*"),),
    numbers=(
        *("egy", "két", "kettő", "három", "négy", "öt", "hat", "hét", "nyolc"),
        *("kilenc", "tíz", r"tizen\w+", "húsz", r"huszon\w+", r"harminc\w*"),
        *(r"negyven\w*", r"ötven\w*", r"hatvan\w*", r"hetven\w*", r"nyolcvan\w*"),
        *(r"kilencven\w*", r"\w*száz\w*", r"\w*ezer\w*", r"millió\w*"),
        *(r"milliárd\w*", "fél", "első", "második", "harmadik"),
    ),
)
