"""Hindi. num2words does not know it: its numbers are here."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Currency, Reading, Rule, Unit, pairs
from dubcast.languages.rules import clock, numeric_dates, single_part, telephone

_NAMES = (
    "शून्य एक दो तीन चार पाँच छह सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस बीस "
    "इक्कीस बाईस तेईस चौबीस पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस तीस इकतीस बत्तीस तैंतीस चौंतीस पैंतीस "
    "छत्तीस सैंतीस अड़तीस उनतालीस चालीस इकतालीस बयालीस तैंतालीस चौवालीस पैंतालीस छियालीस सैंतालीस "
    "अड़तालीस उनचास पचास इक्यावन बावन तिरपन चौवन पचपन छप्पन सत्तावन अट्ठावन उनसठ साठ इकसठ बासठ तिरसठ "
    "चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर छिहत्तर सतहत्तर "
    "अठहत्तर उन्यासी अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी नवासी नब्बे इक्यानवे "
    "बानवे तिरानवे चौरानवे पंचानवे छियानवे सत्तानवे अट्ठानवे निन्यानवे"
)
_TO_99 = tuple(_NAMES.split())
_SCALES = ((10**7, "करोड़"), (10**5, "लाख"), (1000, "हज़ार"), (100, "सौ"))
_MONTHS = (
    *("जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून"),
    *("जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"),
)


def _words(number: int) -> str:
    """By hundreds, thousands, lakhs and crores."""
    for scale, name in _SCALES:
        if number >= scale:
            rest = f" {_words(number % scale)}" if number % scale else ""
            return f"{_words(number // scale)} {name}{rest}"
    return _TO_99[number]


def _date(day: int, month: int, year: int | None, numbers: Numbers) -> str:
    said = f"{numbers.cardinal(day)} {_MONTHS[month - 1]}"
    return f"{said} {_year(year)}" if year else said


def _year(year: int) -> str:
    """`1990`: nineteen hundred ninety."""
    hundreds, rest = divmod(year, 100)
    if not 11 <= hundreds <= 19:
        return _words(year)
    return f"{_words(hundreds)} सौ {_words(rest)}" if rest else f"{_words(hundreds)} सौ"


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = numbers.cardinal(hour)
    return f"{said} बजकर {numbers.cardinal(minute)} मिनट" if minute else f"{said} बजे"


_READING = Reading(
    numerals="hi",
    words=_words,
    decimal_mark=".",
    grouping_marks=",",
    point="दशमलव",
    minus="माइनस",
    plus="प्लस",
    also="और",
    up_to="से",
    per="प्रति",
    dot="डॉट",
    at="ऐट",
    slash="स्लैश",
    dash="डैश",
    underscore="अंडरस्कोर",
    hashtag="हैशटैग",
    number_sign="नंबर",
    units=(
        Unit(("%",), Counted("प्रतिशत", "प्रतिशत")),
        Unit(("°C", "°"), Counted("डिग्री", "डिग्री")),
        Unit(("km/h", "किमी/घंटा"), Counted("किलोमीटर प्रति घंटा", "किलोमीटर प्रति घंटा")),
        Unit(("km", "किमी"), Counted("किलोमीटर", "किलोमीटर")),
        Unit(("m",), Counted("मीटर", "मीटर")),
        Unit(("kg", "किग्रा"), Counted("किलो", "किलो")),
    ),
    currencies=(
        Currency(("₹", "INR"), Counted("रुपया", "रुपये"), Counted("पैसा", "पैसे")),
        Currency(("US$", "USD", "$"), Counted("डॉलर", "डॉलर"), Counted("सेंट", "सेंट")),
        Currency(("€", "EUR"), Counted("यूरो", "यूरो"), Counted("सेंट", "सेंट")),
    ),
    scales=(("लाख", Counted("लाख", "लाख")), ("करोड़", Counted("करोड़", "करोड़"))),
    signs=pairs(
        "& = और | + = प्लस | = = बराबर | @ = ऐट | ° = डिग्री | / = | < = लेस दैन | > = ग्रेटर दैन"
        " | ≤ = लेस दैन या बराबर | ≥ = ग्रेटर दैन या बराबर | ≠ = नॉट इक्वल टू"
    ),
    abbreviations=pairs("डॉ. = डॉक्टर | प्रो. = प्रोफ़ेसर | श्री. = श्री | रु. = रुपये"),
    rules=(
        telephone(),
        single_part("1/2", "आधा", "और"),
        single_part("1/4", "चौथाई", "और"),
        single_part("3/4", "तीन चौथाई", "और"),
        *numeric_dates(_date),
        clock(":", _time, r"(?: बजे)?"),
        Rule(r"\b1[1-9]\d\d(?= (?:में|से|तक|के|का|की))", lambda found, _: _year(int(found[0]))),
    ),
)

LANGUAGE = Language(
    tag="hi",
    name="Hindi",
    varieties=(Variety("hi", espeak="hi"),),
    aliases=("hi-IN",),
    reading=_READING,
    sentence_ends="।.!?…",
    abbreviations=("डॉ.", "प्रो.", "रु."),
    conjunctions=("और", "लेकिन", "क्योंकि", "जब", "मगर", "हालांकि"),
    subordinators=("कि", "जो", "क्योंकि", "जबकि", "जहाँ"),
    markers=("तो", "देखिए", "मतलब", "वैसे", "असल में", "दरअसल", "सुनिए"),
    fillers=("उम", "बस", "दरअसल"),
    negations=("नहीं", "न", "ना", "मत", "कभी नहीं", "कोई नहीं", "बिना"),
    numbers=("एक", "दो", "तीन", "चार", "पाँच", "छह", "सात", "आठ", "नौ", "दस", "सौ", "हज़ार", "लाख"),
)
