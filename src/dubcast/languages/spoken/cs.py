"""Czech."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="cs",
    name="Czech",
    varieties=(Variety("cs", espeak="cs"),),
    aliases=("cs-CZ",),
    abbreviations=(
        *("např.", "dr.", "prof.", "ing.", "mgr.", "tzv.", "tj.", "apod.", "atd."),
        *("cca.", "sv.", "ul.", "resp."),
    ),
    before_figures=("č.", "str.", "tel.", "odst."),
    ordinal_dots=True,
    starters=(
        *("já", "ty", "on", "ona", "ono", "my", "vy", "oni", "to", "ten", "ta"),
        *("ale", "a", "takže", "když", "jak", "potom", "protože", "proč", "kdo"),
        *("co", "kde", "ne", "ano", "teď", "dnes"),
    ),
    conjunctions=("a", "ale", "protože", "když", "ačkoli", "zatímco"),
    fillers=("ehm", "ee"),
    negations=(
        *("ne", "není", "nikdy", "nikdo", "nic", "ani", "bez", r"žádn\w+"),
        *(r"ne\w{3,}",),
    ),
    numbers=(
        *(r"jed\w+", "dv[aě]", "tři", "čtyři", "pět", "šest", "sedm", "osm", "devět"),
        *("deset", r"\w+náct", "dvacet", "třicet", "čtyřicet", r"\w+desát", "sto"),
        *("dvě stě", r"\w+set", r"tisíc\w*", r"milion\w*", r"miliard\w*", "půl"),
        *("polovina", r"prvn\w+", r"druh\w+", r"třet\w+"),
    ),
)
