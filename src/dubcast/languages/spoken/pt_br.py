"""Brazilian Portuguese."""

from __future__ import annotations

import re

from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import Numbers, roman
from dubcast.languages.reading import Counted, Currency, Reading, Rule, Unit, pairs

_MONTHS = (
    *("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro"),
    *("outubro", "novembro", "dezembro"),
)
_SHORT_MONTHS = {one[:3]: one for one in _MONTHS}
_ROMAN = r"[IVXL]+"
_HOUR = Counted("hora", "horas", feminine=True)
_LARGE = re.compile(r"^(.*\b(?:milhão|milhões|bilhão|bilhões|trilhão|trilhões)\b)?(.*)$")
_HALVES = {"a": "da manhã", "p": "da tarde"}
# Feminine nouns behind a number. Endings tell for most; these end like them and are masculine, or
# are no nouns.
_NOT_FEMININE = (
    r"dias?|problemas?|programas?|sistemas?|temas?|planetas?|mapas?|climas?|idiomas?|cinemas?|"
    r"dramas?|poemas?|gramas?|quilogramas?|poetas?|atletas|artistas|jornalistas|turistas|"
    r"telegramas?|dilemas?|esquemas?|teoremas?|sofás|cometas?|papas?|colegas|guardas|"
    r"para|da|das|na|nas|a|as|à|às|mas|cada|era|foram?|fora|agora|contra|ainda|uma|umas|duas|elas?|"
    r"delas?|nelas?|essas?|estas?|aquelas?|toda|todas|minhas?|suas?|nossas?|nada|acima|"
    r"seja|está|vira|passa|ganha|fica|marca|para|entra|continua|segundas"
)
_FEMININE_NOUN = (
    rf"(?:mil )?(?!(?:{_NOT_FEMININE})\b)(?:\w+as?|\w+(?:ção|ções|são|sões|dade|dades|gem|gens)|"
    r"mulher(?:es)?|vez(?:es)?|noites?|partes?|mãos?|redes?|séries?|fotos?|motos?|equipes?|chances?|"
    r"vozes|leis?|luzes|flor(?:es)?|tardes?|classes?|fases?|mortes?|fontes?|crises?|bases?|mães?|"
    r"irmãs|manhãs|maçãs|cores?)"
)


def _feminine(words: str) -> str:
    """`vinte e um` becomes `vinte e uma`; millions stay masculine."""
    found = _LARGE.fullmatch(words)
    millions, rest = found.groups("") if found else ("", words)
    rest = re.sub(r"\bum\b", "uma", rest)
    rest = re.sub(r"\bdois\b", "duas", rest)
    return str(millions) + re.sub(r"entos\b", "entas", rest)


def _feminine_ordinal(words: str) -> str:
    return re.sub(r"o\b", "a", words)


def _counted(number: str, noun: str) -> str:
    """`um milhão de reais`, `mil reais`."""
    return f"{number} de {noun}" if re.search(r"ilh(?:ão|ões)$", number) else f"{number} {noun}"


def _time(found: re.Match[str], numbers: Numbers) -> str:
    """`15h30`, `15:30`, `7:30 p.m.`."""
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    half = found["half"] or ""
    said = numbers.cardinal(hour, feminine=True)
    if minute:
        said += f" e {numbers.cardinal(minute)}"
    elif not half:
        if hour == 0:
            return "meia-noite"
        return numbers.amount(str(hour), _HOUR)
    if half:
        evening = half[0] in "pP" and 7 <= hour < 12
        said += " da noite" if evening else f" {_HALVES[half[0].lower()]}"
    ends = half.endswith(".") and not found.string[found.end() :].strip(' "”’')
    return said + "." * ends


def _date(found: re.Match[str], numbers: Numbers) -> str:
    """`07/04/1990`: which of both is the month, the translation may have kept from its source."""
    day, month = int(found["a"]), int(found["b"])
    said = f"{_day(day, numbers)} do {numbers.cardinal(month)}"
    if not found["year"]:
        return said
    year = int(found["year"])
    return f"{said} de {numbers.cardinal(year)}"


def _month_year(found: re.Match[str], numbers: Numbers) -> str:
    return f"{_MONTHS[int(found['month']) - 1]} de {numbers.cardinal(int(found['year']))}"


def _day(day: int, numbers: Numbers) -> str:
    return "primeiro" if day == 1 else numbers.cardinal(day)


