"""Spanish."""

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
    *("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre"),
    *("octubre", "noviembre", "diciembre"),
)
# num2words joins some that Spanish does not, and keeps `uno` before `mil`.
_MENDED = ((r"\bveintiuno(?= mil)", "veintiún"), (r"\buno(?= mil)", "un"))
_ORDINALS = (
    (r"^décimoprimer", "undécim"),
    (r"^décimosegund", "duodécim"),
    (r"^décimo\B", "decimo"),
)
_FEMININE_NOUN = (
    r"(?:mil )?(?!(?:días?|problemas?|programas?|sistemas?|temas?|planetas?|mapas?|idiomas?|"
    r"gramas?|poetas|atletas|artistas|turistas|futbolistas|colegas|para|a|la|las|cada|era|una|"
    r"contra|hasta|ya|nada|esta|está|hora[ds]?o)\b)"
    r"(?:\w+as?|\w+(?:ción|ciones|siones|dades|dad)|veces|vez|mujer(?:es)?|noches?|partes?|manos?)"
)
# Kings are counted by ordinals up to here, centuries too.
_LAST_ORDINAL = 10
_KINGS = (
    *("Adolfo", "Alberto", "Alejandro", "Alfonso", "Amadeo", "Benedicto", "Bonifacio", "Carlos"),
    *("Clemente", "Eduardo", "Enrique", "Federico", "Felipe", "Fernando", "Francisco", "Gregorio"),
    *("Guillermo", "Gustavo", "Inocencio", "Jacobo", "Jaime", "Jorge", "José", "Juan", "Julio"),
    *("Leopoldo", "León", "Luis", "Manuel", "Maximiliano", "Napoleón", "Nicolás", "Pablo", "Pedro"),
    *("Pío", "Ramiro", "Ramsés", "Ricardo", "Sancho", "Sixto", "Urbano", "Vaticano", "Víctor"),
)
_QUEENS = (
    *("Ana", "Beatriz", "Berenguela", "Catalina", "Cleopatra", "Cristina", "Isabel", "Juana"),
    *("Leonor", "Margarita", "María"),
)
_COUNTED_MEN = (
    r"Congreso|Encuentro|Festival|Foro|Certamen|Torneo|Concurso|Campeonato|Premio|Plan|"
    r"Milenio|Concilio|Curso|Maratón|Simposio|Reich|Salón|Aniversario|Centenario|Imperio|Ejército|"
    r"congreso|encuentro|festival|foro|certamen|torneo|concurso|campeonato|premio|plan|milenio|"
    r"concilio|curso|simposio|aniversario|centenario|imperio"
)
_COUNTED_WOMEN = (
    r"Guerra|República|Edición|Cumbre|Feria|Jornada|Copa|Asamblea|Legislatura|Semana|Enmienda|"
    r"Internacional|Conferencia|Dinastía|Cruzada|Bienal|Carrera|Gala|Olimpiada|División|Región|"
    r"guerra|república|edición|cumbre|feria|jornada|copa|asamblea|legislatura|semana|enmienda|"
    r"conferencia|dinastía|cruzada|bienal|carrera|gala|olimpiada|división|región"
)
_BIBLE = Bible(
    books="""
    Génesis Éxodo Levítico Números Deuteronomio Josué Jueces Rut Esdras Nehemías Ester Job Salmos
    Salmo Proverbios Eclesiastés Cantares Isaías Jeremías Lamentaciones Ezequiel Daniel Oseas Joel
    Amós Abdías Jonás Miqueas Nahúm Habacuc Sofonías Hageo Zacarías Malaquías Mateo Marcos Lucas
    Hechos Romanos Gálatas Efesios Filipenses Colosenses Tito Filemón Hebreos Santiago Judas
    Apocalipsis
    """,
    histories="Samuel Reyes Crónicas Macabeos",
    letters="Corintios Tesalonicenses Timoteo Pedro Juan",
    of_histories=("Primero de", "Segundo de"),
    of_letters=("Primera de", "Segunda de", "Tercera de"),
    sure="Crónicas Macabeos Corintios Tesalonicenses",
)
_DAYS = {
    short: day
    for one, day in pairs(
        "lun = lunes | mar = martes | mié = miércoles | jue = jueves | vie = viernes"
        " | sáb = sábado | dom = domingo"
    )
    for short in (one, one.capitalize())
}
_HOUR = Counted("hora", "horas", feminine=True)
_MINUTE, _SECOND = Counted("minuto", "minutos"), Counted("segundo", "segundos")
# Behind a one, these are no noun that it counts.
_NO_NOUN = r"(?:de|del|y|e|o|u|a|al|en|por|para|con|que|es|son|no|ni|sin|se|contra|más|como|si|el)"
# What there is a half of, besides units.
_HALVED = rf"(?!{_NO_NOUN}\b)\w{{3,}}[ao]s?|limón|limones|mes|meses|maratón"


