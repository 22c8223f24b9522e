"""Italian."""

from __future__ import annotations

import re

from dubcast.languages import measures, roman_numerals
from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted, Currency, Reading, Rule, Unit, pairs
from dubcast.languages.rules import (
    CONSONANT_AND_VOWEL,
    NO_PART,
    SHORT_YEARS,
    clock,
    day_month_year,
    fractions,
    grouped_by_spaces,
    inches,
    numeric_dates,
    out_of,
    raced,
    short_dates,
    telephone,
    versions,
    weekdays,
    written_dates,
)
from dubcast.languages.scripture import Bible

_MONTHS = (
    *("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto"),
    *("settembre", "ottobre", "novembre", "dicembre"),
)
# num2words elides too much before `otto`, and accents only some of what ends in `tre`.
_MENDED = ((r"dicotto", "diciotto"), (r"(?<=\w)tre\b", "tré"))
_KINGS = (
    *("Adolfo", "Alberto", "Alessandro", "Alfonso", "Amedeo", "Benedetto", "Bonifacio", "Carlo"),
    *("Clemente", "Edoardo", "Emanuele", "Enrico", "Federico", "Ferdinando", "Filippo"),
    *("Francesco", "Giacomo", "Giorgio", "Giovanni", "Giuseppe", "Giulio", "Gregorio"),
    *("Guglielmo", "Gustavo", "Innocenzo", "Leone", "Leopoldo", "Luigi", "Massimiliano"),
    *("Napoleone", "Nicola", "Ottone", "Paolo", "Pietro", "Pio", "Ramses", "Riccardo", "Sisto"),
    *("Umberto", "Urbano", "Vaticano"),
)
_QUEENS = ("Anna", "Caterina", "Cleopatra", "Cristina", "Elisabetta", "Isabella", "Margherita")
_COUNTED_MEN = (
    r"[Ss]ecolo|[Mm]illennio|[Cc]ongresso|[Ff]estival|[Tt]orneo|[Cc]oncorso|[Cc]ampionato|[Pp]remio|"
    r"[Aa]nniversario|[Cc]entenario|[Rr]eich|[Gg]overno|[Ii]mpero|[Cc]oncilio|[Cc]orso|[Mm]unicipio|"
    r"[Pp]iano|[Aa]tto|[Cc]apitolo|[Cc]anto|[Ll]ibro|[Tt]orneo"
)
_COUNTED_WOMEN = (
    r"[Gg]uerra|[Rr]epubblica|[Ee]dizione|[Ll]egislatura|[Ff]iera|[Gg]iornata|[Cc]oppa|[Aa]ssemblea|"
    r"[Ss]ettimana|[Ii]nternazionale|[Cc]onferenza|[Dd]inastia|[Cc]rociata|[Bb]iennale|[Oo]limpiade|"
    r"[Dd]ivisione|[Rr]egione|[Cc]ommissione|[Ss]ezione|[Cc]lasse|[Bb]rigata|[Dd]omenica"
)
_BIBLE = Bible(
    books="""
    Genesi Esodo Levitico Numeri Deuteronomio Giosuè Giudici Rut Esdra Neemia Ester Giobbe Salmi
    Salmo Proverbi Ecclesiaste Qoelet Cantico Isaia Geremia Lamentazioni Ezechiele Daniele Osea
    Gioele Amos Abdia Giona Michea Naum Abacuc Sofonia Aggeo Zaccaria Malachia Matteo Marco Luca
    Atti Romani Galati Efesini Filippesi Colossesi Tito Filemone Ebrei Giacomo Giuda Apocalisse
    """,
    histories="Samuele Re Cronache Maccabei",
    letters="Corinzi Corinti Tessalonicesi Timoteo Pietro Giovanni",
    of_histories=("Primo", "Secondo"),
    of_letters=("Prima", "Seconda", "Terza"),
    sure="Cronache Maccabei Corinzi Corinti Tessalonicesi",
)
_DAYS = {
    short: day
    for one, day in pairs(
        "lun = lunedì | mar = martedì | mer = mercoledì | gio = giovedì | ven = venerdì"
        " | sab = sabato | dom = domenica"
    )
    for short in (one, one.capitalize())
}
_HOUR = Counted("ora", "ore", feminine=True)
_MINUTE, _SECOND = Counted("minuto", "minuti"), Counted("secondo", "secondi")
# What recipes and clocks halve, besides units: one, and many.
_HALVED = dict(
    pairs(
        """
        tazza = tazze | tazzina = tazzine | bustina = bustine | bottiglia = bottiglie
        mela = mele | cipolla = cipolle | giornata = giornate | dozzina = dozzine
        pagina = pagine | settimana = settimane | porzione = porzioni | dose = dosi
        cucchiaio = cucchiai | cucchiaino = cucchiaini | bicchiere = bicchieri
        limone = limoni | secolo = secoli | pacchetto = pacchetti | punto = punti
        mese = mesi | panetto = panetti | spicchio = spicchi | etto = etti | anno = anni
        """
    )
)
# Behind a one, these are no noun that it counts.
_NO_NOUN = r"(?:di|del|della|dei|e|o|a|ad|al|in|per|con|che|è|sono|non|su|da|dal|più|il|la)"
_FEMININE_NOUN = r"(?:\w+(?:zione|tà|trice)|persona|volta|donna|ragazza|partita|squadra|pagina|ora)"


