"""How Brazilian Portuguese writes what is neither a date nor a time."""

from __future__ import annotations

import re

from dubcast.languages import formulas, measures, roman_numerals
from dubcast.languages.numbers import Numbers, roman
from dubcast.languages.reading import Counted, Rule
from dubcast.languages.rules import end_of_sentence, inches, out_of, short_codes, versions
from dubcast.languages.scripture import Bible
from dubcast.languages.written import pt_br_times
from dubcast.languages.written.pt_br_agreement import halved, halved_noun

_ROMAN = r"[IVXL]+"
_BIBLE = Bible(
    books="""
    Gênesis:Gn Êxodo:Êx:Ex Levítico:Lv Números:Nm Deuteronômio:Dt Josué:Js Juízes:Jz Rute:Rt
    Esdras:Ed Neemias:Ne Ester:Et Jó Salmos Salmo:Sl Provérbios:Pv Eclesiastes:Ec Cantares:Ct
    Cânticos Isaías:Is Jeremias:Jr Lamentações:Lm Ezequiel:Ez Daniel:Dn Oseias:Oséias Joel:Jl
    Amós:Am Obadias:Ob Jonas:Jn Miqueias:Miquéias:Mq Naum Habacuque:Hc Sofonias:Sf Ageu:Ag
    Zacarias:Zc Malaquias:Ml Mateus:Mt Marcos:Mc Lucas:Lc Atos:At Romanos:Rm Gálatas:Gl Efésios:Ef
    Filipenses:Fp Colossenses:Cl Tito:Tt Filemom:Fm Hebreus:Hb Tiago:Tg Judas:Jd Apocalipse:Ap
    """,
    histories="Samuel:Sm Reis:Rs Crônicas:Cr",
    letters="Coríntios:Co Tessalonicenses:Ts Timóteo:Tm Pedro:Pe João:Jo",
    of_histories=("Primeiro", "Segundo"),
    of_letters=("Primeira", "Segunda", "Terceira"),
    joint=" ",
    marks=":.",
    chapters="Sl Mt Mc Lc Rm Gn Êx Lv Nm Dt Js Jz Jr Is Ez Pv Ec Hb Gl Fp Tg Mq Zc Ml",
)
_QUEENS = (
    r"Elizabeth|Elisabete|Isabel|Catarina|Maria|Vitória|Margarida|Cristina|Joana|Ana|Mary|Beatriz|"
    r"Leonor|Teresa|Sofia|Cleópatra|Urraca|Victoria|Guilhermina|Juliana"
)
_LAWS = (
    r"Leis?|PLs?|PLP|PLN|PLS|PLC|PECs?|MPs?|MPV|Decretos?|Decretos?-Lei|Portarias?|Resoluç(?:ão|ões)|"
    r"Instrução Normativa|Projetos? de Lei|Medidas? Provisórias?|Emenda|Processo|Ofício|Edital|"
    r"Acórdão|Súmula|Circular|Deliberação"
)
_KINDS = r"Complementar|Federal|Estadual|Municipal|Ordinária|Legislativo|Constitucional|Normativa"
_NUMBER_SIGN = r"n(?:\.?[º°]|\.?o)\.?"
_LAW = r"\d{1,3}(?:\.\d{3}){1,2}/(?:\d{4}|\d\d)|\d{1,6}/(?:\d{4}|\d\d)"
# Short years from here on are of the last century.
_TURN = 30
_PARTS_OF_YEAR = {"trim": "trimestre", "sem": "semestre", "bim": "bimestre"}
_LENGTHS = r"(?:m|cm|km)[²³]|m|cm|mm|km|px|p[ée]s?|pixels?|(?:centí|milí|quilô)?metros?|polegadas?"
# What is measured in parts: um quarto de xícara.
_MEASURED = re.compile(
    r"\s(?:xícaras?|colher(?:es)?|copos?|litros?|quilos?|horas?|barras?|pacotes?|latas?|"
    r"gramas?|metros?|quilômetros?|milhas?|tanques?)\b"
)


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
    return f"{said} de" if _MEASURED.match(found.string, found.end()) else said


def _of_year(found: re.Match[str], numbers: Numbers) -> str:
    """`Lei 8.666/93`: law, number and the year in which it was made."""

    def said(one: re.Match[str]) -> str:
        year = int(one[2])
        year += 0 if year > 99 else 2000 if year < _TURN else 1900
        return f"{one[1]} de {numbers.cardinal(year)}"

    return re.sub(r"([\d.]+)/(\d+)", said, found[0])


def _spoon(found: re.Match[str], numbers: Numbers) -> str:
    """`3 col. de sopa`, `1 c. (chá)`."""
    single = found["n"] in ("1", "1/2", "1/3", "1/4", "2/3", "3/4") or found["n"].startswith("1 ")
    return f"{found['n']} colher{'' if single else 'es'} de {found['of']}"


def _part_of_year(found: re.Match[str], _: Numbers) -> str:
    return _PARTS_OF_YEAR[found[1]] + end_of_sentence(found)