def _feminine(words: str) -> str:
    """`veintiuno` becomes `veintiuna`; millions stay masculine."""
    head, million, rest = words.rpartition("mill") if "mill" in words else ("", "", words)
    rest = re.sub(r"uno\b|\bun\b(?= mil)", "una", rest)
    return head + million + re.sub(r"(cient|quinient)os\b", r"\1as", rest)


def _before_noun(words: str) -> str:
    """`veintiuno` is `veintiún` before what it counts."""
    words = re.sub(r"veintiuno$", "veintiún", words)
    return re.sub(r"\buno$", "un", words)


def _counted(number: str, noun: str) -> str:
    """`un millón de euros`, `veintiún euros`; `mil` alone is a thousand."""
    if noun == "mil" and number in ("uno", "una"):
        return noun
    of = "de " if re.search(r"mill(?:ón|ones)$", number) else ""
    return f"{_before_noun(number)} {of}{noun}"


def _mended(words: str) -> str:
    for pattern, instead in _MENDED:
        words = re.sub(pattern, instead, words)
    return words


def _nth(number: int, numbers: Numbers) -> str:
    said = numbers.ordinal(number)
    for pattern, instead in _ORDINALS:
        said = re.sub(pattern, instead, said)
    return said


def _nth_man(number: int, numbers: Numbers) -> str:
    """`III Congreso`: tercer."""
    return re.sub(r"ero$", "er", _nth(number, numbers))


def _nth_woman(number: int, numbers: Numbers) -> str:
    return re.sub(r"o\b", "a", _nth(number, numbers))


def _king(number: int, numbers: Numbers) -> str:
    """`Felipe VI` is the sixth, `Juan XXIII` twenty-three."""
    return numbers.ordinal(number) if number <= _LAST_ORDINAL else numbers.cardinal(number)


def _queen(number: int, numbers: Numbers) -> str:
    return numbers.ordinal(number, feminine=True)


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    """`1.º`, `3ª`, and `1.er` before a noun."""
    said = _nth(int(found["number"]), numbers)
    if found["mark"] in "ªa":
        return re.sub(r"o\b", "a", said)
    return re.sub(r"ero$", "er", said) if found["mark"] == "er" or found["noun"] else said


def _day(numbers: Numbers, day: int) -> str:
    return "primero" if day == 1 else numbers.cardinal(day)


_DATE = day_month_year(_day, _MONTHS, joint=" de ")


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = numbers.cardinal(hour, feminine=True)
    return f"{said} y {numbers.cardinal(minute)}" if minute else said


def _half_of_day(found: re.Match[str], numbers: Numbers) -> str:
    """`1:15 p. m.`: de la tarde."""
    hour, morning = int(found["hour"]), found["half"] in "aA"
    if hour == 12:
        part = "de la noche" if morning else "del mediodía"
    else:
        part = "de la mañana" if morning else "de la noche" if hour >= 8 else "de la tarde"
    ends = found[0].endswith(".") and not found.string[found.end() :].strip(' "”’')
    return f"{_time(hour, int(found['minute'] or 0), numbers)} {part}" + "." * ends


def _part(upper: int, lower: int, numbers: Numbers) -> str:
    name = {2: "medio", 3: "tercio", 4: "cuarto"}.get(lower) or numbers.ordinal(lower)
    return f"{_before_noun(numbers.cardinal(upper))} {name}" + "s" * (upper > 1)


