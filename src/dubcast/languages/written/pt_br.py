"""How Brazilian Portuguese writes what is neither a date nor a time."""

from __future__ import annotations

import re

from dubcast.languages import measures, roman_numerals
from dubcast.languages.numbers import Numbers, roman
from dubcast.languages.reading import Counted, Rule
from dubcast.languages.rules import inches, out_of, short_codes, versions
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
)
_QUEENS = (
    r"Elizabeth|Elisabete|Isabel|Catarina|Maria|Vitória|Margarida|Cristina|Joana|Ana|Mary|Beatriz|"
    r"Leonor|Teresa|Sofia|Cleópatra|Urraca|Victoria|Guilhermina|Juliana"
)
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
    Rule(r"\b(\d+)[xX](?!\w)", _times),
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
    out_of("de", r"d[aeo]s?"),
    measures.parts(halved_noun, halved),
    Rule(r"(?<![\d/])(?:(?P<whole>\d+)\s)?(?P<upper>[1-9])/(?P<lower>[2-9]|10)\b(?!/)", _fraction),
    inches(Counted("polegada", "polegadas", feminine=True)),
    roman_numerals.behind(
        r"(?:[Ss]éculos?|[Ss]éc\.|[Cc]apítulos?|[Aa]to|[Vv]olume|[Tt]ítulo|[Ff]ase|[Tt]ipo|"
        r"[Aa]rtigo|[Nn]ível|[Ss]érie)"
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