def _times(found: re.Match[str], numbers: Numbers) -> str:
    return numbers.amount(found[1], Counted("vez", "vezes", feminine=True))


def _height(found: re.Match[str], numbers: Numbers) -> str:
    """`1,80 m`: um metro e oitenta."""
    metres = numbers.amount(found[1], Counted("metro", "metros"))
    return f"{metres} e {numbers.cardinal(int(found[2]))}"


def _feet(found: re.Match[str], numbers: Numbers) -> str:
    """`5'11"`."""
    feet = numbers.amount(found[1], Counted("pé", "pés"))
    return f"{feet} e {numbers.amount(found[2], Counted('polegada', 'polegadas', feminine=True))}"


def _per_day(found: re.Match[str], numbers: Numbers) -> str:
    return f"{numbers.cardinal(int(found[1]))} por {numbers.cardinal(int(found[2]))}"


def _letter_behind(found: re.Match[str], numbers: Numbers) -> str:
    """`portão 12B`, `corrida de 5K`: no billions, no thousands."""
    return f"{found[1]} {numbers.cardinal(int(found[2]))} {found[3].upper()}"


def _ruler(found: re.Match[str], numbers: Numbers) -> str:
    """`Pedro II` is the second, `João XXIII` the twenty-three; queens are feminine."""
    number = roman(found[2])
    if number > 10:
        return f"{found[1]} {numbers.cardinal(number)}"
    before = found.string[: found.start(1)]
    title = re.search(r"(?:[Rr]ainha|[Ii]mperatriz|[Pp]rincesa|[Cc]zarina|[Dd]ona)\s$", before)
    feminine = title is not None or re.search(rf"^(?:{_QUEENS})$", found[1]) is not None
    return f"{found[1]} {numbers.ordinal(number, feminine=feminine)}"


def _world_war(number: int, numbers: Numbers) -> str:
    return numbers.ordinal(number, feminine=True).capitalize()


