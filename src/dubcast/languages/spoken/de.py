"""German."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety
from dubcast.languages.reading import Counted, Currency, Reading, Unit, pairs
from dubcast.languages.rules import CONSONANT_AND_VOWEL
from dubcast.languages.written.de import (
    HOUR,
    LATE_RULES,
    MINUTE,
    RULES,
    SECOND,
    counted,
    feminine,
    mended,
)

_READING = Reading(
    numerals="de",
    decimal_mark=",",
    grouping_marks=".",
    point="Komma",
    minus="minus",
    plus="plus",
    also="und",
    up_to="bis",
    per="pro",
    dot="Punkt",
    at="ät",
    slash="Schrägstrich",
    dash="Minus",
    underscore="Unterstrich",
    hashtag="Hashtag",
    number_sign="Nummer",
    mended=mended,
    feminine=feminine,
    counted=counted,
    units=(
        Unit(("%",), Counted("Prozent", "Prozent")),
        Unit(("°C", "ºC", "°"), Counted("Grad", "Grad")),
        Unit(("km/h",), Counted("Kilometer pro Stunde", "Kilometer pro Stunde")),
        Unit(("m²", "m2", "qm"), Counted("Quadratmeter", "Quadratmeter")),
        Unit(("km",), Counted("Kilometer", "Kilometer")),
        Unit(("cm",), Counted("Zentimeter", "Zentimeter")),
        Unit(("mm",), Counted("Millimeter", "Millimeter")),
        Unit(("m",), Counted("Meter", "Meter")),
        Unit(("kg",), Counted("Kilo", "Kilo")),
        Unit(("g",), Counted("Gramm", "Gramm")),
        Unit(("l", "L"), Counted("Liter", "Liter")),
        Unit(("ml",), Counted("Milliliter", "Milliliter")),
        Unit(("GB",), Counted("Gigabyte", "Gigabyte")),
        Unit(("MB",), Counted("Megabyte", "Megabyte")),
        Unit(("Std.", "h"), HOUR),
        Unit(("Min.", "min"), MINUTE),
        Unit(("s", "Sek."), SECOND),
    ),
    currencies=(
        Currency(("€", "EUR"), Counted("Euro", "Euro"), Counted("Cent", "Cent")),
        Currency(("US$", "USD", "$"), Counted("Dollar", "Dollar"), Counted("Cent", "Cent")),
        Currency(("£", "GBP"), Counted("Pfund", "Pfund"), Counted("Penny", "Pence")),
        Currency(("CHF", "Fr."), Counted("Franken", "Franken"), Counted("Rappen", "Rappen")),
    ),
    scales=(
        *((one, Counted("tausend", "tausend")) for one in ("Tsd.", "k", "K")),
        *(
            (one, Counted("Million", "Millionen", feminine=True))
            for one in ("Million", "Millionen", "Mio.", "Mio", "M")
        ),
        *(
            (one, Counted("Milliarde", "Milliarden", feminine=True))
            for one in ("Milliarde", "Milliarden", "Mrd.", "Mrd")
        ),
    ),
    large=r"[kKM]",
    signs=pairs(
        """
        & = und | + = plus | = = gleich | @ = ät | × = mal | ° = Grad | § = Paragraf | / =
        < = kleiner als | > = größer als | ≤ = kleiner gleich | ≥ = größer gleich
        ≠ = ungleich
        """
    ),
    abbreviations=pairs(
        """
        Dr. = Doktor | Prof. = Professor | Hr. = Herr | Fr. = Frau | Str. = Straße | St. = Sankt
        z. B. = zum Beispiel | z.B. = zum Beispiel | d. h. = das heißt | d.h. = das heißt
        u. a. = unter anderem | u.a. = unter anderem | usw. = und so weiter | bzw. = beziehungsweise
        ca. = circa | ggf. = gegebenenfalls | evtl. = eventuell | inkl. = inklusive | Nr. = Nummer
        S. = Seite | Tel. = Telefon | v. Chr. = vor Christus | n. Chr. = nach Christus
        vgl. = vergleiche | Abs. = Absatz | Art. = Artikel | vs. = gegen | Mio. = Millionen
        Mrd. = Milliarden | Jh. = Jahrhundert | Bd. = Band | etc. = et cetera | Std. = Stunden
        Tsd. = tausend
        """
    ),
    rules=RULES,
    late_rules=LATE_RULES,
    acronyms=(
        *("NATO", "UNO", "UNESCO", "UNICEF", "FIFA", "UEFA", "NASA", "AIDS", "COVID", "PIN"),
        *("RAM", "GIF", "SIM", "LAN", "DAX", "TÜV", "BAMF", "DIN", "SCHUFA", "SARS", "UFO", "ISO"),
    ),
    spelled=("USA", "EU", "CDU", "AOK", "IOC"),
    speakable=CONSONANT_AND_VOWEL,
    cues=(
        r"lacht|lachen|gelächter|applaus|beifall|musik|seufzt|seufzen|hustet|husten|weint|schreit|"
        r"unverständlich|stille|jubel|flüstert|pause"
    ),
    shouted=(
        *("nein", "ja", "tor", "der", "die", "das", "und", "ist", "nicht", "alle", "jetzt", "los"),
        *("danke", "heute", "für", "mit", "ein", "eine", "wir", "ihr", "ich", "du", "so", "sehr"),
    ),
)

LANGUAGE = Language(
    tag="de",
    name="German",
    varieties=(Variety("de", espeak="de"),),
    aliases=("de-DE", "de-AT", "de-CH"),
    reading=_READING,
    ordinal_dots=True,
    abbreviations=(
        *("Dr.", "Prof.", "Hr.", "Fr.", "St.", "z.", "z.B.", "d.", "d.h.", "bzw.", "ca.", "ggf."),
        *("evtl.", "inkl.", "vgl.", "v.", "n.", "Tsd."),
    ),
    before_figures=(
        *("Nr.", "S.", "Tel.", "Abs.", "Art.", "Bd.", "Kap.", "-str."),
        *("Mo.", "Di.", "Mi.", "Do.", "Sa.", "So."),
    ),
    starters=(
        *("ich", "du", "er", "sie", "es", "wir", "ihr", "der", "die", "das", "ein", "eine"),
        *("dieser", "diese", "dieses", "aber", "und", "dann", "wenn", "als", "wie", "nach", "vor"),
        *("weil", "jetzt", "was", "wer", "wo", "warum", "nein", "ja", "nicht", "in", "im", "am"),
        *("für", "mit", "auch", "heute", "gestern", "morgen", "alle", "niemand", "man", "danach"),
    ),
    conjunctions=("und", "aber", "weil", "wenn", "während", "obwohl", "sondern"),
    subordinators=("weil", "dass", "obwohl", "während", "wobei", "wo", "da", "damit"),
    markers=(
        *("also", "na ja", "nun", "tja", "wissen sie", "weißt du", "sagen wir", "eigentlich"),
        *(
            "übrigens",
            "jedenfalls",
            "natürlich",
            "sozusagen",
            "quasi",
            "ehrlich gesagt",
            "schauen sie",
        ),
    ),
    fillers=("äh", "ähm", "eigentlich", "wirklich", "einfach", "halt", "eben"),
    negations=(
        "nein",
        "nicht",
        "nie",
        "niemals",
        "niemand",
        "nichts",
        "weder",
        "noch",
        "ohne",
        r"kein\w*",
    ),
    numbers=(
        *(
            "eins?",
            "zwei",
            "drei",
            "vier",
            "fünf",
            "sechs",
            "sieben",
            "acht",
            "neun",
            "zehn",
            "elf",
        ),
        *(
            "zwölf",
            r"\w+zehn",
            r"\w*zwanzig",
            r"\w*dreißig",
            r"\w+zig",
            r"\w*hundert",
            r"\w*tausend",
        ),
        *(
            r"million\w*",
            r"milliarde\w*",
            r"halb\w*",
            "hälfte",
            r"erste\w?",
            r"zweite\w?",
            r"dritte\w?",
        ),
    ),
    capitals=("Sie", "Ihnen", "Ihr", "Ihre"),
)
