"""Italian."""

from __future__ import annotations

import re

from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Currency, Reading, Rule, Unit, pairs
from dubcast.languages.rules import (
    CONSONANT_AND_VOWEL,
    clock,
    day_month_year,
    fractions,
    grouped_by_spaces,
    numeric_dates,
    telephone,
    written_dates,
)

_MONTHS = (
    *("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto"),
    *("settembre", "ottobre", "novembre", "dicembre"),
)
# Behind a one, these are no noun that it counts.
_NO_NOUN = r"(?:di|del|della|dei|e|o|a|ad|al|in|per|con|che|è|sono|non|su|da|dal|più|il|la)"
_FEMININE_NOUN = r"(?:\w+(?:zione|tà|trice)|persona|volta|donna|ragazza|partita|squadra|pagina|ora)"


def _feminine(words: str) -> str:
    """`uno` alone becomes `una`; `ventuno` stays."""
    return re.sub(r"^uno$", "una", words)


def _before_noun(words: str, noun: str) -> str:
    """`un gol`, `uno studente`, `ventun anni`."""
    if re.match(r"s[^aeiou]|z|ps|gn|y", noun):
        return words
    return re.sub(r"uno$", "un", words)


def _counted(number: str, noun: str) -> str:
    """`un milione di euro`, `un euro`."""
    of = "di " if re.search(r"(?:ilion|iliard)[eio]$", number) else ""
    return f"{_before_noun(number, noun)} {of}{noun}"


def _one(found: re.Match[str], numbers: Numbers) -> str:
    return f"{_before_noun('uno', found[1])} {found[1]}"


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.ordinal(int(found[1]), feminine=found[2] in "ªa")


def _day(numbers: Numbers, day: int) -> str:
    return "primo" if day == 1 else numbers.cardinal(day)


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = numbers.cardinal(hour, feminine=True)
    return f"{said} e {numbers.cardinal(minute)}" if minute else f"{said} in punto"


def _dotted_time(found: re.Match[str], numbers: Numbers) -> str:
    return _time(int(found[1]), int(found[2]), numbers)


def _part(upper: int, lower: int, numbers: Numbers) -> str:
    name = "mezzo" if lower == 2 else numbers.ordinal(lower)
    said = _before_noun(numbers.cardinal(upper), name)
    return f"{said} {re.sub('o$', 'i', name) if upper > 1 else name}"