RULES = (
    *_BIBLE.rules(),
    Rule(
        rf"\b(?:(?:{_LAWS})(?:\s(?:{_KINDS})){{0,2}}(?:\s{_NUMBER_SIGN})?|[Nn](?:\.?[º°]|\.o))"
        rf"\s(?:{_LAW})(?:(?:,\s|\se\s)(?:{_LAW})){{0,4}}(?![\w/])",
        _of_year,
    ),
    formulas.ratios(r"(?:[Ee]scala|[Rr]azão|[Pp]roporção)(?:\s(?:de|é|era|foi))?", r"(?!)", "para"),
    formulas.ratios(
        r"(?:[Pp]lacar|[Vv]itória|[Vv]enceu|[Pp]erdeu)(?:\s(?:de|por|é|foi))?", r"(?!)", "a"
    ),
    Rule(
        r"(?<![\w.,/])(?P<n>(?:\d+\s)?\d+(?:[.,/]\d+)?)\s?"
        r"(?:col|colh|c)\.?\s?(?:\(\s?|de\s|d[ae]\s)?(?P<of>sopa|chá|sobremesa|café)\b\)?",
        _spoon,
    ),
    Rule(r"(?<=\d[ºª°o]\s)(trim|sem|bim)\b\.?", _part_of_year),
    Rule(r"\b(?:[kK]k+|K{4,}|rs(?:rs)+)\b", lambda found, numbers: "haha"),
    formulas.about("cerca de"),
    versions(r"[Vv]ers(?:ão|ões)|[Aa]tualização"),
    Rule(r"\b(24)/(7)\b", _per_day),
    *pt_br_times.RULES,
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
    Rule(r"\bca?\.\s?(?=\d{3,4}\b)", lambda found, numbers: "cerca de "),
    # 3x4 is a score, unless a length says that it is none.
    Rule(
        r"\b(?P<what>(?:[Ff]otos?|[Tt]ração|[Ee]scala|[Jj]ornada|[Cc]arro|[Pp]icape|[Jj]ipe|"
        r"[Ff]ormato|[Tt]amanho)\s)(?P<a>\d{1,4})\s?[xX×]\s?(?P<b>\d{1,4})(?![\w.,]?\d)",
        lambda found, numbers: f"{found['what']}{found['a']} por {found['b']}",
    ),
    formulas.dimensions("por", "xX×", rf"(?=\s?(?:{_LENGTHS})\b)"),
    Rule(
        r"(?<![\w.,])(\d{3,5})\s?[x×]\s?(\d{3,5})(?![\w]|[.,]\d)",
        lambda found, numbers: f"{found[1]} por {found[2]}",
    ),
    Rule(formulas.multiple(r"\d+"), _times),
    Rule(
        r"(?<=por )m²|/m²",
        lambda found, numbers: "metro quadrado" if found[0] == "m²" else " por metro quadrado",
    ),
    formulas.powers({"2": "ao quadrado", "3": "ao cubo"}, "elevado a"),
    formulas.less("menos"),
    *formulas.roots("raiz quadrada de", "raiz cúbica de"),
    Rule(r"(?<!\d)(?<!\d\s)\b[Kk][Mm]\s(?=\d)", lambda found, numbers: "quilômetro "),
    Rule(
        r"\b([Pp]ortão|[Ss]ala|[Qq]uarto|[Aa]pto\.?|[Aa]partamento|[Bb]loco|[Ll]inha|[Ôô]nibus|"
        r"[Aa]ssento|[Pp]oltrona|[Tt]urma|[Cc]asa|(?:[Cc]orrida|[Pp]rova|[Tt]reino)(?:\sde|\sdos)?|"
        r"[Cc]orr(?:er|eu|i|o)(?:\sos|\sum|\suma)?)\s(\d{1,4})([A-Zk])\b",
        _letter_behind,
    ),
    Rule(r"\b([12]),([1-9]\d)\s?m\b", _height),
    Rule(r"\b(\d)\s?['’′]\s?(\d\d?)\s?[\"”″]", _feet),
    Rule(r"(?<![\d.,])(\d{1,2})\s?[xX]\s?(\d{1,2})\b(?![.,]\d)", _one_to_other),
    Rule(r"(?<![\d.,/-])((?:1[5-9]|20)\d\d)\s?[-–]\s?((?:1[5-9]|20)\d\d)(?![\d-])", _one_to_other),
    Rule(
        r"(?<![\w-])(?:\+\d{1,3}\s)?(?:\(?0?\d{2}\)?\s)?9\s?\d{4}[- ]\d{4}\b"
        r"|(?<![\w-])(?:\+\d{1,3}\s)?(?:\(0?\d{2}\)\s?)?\d{3,4}-\d{4}\b"
        r"|\b\d\d \d{4}-\d{4}\b|\b\d{3}\.\d{3}\.\d{3}-\d\d\b|\b\d{5}-\d{3}\b"
        r"|(?<![\w-])0800[- ]\d{3}[- ]\d{3,4}\b",
        _telephone,
    ),
    short_codes(
        r"(?:[Ll]ig(?:ue|uem|uei|ou|ar|uem)|[Dd]is(?:que|car|quei|cou)|[Cc]ham(?:e|ar|em))"
        r"(?:-se)?(?:\s(?:para|pro|pra|no|ao))?(?:\s[oa])?(?:\s(?:número|telefone|[A-Z]\w{2,11}))?",
        "ou|e",
        r"agora|já|se|e|ou|para(?!\s\d)|em|imediatamente|hoje|quando|caso|que|no|na|do|da|sem|a",
    ),
    formulas.sets(
        "a",
        "e",
        r"(?:[Vv]enc|[Pp]erd|[Gg]anh|[Bb]at|[Dd]errot|[Ff]ech)\w{1,4}(?:\s(?:por|de|em))?|"
        r"[Pp]arcia(?:l|is)\s(?:de|foram)|[Ss]ets?(?:\s(?:por|em|de))?",
    ),
    formulas.points_of(
        "de", r"(?:de\s)?(?:HP|hp|XP|MP|PV|vida|mana|pontos|pts|votos|acertos|moedas)"
    ),
    formulas.serials(),
    out_of("de", r"d[aeo]s?"),
    measures.parts(halved_noun, halved),
    Rule(r"(?<![\d/])(?:(?P<whole>\d+)\s)?(?P<upper>[1-9])/(?P<lower>[2-9]|10)\b(?!/)", _fraction),
    inches(Counted("polegada", "polegadas", feminine=True)),
    roman_numerals.behind(
        r"(?:[Ss]éculos?|[Ss]éc\.|[Cc]apítulos?|[Aa]to|[Vv]olume|[Tt]ítulo|[Ff]ase|[Tt]ipo|"
        r"[Aa]rtigo|[Nn]ível|[Ss]érie|[Ii]ncisos?|[Aa]líneas?|[Ii]te(?:m|ns)|[Aa]nexos?|[Pp]arte|"
        r"[Ll]ivro|[Mm]ódulo|[Uu]nidade|[Ss]eção|[Tt]emporada|[Ee]tapa)"
    ),
    roman_numerals.before("Guerra", _world_war),
    Rule(rf"\bD\.\s(?=(?:{_QUEENS})\b)", lambda found, numbers: "dona "),
    Rule(r"\b((?:Papa|Rei|Imperador) [A-ZÀ-Ý][a-zà-ý]+)\s(X)\b", _ruler),
    Rule(rf"\b({_QUEENS}|(?:Dom|Papa|Rei|Imperador) [A-ZÀ-Ý][a-zà-ý]+)\s(I)\b", _ruler),
    Rule(
        r"\b((?:Dom |Rei |Papa )?[A-ZÀ-Ý][a-zà-ý]+)\s"
        r"(II|III|IV|VI{0,3}|IX|X{0,2}V?I{2,3}|XI?V|XVI|XXI?)\b",
        _ruler,
    ),
)