def _noun(word: str, numbers: Numbers) -> Counted | None:
    """What there can be a half of: what is measured, and nouns by their ending."""
    unit = measures.of_units(word, numbers)
    if unit is not None or not re.fullmatch(_HALVED, word):
        return unit
    one = re.sub(r"(?<=[ao])s$|(?<=mes)es$", "", word).replace("limones", "limón")
    return Counted(one, word, re.fullmatch(rf"{_FEMININE_NOUN}|maratón", word) is not None)


def _parts(found: re.Match[str], noun: Counted, numbers: Numbers) -> str:
    """`media taza`, `dos tazas y media`, `tres cuartos de taza`."""
    whole = numbers.amount(found["whole"], noun) if found["whole"] else ""
    if (found["upper"], found["lower"]) == ("1", "2"):
        half = "media" if noun.feminine else "medio"
        return f"{whole} y {half}" if whole else f"{half} {noun.one}"
    part = _part(int(found["upper"]), int(found["lower"]), numbers)
    return f"{whole} y {part}" if whole else f"{part} de {noun.one}"


def _one(found: re.Match[str], numbers: Numbers) -> str:
    """`21 jugadores`: veintiún."""
    return _before_noun(numbers.figure(found[0]))


_READING = Reading(
    numerals="es",
    decimal_mark=",",
    grouping_marks=".",
    point="coma",
    minus="menos",
    plus="más",
    also="con",
    up_to="a",
    per="por",
    dot="punto",
    at="arroba",
    slash="barra",
    dash="guion",
    underscore="guion bajo",
    hashtag="almohadilla",
    number_sign="número",
    mended=_mended,
    feminine=_feminine,
    feminine_ordinal=lambda words: re.sub(r"o\b", "a", words),
    feminine_noun=_FEMININE_NOUN,
    counted=_counted,
    joined_decimals=True,
    units=(
        Unit(("%",), Counted("por ciento", "por ciento")),
        Unit(("°C", "ºC"), Counted("grado", "grados")),
        Unit(("°", "º C"), Counted("grado", "grados")),
        Unit(("km/h",), Counted("kilómetro por hora", "kilómetros por hora")),
        Unit(("m²", "m2"), Counted("metro cuadrado", "metros cuadrados")),
        Unit(("km",), Counted("kilómetro", "kilómetros")),
        Unit(("cm",), Counted("centímetro", "centímetros")),
        Unit(("mm",), Counted("milímetro", "milímetros")),
        Unit(("m",), Counted("metro", "metros")),
        Unit(("kg",), Counted("kilo", "kilos")),
        Unit(("g",), Counted("gramo", "gramos")),
        Unit(("l", "L"), Counted("litro", "litros")),
        Unit(("ml",), Counted("mililitro", "mililitros")),
        Unit(("GB",), Counted("giga", "gigas")),
        Unit(("MB",), Counted("mega", "megas")),
        Unit(("h",), Counted("hora", "horas", feminine=True)),
        Unit(("min",), Counted("minuto", "minutos")),
        Unit(("s",), Counted("segundo", "segundos")),
    ),
    currencies=(
        Currency(("€", "EUR"), Counted("euro", "euros"), Counted("céntimo", "céntimos")),
        Currency(("US$", "USD", "$"), Counted("dólar", "dólares"), Counted("centavo", "centavos")),
        Currency(
            ("£", "GBP"), Counted("libra", "libras", feminine=True), Counted("penique", "peniques")
        ),
        Currency(("R$", "BRL"), Counted("real", "reales"), Counted("centavo", "centavos")),
    ),
    scales=(
        *((one, Counted("mil", "mil")) for one in ("mil", "k", "K")),
        *((one, Counted("millón", "millones")) for one in ("millón", "millones", "M")),
    ),
    large=r"[kKM]",
    no_noun=rf"{_NO_NOUN}|mil|la|las|los|un|una|ya|hoy|su|sus",
    signs=pairs(
        """
        & = y | + = más | = = igual a | @ = arroba | × = por | ° = grados | / =
        < = menor que | > = mayor que | ≤ = menor o igual a | ≥ = mayor o igual a
        ≠ = distinto de
        """
    ),
    abbreviations=pairs(
        """
        Sr. = señor | Sra. = señora | Srta. = señorita | Sres. = señores | Dr. = doctor
        Dra. = doctora | Prof. = profesor | Ud. = usted | Uds. = ustedes | D. = don | Dña. = doña
        Avda. = avenida | Av. = avenida | pág. = página | págs. = páginas | núm. = número
        Núm. = número | n.º = número | N.º = número | tel. = teléfono | etc. = etcétera
        p. ej. = por ejemplo | EE. UU. = Estados Unidos | EE.UU. = Estados Unidos
        a. C. = antes de Cristo | d. C. = después de Cristo | S.A. = sociedad anónima
        vs. = contra | aprox. = aproximadamente | Sto. = santo | Sta. = santa | art. = artículo
        """
    ),
    rules=(
        telephone(
            r"(?<![\w.,-])(?:[679]\d\d|80\d)(?: \d\d){3}\b|"
            r"(?<![\w.,-])(?:[679]\d\d|80\d)(?: \d{3}){2}\b|(?<![\w.,-])9\d \d{3} \d\d \d\d\b|"
            r"(?<![\w.,-])\d\d \d{4} \d{4}\b|(?<![\w.,-])\d{3} \d{3} \d{4}\b|"
            r"(?<![\w.,-])\d{3}-\d{3}-\d{3,4}\b"
        ),
        SHORT_YEARS,
        grouped_by_spaces(),
        versions(r"[Vv]ersi(?:ón|ones)|[Aa]ctualización"),
        *weekdays(_DAYS, "a|al|y|o|hasta", r"(?!)", "a"),
        *numeric_dates(_DATE),
        short_dates(
            rf"(?:[Ee]l|[Dd]ía){NO_PART}|[Dd]el(?=\s\d\d?/\d\d?\sal\s)", "a|al|y|o|hasta", _DATE
        ),
        written_dates(_day, _MONTHS, r"\.?º", " de "),
        *_BIBLE.rules(),
        *measures.durations(_HOUR, _MINUTE, _SECOND),
        raced(_MINUTE, "y"),
        measures.named_currencies({"euros": "€", "dólares": "$", "libras": "£"}),
        Rule(
            r"(?<![\d:.,])(?P<hour>1[0-2]|0?[1-9])(?::(?P<minute>[0-5]\d))?\s?"
            r"(?P<half>[apAP])(?:\.\s?m\.|\.?[mM]\b\.?)",
            _half_of_day,
        ),
        clock("[:h]", _time, r"(?:\s?h(?:oras)?\b(?:\.(?=\s[a-z]))?)?"),
        Rule(
            r"(?<![\d.,])(?P<number>\d{1,3})\.?(?P<mark>º|ª|er\b)(?!\s?C\b)"
            rf"(?=(?P<noun>\s(?!{_NO_NOUN}\b)(?:[a-zñ]*(?:os?|es|ón|or|l)|lugar|grado|día)\b)?)",
            _ordinal,
        ),
        Rule(r"\b[Ss]\.\s(?=[IVX]+\b)", lambda found, numbers: "siglo "),
        roman_numerals.behind(r"[Ss]iglos?", _king),
        roman_numerals.behind(
            r"(?:[Cc]apítulos?|[Cc]ap\.|[Aa]cto|[Tt]omos?|[Vv]olumen|[Tt]ítulo|[Ff]ase|[Tt]ipo|[Pp]arte|"
            r"[Aa]rtículo|[Nn]ivel|[Gg]rupo|[Ll]ibro|[Ee]pisodio|[Cc]lase|[Aa]nexo|[Ee]tapa|"
            r"Super Bowl)"
        ),
        roman_numerals.before(_COUNTED_MEN, _nth_man),
        roman_numerals.before(_COUNTED_WOMEN, _nth_woman),
        roman_numerals.of_rulers(_KINGS, _king),
        roman_numerals.of_rulers(_QUEENS, _queen),
        roman_numerals.alone(),
        out_of("de", r"de(?:l| la| los)?"),
        measures.parts(_noun, _parts),
        fractions("medio", _part, "y"),
        inches(Counted("pulgada", "pulgadas", feminine=True)),
        Rule(r"\b[Nn]\.?º\s?(?=\d)", lambda found, numbers: "número "),
    ),
    late_rules=(
        Rule(
            rf"(?<![\d.,:/-])\d*(?<!1)1(?=\s(?!{_NO_NOUN}\b)[a-zñ]*(?:os?|es|ón|or|l|es)\b)", _one
        ),
    ),
    acronyms=(
        *("UNESCO", "UNICEF", "OTAN", "ONU", "FIFA", "UEFA", "NASA", "SIDA", "COVID", "RENFE"),
        *("RAM", "VAR", "PIN", "GIF", "SIM", "LAN", "IVA", "AVE", "RAE", "OVNI", "SEAT", "PYME"),
        *("UNAM", "PEMEX", "CEPAL", "OPEP", "OEA", "VIP", "SARS"),
    ),
    spelled=("CEO", "USA", "ADN"),
    speakable=CONSONANT_AND_VOWEL,
    cues=(
        r"risas?|ríen?|aplausos?|música(?: de fondo)?|suspir(?:a|o|os)|tose?|llanto|llora|gritos?|"
        r"inaudible|ininteligible|silencio|susurra|pausa"
    ),
    shouted=(
        *("no", "sí", "gol", "ya", "de", "la", "el", "que", "es", "muy", "todo", "vamos", "viva"),
        *("gracias", "hoy", "por", "para", "con", "un", "una", "los", "las", "y", "a", "en"),
    ),
)