def _feminine(words: str) -> str:
    """`uno` alone becomes `una`; `ventuno` stays."""
    return re.sub(r"^uno$", "una", words)


def _mended(words: str) -> str:
    for pattern, instead in _MENDED:
        words = re.sub(pattern, instead, words)
    return words


def _before_noun(words: str, noun: str) -> str:
    """`un gol`, `uno studente`, `ventun anni`."""
    if re.match(r"s[^aeiou]|z|ps|gn|y", noun):
        return words
    return re.sub(r"uno$", "un", words)


def _counted(number: str, noun: str) -> str:
    """`un milione di euro`, `un euro`; `250k` is one word: `duecentocinquantamila`."""
    if noun in ("mille", "mila"):
        joint = " " if "virgola" in number else ""
        return noun if noun == "mille" else f"{number}{joint}{noun}"
    of = "di " if re.search(r"(?:ilion|iliard)[eio]$", number) else ""
    return _elided(f"{_before_noun(number, noun)} {of}{noun}")


def _elided(words: str) -> str:
    """`un'ora`."""
    return re.sub(r"^una (?=[aeiou])", "un'", words)


def _one(found: re.Match[str], numbers: Numbers) -> str:
    return f"{_before_noun('uno', found[1])} {found[1]}"


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.ordinal(int(found[1]), feminine=found[2] in "ªa")


def _day(numbers: Numbers, day: int) -> str:
    return "primo" if day == 1 else numbers.cardinal(day)


_DATE = day_month_year(_day, _MONTHS)


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = numbers.cardinal(hour, feminine=True)
    return f"{said} e {numbers.cardinal(minute)}" if minute else said


def _dotted_time(found: re.Match[str], numbers: Numbers) -> str:
    """`alle 9.30`, `ore 9.30-12.30`."""
    said = _time(int(found["hour"]), int(found["minute"]), numbers)
    if not found["until"]:
        return f"{found['before']}{said}"
    hour, minute = found["until"].split(".")
    until = _time(int(hour), int(minute), numbers)
    return f"{found['before']}{said} {numbers.reading.up_to} {until}"


def _large(found: re.Match[str], numbers: Numbers) -> str:
    """`5 mln`: milioni."""
    one, many = {"mln": ("milione", "milioni"), "mld": ("miliardo", "miliardi")}[found["scale"]]
    return f"{found['number']} {one if found['number'] == '1' else many}"


def _part(upper: int, lower: int, numbers: Numbers) -> str:
    name = "mezzo" if lower == 2 else numbers.ordinal(lower)
    said = _before_noun(numbers.cardinal(upper), name)
    return f"{said} {re.sub('o$', 'i', name) if upper > 1 else name}"


def _noun(word: str, numbers: Numbers) -> Counted | None:
    """What there can be a half of, by its name for one or for many."""
    unit = measures.of_units(word, numbers)
    if unit is not None:
        return unit
    for one, many in _HALVED.items():
        if word in (one, many):
            return Counted(one, many, one.endswith("a") or one in ("porzione", "dose"))
    return None


