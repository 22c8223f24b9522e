"""French."""

from __future__ import annotations

import re

from dubcast.languages import measures, roman_numerals
from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers, roman
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
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre"),
    *("octobre", "novembre", "décembre"),
)
_HOUR = Counted("heure", "heures", feminine=True)
_FEMININE_NOUN = (
    r"(?:\w+(?:tion|tions|sion|sions|té|tés|ette|ettes|ance|ances|ence|ences|ure|ures)|"
    r"personnes?|femmes?|filles?|heures?|minutes?|secondes?|années?|semaines?|nuits?|fois|pages?|"
    r"places?|villes?|équipes?|voitures?|maisons?|livres sterling|tonnes?|victoires?|médailles?|"
    r"mains?|choses?|langues?|parties?|journées?|chansons?|dames?|étoiles?)"
)

_KINGS = (
    *("Albert", "Alexandre", "Alphonse", "Auguste", "Baudouin", "Benoît", "Boniface", "Charles"),
    *("Clément", "Clovis", "Édouard", "Ferdinand", "François", "Frédéric", "George", "Georges"),
    *("Grégoire", "Guillaume", "Gustave", "Henri", "Innocent", "Jacques", "Jean", "Jules", "Léon"),
    *("Léopold", "Louis", "Napoléon", "Nicolas", "Othon", "Paul", "Philippe", "Pie", "Pierre"),
    *("Ramsès", "Richard", "Sixte", "Urbain", "Victor"),
    *("Anne", "Catherine", "Cléopâtre", "Élisabeth", "Elizabeth", "Isabelle", "Marguerite"),
)
_BIBLE = Bible(
    books="""
    Genèse Exode Lévitique Nombres Deutéronome Josué Juges Ruth Esdras Néhémie Esther Job Psaumes
    Psaume Proverbes Ecclésiaste Cantique Ésaïe Esaïe Isaïe Jérémie Lamentations Ézéchiel Daniel
    Osée Joël Amos Abdias Jonas Michée Nahum Habacuc Sophonie Aggée Zacharie Malachie Matthieu Marc
    Luc Actes Romains Galates Éphésiens Philippiens Colossiens Tite Philémon Hébreux Jacques Jude
    Apocalypse
    """,
    histories="Samuel Rois Chroniques Maccabées",
    letters="Corinthiens Thessaloniciens Timothée Pierre Jean",
    of_histories=("Premier", "Deuxième"),
    of_letters=("Première", "Deuxième", "Troisième"),
    sure="Chroniques Maccabées Corinthiens Thessaloniciens",
)
# Before a one that is followed by these, nothing is elided: it counts nothing, or is an ordinal, or
# goes without saying.
_NOT_ELIDED = r"(?!\s?(?:à|et|ou|sur|er\b|re\b|ère\b|e\b)|(?<=1)[kK]\b)"
# Behind a number, these are no noun that it counts.
_NO_NOUN = (
    r"de|du|des|d|et|ou|à|au|aux|en|par|pour|avec|que|qui|est|sont|ne|ni|sans|se|sur|plus|moins|"
    r"comme|si|le|la|les|dans|chez|vers|ce|ces|aujourd|hier|déjà|était"
)
_DAYS = {
    short: day
    for one, day in pairs(
        "lun = lundi | mar = mardi | mer = mercredi | jeu = jeudi | ven = vendredi"
        " | sam = samedi | dim = dimanche"
    )
    for short in (one, one.capitalize())
}
_MINUTE = Counted("minute", "minutes", feminine=True)
_SECOND = Counted("seconde", "secondes", feminine=True)
# What recipes, clocks and tournaments halve, besides units.
_HALVED = {
    noun.one: noun
    for one, feminine in (
        *((one, True) for one in ("tasse", "cuillère", "cuillerée", "bouteille", "douzaine")),
        *((one, True) for one in ("journée", "finale", "année", "livre", "pomme", "page", "tonne")),
        *((one, True) for one in ("tranche", "portion", "gousse", "dose", "pinte", "mesure")),
        *((one, False) for one in ("verre", "citron", "siècle", "sachet", "oignon", "pot", "bol")),
        *((one, False) for one in ("paquet", "tour", "point", "poulet", "mètre", "concombre")),
    )
    for noun in (Counted(one, f"{one}s", feminine),)
}
# Behind these, a half has no article of its own.
_DETERMINER = re.compile(r"\b(?:[Ll][ae]s?|[Uu]ne?|[Dd]es|cet(?:te)?|ce|[Cc]haque|[Ee]n|[msn]a) $")


