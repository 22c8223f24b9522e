"""How German writes numbers, dates, times and names, and how they are inflected."""

from __future__ import annotations

import re

from dubcast.languages import measures, roman_numerals
from dubcast.languages.german_nouns import gender
from dubcast.languages.numbers import Numbers, roman
from dubcast.languages.reading import Counted, Rule, pairs
from dubcast.languages.rules import (
    SHORT_YEARS,
    clock,
    end_of_sentence,
    fractions,
    grouped_by_spaces,
    inches,
    numeric_dates,
    out_of,
    raced,
    short_codes,
    telephone,
    versions,
    weekdays,
)
from dubcast.languages.scripture import Bible

_MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September"),
    *("Oktober", "November", "Dezember"),
)
# Behind these an ordinal ends in -n: am ersten, zum zweiten, in einem dritten.
_INFLECTING = ("am", "vom", "zum", "im", "beim", "ab", "bis", "seit", "dem", "den", "des", "zur")
_INFLECTED = re.compile(r"(?:[mdsk]?ein|ihr|unser|eur|dies|jed|welch)e[mn]|(?:[mdsk]?ein)e[rs]")
# Behind these it says the gender of the noun itself, as it does behind nothing.
_BARE_ARTICLE = re.compile(r"[mdsk]?ein|ihr|unser|euer")
_ARTICLE = re.compile(r"der|die|das|(?:[mdsk]?ein|ihr|unser|eur|dies|jed|welch|all)e[rs]?")
_STRONG = {"masculine": "r", "neuter": "s", "feminine": "", None: ""}
_DATIVE = ("aus", "bei", "gegenüber", "in", "mit", "nach", "seit", "unter", "von", "vor", "zu")
_ACCUSATIVE = ("durch", "für", "gegen", "ohne", "um")
_ONE = {
    "dative": {"masculine": "einem", "neuter": "einem", "feminine": "einer", None: "einem"},
    "accusative": {"masculine": "einen", "neuter": "ein", "feminine": "eine", None: "ein"},
    "": {"masculine": "ein", "neuter": "ein", "feminine": "eine", None: "ein"},
}
_HALF = {"masculine": "ein halber", "neuter": "ein halbes", "feminine": "eine halbe"}
# A number behind these counts nothing: Gruppe 1.
_NUMBERED = re.compile(
    r"(?:Nummer|Gruppe|Platz|Kapitel|Liga|Seite|Teil|Band|Tag|Gleis|Zimmer|Version|Stufe|Typ|Phase|"
    r"Formel|Klasse|Runde|Level|Position|Bundesliga|Folge|Staffel|Artikel|Absatz)"
)
_KINGS = (
    *("Adolf", "Albert", "Albrecht", "Alexander", "Alfons", "Alfonso", "August", "Benedikt"),
    *("Bonifatius", "Carl", "Carlos", "Charles", "Christian", "Eduard", "Felipe", "Ferdinand"),
    *("Franz", "Franziskus", "Friedrich", "Georg", "Gregor", "Gustav", "Harald", "Heinrich"),
    *("Innozenz", "Jakob", "Johann", "Johannes", "Josef", "Joseph", "Julius", "Karl", "Klemens"),
    *("Konrad", "Leo", "Leopold", "Ludwig", "Maximilian", "Napoleon", "Nikolaus", "Otto", "Paul"),
    *("Peter", "Philipp", "Pius", "Ramses", "Richard", "Rudolf", "Sixtus", "Urban", "Wilhelm"),
    *("Emanuel", "Juan"),
)
_QUEENS = ("Anna", "Elisabeth", "Elizabeth", "Isabella", "Katharina", "Kleopatra", "Margrethe")
_BIBLE = Bible(
    books="""
    Genesis Exodus Levitikus Numeri Deuteronomium Josua Richter Rut Ruth Esra Nehemia Ester Hiob
    Psalmen Psalm Sprüche Prediger Hoheslied Jesaja Jeremia Klagelieder Hesekiel Ezechiel Daniel
    Hosea Joel Amos Obadja Jona Micha Nahum Habakuk Zefanja Haggai Sacharja Maleachi Matthäus
    Markus Lukas Johannesevangelium Apostelgeschichte Römer Römerbrief Galater Epheser Philipper
    Kolosser Titus Philemon Hebräer Hebräerbrief Jakobus Judas Offenbarung
    """,
    histories="Mose Samuel Könige Chronik Makkabäer",
    letters="Korinther Thessalonicher Timotheus Petrus Johannes",
    of_histories=("Erste", "Zweite", "Dritte", "Vierte", "Fünfte"),
    of_letters=("Erster", "Zweiter", "Dritter"),
    sure="Mose Chronik Makkabäer Korinther Thessalonicher",
)
HOUR = Counted("Stunde", "Stunden", feminine=True)
MINUTE = Counted("Minute", "Minuten", feminine=True)
SECOND = Counted("Sekunde", "Sekunden", feminine=True)


