"""How English writes what is neither a date nor a time."""

from __future__ import annotations

import re

from dubcast.languages import formulas, roman_numerals
from dubcast.languages.numbers import Numbers, roman
from dubcast.languages.reading import Counted, Rule
from dubcast.languages.rules import inches, out_of, short_codes
from dubcast.languages.scripture import Bible
from dubcast.languages.written import en_times

_ROMAN = r"[IVXL]+"
_BIBLE = Bible(
    books="""
    Genesis:Gen:Gn Exodus:Ex:Exod Leviticus:Lev Numbers:Num Deuteronomy:Deut:Dt Joshua:Josh
    Judges:Judg Ruth Ezra Nehemiah:Neh Esther:Esth Job Psalms:Pss Psalm:Ps:Psa Proverbs:Prov
    Ecclesiastes:Eccl:Eccles Song_of_Songs Song_of_Solomon Isaiah:Isa Jeremiah:Jer Lamentations:Lam
    Ezekiel:Ezek Daniel:Dan Hosea:Hos Joel Amos Obadiah:Obad Jonah Micah:Mic Nahum:Nah
    Habakkuk:Hab Zephaniah:Zeph Haggai:Hag Zechariah:Zech Malachi:Mal Matthew:Matt:Mt Mark:Mk
    Luke:Lk Acts Romans:Rom Galatians:Gal Ephesians:Eph Philippians:Phil Colossians:Col Titus:Tit
    Philemon:Philem Hebrews:Heb James:Jas Jude Revelation:Rev
    """,
    histories="Samuel:Sam Kings:Kgs Chronicles:Chron:Chr",
    letters="Corinthians:Cor Thessalonians:Thess Timothy:Tim Peter:Pet John:Jn",
    of_histories=("First", "Second"),
    of_letters=("First", "Second", "Third"),
    joint=" ",
    marks=":",
    chapters="Ps Psa Rom Isa Jer Prov Heb Eph Deut Exod Lev Eccl Ezek Zech",
)
_SIZE = r"\d{1,6}(?:\.\d{1,3})?"
# What follows a size and is no noun of that size.
_NO_NOUN = (
    r"and|or|is|was|are|wide|long|tall|high|deep|thick|in|of|from|to|at|on|with|for|but|away|"
    r"apart|each|than|per|when|that|which|it|he|she"
)
_MEASURED = re.compile(rf"\.?\s(?!(?:{_NO_NOUN})\b)[a-z]{{3}}")
_BEFORE_YEAR = {"c": "circa", "ca": "circa", "b": "born", "d": "died"}


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.ordinal(int(found[1].replace(",", "")))


