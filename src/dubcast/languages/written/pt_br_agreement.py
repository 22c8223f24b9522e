"""What agrees with what in Brazilian Portuguese: numbers with nouns, half with the whole."""

from __future__ import annotations

import re

from dubcast.languages.numbers import Numbers
from dubcast.languages.reading import Counted

_LARGE = re.compile(r"^(.*\b(?:milhão|milhões|bilhão|bilhões|trilhão|trilhões)\b)?(.*)$")
# Behind a figure, these are no nouns.
NO_NOUN = (
    r"d[eao]s?|e|ou|as?|os?|em|n[oa]s?|por|para|pra|com|sem|que|mais|menos|já|hoje|agora|foi|foram|"
    r"são|é|era|tem|até|se|não|aqui|ali|lá|só|ainda|entre|como|quando|mas|nums?|numas?|apenas|estes?|"
    r"ess[ea]s?|está|estão|pel[oa]s?|sobre|desde|também|depois|antes|cada|então|porque|contra|deve"
)
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
FEMININE_NOUN = (
    rf"(?:mil )?(?!(?:{_NOT_FEMININE})\b)(?:\w+as?|\w+(?:ção|ções|são|sões|dade|dades|gem|gens)|"
    r"mulher(?:es)?|colher(?:es)?|vez(?:es)?|noites?|partes?|mãos?|redes?|séries?|fotos?|motos?|equipes?|chances?|"
    r"vozes|leis?|luzes|flor(?:es)?|tardes?|classes?|fases?|mortes?|fontes?|crises?|bases?|mães?|"
    r"irmãs|manhãs|maçãs|cores?)"
)


def feminine(words: str) -> str:
    """`vinte e um` becomes `vinte e uma`; millions stay masculine."""
    found = _LARGE.fullmatch(words)
    millions, rest = found.groups("") if found else ("", words)
    rest = re.sub(r"\bum\b", "uma", rest)
    rest = re.sub(r"\bdois\b", "duas", rest)
    return str(millions) + re.sub(r"entos\b", "entas", rest)


def feminine_ordinal(words: str) -> str:
    return re.sub(r"o\b", "a", words)


def counted(number: str, noun: str) -> str:
    """`um milhão de reais`, `mil reais`."""
    return f"{number} de {noun}" if re.search(r"ilh(?:ão|ões)$", number) else f"{number} {noun}"


def halved_noun(word: str, _: Numbers) -> Counted | None:
    """What there can be a half of."""
    if re.fullmatch(rf"(?!(?:{NO_NOUN})\b)[a-zà-ÿ]{{3,}}", word) is None:
        return None
    return Counted(word, word, re.fullmatch(FEMININE_NOUN, word) is not None)


def halved(found: re.Match[str], noun: Counted, numbers: Numbers) -> str:
    """`meia xícara`, `meio litro`; `duas horas e meia`; other parts are said of anything."""
    if (found["upper"], found["lower"]) != ("1", "2"):
        return found[0]
    half = "meia" if noun.feminine else "meio"
    whole = int(found["whole"] or 0)
    if not whole:
        return f"{half} {noun.one}"
    name = re.sub(r"s$", "", noun.one) if whole == 1 else noun.one
    return f"{numbers.cardinal(whole, feminine=noun.feminine)} {name} e {half}"