_DAYS = dict(
    pairs(
        "Mo = Montag | Di = Dienstag | Mi = Mittwoch | Do = Donnerstag | Fr = Freitag"
        " | Sa = Samstag | So = Sonntag"
    )
)


def before_noun(words: str) -> str:
    """`eins` is `ein` before what it counts."""
    return re.sub(r"eins$", "ein", words)


def feminine(words: str) -> str:
    return re.sub(r"^eins$", "eine", words)


def counted(number: str, noun: str) -> str:
    """`ein Euro`; `250k` is one word: `zweihundertfünfzigtausend`."""
    joint = "" if noun == "tausend" and "Komma" not in number else " "
    return f"{before_noun(number)}{joint}{noun}"


def mended(words: str) -> str:
    """`tausend` and `hundert`, where a one goes without saying."""
    return re.sub(r"^ein(?=tausend|hundert)", "", words)


def _word_before(found: re.Match[str], skipped: str = "") -> str:
    """The last word before what was found, without what may be skipped between."""
    near = found.string[max(0, found.start() - 60) : found.start()]
    before = re.search(rf"(\w+) {skipped}$", near)
    return before[1].lower() if before else ""


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    """`am 24. Dezember`: vierundzwanzigsten; `der 1. Platz`: erste; `ein 1. Schritt`: erster."""
    said = numbers.ordinal(int(found[1]))
    before = _word_before(found, r"(?:\d{1,3}\.,?(?: und| oder| bis)? ){0,3}")
    noun = re.match(r" (?:[a-zäöüß]+ )?([A-ZÄÖÜ]\w*)", found.string[found.end() :][:40])
    counted = gender(noun[1]) if noun else None
    if before in _INFLECTING or _INFLECTED.fullmatch(before):
        return f"{said}n"
    if before == "der" and (counted == "feminine" or _word_before(found, "der ") in _DATIVE):
        return f"{said}n"
    if _BARE_ARTICLE.fullmatch(before):
        return said + (_STRONG[counted] or "r")
    return said if _ARTICLE.fullmatch(before) else said + _STRONG[counted]


def _ruler(found: re.Match[str], numbers: Numbers) -> str:
    """`Ludwig XIV.`: der Vierzehnte; `unter Karl V.`: dem Fünften; `Ludwigs XIV.`: des."""
    nth = numbers.ordinal(roman(found["numeral"])).capitalize()
    before = _word_before(found, r"(?:[A-ZÄÖÜ][\w-]+ )*")
    queen = found["name"] in _QUEENS
    if found["genitive"]:
        said = f"{'der' if queen else 'des'} {nth}n"
    elif before in _DATIVE:
        said = f"{'der' if queen else 'dem'} {nth}n"
    elif before in _ACCUSATIVE:
        said = f"die {nth}" if queen else f"den {nth}n"
    else:
        said = f"{'die' if queen else 'der'} {nth}"
    return f"{found['name']}{found['genitive']} {said}{end_of_sentence(found)}"


def _roman_ordinal(found: re.Match[str], numbers: Numbers) -> str:
    """`XX. Jahrhundert`, in figures; a single letter is an initial, but behind an article."""
    before = _word_before(found)
    is_numeral = len(found[1]) > 1 or before in _INFLECTING or _ARTICLE.fullmatch(before)
    return f"{roman(found[1])}." if is_numeral else found[0]


def _street(found: re.Match[str], numbers: Numbers) -> str:
    """`Hauptstr. 7`."""
    return f"{found['name']}straße{end_of_sentence(found)}"


