"""What translation models say of themselves: phrases of the web pages and minutes of parliaments
that they learned from. Data, by direction.

Each rule is what may be wrong in a translation, and what in the source would explain it.
"""

from __future__ import annotations

import re

_EN_PT = (
    (r"\bedi(?:ção|ções|tar|tado)\b", r"\bedit"),
    (r"\benvi(?:ar|ando|e|em|ado)\b.*\b(?:edição|comentário)", r"\bedit|\bcomment"),
    (r"\bblogs?\b", r"\bblog"),
    (r"\b(?:site|página|web ?site)s?\b", r"\b(?:sites?|websites?|pages?|web)\b"),
    (r"\bsenhoras? e senhores? deputados|\bdeputad[oa]s?\b", r"\bdeput|\bmember|\bcongress|\bmp\b"),
    (r"\bsenhora? (?:presidente|comissári[oa])\b", r"\bpresident|\bcommissioner|\bchair|\bspeaker"),
    (r"\bparlamento\b", r"\bparliament"),
    (r"\bcomissão europeia\b", r"\bcommission"),
    (r"\bclique\b|\bclicar\b", r"\bclick|\bhit\b|\btap\b|\bpress"),
    (r"\bcookies\b", r"\bcookie"),
    (r"\btodos os direitos reservados\b", r"\brights reserved"),
    (
        r"\bdownload\b|\bbaix(?:e|ar) (?:o|a|os|as)? ?(?:app|aplicativo|arquivo)",
        r"\bdownload|\bapp\b",
    ),
    (r"\b(?:enviar|envie) (?:um )?e-?mail\b", r"\bmail"),
    (r"\bhot(?:el|éis)\b", r"\bhotel|\binn\b|\bresort"),
    (r"\bestados unidos\b|\beua\b", r"\bamerica|\bunited states|\bu\W?s\W?a?\b|\bstates\b"),
    (r"\bcompartilh|\bpartilh", r"\bshar|\bpost"),
    (r"\bcomentários?\b", r"\bcomment|\bremark|\bcommentar"),
)
_PT_EN = (
    (r"\b(?:an? )?edit(?:s|ed|ing|ion|ions)?\b", r"\bedi[tçc]"),
    (r"\bsubmi(?:t|ts|tting|tted)\b", r"\benvi|\bsubmet|\bapresent|\binscr|\bmand"),
    (
        r"\bshar(?:e|es|ed|ing)\b",
        r"\bcompart|\bpartilh|\bdivid|\bparte\b|\breparti|\baç(?:ão|ões)\b",
    ),
    (r"\bblogs?\b", r"\bblog"),
    (r"\b(?:websites?|web ?pages?)\b", r"\bsite|\bpágina|\bweb"),
    (r"\bmr president\b|\bmadam president\b|\bcommissioner\b", r"\bpresident|\bcomissári"),
    (r"\bparliament\b", r"\bparlamento"),
    (r"\bhonourable members\b", r"\bdeputad|\bmembro"),
    (r"\bclick\b", r"\bcli[cq]|\baperta|\bapert"),
    (r"\bcookies\b", r"\bcookie|\bbiscoito|\bbolach"),
    (r"\ball rights reserved\b", r"\bdireitos reservados"),
    (r"\bdownload", r"\bbaix|\bdownload"),
    (r"\bhotels?\b", r"\bhot[eé]|\bpousada|\bhosped"),
    (r"\bunited states\b|\bu\.?s\.?a\b", r"\bestados unidos|\beua\b|\bamérica|\bamerican"),
    (r"\bposted\b|\bblog post\b", r"\bpost|\bpublic"),
    (r"\bcomments?\b", r"\bcoment|\bobserva"),
)


def _compiled(
    rules: tuple[tuple[str, str], ...],
) -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    return tuple((re.compile(wrong), re.compile(explains)) for wrong, explains in rules)


UNASKED = {("en", "pt-BR"): _compiled(_EN_PT), ("pt-BR", "en"): _compiled(_PT_EN)}
"""(what is wrong, what explains it), for texts in small letters."""