def _feminine(words: str) -> str:
    return re.sub(r"(?<![\w-])un$|(?<=-)un$", "une", words)


def _counted(number: str, noun: str) -> str:
    """`un million d'euros`; `mille` alone is a thousand."""
    if noun == "mille" and number == "un":
        return noun
    if re.search(r"(?:illion|illiard)s?$", number):
        return f"{number} {_of(noun)}"
    return f"{number} {noun}"


def _of(noun: str) -> str:
    return f"d'{noun}" if noun[0] in "aeiouéhy" else f"de {noun}"


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    """`1er`, `1re`, `2e`, `3èmes`."""
    return _nth(int(found[1]), found[2], numbers)


def _roman_ordinal(found: re.Match[str], numbers: Numbers) -> str:
    """`XXe`, `Ier`, `IIe`."""
    return _nth(roman(found[1]), found[2], numbers)


def _nth(number: int, ending: str, numbers: Numbers) -> str:
    one = ending.rstrip("s")
    if one in ("nd", "nde"):
        said = "second" + one[2:]
    else:
        said = numbers.ordinal(number, feminine=one in ("re", "ère"))
    return said + "s" * (ending != one)


def _king(number: int, numbers: Numbers) -> str:
    """`Charles I` is the first, `Charles V` five."""
    return "premier" if number == 1 else numbers.cardinal(number)


def _day(numbers: Numbers, day: int) -> str:
    return "premier" if day == 1 else numbers.cardinal(day)


_DATE = day_month_year(_day, _MONTHS)


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = numbers.amount(str(hour), _HOUR)
    return f"{said} {numbers.cardinal(minute)}" if minute else said


def _part(upper: int, lower: int, numbers: Numbers) -> str:
    name = {2: "demi", 3: "tiers", 4: "quart"}.get(lower) or numbers.ordinal(lower)
    plural = "s" * (upper > 1 and not name.endswith("s"))
    return f"{numbers.cardinal(upper)} {name}{plural}"


def _noun(word: str, numbers: Numbers) -> Counted | None:
    return measures.of_units(word, numbers) or _HALVED.get(re.sub("s$", "", word))


def _parts(found: re.Match[str], noun: Counted, numbers: Numbers) -> str:
    """`une demi-tasse`, `deux heures et demie`, `trois quarts de tasse`."""
    whole = numbers.amount(found["whole"], noun) if found["whole"] else ""
    if (found["upper"], found["lower"]) == ("1", "2"):
        if whole:
            return f"{whole} et {'demie' if noun.feminine else 'demi'}"
        told = _DETERMINER.search(found.string, max(0, found.start() - 8), found.start())
        one = "" if told else "une " if noun.feminine else "un "
        return f"{one}demi-{noun.one}"
    part = _part(int(found["upper"]), int(found["lower"]), numbers)
    return f"{whole} et {part}" if whole else f"{part} {_of(noun.one)}"


