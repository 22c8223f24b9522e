"""English commands that came out as Portuguese infinitives, put right. Pure.

A small model makes "Soltar um like" of "Drop a like": web pages label their buttons so. Where a
clause of the source begins with a verb, and one of the translation with an infinitive, the latter
becomes the imperative of "você".
"""

from __future__ import annotations

import re

# Verbs that streams command with. Those that are nouns as well count too: what decides is that the
# translation has an infinitive.
_COMMANDS = """
    add answer appreciate ask back be believe block bow break breathe bring build buy call
    cancel carry catch change chant check cheer choose clap clean clear click climb close come
    comment connect continue control cook copy count cover cross cut dance defend describe do
    don't donate download draw drink drive drop eat enjoy enter explain face fight fill find
    finish fix flip focus fold follow forget forgive get give go grab guess hang have head hear
    help hide hit hold imagine install invite join jump keep kick know learn leave let lift
    light like listen load lock look lose love make mark measure meet mind mix move mute note
    notice observe open order pass pay pick place plant play plug pour practice praise pray
    press protect pull push put raise reach read record refresh relax remember repeat reply
    respect respond rest return roll run save say score search see select send serve set shake
    share shoot shout show sign sing sit skip slow smash smile solve speak spend spread stand
    start stay step stir stop study subscribe support switch take talk taste tell thank think
    throw touch train trust try turn type understand unmute update use vote wait wake walk want
    warm wash watch wear welcome work worry worship write
"""
# What ends like an infinitive and is none.
_NOUNS = """
    altar ar avatar açúcar bar caráter celular chefer circular colar dever dólar escolar
    espetacular exemplar familiar jantar lar lugar líder mar master militar mulher par
    particular poder polar popular poster prazer qualquer radar regular repórter similar
    singular solar titular
"""
# Infinitives whose imperative does not follow from how they are written.
_IRREGULAR = """
    dar:dê estar:esteja ser:seja ir:vá ter:tenha vir:venha ver:veja fazer:faça dizer:diga
    trazer:traga pôr:ponha saber:saiba querer:queira poder:possa haver:haja ouvir:ouça
    pedir:peça medir:meça perder:perca ler:leia crer:creia rir:ria sorrir:sorria sair:saia
    cair:caia dormir:durma cobrir:cubra descobrir:descubra engolir:engula tossir:tussa
    subir:suba servir:sirva seguir:siga conseguir:consiga sentir:sinta mentir:minta vestir:vista
    repetir:repita preferir:prefira divertir:divirta sugerir:sugira ferir:fira manter:mantenha
    obter:obtenha conter:contenha deter:detenha entreter:entretenha compor:componha
    propor:proponha supor:suponha rever:reveja prever:preveja refazer:refaça valer:valha
    despedir:despeça impedir:impeça investir:invista refletir:reflita odiar:odeie
    incendiar:incendeie passear:passeie
"""
# How a stem is written before the other vowel.
_SPELLED = (
    *(("car", "que"), ("gar", "gue"), ("çar", "ce"), ("ear", "eie"), ("guir", "ga")),
    *(("guer", "ga"), ("ger", "ja"), ("gir", "ja"), ("cer", "ça"), ("cir", "ça"), ("quir", "ca")),
    *(("ar", "e"), ("er", "a"), ("ir", "a")),
)
_IS_COMMAND = frozenset(_COMMANDS.split())
_IS_NOUN = frozenset(_NOUNS.split())
_IMPERATIVE = dict(pair.split(":") for pair in _IRREGULAR.split())
_BORDER = r"[.!?;:,]\s+"
_COMMAND = re.compile(
    rf"(?:^|{_BORDER}(?:(?:and|but)\s+)?)(?:please,?\s+)?(?!let['’]?s\b|let us\b)([a-z'’]+)"
    r"(?!\s+(?:is|are|was|were|has|will|can|never|always)\b)(?![a-z'’])",
    re.IGNORECASE,
)
# An infinitive with the words that stand before it, and the pronoun that hangs on it.
_INFINITIVE = (
    r"(?P<before>(?:por favor,?\s+)?(?:não\s+)?(?:(?:se|me|nos)\s+)?)"
    r"(?P<verb>[^\W\d_]+[aei]r|[^\W\d_]*pôr|ir|[^\W\d_]+[áêí](?=-l[oa]s?\b))"
    r"(?:-l?(?P<object>[oa]s?|me|se|nos|lhe)\b)?(?!\w)"
)
_AT_START = re.compile(_INFINITIVE, re.IGNORECASE)
_JOINED = re.compile(rf"(?P<joint>\se\s){_INFINITIVE}", re.IGNORECASE)
_CLAUSES = re.compile(rf"({_BORDER}(?:(?:e|mas)\s+)?)")
_WRITTEN = {"á": "ar", "ê": "er", "í": "ir"}


def commanded(text: str, translation: str) -> str:
    """The translation of an English text, with its commands as such."""
    commands = sum(word.lower().replace("’", "'") in _IS_COMMAND for word in _COMMAND.findall(text))
    if not commands:
        return translation
    clauses = _CLAUSES.split(translation)
    for i in range(0, len(clauses), 2):
        found = _AT_START.match(clauses[i])
        if found is None or not commands or _infinitive(found) in _IS_NOUN:
            continue
        commands -= 1
        rest = _JOINED.sub(lambda one: one["joint"] + _said(one), clauses[i][found.end() :])
        clauses[i] = _said(found) + rest
    return "".join(clauses)


def imperative(infinitive: str) -> str:
    """The imperative of "você": `soltar`, solte."""
    if infinitive in _IMPERATIVE:
        return _IMPERATIVE[infinitive]
    for ending, written in _SPELLED:
        if infinitive.endswith(ending):
            return infinitive.removesuffix(ending) + written
    return infinitive


def _infinitive(found: re.Match[str]) -> str:
    verb = found["verb"].lower()
    return verb[:-1] + _WRITTEN[verb[-1]] if verb[-1] in _WRITTEN else verb


def _said(found: re.Match[str]) -> str:
    verb = _infinitive(found)
    if verb in _IS_NOUN:
        return found[0].removeprefix(found.groupdict().get("joint") or "")
    said = imperative(verb)
    said = said[0].upper() + said[1:] if found["verb"][0].isupper() else said
    return found["before"] + said + (f"-{found['object']}" if found["object"] else "")
