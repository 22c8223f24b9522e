"""English."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety
from dubcast.languages.reading import Counted, Currency, Reading, Unit, pairs
from dubcast.languages.written import en, en_times

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
        Unit(("km/s",), Counted("kilometer per second", "kilometers per second")),
        Unit(("ft/s",), Counted("foot per second", "feet per second")),
        Unit(("mpg", "MPG"), Counted("mile per gallon", "miles per gallon")),
        Unit(("cm²", "cm2"), Counted("square centimeter", "square centimeters")),
        Unit(("mm²", "mm2"), Counted("square millimeter", "square millimeters")),
        Unit(("ft²", "ft2"), Counted("square foot", "square feet")),
        Unit(("sq mi", "sq. mi.", "mi²"), Counted("square mile", "square miles")),
        Unit(("sq in", "sq. in.", "in²"), Counted("square inch", "square inches")),
        Unit(("sq m", "sq. m"), Counted("square meter", "square meters")),
        Unit(("sq km", "sq. km"), Counted("square kilometer", "square kilometers")),
        Unit(("sq yd", "sq. yd."), Counted("square yard", "square yards")),
        Unit(("cm³", "cm3"), Counted("cubic centimeter", "cubic centimeters")),
        Unit(("cu ft", "cu. ft.", "ft³"), Counted("cubic foot", "cubic feet")),
        Unit(("tsp", "tsps"), Counted("teaspoon", "teaspoons")),
        Unit(("tbsp", "tbsps", "Tbsp"), Counted("tablespoon", "tablespoons")),
        Unit(("fl oz", "fl. oz."), Counted("fluid ounce", "fluid ounces")),
        Unit(("qt", "qts"), Counted("quart", "quarts")),
        Unit(("in.",), Counted("inch", "inches")),
        Unit(("kcal",), Counted("kilocalorie", "kilocalories")),
        Unit(("cal", "cals"), Counted("calorie", "calories")),
        Unit(("cc",), Counted("C-C", "C-C")),
        Unit(("cl", "cL"), Counted("centiliter", "centiliters")),
        Unit(("mcg", "µg", "μg"), Counted("microgram", "micrograms")),
        Unit(("nm",), Counted("nanometer", "nanometers")),
        Unit(("psi", "PSI"), Counted("P-S-I", "P-S-I")),
        Unit(("rpm", "RPM"), Counted("R-P-M", "R-P-M")),
        Unit(("bpm", "BPM"), Counted("beat per minute", "beats per minute")),
        Unit(("ppm",), Counted("part per million", "parts per million")),
        Unit(("mAh",), Counted("milliamp hour", "milliamp hours")),
        Unit(("Ah",), Counted("amp hour", "amp hours")),
        Unit(("mA",), Counted("milliamp", "milliamps")),
        Unit(("kV",), Counted("kilovolt", "kilovolts")),
        Unit(("Wh",), Counted("watt hour", "watt hours")),
        Unit(("MWh",), Counted("megawatt hour", "megawatt hours")),
        Unit(("GW",), Counted("gigawatt", "gigawatts")),
        Unit(("GWh",), Counted("gigawatt hour", "gigawatt hours")),
        Unit(("kPa",), Counted("kilopascal", "kilopascals")),
        Unit(("Gbps", "Gb/s"), Counted("gigabit per second", "gigabits per second")),
        Unit(("kbps", "Kbps"), Counted("kilobit per second", "kilobits per second")),
        Unit(("MB/s",), Counted("megabyte per second", "megabytes per second")),
        Unit(("GB/s",), Counted("gigabyte per second", "gigabytes per second")),
        Unit(("PB",), Counted("petabyte", "petabytes")),
        Unit(("MP",), Counted("megapixel", "megapixels")),
        Unit(("px",), Counted("pixel", "pixels")),
        Unit(("dpi", "DPI"), Counted("D-P-I", "D-P-I")),
        Unit(("ppi", "PPI"), Counted("P-P-I", "P-P-I")),
        Unit(("pp", "p.p."), Counted("percentage point", "percentage points")),
        Unit(("bps", "bp"), Counted("basis point", "basis points")),
        Unit(("pts", "pt"), Counted("point", "points")),
        Unit(("rebs",), Counted("rebound", "rebounds")),
        Unit(("ppl",), Counted("person", "people")),
        Unit(("yrs", "yr"), Counted("year", "years")),
        Unit(("mos", "mo"), Counted("month", "months")),
        Unit(("wks", "wk"), Counted("week", "weeks")),
        Unit(("kts", "kt"), Counted("knot", "knots")),
        Unit(("bhp",), Counted("brake horsepower", "brake horsepower")),
        Unit(("s",), Counted("second", "seconds")),
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
    large=r"[kKM]|B(?=\s(?:\w{2,12}(?:s|ple|ers)|of)\b)|B(?<=\.\dB)",
    signs=pairs(
        """
        & = and | + = plus | = = equals | @ = at | ° = degrees | / = | × = times
        ÷ = divided by | ≈ = about | ± = plus or minus | < = less than | > = greater than
        ≤ = less than or equal to | ≥ = greater than or equal to | ≠ = not equal to
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
        Ch. = Chapter | Fig. = Figure | est. = established
        max. = maximum | min. = minimum | Ph.D. = P-H-D | PhD = P-H-D | Ph.D = P-H-D
        C# = C sharp | w/ = with | a.m. = A-M | p.m. = P-M | OK = okay | ext. = extension
        Jan. = January | Feb. = February | Mar. = March | Apr. = April | Jun. = June
        Jul. = July | Aug. = August | Sep. = September | Oct. = October | Nov. = November
        Dec. = December | Sept. = September | Mon. = Monday | Tue. = Tuesday | Wed. = Wednesday
        Thu. = Thursday | Fri. = Friday | Sat. = Saturday | Tues. = Tuesday
        YoY = year over year | QoQ = quarter over quarter | MoM = month over month
        Thurs. = Thursday | ca. = circa | Est. = established
        """
    ),
    rules=en.RULES,
    late_rules=en_times.LATE_RULES,
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
    cues=(
        r"(?:(?:audience|crowd|both|all|upbeat|soft|dramatic) )?(?:laugh(?:s|ter|ing)|"
        r"applau(?:se|ds|ding)|music(?: playing)?|cheer(?:s|ing)|clap(?:s|ping)|sigh(?:s|ing)|"
        r"gasps|cough(?:s|ing)|chuckl(?:es|ing)|giggl(?:es|ing)|sob(?:s|bing)|cries|crying|"
        r"groans?|sniffles|clears throat|whisper(?:s|ing)|scream(?:s|ing)|inaudible|unintelligible|"
        r"indistinct(?: chatter)?|crosstalk|silence|pauses?|beeps?|bleep)(?: \w{1,12}ly)?"
    ),
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
    before_names=(
        *("sen.", "rep.", "gov.", "prof.", "gen.", "capt.", "lt.", "sgt.", "col.", "rev.", "pres."),
    ),
    before_small=("etc.", "B.C."),
    before_figures=(
        *("No.", "Nos.", "p.", "pp.", "Fig.", "Vol.", "vol.", "Ch.", "ext.", "c.", "ca.", "b."),
        # Books of the Bible, before a chapter.
        *("Gen.", "Ex.", "Exod.", "Lev.", "Num.", "Deut.", "Josh.", "Judg.", "Neh.", "Esth."),
        *("Ps.", "Psa.", "Pss.", "Prov.", "Eccl.", "Eccles.", "Isa.", "Jer.", "Lam.", "Ezek."),
        *("Dan.", "Hos.", "Obad.", "Mic.", "Nah.", "Hab.", "Zeph.", "Hag.", "Zech.", "Mal."),
        *("Matt.", "Mk.", "Lk.", "Jn.", "Rom.", "Cor.", "Gal.", "Eph.", "Phil.", "Col.", "Thess."),
        *("Tit.", "Philem.", "Heb.", "Jas.", "Rev.", "Kgs.", "Chron.", "Chr.", "Pet."),
        *("1 sam.", "2 sam.", "1 tim.", "2 tim."),
        *("d.", "Mon.", "Tue.", "Tues.", "Wed.", "Thu.", "Thurs.", "Fri.", "Sat.", "Sun."),
    ),
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
    # Not those that are parts of names: the U.S. Open.
    imperatives=(
        *("come", "go", "bring", "look", "remember", "stay", "take", "get", "give", "make", "see"),
        *("try", "keep", "leave", "wait", "stop", "listen", "tell", "ask", "check", "think", "be"),
        *("imagine", "consider", "visit", "join", "follow", "enjoy", "meet", "find", "buy", "have"),
        *("sit", "stand", "run", "turn", "never", "always", "click", "subscribe", "welcome"),
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