def _date(day: int, month: int, year: int | None, numbers: Numbers) -> str:
    said = f"{numbers.ordinal(day)}r {_MONTHS[month - 1]}"
    return f"{said} {numbers.year(year)}" if year else said


def _date_behind(found: re.Match[str], numbers: Numbers) -> str:
    """`am 24.12.1990`: am vierundzwanzigsten zwölften neunzehnhundertneunzig."""
    day, month = (numbers.ordinal(int(found[name])) + "n" for name in ("day", "month"))
    year = f" {numbers.year(int(found['year']))}" if found["year"] else ""
    return f"{found['before']} {day} {month}{year}"


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = f"{before_noun(numbers.cardinal(hour))} Uhr"
    return f"{said} {numbers.cardinal(minute)}" if minute else said


def _hour(found: re.Match[str], numbers: Numbers) -> str:
    return _time(int(found[1]), 0, numbers)


def _part(upper: int, lower: int, numbers: Numbers) -> str:
    number = before_noun(numbers.cardinal(upper))
    if lower == 2:
        return f"{number} halbe" if upper > 1 else "ein halb"
    return f"{number} {re.sub('s?te$', 'tel', numbers.ordinal(lower)).capitalize()}"


def _noun(word: str, numbers: Numbers) -> Counted | None:
    unit = measures.of_units(word, numbers)
    return unit or (Counted(word, word) if word[0].isupper() else None)


def _parts(found: re.Match[str], noun: Counted, numbers: Numbers) -> str:
    """`eine halbe Tasse`, `eineinhalb Tassen`."""
    if (found["upper"], found["lower"]) != ("1", "2"):
        also = f"{numbers.reading.also} "
        whole = f"{numbers.cardinal(int(found['whole']))} {also}" if found["whole"] else ""
        return f"{whole}{_part(int(found['upper']), int(found['lower']), numbers)} {noun.one}"
    if found["whole"]:
        return f"{_halves(int(found['whole']), numbers)} {noun.many}"
    counted = gender(noun.one)
    if counted == "feminine" and _word_before(found) in ("eine", "die", "jede", "diese"):
        return f"halbe {noun.one}"
    return f"{_HALF.get(counted or '', 'ein halb')} {noun.one}"


def _halves(whole: int, numbers: Numbers) -> str:
    return f"{before_noun(numbers.cardinal(whole))}einhalb"


def _decade(found: re.Match[str], numbers: Numbers) -> str:
    """`die 90er`, `der 1990er`."""
    number = int(found[1])
    said = numbers.year(number) if number > 100 else numbers.cardinal(number)
    return f"{said}er"


def _one(found: re.Match[str], numbers: Numbers) -> str:
    """`1 Frage`: eine; `mit 1 Tor`: einem; but `Gruppe 1`."""
    before = re.search(r"(\w+) $", found.string[max(0, found.start() - 40) : found.start()])
    word = before[1] if before else ""
    if _NUMBERED.fullmatch(word):
        return "eins"
    case = "dative" if word.lower() in _DATIVE else ""
    case = "accusative" if word.lower() in _ACCUSATIVE else case
    return _ONE[case][gender(found["noun"])]


def _large(found: re.Match[str], numbers: Numbers) -> str:
    return {"Mio": "eine Million", "Mrd": "eine Milliarde"}[found[1]]


def _score(found: re.Match[str], numbers: Numbers) -> str:
    return f"{numbers.cardinal(int(found[1]))} zu {numbers.cardinal(int(found[2]))}"


def _years(found: re.Match[str], numbers: Numbers) -> str:
    """`1914-1918`, `1914-18`."""
    last = found[2] if len(found[2]) == 4 else found[1][:2] + found[2]
    return f"{numbers.year(int(found[1]))} bis {numbers.year(int(last))}"


def _race_minutes(found: re.Match[str], minutes: str) -> str:
    """`in 1:23,45`: in einer Minute."""
    dative = minutes.startswith("eine ") and _word_before(found) in _DATIVE
    return minutes.replace("eine", "einer", 1) if dative else minutes