_READING = Reading(
    numerals="it",
    decimal_mark=",",
    grouping_marks=".",
    point="virgola",
    minus="meno",
    plus="più",
    also="e",
    up_to="a",
    per="al",
    dot="punto",
    at="chiocciola",
    slash="barra",
    dash="trattino",
    underscore="trattino basso",
    hashtag="hashtag",
    number_sign="numero",
    feminine=_feminine,
    feminine_ordinal=lambda words: re.sub(r"o$", "a", words),
    feminine_noun=_FEMININE_NOUN,
    counted=_counted,
    joined_decimals=True,
    units=(
        Unit(("%",), Counted("per cento", "per cento")),
        Unit(("°C", "ºC", "°"), Counted("grado", "gradi")),
        Unit(("km/h",), Counted("chilometro orario", "chilometri orari")),
        Unit(("m²", "m2", "mq"), Counted("metro quadrato", "metri quadrati")),
        Unit(("km",), Counted("chilometro", "chilometri")),
        Unit(("cm",), Counted("centimetro", "centimetri")),
        Unit(("mm",), Counted("millimetro", "millimetri")),
        Unit(("m",), Counted("metro", "metri")),
        Unit(("kg",), Counted("chilo", "chili")),
        Unit(("g",), Counted("grammo", "grammi")),
        Unit(("l", "L"), Counted("litro", "litri")),
        Unit(("ml",), Counted("millilitro", "millilitri")),
        Unit(("GB",), Counted("giga", "giga")),
        Unit(("MB",), Counted("mega", "mega")),
        Unit(("h",), Counted("ora", "ore", feminine=True)),
        Unit(("min",), Counted("minuto", "minuti")),
        Unit(("s",), Counted("secondo", "secondi")),
    ),
    currencies=(
        Currency(("€", "EUR"), Counted("euro", "euro"), Counted("centesimo", "centesimi")),
        Currency(
            ("US$", "USD", "$"), Counted("dollaro", "dollari"), Counted("centesimo", "centesimi")
        ),
        Currency(("£", "GBP"), Counted("sterlina", "sterline", feminine=True)),
    ),
    scales=(
        ("mila", Counted("mila", "mila")),
        *((one, Counted("milione", "milioni")) for one in ("milione", "milioni", "mln")),
        *((one, Counted("miliardo", "miliardi")) for one in ("miliardo", "miliardi", "mld")),
    ),
    signs=pairs("& = e | + = più | = = uguale | @ = chiocciola | × = per | ° = gradi | / = "),
    abbreviations=pairs(
        """
        Sig. = signor | sig. = signor | Sig.ra = signora | sig.ra = signora | Dott. = dottor
        Dott.ssa = dottoressa | Dr. = dottor | Prof. = professor | Prof.ssa = professoressa
        Ing. = ingegner | Avv. = avvocato | Gent. = gentile | pag. = pagina | pagg. = pagine
        art. = articolo | n. = numero | tel. = telefono | ecc. = eccetera | es. = esempio
        a.C. = avanti Cristo | d.C. = dopo Cristo | S. = San | V.le = viale | P.za = piazza
        vs = contro | ca. = circa | S.p.A. = società per azioni | vol. = volume
        """
    ),
    rules=(
        telephone(r"(?<![\w.,-])3\d\d[ .]\d{3}[ .]?\d{4}\b|(?<![\w.,-])0\d{1,3}[ /-]\d{5,8}\b"),
        grouped_by_spaces(),
        *numeric_dates(day_month_year(_day, _MONTHS)),
        written_dates(_day, _MONTHS, "º"),
        clock(":", _time),
        Rule(r"(?<=\bore )([01]?\d|2[0-4])\.([0-5]\d)\b", _dotted_time),
        Rule(r"(?<![\d.,])(\d{1,3})([°ºª])(?!\s?C\b)", _ordinal),
        fractions("mezzo", _part, "e"),
        Rule(r"\b[nN][°º.]\s?(?=\d)", lambda found, numbers: "numero "),
    ),
    late_rules=(
        Rule(rf"(?<![\d.,:/-])1 (?!{_NO_NOUN}\b)([a-zà-ù]+[^\W\daàiùu])\b", _one),
        Rule(r"(?<![\d.,:/-])1 ([a-zà-ù]+a)\b", lambda found, numbers: f"una {found[1]}"),
    ),
    acronyms=("UNESCO", "UNICEF", "NATO", "ONU", "FIFA", "UEFA", "NASA", "AIDS", "COVID", "FIAT"),
    spelled=("CEO", "USA", "UE", "DNA"),
    speakable=CONSONANT_AND_VOWEL,
    shouted=(
        *("no", "sì", "gol", "il", "la", "le", "di", "che", "e", "è", "tutto", "molto", "mai"),
        *("viva", "forza", "grazie", "oggi", "per", "con", "un", "una", "i", "gli", "a", "in"),
    ),
)

LANGUAGE = Language(
    tag="it",
    name="Italian",
    varieties=(Variety("it", espeak="it"),),
    aliases=("it-IT", "it-CH"),
    reading=_READING,
    abbreviations=(
        *("Sig.", "sig.", "Dott.", "Dr.", "Prof.", "Ing.", "Avv.", "Gent.", "es.", "ca.", "S."),
    ),
    before_figures=("n.", "N.", "art.", "pag.", "pagg.", "tel.", "vol.", "cap."),
    starters=(
        *("io", "tu", "lui", "lei", "noi", "voi", "loro", "il", "lo", "la", "i", "gli", "le", "un"),
        *("una", "questo", "questa", "quello", "quella", "ma", "e", "allora", "se", "quando"),
        *("come", "dopo", "prima", "perché", "adesso", "che", "chi", "dove", "non", "sì", "no"),
        *("in", "per", "con", "anche", "oggi", "ieri", "domani", "tutti", "tutto", "nessuno"),
    ),
    conjunctions=("e", "ma", "perché", "quando", "mentre", "anche se"),
    subordinators=("che", "perché", "poiché", "anche se", "dove", "come", "mentre", "quando"),
    markers=(
        *("allora", "beh", "ecco", "insomma", "cioè", "diciamo", "guarda", "sai", "vero", "certo"),
        *("in effetti", "tra l'altro", "a proposito", "ovviamente", "in realtà"),
    ),
    fillers=("ehm", "davvero", "semplicemente", "praticamente"),
    negations=(
        *("no", "non", "mai", "niente", "nulla", "né", "senza", r"nessun\w*", "neanche", "nemmeno"),
    ),
    numbers=(
        *("un[oa]?", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove", "dieci"),
        *(r"\w+dici", r"dicia\w+", "diciotto", r"vent\w+", r"trent\w+", r"quarant\w+"),
        *(r"cinquant\w+", r"sessant\w+", r"settant\w+", r"ottant\w+", r"novant\w+", r"\w*cento"),
        *("mille", r"\w+mila", "milion[ei]", "miliard[oi]", "mezz[oa]", "metà", "prim[oa]"),
        *("second[oa]", "terz[oa]"),
    ),
)
