"""Dutch."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="nl",
    name="Dutch",
    varieties=(Variety("nl", espeak="nl"),),
    aliases=("nl-NL", "nl-BE"),
    abbreviations=(
        *("dr.", "drs.", "prof.", "mevr.", "dhr.", "ir.", "bijv.", "d.w.z.", "o.a."),
        *("bijv", "ca.", "m.b.t.", "i.p.v.", "resp."),
    ),
    before_figures=("nr.", "blz.", "art.", "tel."),
    starters=(
        *("ik", "jij", "hij", "zij", "ze", "we", "wij", "jullie", "het", "de", "een"),
        *("dit", "dat", "maar", "en", "dus", "als", "toen", "waarom", "wie", "wat"),
        *("waar", "nee", "ja", "niet", "ook", "nu"),
    ),
    conjunctions=("en", "maar", "omdat", "wanneer", "terwijl", "hoewel"),
    fillers=("eh", "uhm"),
    negations=(*("nee", "niet", "nooit", "niemand", "niets", "geen", "zonder", "noch"),),
    numbers=(
        *("een", "één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht"),
        *("negen", "tien", "elf", "twaalf", r"\w+tien", r"\w*twintig", r"\w+tig"),
        *(r"\w*honderd", r"\w*duizend", "miljoen", "miljard", "half", "halve"),
        *("helft", "eerste", "tweede", "derde"),
    ),
)