def _year(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.year(int(found[0]))


RULES = (
    telephone(
        r"(?<![\w.,-])0\d{2,4}[ /-]\d{2,4}(?:[ -]?\d{2,5}){1,3}\b|"
        r"\(0\d{2,4}\)\s?\d{3,8}(?: \d{2,5}){0,3}\b"
    ),
    SHORT_YEARS,
    grouped_by_spaces(),
    versions(r"[Vv]ersion(?:en)?|[Uu]pdate"),
    *weekdays(_DAYS, "bis|und|oder", r"(?!)", "bis"),
    Rule(
        rf"\b(?P<before>{'|'.join(_INFLECTING)}) (?P<day>0?[1-9]|[12]\d|3[01])\."
        r"\s?(?P<month>0?[1-9]|1[0-2])\.\s?(?P<year>\d{4})?(?!\d)",
        _date_behind,
    ),
    *numeric_dates(_date),
    *_BIBLE.rules(),
    *measures.durations(HOUR, MINUTE, SECOND),
    raced(MINUTE, "und", _race_minutes),
    measures.named_currencies({"Euro": "€", "Dollar": "$", "Pfund": "£", "Franken": "CHF"}),
    clock(r":|\.(?=[0-5]\d Uhr\b)", _time, r"(?: Uhr\b)?"),
    Rule(
        r"(?<=\b[Uu]m )(\d\d?)\.([0-5]\d)(?![\d.]\d|\d)(?=[\s,.!?]|$)",
        lambda found, numbers: _time(int(found[1]), int(found[2]), numbers),
    ),
    Rule(r"\bS\.\s?(?=\d)", lambda found, numbers: "Seite "),
    Rule(r"(?P<name>\b[A-ZÄÖÜ][a-zäöüß]{1,30}(?:-[A-ZÄÖÜ][a-zäöüß]{1,30})?-?)str\.", _street),
    Rule(
        rf"\b(?P<name>{'|'.join((*_KINGS, *_QUEENS))})(?P<genitive>s?)\s"
        rf"(?!{roman_numerals.INITIAL})(?P<numeral>{roman_numerals.SMALL_NUMERAL})\.?(?![\w-])",
        _ruler,
    ),
    Rule(
        rf"(?<![\w-])({roman_numerals.SMALL_NUMERAL})\.(?=\s[A-ZÄÖÜa-zäöü])",
        _roman_ordinal,
    ),
    roman_numerals.behind(
        r"(?:Kapiteln?|Akt|Band|Teil|Buch|Titel|Artikel|Phase|Typ|Stufe|Klasse|Gruppe|Abschnitt|"
        r"Anhang|Ebene|Szene|Folge|Episode|Super Bowl|Hartz)"
    ),
    roman_numerals.alone(),
    Rule(
        r"(?<![\d.,:/-])(\d\d?)\s?[-–]\s?(?=(?:[01]?\d|2[0-4]) Uhr\b)",
        lambda found, numbers: f"{found[1]} {numbers.reading.up_to} ",
    ),
    Rule(r"\b([01]?\d|2[0-4]) Uhr\b", _hour),
    Rule(r"\b([1-9]0|1[0-9]\d0)er\b", _decade),
    Rule(r"(?<![\d.,])(\d{1,3})\.(?=\s[A-Za-zÄÖÜäöü])", _ordinal),
    short_codes(
        r"(?:[Ww]ähl(?:en Sie|e|t)|[Rr]uf(?:en Sie|e|t))(?:\sdie)?|[Nn]otruf|[Dd]ie Nummer",
        "oder|und",
        "an|wenn|bei|für|und|oder|jetzt|sofort",
    ),
    out_of("von", r"de[rs]|von"),
    measures.parts(_noun, _parts),
    Rule(r"(?<![\d:.,])(\d{1,2}):(\d)(?![\d:])", _score),
    Rule(r"(?<![\d.,])1 (Mio|Mrd)\b\.?(?! ?[€$£])", _large),
    fractions("ein halb", _part, "und"),
    inches(Counted("Zoll", "Zoll")),
)
LATE_RULES = (
    Rule(r"(?<![\d.,:/-])1(?=\s(?P<noun>[A-ZÄÖÜ][a-zäöüß]+)\b)", _one),
    Rule(r"(?<![\d.,/$-])(1[1-9]\d\d)\s?[-–]\s?((?:1[1-9]|20)\d\d|\d\d)(?![\d/-]|[.,]\d)", _years),
    Rule(r"(?<![\d.,/$-])1[1-9]\d\d(?![\d/-]|[.,]\d|\s[A-ZÄÖÜ€])\b", _year),
)