def _iso_date(found: re.Match[str], numbers: Numbers) -> str:
    day, month, year = int(found["day"]), int(found["month"]), int(found["year"])
    return f"{_day(day, numbers)} de {_MONTHS[month - 1]} de {numbers.cardinal(year)}"


def _written_date(found: re.Match[str], numbers: Numbers) -> str:
    month = _SHORT_MONTHS.get(found["month"].rstrip(".")[:3].lower(), found["month"])
    return f"{_day(int(found['day']), numbers)} de {month}"


def _ordinal(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.ordinal(int(found[1].replace(".", "")), feminine=found[2] in "ªa")


def _english_ordinal(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.ordinal(int(found[1]))


def _one_to_other(found: re.Match[str], numbers: Numbers) -> str:
    return " a ".join(numbers.cardinal(int(found[i])) for i in (1, 2))


def _telephone(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.dialled(re.findall(r"\d+", found[0]))


def _fraction(found: re.Match[str], numbers: Numbers) -> str:
    upper, lower = int(found["upper"]), int(found["lower"])
    part = {2: "meio", 3: "terço"}.get(lower, numbers.ordinal(lower))
    said = f"{numbers.cardinal(upper)} {part}" + "s" * (upper > 1)
    if found["whole"]:
        whole = numbers.cardinal(int(found["whole"]))
        return f"{whole} e {part}" if upper == 1 and lower == 2 else f"{whole} e {said}"
    return said


def _times(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.amount(found[1], Counted("vez", "vezes", feminine=True))


def _height(found: re.Match[str], numbers: Numbers) -> str:
    """`1,80 m`: um metro e oitenta."""
    metres = numbers.amount(found[1], Counted("metro", "metros"))
    return f"{metres} e {numbers.cardinal(int(found[2]))}"


def _per_day(found: re.Match[str], numbers: Numbers) -> str:
    return f"{numbers.cardinal(int(found[1]))} por {numbers.cardinal(int(found[2]))}"


def _counted_roman(found: re.Match[str], numbers: Numbers) -> str:
    return f"{found[1]} {numbers.cardinal(roman(found[2]))}"


def _ruler(found: re.Match[str], numbers: Numbers) -> str:
    """`Pedro II` is the second, `João XXIII` the twenty-three."""
    number = roman(found[2])
    return f"{found[1]} {numbers.ordinal(number) if number <= 10 else numbers.cardinal(number)}"


def _world_war(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.ordinal(roman(found[1]), feminine=True).capitalize()


_RULES = (
    Rule(r"\b(24)/(7)\b", _per_day),
    Rule(
        r"\b(?P<hour>[01]?\d|2[0-4])\s?h\s?(?P<minute>[0-5]\d)(?:min)?\b(?P<half>)",
        _time,
    ),
    Rule(r"\b(?P<hour>[01]?\d|2[0-4])(?:\s?h|\s?hs|:00\s?h)\b(?P<minute>)(?P<half>)", _time),
    Rule(
        r"\b(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?![\d:])"
        r"(?:\s?h\b)?(?:\s?(?P<half>[apAP]\.?[mM]\b\.?))?",
        _time,
    ),
    Rule(r"\b(?P<hour>1[0-2]|[1-9])(?P<minute>)\s?(?P<half>[apAP]\.?[mM]\b\.?)", _time),
    Rule(r"\b(?P<a>[0-3]?\d)/(?P<b>[01]?\d)/(?P<year>\d{4}|\d\d)\b", _date),
    Rule(r"\b(?P<a>1[1-9]|2\d|3[01])/(?P<b>0?[1-9]|1[0-2])\b(?P<year>)(?!/)", _date),
    Rule(r"\b(?P<month>0?[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)\b", _month_year),
    Rule(r"\b(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3]\d)\b", _iso_date),
    Rule(
        rf"\b(?P<day>[12]?\d|3[01])[º°o]? de (?P<month>{'|'.join(_MONTHS)}|"
        rf"(?:{'|'.join(_SHORT_MONTHS)})\.?)(?!\w)",
        _written_date,
    ),
    Rule(r"(?<![\d.,/])(\d+(?:\.\d{3})*)\s?\.?([ºª])(?!\s?[CF]\b)", _ordinal),
    Rule(r"(?<![\d.,/])(\d{1,3})([oa])\b", _ordinal),
    Rule(r"\b(\d+)(?:st|nd|rd|th)\b", _english_ordinal),
    Rule(
        r"\b[Nn](?:\.?º|°|\.o|o\.|\.)\s?(?=\d)|\bNo\s?(?=\d)|№\s?(?=\d)",
        lambda found, numbers: "número ",
    ),
    Rule(
        r"\b([Jj]ogador|[Cc]amisa|[Ii]tem|[Qq]uarto|[Pp]iloto|[Cc]apítulo) no (?=\d)",
        lambda found, numbers: f"{found[1]} número ",
    ),
    Rule(r"\b(\d+)[xX](?!\w)", _times),
    Rule(r"\b([12]),([1-9]\d)\s?m\b", _height),
    Rule(r"(?<![\d.,])(\d{1,2})\s?[xX]\s?(\d{1,2})\b(?![.,]\d)", _one_to_other),
    Rule(r"(?<![\d.,/-])((?:1[5-9]|20)\d\d)\s?[-–]\s?((?:1[5-9]|20)\d\d)(?![\d-])", _one_to_other),
    Rule(
        r"(?<![\w-])(?:\+\d{1,3}\s)?(?:\(?0?\d{2}\)?\s)?9\s?\d{4}[- ]\d{4}\b"
        r"|(?<![\w-])(?:\+\d{1,3}\s)?(?:\(0?\d{2}\)\s?)?\d{3,4}-\d{4}\b"
        r"|\b\d\d \d{4}-\d{4}\b|\b\d{3}\.\d{3}\.\d{3}-\d\d\b|\b\d{5}-\d{3}\b"
        r"|(?<![\w-])0800[- ]\d{3}[- ]\d{3,4}\b|\b190\b(?=\.?$)",
        _telephone,
    ),
    Rule(r"(?<![\d/])(?:(?P<whole>\d+)\s)?(?P<upper>[1-9])/(?P<lower>[2-9]|10)\b(?!/)", _fraction),
    Rule(
        r"\b([Ss]éculos?|[Ss]éc\.|[Cc]apítulos?|[Aa]to|[Vv]olume|[Tt]ítulo|[Ff]ase|[Tt]ipo|"
        rf"[Aa]rtigo|[Nn]ível|[Ss]érie)\s({_ROMAN})\b",
        _counted_roman,
    ),
    Rule(r"\b(I{1,3})(?=\sGuerra)", _world_war),
    Rule(r"\b((?:Dom|Papa|Rei|Imperador) [A-ZÀ-Ý][a-zà-ý]+)\s(I)\b", _ruler),
    Rule(
        r"\b((?:Dom |Rei |Papa )?[A-ZÀ-Ý][a-zà-ý]+)\s"
        r"(II|III|IV|VI{0,3}|IX|X{0,2}V?I{2,3}|XI?V|XVI|XXI?)\b",
        _ruler,
    ),
)

_READING = Reading(
    numerals="pt_BR",
    decimal_mark=",",
    grouping_marks=".,",
    point="vírgula",
    minus="menos",
    plus="mais",
    also="e",
    up_to="a",
    per="por",
    dot="ponto",
    at="arroba",
    slash="barra",
    dash="hífen",
    underscore="underline",
    hashtag="hashtag",
    number_sign="número",
    feminine=_feminine,
    feminine_ordinal=_feminine_ordinal,
    feminine_noun=_FEMININE_NOUN,
    counted=_counted,
    joined_decimals=True,
    singular_below=2.0,
    units=(
        Unit(("%",), Counted("por cento", "por cento")),
        Unit(("°C", "ºC", "° C"), Counted("grau Celsius", "graus Celsius")),
        Unit(("°F", "ºF", "° F"), Counted("grau Fahrenheit", "graus Fahrenheit")),
        Unit(("°",), Counted("grau", "graus")),
        Unit(("km/h", "kmh", "kph"), Counted("quilômetro por hora", "quilômetros por hora")),
        Unit(("mph",), Counted("milha por hora", "milhas por hora", feminine=True)),
        Unit(("m/s",), Counted("metro por segundo", "metros por segundo")),
        Unit(("km²", "km2"), Counted("quilômetro quadrado", "quilômetros quadrados")),
        Unit(("m²", "m2"), Counted("metro quadrado", "metros quadrados")),
        Unit(("m³", "m3"), Counted("metro cúbico", "metros cúbicos")),
        Unit(("km",), Counted("quilômetro", "quilômetros")),
        Unit(("cm",), Counted("centímetro", "centímetros")),
        Unit(("mm",), Counted("milímetro", "milímetros")),
        Unit(("m",), Counted("metro", "metros")),
        Unit(("ft",), Counted("pé", "pés")),
        Unit(("yd", "yds"), Counted("jarda", "jardas", feminine=True)),
        Unit(("kg",), Counted("quilo", "quilos")),
        Unit(("mg",), Counted("miligrama", "miligramas")),
        Unit(("g",), Counted("grama", "gramas")),
        Unit(("t",), Counted("tonelada", "toneladas", feminine=True)),
        Unit(("lb", "lbs"), Counted("libra", "libras", feminine=True)),
        Unit(("oz",), Counted("onça", "onças", feminine=True)),
        Unit(("ml", "mL"), Counted("mililitro", "mililitros")),
        Unit(("l", "L"), Counted("litro", "litros")),
        Unit(("ha",), Counted("hectare", "hectares")),
        Unit(("KB", "kB"), Counted("quilobyte", "quilobytes")),
        Unit(("MB",), Counted("megabyte", "megabytes")),
        Unit(("GB",), Counted("gigabyte", "gigabytes")),
        Unit(("TB",), Counted("terabyte", "terabytes")),
        Unit(("Mbps", "Mb/s", "Mbit/s"), Counted("megabit por segundo", "megabits por segundo")),
        Unit(("fps",), Counted("quadro por segundo", "quadros por segundo")),
        Unit(("kHz",), Counted("quilohertz", "quilohertz")),
        Unit(("MHz",), Counted("mega-hertz", "mega-hertz")),
        Unit(("GHz",), Counted("giga-hertz", "giga-hertz")),
        Unit(("Hz",), Counted("hertz", "hertz")),
        Unit(("V",), Counted("volt", "volts")),
        Unit(("W",), Counted("watt", "watts")),
        Unit(("kWh",), Counted("quilowatt-hora", "quilowatts-hora")),
        Unit(("kW",), Counted("quilowatt", "quilowatts")),
        Unit(("MW",), Counted("megawatt", "megawatts")),
        Unit(("dB",), Counted("decibel", "decibéis")),
        Unit(("min",), Counted("minuto", "minutos")),
        Unit(("seg", "s"), Counted("segundo", "segundos")),
        Unit(("ms",), Counted("milissegundo", "milissegundos")),
    ),
    currencies=(
        Currency(("R$", "BRL"), Counted("real", "reais"), Counted("centavo", "centavos")),
        Currency(
            ("US$", "US $", "U$", "USD", "$"),
            Counted("dólar", "dólares"),
            Counted("centavo", "centavos"),
        ),
        Currency(("€", "EUR"), Counted("euro", "euros"), Counted("centavo", "centavos")),
        Currency(("£", "GBP"), Counted("libra", "libras", feminine=True), Counted("pêni", "pence")),
        Currency(("¥", "JPY"), Counted("iene", "ienes")),
        Currency(("₿", "BTC"), Counted("bitcoin", "bitcoins")),
    ),
    scales=(
        *((one, Counted("mil", "mil")) for one in ("mil", "k", "K")),
        *((one, Counted("milhão", "milhões")) for one in ("milhão", "milhões", "mi", "M")),
        *((one, Counted("bilhão", "bilhões")) for one in ("bilhão", "bilhões", "bi", "B")),
        *((one, Counted("trilhão", "trilhões")) for one in ("trilhão", "trilhões", "tri", "T")),
    ),
    signs=pairs(
        """
        & = e | + = mais | = = igual a | @ = arroba | ° = graus | / = | × = vezes
        ÷ = dividido por | ≈ = cerca de | ± = mais ou menos | § = parágrafo
        """
    ),
    abbreviations=pairs(
        """
        ONG = ongue | ONGs = ongues | CEO = ci i ôu | CEOs = ci i ôus | DJ = dijêi | Tv = tevê
        tv = tevê | etc = etcétera | Ltda = limitada | Obs = observação
        V. Sa. = vossa senhoria | Ilmo. = ilustríssimo | vc = você | vcs = vocês | tb = também
        pq = porque | Sr. = senhor | Sra. = senhora | Srta. = senhorita | Srs. = senhores
        Sras. = senhoras | Dr. = doutor | Dra. = doutora | Drs. = doutores | Prof. = professor
        Profa. = professora | Profª = professora | Eng. = engenheiro | Arq. = arquiteto
        Pe. = padre | Fr. = frei | D. = dom | S. = São | Sto. = Santo | Sta. = Santa
        Gen. = general | Cel. = coronel | Cap. = capitão | Ten. = tenente | Sgt. = sargento
        Gov. = governador | Pres. = presidente | Min. = ministro | Dep. = deputado
        Sen. = senador | Exmo. = excelentíssimo | V. Exa. = vossa excelência | Av. = avenida
        R. = rua | Al. = alameda | Trav. = travessa | Pça. = praça | Rod. = rodovia
        Ed. = edifício | apto. = apartamento | Apto. = apartamento | tel. = telefone
        Tel. = telefone | etc. = etcétera | p. ex. = por exemplo | por ex. = por exemplo
        Ex. = exemplo | i.e. = isto é | obs. = observação | Obs. = observação
        pág. = página | págs. = páginas | p. = página | cap. = capítulo
        art. = artigo | Art. = artigo | vol. = volume
        séc. = século | a.C. = antes de Cristo | d.C. = depois de Cristo | Jr. = Júnior
        vs. = versus | vs = versus | aprox. = aproximadamente | Cia. = companhia
        Cia = companhia | Ltda. = limitada | S.A. = esse a | S/A = esse a | máx. = máximo
        mín. = mínimo | c/ = com | p/ = para | s/ = sem | EUA = Estados Unidos
        E.U.A. = Estados Unidos | TV = tevê | TVs = tevês | OK = oquei | Ok = oquei | ok = oquei
        km = quilômetros | Univ. = Universidade | St. = Saint | Mr. = senhor | Mrs. = senhora
        Ms. = senhora | Depto. = departamento | jan. = janeiro | fev. = fevereiro | mar. = março
        abr. = abril | jun. = junho | jul. = julho | ago. = agosto | set. = setembro
        out. = outubro | nov. = novembro | dez. = dezembro
        """
    ),
    rules=_RULES,
    letters=pairs(
        """
        B = bê | C = cê | D = dê | E = é | F = efe | G = gê | H = agá | I = i | J = jota
        K = cá | L = ele | M = eme | N = ene | O = ó | P = pê | Q = quê | R = erre | S = esse
        T = tê | U = u | V = vê | W = dáblio | X = xis | Y = ípsilon | Z = zê | A = a
        """
    ),
    spoken_digits=(("6", "meia"),),
    acronyms=(
        *("NASA", "OTAN", "UNESCO", "UNICEF", "FIFA", "UEFA", "AIDS", "COVID", "OPEP", "ONU"),
        *("SUS", "PIB", "VAR", "IPEA", "SENAI", "SESI", "SESC", "FUNAI", "IBAMA", "ENEM", "USP"),
        *("UNESP", "PIS", "COFINS", "CONMEBOL", "CONCACAF", "PROCON", "DETRAN", "FAB", "PIX"),
        *("SEBRAE", "MASP", "PETROBRAS", "INCRA", "CAPES", "ANVISA", "ANATEL", "ANEEL", "MERCOSUL"),
        *("OVNI", "SIM", "VIP", "CEP", "LAN", "RAM", "GIF", "UNICAMP", "INPE", "BID", "FUVEST"),
        *("UPA",),
    ),
    spelled=("IBGE", "INSS", "ESPN", "USA", "IOF", "AVC", "UTI", "OAB", "IPI", "OIT", "IPO", "ISO"),
    speakable=(
        r"[B-DF-HJ-NP-TVXZÇ]{1,2}[AEIOUÁÃÂÉÊÍÓÕÔÚ]{1,2}[B-DF-HJ-NP-TVXZÇ]{1,2}[A-ZÀ-Ý]*(?<=\w{4})"
        r"|[B-DF-HJ-NP-TVXZ][AEIOU](?:L|R|S|M|Z|N)"
    ),
    shouted=(
        *("não", "sim", "é", "e", "o", "a", "os", "as", "um", "uma", "eu", "ele", "ela", "nós"),
        *("você", "já", "só", "lá", "aqui", "ali", "que", "de", "da", "do", "em", "no", "na"),
        *("nunca", "tudo", "muito", "mais", "meu", "deus", "gol", "vai", "vem", "agora", "ao"),
        *("vivo", "hoje", "grande", "isso", "esse", "essa", "este", "para", "por", "com", "sem"),
        *("se", "me", "te", "foi", "era", "são", "oi", "olá", "ah", "oh", "até", "também"),
    ),
    domains=("com", "org", "net", "gov", "info", "edu"),
)

LANGUAGE = Language(
    tag="pt-BR",
    name="Brazilian Portuguese",
    varieties=(Variety("pt-BR", espeak="pt-br"),),
    aliases=("pt",),
    reading=_READING,
    abbreviations=(
        *("Sr.", "Sra.", "Srs.", "Sras.", "Srta.", "Dr.", "Dra.", "Drs.", "Prof.", "Profa."),
        *("Eng.", "Arq.", "Pe.", "Fr.", "Sto.", "Sta.", "Gen.", "Cel.", "Cap.", "Ten."),
        *("Sgt.", "Gov.", "Pres.", "Min.", "Dep.", "Sen.", "Exmo.", "Ilmo.", "Av.", "Al."),
        *("Trav.", "Pça.", "Rod.", "Ed.", "Mr.", "Mrs.", "Ms.", "séc.", "vs.", "obs."),
        *("Obs.", "i.e.", "aprox."),
    ),
    before_figures=(
        *("No.", "no.", "Nº.", "nº.", "n.", "N.", "p.", "pág.", "págs.", "cap.", "art.", "Art."),
        *("vol.", "tel.", "Tel."),
    ),
    starters=(
        *("eu", "ele", "ela", "eles", "elas", "nós", "você", "vocês", "a", "o", "as", "os", "um"),
        *("uma", "isso", "isto", "esse", "essa", "este", "esta", "aquele", "aquela", "mas", "e"),
        *("então", "se", "quando", "enquanto", "como", "depois", "antes", "porque", "agora", "que"),
        *("quem", "por", "onde", "qual", "é", "são", "foi", "está", "não", "sim", "bem", "bom"),
        *("obrigado", "obrigada", "em", "no", "na", "nos", "nas", "ao", "com", "para", "de", "do"),
        *("da", "muitos", "muitas", "também", "porém", "hoje", "amanhã", "ontem", "todos", "todo"),
        *("ninguém", "alguém", "tudo", "nada", "cada", "meu", "minha", "seu", "sua", "nosso"),
        *("nossa", "vamos", "aqui", "ali", "lá", "há"),
    ),
    prepositions=(
        *("à", "às", "aos", "até", "após", "contra", "das", "desde", "dos", "durante", "entre"),
        *("num", "numa", "ou", "pela", "pelas", "pelo", "pelos", "sem", "sob", "sobre"),
    ),
    conjunctions=("e", "mas", "porque", "quando", "enquanto", "embora"),
    subordinators=(
        *("que", "o que", "a qual", "o qual", "quem", "porque", "pois", "já que", "embora"),
        *("enquanto", "ainda que", "uma vez que", "onde", "como", "apesar"),
    ),
    markers=(
        *("bem", "bom", "né", "então", "sabe", "olha", "olhe", "veja", "ora", "certo", "tipo"),
        *("quer dizer", "ou seja", "você sabe", "vocês sabem", "na verdade", "de fato", "enfim"),
        *("basicamente", "claro", "é claro", "por assim dizer", "digamos", "aliás", "agora"),
        *("para ser honesto", "como eu disse", "como você sabe", "a propósito", "tá", "ok"),
    ),
    fillers=("hum", "ah", "né", "realmente", "basicamente", "simplesmente"),
    negations=(
        *("não", "nunca", "jamais", "nenhum", "nenhuma", "nenhuns", "nenhumas", "ninguém"),
        *("nada", "nem", "sem"),
    ),
    numbers=(
        *("dois", "duas", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez"),
        *("onze", "doze", "treze", "catorze", "quatorze", "quinze", "dezesseis", "dezessete"),
        *("dezoito", "dezenove", "vinte", "trinta", "quarenta", "cinquenta", "sessenta"),
        *("setenta", "oitenta", "noventa", "cem", "cento", "duzentos", "mil", "milhão"),
        *("milhões", "bilhão", "bilhões", "metade", "primeir[oa]", "segund[oa]", "terceir[oa]"),
    ),
)
