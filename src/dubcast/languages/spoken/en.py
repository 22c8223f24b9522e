"""English."""

from __future__ import annotations

import re

from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers, roman
from dubcast.languages.reading import Counted, Currency, Reading, Rule, Unit, pairs

_MISAKI = (
    ("ə^l", "ᵊl"),
    ("ɚ", "əɹ"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ç", "k"),
    ("ɐ", "ə"),
    ("ɬ", "l"),
)
_AMERICAN = (("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""))


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_SHORT_MONTHS = {one[:3]: one for one in _MONTHS if one != "May"} | {"Sept": "September"}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH = rf"(?P<month>(?:{'|'.join(_MONTHS)})|(?:{'|'.join(_SHORT_MONTHS)})\b\.?)"
_DAY = r"(?P<day>[12]\d|3[01]|0?[1-9])"
_YEAR = r"(?P<year>1[1-9]\d\d|20\d\d)"
_ROMAN = r"[IVXL]+"


def _month_day(month: str, day: str, numbers: Numbers) -> str:
    return f"{month} {numbers.ordinal(int(day))}"


def _date(found: re.Match[str], numbers: Numbers) -> str:
    """`Oct. 5, 1990`, and the same with the day before the month."""
    written = found["month"].rstrip(".")
    month = _SHORT_MONTHS.get(written[:4], _SHORT_MONTHS.get(written, written))
    said = _month_day(month, found["day"], numbers)
    return f"{said} {numbers.year(int(found['year']))}" if found["year"] else said


def _numeric_date(found: re.Match[str], numbers: Numbers) -> str:
    """`07/04/1990`: the month first, unless it can be none."""
    month, day = int(found["a"]), int(found["b"])
    if month > 12:
        month, day = day, month
    if month > 12:
        return found[0]
    year = int(found["year"])
    year += 0 if year > 99 else 2000 if year < 50 else 1900
    return f"{_month_day(_MONTHS[month - 1], str(day), numbers)} {numbers.year(year)}"


def _iso_date(found: re.Match[str], numbers: Numbers) -> str:
    said = _month_day(_MONTHS[int(found["month"]) - 1], found["day"], numbers)
    return f"{said} {numbers.year(int(found['year']))}"


def _month_year(found: re.Match[str], numbers: Numbers) -> str:
    return f"{_MONTHS[int(found['month']) - 1]} {numbers.year(int(found['year']))}"


def _time(found: re.Match[str], numbers: Numbers) -> str:
    """`3:30 p.m.`, `15:30`."""
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    half = numbers.letters(found["half"][0] + "m") if found["half"] else ""
    said = numbers.cardinal(hour)
    if minute:
        said += " " + (
            f"oh {numbers.cardinal(minute)}" if minute < 10 else numbers.cardinal(minute)
        )
    elif not half:
        said += " o'clock" if 1 <= hour <= 12 else " hundred"
    said += f" {half}" * bool(half)
    ends = found[0].endswith(".") and not found.string[found.end() :].strip(' "”’')
    return said + "." * ends


def _clock_with_seconds(found: re.Match[str], numbers: Numbers) -> str:
    return " ".join(numbers.figure(one.lstrip("0") or "0") for one in found[0].split(":"))


def _decade(found: re.Match[str], numbers: Numbers) -> str:
    """`1990s`, `'90s`: the ten in the plural."""
    written = found["decade"]
    said = numbers.year(int(written)) if len(written) == 4 else numbers.cardinal(int(written))
    return re.sub(r"y$", "ie", said) + ("es" if said.endswith("x") else "s")


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.ordinal(int(found[1].replace(",", "")))


def _telephone(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.dialled(re.findall(r"\d+", found[0]))


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


def _by(found: re.Match[str], numbers: Numbers) -> str:
    return f"{numbers.cardinal(int(found[1]))} by {numbers.cardinal(int(found[2]))}"


def _lines(found: re.Match[str], numbers: Numbers) -> str:
    """`1080p`: ten eighty p."""
    return f"{numbers.year(int(found[0]))} "


def _times(found: re.Match[str], numbers: Numbers) -> str:
    return f"{numbers.figure(found[1])} times"


def _counted_roman(found: re.Match[str], numbers: Numbers) -> str:
    return f"{found[1]} {numbers.cardinal(roman(found[2]))}"


def _ruler(found: re.Match[str], numbers: Numbers) -> str:
    return f"{found[1]} the {numbers.ordinal(roman(found[2]))}"


def _bare_year(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.year(int(found[0]))


def _year_range(found: re.Match[str], numbers: Numbers) -> str:
    first, last = found[1], found[2]
    last = last if len(last) == 4 else first[:2] + last
    return f"{numbers.year(int(first))} to {numbers.year(int(last))}"


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


_RULES = (
    Rule(rf"\b{_MONTH}\s(?:the\s)?{_DAY}(?:st|nd|rd|th)?\b(?!:)(?:,?\s{_YEAR}\b)?", _date),
    Rule(rf"\b{_DAY}\s{_MONTH}(?:\s{_YEAR})?\b", _date),
    Rule(r"\b(?P<a>\d\d?)/(?P<b>\d\d?)/(?P<year>\d{4}|\d\d)\b", _numeric_date),
    Rule(r"\b(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)\b", _month_year),
    Rule(r"\b(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3]\d)\b", _iso_date),
    Rule(r"\b\d{1,2}:[0-5]\d:[0-5]\d\b", _clock_with_seconds),
    Rule(
        r"\b(?P<hour>[01]?\d|2[0-4])[:h](?P<minute>[0-5]\d)(?:\s?(?P<half>[ap]\.?m\b\.?|[AP]\.?M\b\.?))?",
        _time,
    ),
    Rule(
        r"\b(?P<hour>1[0-2]|[1-9])(?P<minute>)\s?(?P<half>[ap]\.?m\b\.?|[AP]\.?M\b\.?)",
        _time,
    ),
    Rule(r"(?<![\w$£€.,])['’]?(?P<decade>(?:1[1-9]|20)?[1-9]0|[12]\d00)['’]?s\b", _decade),
    Rule(r"(?<![\d.,])(\d+(?:,\d{3})*)(?:st|nd|rd|th)\b", _ordinal),
    Rule(r"\b(24)/(7)\b|\b(50)[-/](50)\b", _pair),
    Rule(r"\b(\d+)\s?x\s?(\d+)\b", _by),
    Rule(r"\b(\d+(?:\.\d+)?)x\b", _times),
    Rule(r"\b(?:480|720|1080|1440|2160)(?=p\b)", _lines),
    Rule(r"\b([Nn]os?)\.\s?(?=\d)|№\s?(?=\d)", lambda found, numbers: "number "),
    Rule(
        r"(?<![\w-])\+?1[-. ](?P<free>8\d\d|900)[-. ](?P<rest>\d{3}[-. ]\d{4})\b",
        _toll_free,
    ),
    Rule(r"\+\d{1,3}(?:[-. ]\(?\d{2,4}\)?){2,5}\b|\b\d{3}\.\d{3}\.\d{4}\b", _telephone),
    Rule(r"(?<![\w-])(?:\+\d{1,3}[-. ])?(?:\(\d{2,3}\)\s?|\d{3}[-.])?\d{3}-\d{4}\b", _telephone),
    Rule(r"\b(?:9-?1-?1)\b(?!\s?(?:%|[a-z]))|(?<=[Cc]all )911\b", _telephone),
    Rule(r"(?<![\d/])(?:(?P<whole>\d+)\s)?(?P<upper>[1-9])/(?P<lower>[2-9]|10)\b(?!/)", _fraction),
    Rule(r"\b(?P<feet>\d)\s?(?:['’]|ft\.?)\s?(?P<inches>\d\d?)\s?(?:[\"”]|in\b\.?)", _height),
    Rule(
        r"\b(World War|Chapter|Part|Super Bowl|Act|Section|Volume|Book|Type|Phase|Episode|Rocky|"
        rf"Final Fantasy|Title|Article|Level|Class|Division|Season|Round|Stage)\s({_ROMAN})\b",
        _counted_roman,
    ),
    Rule(rf"\b((?:King|Queen|Pope|Emperor|Prince)\s[A-Z][a-z]+)\s({_ROMAN})\b", _ruler),
    Rule(r"\b([A-Z][a-z]+)\s(II|III|IV|VI{1,3}|IX|X[IV]+|XX[IV]*)\b", _ruler),
    Rule(r"\bSt\.", _saint_or_street),
    Rule(r"\bDr\.", _doctor_or_drive),
)
_LATE_RULES = (
    Rule(rf"(?<![\d.,/-]){_YEAR}\s?[-–]\s?(\d{{4}}|\d\d)\b(?![\d.,/-]\d)", _year_range),
    Rule(r"(?<![\d.,/$-])(?:1(?!000)\d{3}|20\d\d)(?![\d/-]|[.,]\d)\b", _bare_year),
)

_READING = Reading(
    numerals="en",
    decimal_mark=".",
    grouping_marks=",",
    point="point",
    minus="minus",
    plus="plus",
    also="and",
    up_to="to",
    per="per",
    dot="dot",
    at="at",
    slash="slash",
    dash="dash",
    underscore="underscore",
    hashtag="hashtag",
    number_sign="number",
    units=(
        Unit(("%",), Counted("percent", "percent")),
        Unit(("°C", "ºC", "° C"), Counted("degree Celsius", "degrees Celsius")),
        Unit(("°F", "ºF", "° F"), Counted("degree Fahrenheit", "degrees Fahrenheit")),
        Unit(("°", "º"), Counted("degree", "degrees")),
        Unit(("km/h", "kmh", "kph"), Counted("kilometer per hour", "kilometers per hour")),
        Unit(("mph",), Counted("mile per hour", "miles per hour")),
        Unit(("m/s",), Counted("meter per second", "meters per second")),
        Unit(("km²", "km2"), Counted("square kilometer", "square kilometers")),
        Unit(("m²", "m2"), Counted("square meter", "square meters")),
        Unit(("m³", "m3"), Counted("cubic meter", "cubic meters")),
        Unit(("sq ft", "sq. ft."), Counted("square foot", "square feet")),
        Unit(("km",), Counted("kilometer", "kilometers")),
        Unit(("cm",), Counted("centimeter", "centimeters")),
        Unit(("mm",), Counted("millimeter", "millimeters")),
        Unit(("m",), Counted("meter", "meters")),
        Unit(("mi",), Counted("mile", "miles")),
        Unit(("ft",), Counted("foot", "feet")),
        Unit(("yd", "yds"), Counted("yard", "yards")),
        Unit(("kg",), Counted("kilogram", "kilograms")),
        Unit(("mg",), Counted("milligram", "milligrams")),
        Unit(("g",), Counted("gram", "grams")),
        Unit(("lb", "lbs"), Counted("pound", "pounds")),
        Unit(("oz",), Counted("ounce", "ounces")),
        Unit(("ml", "mL"), Counted("milliliter", "milliliters")),
        Unit(("l", "L"), Counted("liter", "liters")),
        Unit(("gal",), Counted("gallon", "gallons")),
        Unit(("KB", "kB"), Counted("kilobyte", "kilobytes")),
        Unit(("MB",), Counted("megabyte", "megabytes")),
        Unit(("GB",), Counted("gigabyte", "gigabytes")),
        Unit(("TB",), Counted("terabyte", "terabytes")),
        Unit(("Mbps", "Mb/s", "Mbit/s"), Counted("megabit per second", "megabits per second")),
        Unit(("fps",), Counted("frame per second", "frames per second")),
        Unit(("kHz",), Counted("kilohertz", "kilohertz")),
        Unit(("MHz",), Counted("megahertz", "megahertz")),
        Unit(("GHz",), Counted("gigahertz", "gigahertz")),
        Unit(("Hz",), Counted("hertz", "hertz")),
        Unit(("V",), Counted("volt", "volts")),
        Unit(("W",), Counted("watt", "watts")),
        Unit(("kWh",), Counted("kilowatt hour", "kilowatt hours")),
        Unit(("kW",), Counted("kilowatt", "kilowatts")),
        Unit(("MW",), Counted("megawatt", "megawatts")),
        Unit(("dB",), Counted("decibel", "decibels")),
        Unit(("hp",), Counted("horsepower", "horsepower")),
        Unit(("hrs", "hr", "h"), Counted("hour", "hours")),
        Unit(("min", "mins"), Counted("minute", "minutes")),
        Unit(("sec", "secs"), Counted("second", "seconds")),
        Unit(("ms",), Counted("millisecond", "milliseconds")),
    ),
    currencies=(
        Currency(("R$", "BRL"), Counted("real", "reais"), Counted("centavo", "centavos")),
        Currency(
            ("US$", "US $", "U.S. $", "USD", "$"),
            Counted("dollar", "dollars"),
            Counted("cent", "cents"),
        ),
        Currency(("€", "EUR"), Counted("euro", "euros"), Counted("cent", "cents")),
        Currency(("£", "GBP"), Counted("pound", "pounds"), Counted("penny", "pence")),
        Currency(("¥", "JPY"), Counted("yen", "yen")),
        Currency(("₿", "BTC"), Counted("bitcoin", "bitcoins")),
        Currency(("¢",), Counted("cent", "cents")),
    ),
    scales=(
        *((one, Counted(one, one)) for one in ("hundred", "thousand", "million", "billion")),
        *((one, Counted("trillion", "trillion")) for one in ("trillion", "T", "tn")),
        *((one, Counted("thousand", "thousand")) for one in ("k", "K")),
        *((one, Counted("million", "million")) for one in ("M", "mn", "m")),
        *((one, Counted("billion", "billion")) for one in ("B", "bn", "b")),
    ),
    signs=pairs(
        """
        & = and | + = plus | = = equals | @ = at | ° = degrees | / = | × = times
        ÷ = divided by | ≈ = about | ± = plus or minus
        """
    ),
    abbreviations=pairs(
        """
        Mr. = Mister | Mrs. = Missus | Ms. = Miz | Prof. = Professor | Mr = Mister
        Mrs = Missus | Dr = Doctor | Drs. = Doctors | Jr. = Junior | Sr. = Senior
        Gen. = General | Sgt. = Sergeant | Capt. = Captain | Lt. = Lieutenant | Col. = Colonel
        Maj. = Major | Sen. = Senator | Rep. = Representative | Gov. = Governor
        Rev. = Reverend | Fr. = Father | Hon. = Honorable | Pres. = President | St. = Saint
        Mt. = Mount | Ft. = Fort | Ave. = Avenue | Av. = Avenue | Blvd. = Boulevard | Rd. = Road
        Hwy. = Highway | Apt. = Apartment | Inc. = Incorporated | Ltd. = Limited
        Corp. = Corporation | Co. = Company | Bros. = Brothers | Dept. = Department
        Univ. = University | Assn. = Association | etc. = et cetera | etc = et cetera
        e.g. = for example | i.e. = that is | vs. = versus | vs = versus | v. = versus
        approx. = approximately | Approx. = approximately | Vol. = Volume | vol. = volume
        Ch. = Chapter | Fig. = Figure | pp. = pages | p. = page | est. = established
        max. = maximum | min. = minimum | Ph.D. = P-H-D | PhD = P-H-D | Ph.D = P-H-D
        C# = C sharp | w/ = with | a.m. = A-M | p.m. = P-M | OK = okay | ext. = extension
        Jan. = January | Feb. = February | Mar. = March | Apr. = April | Jun. = June
        Jul. = July | Aug. = August | Sep. = September | Oct. = October | Nov. = November
        Dec. = December | Sept. = September | Mon. = Monday | Tue. = Tuesday | Wed. = Wednesday
        Thu. = Thursday | Fri. = Friday | Sat. = Saturday | Tues. = Tuesday
        Thurs. = Thursday
        """
    ),
    rules=_RULES,
    late_rules=_LATE_RULES,
    letter_joint="-",
    letters_plural="'s",
    spoken_digits=(("0", "oh"),),
    acronyms=(
        *("NASA", "NATO", "UNESCO", "UNICEF", "FIFA", "UEFA", "AIDS", "COVID", "OPEC", "IKEA"),
        *("LASER", "SCUBA", "RAM", "PIN", "NASDAQ", "FEMA", "SWAT", "GIF", "JPEG", "WIFI", "NAFTA"),
        *("OSHA", "CONMEBOL", "CONCACAF", "ICANN", "SIM", "LAN", "SARS", "MERS", "NASCAR"),
    ),
    spelled=("USA", "NCAA", "ESPN", "UCLA", "IOC", "IEEE", "AOL", "ISO", "ASAP", "FAQ", "IPO"),
    speakable=r"[B-DF-HJ-NP-TV-Z][AEIOU]{1,2}[B-DF-HJ-NP-TV-Z]{1,2}[AEIOUY]?[A-Z]{0,4}(?<=\w{4})",
    domains=("com", "org", "net", "gov", "info", "edu", "co"),
    shouted=(
        *("i", "a", "so", "no", "not", "yes", "all", "now", "go", "the", "and", "but", "you", "we"),
        *("he", "she", "it", "is", "are", "was", "to", "in", "on", "my", "me", "very", "never"),
        *("stop", "wow", "live", "new", "big", "out", "up", "oh", "god", "win", "one", "two"),
        *("love", "more", "just", "only", "must", "always", "this", "that", "best", "free"),
        *("what", "why", "who", "how", "ever", "any", "our", "us", "your", "his", "her"),
    ),
)

LANGUAGE = Language(
    tag="en",
    name="English",
    varieties=(
        Variety("en-US", espeak="en-us", misaki=(*_MISAKI, *_AMERICAN)),
        Variety("en-GB", espeak="en-gb", misaki=_MISAKI),
    ),
    abbreviations=(
        *("Mr.", "Mrs.", "Ms.", "Dr.", "Drs.", "Prof.", "Gen.", "Sgt.", "Capt.", "Lt.", "Col."),
        *("Maj.", "Sen.", "Rep.", "Gov.", "Rev.", "Hon.", "Pres.", "Mt.", "Ft.", "ft.", "vs."),
        *("e.g.", "i.e.", "approx.", "Approx."),
    ),
    before_figures=("No.", "Nos.", "p.", "pp.", "Fig.", "Vol.", "vol.", "Ch.", "ext."),
    starters=(
        *("i", "he", "she", "it", "we", "you", "they", "the", "a", "an", "this", "that", "these"),
        *("those", "there", "here", "my", "your", "his", "her", "its", "our", "their", "but"),
        *("and", "so", "if", "when", "while", "as", "after", "before", "because", "then", "now"),
        *("what", "who", "why", "how", "where", "which", "is", "are", "was", "were", "do", "did"),
        *("does", "can", "will", "would", "let", "let's", "please", "yes", "no", "not", "well"),
        *("thanks", "thank", "in", "on", "at", "by", "for", "from", "with", "to", "some", "many"),
        *("most", "one", "also", "however", "it's", "that's", "i'm", "we're", "they're", "he's"),
        *("she's", "don't", "today", "tomorrow", "yesterday", "everyone", "nobody", "let’s"),
        *("everybody", "someone", "nothing", "all", "both"),
    ),
    prepositions=(
        *("of", "about", "above", "across", "against", "around", "behind", "between", "during"),
        *("into", "like", "near", "off", "onto", "or", "out", "over", "than", "through"),
        *("towards", "under", "until", "up", "upon", "via", "within", "without"),
    ),
    conjunctions=("and", "but", "because", "when", "while", "although", "so that"),
    subordinators=(
        *("which", "who", "because", "since", "although", "though", "while", "whereas", "as"),
    ),
    markers=(
        *("well", "you know", "i mean", "of course", "actually", "basically", "anyway", "so"),
        *("look", "listen", "right", "okay", "ok", "you see", "let's say", "kind of", "sort of"),
        *("to be honest", "as i said", "as you know", "by the way", "in fact", "honestly"),
        *("now", "um", "uh"),
    ),
    fillers=("um", "uh", "er", "hmm", "really", "just", "very", "actually", "basically"),
    negations=(
        *("no", "not", "never", "none", "nobody", "nothing", "neither", "nor", "without"),
        *("cannot", r"\w+n['’]t"),
    ),
    numbers=(
        *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("eleven", "twelve", r"\w+teen", "twenty", "thirty", "fou?rty", "fifty", "sixty"),
        *("seventy", "eighty", "ninety", "hundred", "thousand", "million", "billion", "half"),
        *("first", "second", "third"),
    ),
    capitals=("I",),
    reading=_READING,
    month_first=True,
)