def _parts(found: re.Match[str], noun: Counted, numbers: Numbers) -> str:
    """`mezza tazza`, `due tazze e mezzo`, `tre quarti di tazza`."""
    whole = numbers.amount(found["whole"], noun) if found["whole"] else ""
    if (found["upper"], found["lower"]) == ("1", "2"):
        half = "mezza" if noun.feminine else "mezzo"
        elided = "mezz'" if noun.one == "ora" else f"{half} "
        return f"{whole} e mezzo" if whole else f"{elided}{noun.one}"
    part = _part(int(found["upper"]), int(found["lower"]), numbers)
    joint = "d'" if noun.one == "ora" else "di "
    return f"{whole} e {part}" if whole else f"{part} {joint}{noun.one}"


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
    mended=_mended,
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
        Unit(("h",), _HOUR),
        Unit(("min",), _MINUTE),
        Unit(("s",), _SECOND),
    ),
    currencies=(
        Currency(("€", "EUR"), Counted("euro", "euro"), Counted("centesimo", "centesimi")),
        Currency(
            ("US$", "USD", "$"), Counted("dollaro", "dollari"), Counted("centesimo", "centesimi")
        ),
        Currency(("£", "GBP"), Counted("sterlina", "sterline", feminine=True)),
    ),
    scales=(
        *((one, Counted("mille", "mila")) for one in ("mila", "k", "K")),
        *((one, Counted("milione", "milioni")) for one in ("milione", "milioni", "mln", "M")),
        *((one, Counted("miliardo", "miliardi")) for one in ("miliardo", "miliardi", "mld")),
    ),
    large=r"[kKM]|mila",
    no_noun=rf"{_NO_NOUN}|dei|degli|delle|alla|alle|nel|nella|oggi|già|ma|ha|era|come",
    signs=pairs(
        """
        & = e | + = più | = = uguale | @ = chiocciola | × = per | ° = gradi | / =
        < = minore di | > = maggiore di | ≤ = minore o uguale a | ≥ = maggiore o uguale a
        ≠ = diverso da
        """
    ),
    abbreviations=pairs(
        """
        Sig. = signor | sig. = signor | Sig.ra = signora | sig.ra = signora | Dott. = dottor
        Dott.ssa = dottoressa | Dr. = dottor | Prof. = professor | Prof.ssa = professoressa
        Ing. = ingegner | Avv. = avvocato | Gent. = gentile | pag. = pagina | pagg. = pagine
        art. = articolo | n. = numero | tel. = telefono | ecc. = eccetera | es. = esempio
        a.C. = avanti Cristo | d.C. = dopo Cristo | S. = San | V.le = viale | P.za = piazza
        dott. = dottor | dott.ssa = dottoressa | dr. = dottor | prof. = professor
        prof.ssa = professoressa | ing. = ingegner | avv. = avvocato | geom. = geometra
        Geom. = geometra | arch. = architetto | Arch. = architetto | rag. = ragionier
        Rag. = ragionier | on. = onorevole | On. = onorevole | sigg. = signori | Sigg. = signori
        artt. = articoli | Art. = articolo | Tel. = telefono | cfr. = confronta
        sen. = senator | Sen. = senator | pres. = presidente | Pres. = presidente
        Egr. = egregio | Cell. = cellulare | cell. = cellulare
        vs = contro | ca. = circa | S.p.A. = società per azioni | vol. = volume
        """
    ),
    rules=(
        telephone(
            r"(?<![\w.,-])3\d\d[ .]\d{3}[ .]?\d{4}\b|"
            r"(?<![\w.,-])3\d\d(?: \d{2,3}){3}\b|(?<![\w.,-])0\d{1,3}[ /-]\d{5,8}\b|"
            r"(?<![\w.,-])0\d{1,3}(?: \d{3,4}){2}\b|(?<![\w.,-])0\d(?: \d\d){3,4}\b|"
            r"(?<![\w.,-])(?:80\d|199)[ -]\d{3}[ -]?\d{3}\b"
        ),
        SHORT_YEARS,
        grouped_by_spaces(),
        versions(r"[Vv]ersion[ei]|[Aa]ggiornamento"),
        *weekdays(_DAYS, "a|al|e|o", r"(?!)", "a"),
        *numeric_dates(_DATE),
        short_dates(rf"[Ii]l{NO_PART}|[Dd]al(?=\s\d\d?/\d\d?\sal\s)", "a|al|e|o", _DATE),
        written_dates(_day, _MONTHS, "º"),
        *_BIBLE.rules(),
        Rule(
            r"(?<![\d.,])(?P<number>\d{1,3}(?:,\d{1,2})?)\s?(?P<scale>mln|mld)\b(?:\.(?=\s[a-z€$]))?",
            _large,
        ),
        *measures.durations(_HOUR, _MINUTE, _SECOND),
        raced(_MINUTE, "e"),
        measures.named_currencies({"euro": "€", "dollari": "$", "sterline": "£"}),
        clock(":", _time),
        Rule(
            r"\b(?P<before>(?:[Oo]re|[AaDd]?[Aa]lle|[Dd]elle|[Ll]e)\s|[Aa]ll['’]|[Dd]all['’])"
            r"(?P<hour>[01]?\d|2[0-4])\.(?P<minute>[0-5]\d)(?![\d.]\d|\d|\s(?:euro|mil|%))"
            r"(?:\s?[-–]\s?(?P<until>(?:[01]?\d|2[0-4])\.[0-5]\d)(?!\d))?",
            _dotted_time,
        ),
        roman_numerals.before(
            "|".join((*_MONTHS, *map(str.capitalize, _MONTHS))), roman_numerals.cardinal
        ),
        roman_numerals.before(_COUNTED_MEN, roman_numerals.ordinal),
        roman_numerals.before(_COUNTED_WOMEN, roman_numerals.feminine_ordinal),
        roman_numerals.behind(
            r"(?:[Ss]ecol[oi]|[Aa]tto|[Cc]anto|[Ll]ibro)", roman_numerals.ordinal
        ),
        roman_numerals.behind(
            r"(?:[Cc]apitol[oi]|[Tt]omo|[Vv]olume|[Tt]itolo|[Ff]ase|[Tt]ipo|[Pp]arte|[Aa]rticolo|"
            r"[Ll]ivello|[Gg]ruppo|[Ee]pisodio|[Aa]llegato|[Ss]ezione|[Cc]lasse|Super Bowl)"
        ),
        roman_numerals.of_rulers(_KINGS, roman_numerals.ordinal),
        roman_numerals.of_rulers(_QUEENS, roman_numerals.feminine_ordinal),
        roman_numerals.alone(),
        out_of("su", r"d(?:i|el|ella|egli|elle|ei)"),
        measures.parts(_noun, _parts),
        Rule(r"(?<![\d.,])(\d{1,3})([°ºª])(?!\s?C\b)", _ordinal),
        fractions("mezzo", _part, "e"),
        inches(Counted("pollice", "pollici")),
        Rule(r"\b[nN][°º.]\s?(?=\d)", lambda found, numbers: "numero "),
    ),
    late_rules=(
        Rule(rf"(?<![\d.,:/-])1 (?!{_NO_NOUN}\b)([a-zà-ù]+[^\W\daàiùu])\b", _one),
        Rule(r"(?<![\d.,:/-])1 ([a-zà-ù]+a)\b", lambda found, numbers: _elided(f"una {found[1]}")),
    ),
    acronyms=(
        *("UNESCO", "UNICEF", "NATO", "ONU", "FIFA", "UEFA", "NASA", "AIDS", "COVID", "FIAT"),
        *("RAI", "RAM", "VAR", "PIN", "GIF", "SIM", "LAN", "IVA", "INPS", "INAIL", "ISTAT", "TAR"),
        *("CONI", "ENI", "ENEL", "ANSA", "ASL", "IMU", "SIAE", "IRPEF", "TIM", "UFO", "VIP", "TIR"),
        *("CISL", "CONSOB", "DIGOS", "OPEC"),
    ),
    spelled=("CEO", "USA", "UE", "DNA"),
    speakable=CONSONANT_AND_VOWEL,
    cues=(
        r"risat[ae]|rid(?:e|ono)|applaus[io]|musica(?: di sottofondo)?|sospir(?:a|o|i)|tossisce|"
        r"pianto|piange|grida|incomprensibile|inudibile|silenzio|sussurra|pausa"
    ),
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
        *(
            "dott.",
            "dr.",
            "prof.",
            "ing.",
            "avv.",
            "geom.",
            "arch.",
            "rag.",
            "on.",
            "sigg.",
            "sen.",
            "pres.",
        ),
        *("Geom.", "Arch.", "Rag.", "On.", "Sigg.", "cfr.", "Sen.", "Pres.", "Egr."),
    ),
    before_small=("ecc.", "a.C.", "d.C."),
    before_figures=(
        *(
            "n.",
            "N.",
            "art.",
            "Art.",
            "artt.",
            "pag.",
            "pagg.",
            "tel.",
            "Tel.",
            "cell.",
            "Cell.",
            "vol.",
            "cap.",
        ),
        *(f"{short}." for short in _DAYS),
    ),
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