_READING = Reading(
    numerals="fr",
    decimal_mark=",",
    grouping_marks=".",
    point="virgule",
    minus="moins",
    plus="plus",
    also="et",
    up_to="à",
    per="par",
    dot="point",
    at="arobase",
    slash="barre oblique",
    dash="tiret",
    underscore="tiret bas",
    hashtag="dièse",
    number_sign="numéro",
    feminine=_feminine,
    feminine_ordinal=lambda words: re.sub(r"\bpremier$", "première", words),
    feminine_noun=_FEMININE_NOUN,
    counted=_counted,
    joined_decimals=True,
    singular_below=2.0,
    units=(
        Unit(("%",), Counted("pour cent", "pour cent")),
        Unit(("°C", "ºC", "°"), Counted("degré", "degrés")),
        Unit(("km/h",), Counted("kilomètre heure", "kilomètres heure")),
        Unit(("m²", "m2"), Counted("mètre carré", "mètres carrés")),
        Unit(("km",), Counted("kilomètre", "kilomètres")),
        Unit(("cm",), Counted("centimètre", "centimètres")),
        Unit(("mm",), Counted("millimètre", "millimètres")),
        Unit(("m",), Counted("mètre", "mètres")),
        Unit(("kg",), Counted("kilo", "kilos")),
        Unit(("g",), Counted("gramme", "grammes")),
        Unit(("l", "L"), Counted("litre", "litres")),
        Unit(("ml",), Counted("millilitre", "millilitres")),
        Unit(("Go",), Counted("giga", "gigas")),
        Unit(("Mo",), Counted("méga", "mégas")),
        Unit(("h",), _HOUR),
        Unit(("min",), _MINUTE),
        Unit(("s",), _SECOND),
    ),
    currencies=(
        Currency(("€", "EUR"), Counted("euro", "euros"), Counted("centime", "centimes")),
        Currency(("US$", "USD", "$"), Counted("dollar", "dollars"), Counted("cent", "cents")),
        Currency(
            ("£", "GBP"), Counted("livre", "livres", feminine=True), Counted("penny", "pence")
        ),
        Currency(
            ("CHF",), Counted("franc suisse", "francs suisses"), Counted("centime", "centimes")
        ),
    ),
    scales=(
        *((one, Counted("mille", "mille")) for one in ("mille", "k", "K")),
        *((one, Counted("million", "millions")) for one in ("million", "millions", "M")),
        *((one, Counted("milliard", "milliards")) for one in ("milliard", "milliards", "Md")),
    ),
    large=r"[kKM]",
    no_noun=_NO_NOUN,
    signs=pairs(
        """
        & = et | + = plus | = = égale | @ = arobase | × = fois | ° = degrés | / =
        < = inférieur à | > = supérieur à | ≤ = inférieur ou égal à
        ≥ = supérieur ou égal à | ≠ = différent de
        """
    ),
    abbreviations=pairs(
        """
        M. = monsieur | Mme = madame | Mlle = mademoiselle | MM. = messieurs | Mmes = mesdames
        Dr = docteur | Dr. = docteur | Me = maître | Pr = professeur | St = Saint | Ste = Sainte
        av. = avenue | bd = boulevard | p. = page | pp. = pages | tél. = téléphone
        etc. = et cetera | p. ex. = par exemple | c.-à-d. = c'est-à-dire
        av. J.-C. = avant Jésus-Christ | apr. J.-C. = après Jésus-Christ | env. = environ
        vs = contre | chap. = chapitre | art. = article | vol. = volume | n° = numéro
        N° = numéro | nº = numéro
        """
    ),
    rules=(
        telephone(
            r"(?<![\w.,-])0\d(?:[ .]\d\d){4}\b|"
            r"(?<![\w.,-])0 ?[89]\d\d \d{3} \d{3}\b"
        ),
        SHORT_YEARS,
        grouped_by_spaces(),
        versions(r"[Vv]ersions?|[Mm]ise à jour"),
        *weekdays(_DAYS, "à|au|et|ou", r"(?!)", "à"),
        *numeric_dates(_DATE),
        short_dates(rf"[Ll]e{NO_PART}|[Dd]u(?=\s\d\d?/\d\d?\sau\s)", "à|au|et|ou", _DATE),
        written_dates(_day, _MONTHS, "er"),
        *_BIBLE.rules(),
        Rule(
            rf"\b([DdQq]u?)e\s(?=[$€£]?1(?:[.,]\d\d?)?{_NOT_ELIDED}\s?[^\W\d_]|"
            r"[$€£]?1(?:[.,]\d\d?)?\s?[$€£%°]|1(?:[. ]?000){2,3}(?![\d.]))",
            lambda found, numbers: f"{found[1]}'",
        ),
        *measures.durations(_HOUR, _MINUTE, _SECOND),
        raced(_MINUTE, "et"),
        measures.named_currencies({"euros": "€", "dollars": "$", "livres": "£"}),
        clock(r"\s?h\s?|:", _time),
        Rule(r"(?<![\d.,])(\d{1,3})(ers?|[èe]res?|res?|es?|[èe]mes?|nde?s?)\b", _ordinal),
        Rule(
            rf"\b({roman_numerals.SMALL_NUMERAL})"
            r"((?<=\bI)(?:er|re|ère)s?|(?<=\bII)nde?|e|ème|ᵉ)(?!\w)",
            _roman_ordinal,
        ),
        roman_numerals.behind(
            r"(?:[Cc]hapitres?|[Cc]hap\.|[Aa]ctes?|[Tt]omes?|[Vv]olume|[Tt]itre|[Ll]ivre|[Aa]rticle|"
            r"[Pp]artie|[Ss]ection|[Pp]hase|[Nn]iveau|[Tt]ype|[Gg]roupe|[Aa]nnexe|[Éé]pisode|[Cc]lasse|"
            r"Super Bowl)"
        ),
        roman_numerals.of_rulers(_KINGS, _king),
        roman_numerals.alone(),
        out_of("sur", r"d(?:es?|u)"),
        measures.parts(_noun, _parts),
        fractions("demi", _part, "et"),
        inches(Counted("pouce", "pouces")),
        Rule(r"\b[nN][°º]\s?(?=\d)", lambda found, numbers: "numéro "),
    ),
    acronyms=(
        *("UNESCO", "UNICEF", "OTAN", "ONU", "FIFA", "UEFA", "NASA", "SIDA", "COVID", "SMIC"),
        *("RAM", "VAR", "PIN", "GIF", "SIM", "LAN", "OVNI", "INSEE", "FNAC", "OPEP", "PACS"),
        *("CNIL", "ENA", "URSSAF", "CROUS", "SARS", "BAC", "CAF"),
    ),
    spelled=("USA", "PDG", "ADN", "UE", "IA"),
    speakable=CONSONANT_AND_VOWEL,
    cues=(
        r"rires?|rit|rient|applaudissements?|musique(?: de fond)?|soupirs?|soupire|tousse|pleurs|"
        r"cris|inaudible|inintelligible|silence|chuchote|pause"
    ),
    shouted=(
        *("non", "oui", "but", "le", "la", "les", "de", "des", "et", "est", "que", "tout", "très"),
        *("allez", "vive", "merci", "un", "une", "pour", "ce", "ça", "on", "nous", "vous", "je"),
    ),
)