def _telephone(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.dialled(re.findall(r"\d+", found[0]))


def _emergency(found: re.Match[str], numbers: Numbers) -> str:
    """`911`, `9-1-1`."""
    return numbers.dialled([found[0].replace("-", "")])


def _toll_free(found: re.Match[str], numbers: Numbers) -> str:
    rest = numbers.dialled(found["rest"].replace("-", " ").split())
    return f"one, {numbers.cardinal(int(found['free']))}, {rest}"


def _fraction(found: re.Match[str], numbers: Numbers) -> str:
    upper, lower = int(found["upper"]), int(found["lower"])
    part = {2: "half" if upper == 1 else "halves", 4: "quarter"}.get(lower, numbers.ordinal(lower))
    part += "s" if upper > 1 and lower != 2 else ""
    said = f"{numbers.cardinal(upper)} {part}"
    return f"{numbers.cardinal(int(found['whole']))} and {said}" if found["whole"] else said


def _height(found: re.Match[str], numbers: Numbers) -> str:
    """`6'2"`, `6 ft. 2 in.`"""
    feet = numbers.amount(found["feet"], Counted("foot", "feet"))
    return f"{feet} {numbers.cardinal(int(found['inches']))}"


def _pair(found: re.Match[str], numbers: Numbers) -> str:
    return " ".join(numbers.cardinal(int(one)) for one in found.groups() if one)


def _lines(found: re.Match[str], numbers: Numbers) -> str:
    """`1080p`: ten eighty p."""
    return f"{numbers.year(int(found[1]))} p"


def _sized(found: re.Match[str], numbers: Numbers) -> str:
    """`10x12 ft`, where a noun follows in the singular: a ten by twelve foot room."""
    noun = {"ft": ("foot", "feet"), "in": ("inch", "inches")}[found["unit"]]
    measured = _MEASURED.match(found.string, found.end())
    size = re.sub(r"\s?[x×]\s?", " by ", found["size"])
    return f"{size} {noun[0 if measured else 1]}"


def _in_feet(found: re.Match[str], numbers: Numbers) -> str:
    """`10' x 12'`."""
    measured = _MEASURED.match(found.string, found.end())
    return f"{found[1]} by {found[2]} {'foot' if measured else 'feet'}"


def _times(found: re.Match[str], numbers: Numbers) -> str:
    return f"{numbers.figure(found[1])} times"


def _several(found: re.Match[str], numbers: Numbers) -> str:
    """`747s`: seven forty-sevens, as of a year; `F-16s`."""
    number = int(found[1])
    if number < 100 or number % 100 == 0:
        return " " + en_times.many(numbers.cardinal(number))
    first, last = divmod(number, 100)
    rest = numbers.cardinal(last) if last > 9 else f"oh {numbers.cardinal(last)}"
    return f" {numbers.cardinal(first)} {en_times.many(rest)}"


def _letter_behind(found: re.Match[str], numbers: Numbers) -> str:
    """`Gate 12B`, `a 5K`: no millions, no thousands."""
    return f"{found[1]} {numbers.figure(found[2])} {found[3].upper()}".lstrip()


def _ruler(found: re.Match[str], numbers: Numbers) -> str:
    return f"{found[1]} the {numbers.ordinal(roman(found[2]))}"


def _saint_or_street(found: re.Match[str], _: Numbers) -> str:
    """`Main St.` is a street, `St. Louis` a saint; behind a name and before one, a saint."""
    after = found.string[found.end() :]
    if re.match(r"\s[A-Z]", after):
        return "Saint"
    return "Street" + ("" if after.strip(' "”’') else ".")


def _doctor_or_drive(found: re.Match[str], _: Numbers) -> str:
    """`Dr. Smith`, but `12 Oak Dr.`"""
    after = found.string[found.end() :]
    return "Doctor" if re.match(r"\s[A-Z]", after) else "Drive" + "." * (not after.strip(' "”’'))


RULES = (
    *_BIBLE.rules(),
    formulas.ratios(
        r"(?:[Rr]atios?|[Oo]dds|[Ss]cale)(?:\s(?:of|is|was|are|were|at|to|about))?",
        r"ratios?|odds|scale|mix|mixture|favou?rites?|underdogs?|aspect|dilution|split",
        "to",
    ),
    *en_times.RULES,
    Rule(r"(?:(?<=[A-Z])-)?(?<![\d.,$£€])(?<!\d[-–])(?<!iPhone )(\d{1,4})s\b", _several),
    Rule(r"(?<![\d.,])(\d+(?:,\d{3})*)(?:st|nd|rd|th)\b", _ordinal),
    Rule(r"\b(24)/(7)\b|\b(50)[-/](50)\b|\b(20)/(20)(?=\s(?:vision|hindsight))", _pair),
    Rule(r"(?<![\w.])p(p?)\.\s?(?=\d)", lambda found, numbers: f"page{'s' * len(found[1])} "),
    Rule(rf"(?P<size>(?<![\w.,]){_SIZE}(?:\s?[x×]\s?{_SIZE}){{1,2}})\s?(?P<unit>ft|in)\b", _sized),
    Rule(rf"(?<![\w.,])({_SIZE})(?:['’′]\s?[x×]\s?({_SIZE}))['’′]", _in_feet),
    formulas.dimensions("by"),
    formulas.dimensions("by", "×", r"(?=\s?(?:m|cm|mm|km|yd|px)\b)"),
    Rule(r"(?<=\d)[\"”″](?=\sby\s\d)|(?<=\sby\s\d)[\"”″]", lambda found, numbers: ""),
    Rule(formulas.multiple(r"\d+(?:\.\d+)?"), _times),
    Rule(
        r"(?<=per )m²|/m²",
        lambda found, numbers: "square meter" if found[0] == "m²" else " per square meter",
    ),
    formulas.powers({"2": "squared", "3": "cubed"}, "to the power of"),
    formulas.less("minus"),
    *formulas.roots("the square root of", "the cube root of"),
    formulas.about("about"),
    Rule(r"\b(240|360|480|720|1080|1440|2160)p\b", _lines),
    Rule(r"(?<!\d)(?<!\d\s)\b[Kk][Mm]\s(?=\d)", lambda found, numbers: "kilometer "),
    Rule(
        r"\b([Gg]ate|[Rr]oom|[Aa]pt\.?|[Aa]partment|[Ff]lat|[Ss]uite|[Ss]eat|[Uu]nit|[Bb]lock|"
        r"[Ll]ine|[Bb]us|[Cc]lass|[Ss]ection|[Pp]latform|[Ff]igure|[Pp]hase|[Gg]rade|[Rr]oute)"
        r"\s(\d{1,4})([A-Z])\b",
        _letter_behind,
    ),
    # Runs, and how fine a picture is.
    Rule(
        r"\b([Aa]|[Tt]he|[Mm]y|[Hh]is|[Hh]er|[Oo]ur|[Tt]his|first|local)\s(\d{1,2})([kK])\b"
        r"(?!\s[a-z]+s\b)",
        _letter_behind,
    ),
    Rule(
        r"()(?<![\w.,])(\d{1,2}(?:\.\d)?)([kK])(?=\s(?:runs?|races?|walks?|TVs?|videos?|screens?|monitors?|cameras?|"
        r"resolution|display|gaming|footage|UHD|HDR)\b)",
        _letter_behind,
    ),
    Rule(r"\b([Nn]os?)\.\s?(?=\d)|№\s?(?=\d)", lambda found, numbers: "number "),
    Rule(r"\b(c|ca|b|d)\.\s?(?=\d{3,4}\b)", lambda found, numbers: f"{_BEFORE_YEAR[found[1]]} "),
    Rule(r"(§§?)\s?(?=\d)", lambda found, numbers: "section" + "s" * (len(found[1]) - 1) + " "),
    Rule(
        r"(?<![\w-])\+?1[-. ](?P<free>8\d\d|900)[-. ](?P<rest>\d{3}[-. ]\d{4})\b",
        _toll_free,
    ),
    Rule(r"\+\d{1,3}(?:[-. ]\(?\d{2,4}\)?){2,5}\b|\b\d{3}\.\d{3}\.\d{4}\b", _telephone),
    Rule(r"(?<![\w-])(?:\+\d{1,3}[-. ])?(?:\(\d{2,3}\)\s?|\d{3}[-.])?\d{3}-\d{4}\b", _telephone),
    short_codes(
        r"(?:[Cc]all(?:ed|ing|s)?|[Dd]ial(?:l?ed|l?ing|s)?|[Rr]ing|[Tt]ext(?:ed|ing)?)"
        r"(?:\s(?:us|me|them|or\stext|\w{1,12}\sto))?(?:\s(?:at|on|to))?",
        "or|and",
        r"now|right|today|or|and|if|for|to(?!\s\d)|in|immediately|when|before|after|from|with|at|on|"
        r"anytime|tonight|as|instead|because|until|twice|again|yesterday",
    ),
    Rule(
        r"(?<![\w$£€.,-])(?<!Porsche )(?:9-1-1|911)\b(?![.,-]?\d|\s?(?:%|[a-z]))"
        r"|(?<![\w$£€.,-])911(?=\s(?:calls?|operators?|dispatch|emergency))",
        _emergency,
    ),
    formulas.sets("to", "and", r"[Ww]on|[Ll]ost|[Ss]ets?|[Ww]on by"),
    formulas.points_of(
        "out of",
        r"HP|hp|XP|MP|health|mana|points|pts|votes|seats|stars|correct|questions|coins|lives",
    ),
    formulas.serials(),
    out_of("out of", "of"),
    Rule(r"(?<![\d/])(?:(?P<whole>\d+)\s)?(?P<upper>[1-9])/(?P<lower>[2-9]|10)\b(?!/)", _fraction),
    Rule(
        r"\b(?P<feet>\d)\s?(?:['’′]|ft\.?)\s?(?P<inches>\d\d?)\s?(?:[\"”″]|in\b\.?)",
        _height,
    ),
    inches(Counted("inch", "inches"), rf"{_NO_NOUN}|x|by|across|said|says|asked"),
    roman_numerals.behind(
        r"(?:World War|Chapter|Part|Super Bowl|Act|Section|Volume|Book|Type|Phase|Episode|Rocky|"
        r"Final Fantasy|Title|Article|Level|Class|Division|Season|Round|Stage|Appendix|Annex|"
        r"Amendment|Schedule|Clause)"
    ),
    Rule(rf"\b((?:King|Queen|Pope|Emperor|Prince)\s[A-Z][a-z]+)\s({_ROMAN})\b", _ruler),
    Rule(r"\b([A-Z][a-z]+)\s(II|III|IV|VI{1,3}|IX|X[IV]+|XX[IV]*)\b", _ruler),
    Rule(r"\bSt\.", _saint_or_street),
    Rule(r"\bDr\.", _doctor_or_drive),
)