LANGUAGE = Language(
    tag="es",
    name="Spanish",
    varieties=(Variety("es", espeak="es"),),
    aliases=("es-ES", "es-MX", "es-419"),
    reading=_READING,
    abbreviations=(
        *("Sr.", "Sra.", "Srta.", "Sres.", "Dr.", "Dra.", "Prof.", "Ud.", "Uds.", "Dña.", "Avda."),
        *("Av.", "Sto.", "Sta.", "ej.", "EE.", "aprox.", "vs."),
    ),
    before_small=("etc.",),
    before_figures=(
        *("núm.", "Núm.", "n.º", "pág.", "págs.", "art.", "tel.", "vol.", "cap."),
        *(f"{short}." for short in _DAYS),
    ),
    starters=(
        *("yo", "tú", "él", "ella", "ellos", "ellas", "nosotros", "usted", "ustedes", "el", "la"),
        *("los", "las", "un", "una", "este", "esta", "esto", "ese", "esa", "eso", "pero", "y"),
        *("entonces", "si", "cuando", "como", "después", "antes", "porque", "ahora", "que", "qué"),
        *("quién", "dónde", "cómo", "no", "sí", "en", "por", "para", "con", "también", "hoy"),
        *("ayer", "mañana", "todos", "todo", "nadie", "hay", "muchos", "muchas"),
    ),
    conjunctions=("y", "pero", "porque", "cuando", "mientras", "aunque"),
    subordinators=("que", "quien", "porque", "aunque", "donde", "como", "mientras", "ya que"),
    markers=(
        *("bueno", "pues", "o sea", "la verdad", "claro", "entonces", "mira", "vale", "en fin"),
        *("es decir", "por cierto", "de hecho", "digamos", "sabes", "ahora"),
    ),
    fillers=("eh", "realmente", "simplemente", "básicamente"),
    negations=(
        "no",
        "nunca",
        "jamás",
        "nadie",
        "nada",
        "ni",
        "sin",
        "tampoco",
        r"ningun\w+",
        "ningún",
    ),
    numbers=(
        *("un[oa]?", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez"),
        *("once", "doce", "trece", "catorce", "quince", r"dieci\w+", r"veint\w+", "treinta"),
        *("cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa", "cien(?:to)?"),
        *(r"\w+cient[oa]s", "mil", "millón", "millones", "medi[oa]", "mitad", "primer[oa]?"),
        *("segund[oa]", "tercer[oa]?"),
    ),
)