LANGUAGE = Language(
    tag="fr",
    name="French",
    varieties=(Variety("fr-FR", espeak="fr-fr"),),
    aliases=("fr-CA", "fr-BE", "fr-CH"),
    reading=_READING,
    abbreviations=("M.", "MM.", "Dr.", "av.", "env.", "p. ex.", "ex.", "J.-C.", "c.-à-d."),
    before_small=("etc.",),
    before_figures=(
        *("p.", "pp.", "art.", "chap.", "vol.", "tél."),
        *(f"{short}." for short in _DAYS),
    ),
    starters=(
        *("je", "tu", "il", "elle", "ils", "elles", "nous", "vous", "on", "le", "la", "les", "un"),
        *("une", "des", "ce", "cette", "ces", "cela", "c'est", "mais", "et", "donc", "si", "quand"),
        *("comme", "après", "avant", "parce", "maintenant", "qui", "que", "où", "comment", "non"),
        *("oui", "en", "dans", "pour", "avec", "aussi", "aujourd'hui", "hier", "demain", "tous"),
    ),
    conjunctions=("et", "mais", "parce que", "quand", "pendant que", "bien que"),
    subordinators=("qui", "que", "parce que", "car", "où", "puisque", "alors que", "bien que"),
    markers=(
        *("bon", "ben", "eh bien", "alors", "voilà", "tu sais", "vous savez", "en fait", "enfin"),
        *("bien sûr", "d'ailleurs", "c'est-à-dire", "disons", "tu vois", "vous voyez", "écoutez"),
    ),
    fillers=("euh", "hein", "vraiment", "simplement"),
    negations=(
        *("non", "pas", "ne", r"n['’]\w+", "jamais", "rien", "personne", "aucune?", "ni", "sans"),
    ),
    numbers=(
        *("une?", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze"),
        *("douze", "treize", "quatorze", "quinze", "seize", "vingts?", "trente", "quarante"),
        *(
            "cinquante",
            "soixante",
            r"quatre-vingt\S*",
            "cents?",
            "mille",
            "millions?",
            "milliards?",
        ),
        *("demie?", "moitié", "premi(?:er|ère)", "second", "seconde", r"\w+ième"),
    ),
)
