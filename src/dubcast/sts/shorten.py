"""Texts made shorter, so that they can be spoken in the time that there is. Pure.

What goes first is what says least: repeated words, fillers, discourse markers. Then what explains:
parentheses, asides between commas, trailing subordinate clauses. What holds a negation, a number
or a name never goes; a text that cannot be shortened enough is returned as short as it gets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# Characters per second of the voices, measured on Portuguese; each voice's own is learned.
PRIOR_CPS = 15.0
_PRIOR_WEIGHT = 4.0
_FORGET = 0.95
# A short text says little about a voice's pace: pauses and rounding dominate.
_LEAST_CHARS = 12

# Words that may go wherever they stand alone between commas or at a sentence's start.
_MARKERS = {
    "en": (
        *("well", "you know", "i mean", "of course", "actually", "basically", "anyway", "so"),
        *("look", "listen", "right", "okay", "ok", "you see", "let's say", "kind of", "sort of"),
        *(
            "to be honest",
            "as i said",
            "as you know",
            "by the way",
            "in fact",
            "honestly",
            "now",
            "um",
            "uh",
        ),
    ),
    "pt": (
        *("bem", "bom", "né", "então", "sabe", "olha", "olhe", "veja", "ora", "certo", "tipo"),
        *("quer dizer", "ou seja", "você sabe", "vocês sabem", "na verdade", "de fato", "enfim"),
        *("basicamente", "claro", "é claro", "por assim dizer", "digamos", "aliás", "agora"),
        *("para ser honesto", "como eu disse", "como você sabe", "a propósito", "tá", "ok"),
    ),
}
# Words that say nothing wherever they stand.
_FILLERS = {
    "en": ("um", "uh", "er", "hmm", "really", "just", "very", "actually", "basically"),
    "pt": ("hum", "ah", "né", "realmente", "basicamente", "simplesmente"),
}
_SUBORDINATE = {
    "en": ("which", "who", "because", "since", "although", "though", "while", "whereas", "as"),
    "pt": (
        *("que", "o que", "a qual", "o qual", "quem", "porque", "pois", "já que", "embora"),
        *("enquanto", "ainda que", "uma vez que", "onde", "como", "apesar"),
    ),
}
_NEGATIONS = {
    "en": re.compile(
        r"\b(?:no|not|never|none|nobody|nothing|neither|nor|without|cannot|\w+n['’]t)\b", re.I
    ),
    "pt": re.compile(
        r"\b(?:não|nunca|jamais|nenhum|nenhuma|nenhuns|nenhumas|ninguém|nada|nem|sem)\b", re.I
    ),
}
_NO_NEGATION = re.compile(r"(?!)")
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty"
    r"|fou?rty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|half|first"
    r"|second|third|dois|duas|três|quatro|cinco|seis|sete|oito|nove|dez|onze|doze|treze|catorze"
    r"|quatorze|quinze|dezesseis|dezessete|dezoito|dezenove|vinte|trinta|quarenta|cinquenta"
    r"|sessenta|setenta|oitenta|noventa|cem|cento|duzentos|mil|milhão|milhões|bilhão|bilhões"
    r"|metade|primeir[oa]|segund[oa]|terceir[oa])\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.!?…]\s)(?<!^)\b(?!I\b)[A-ZÀ-Ý]\w*")
_REPEATED = re.compile(r"\b(\w+(?:\s\w+){0,3})(?:,?\s+\1\b)+", re.IGNORECASE)
_PARENTHESIS = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\]|\s[—–]\s[^—–]*\s[—–](?=\s))")
_ASIDE = re.compile(r",\s[^,.!?…;:]{2,60},(?=\s)")


class Pace:
    """How fast each voice speaks, learned from what it has said. Starts at 15 characters/s."""

    def __init__(self) -> None:
        self._voices: dict[str, tuple[float, float]] = {}

    def cps(self, voice: str) -> float:
        """Characters per second of `voice` at its natural speed."""
        chars, seconds = self._voices.get(voice, (0.0, 0.0))
        return (chars + PRIOR_CPS * _PRIOR_WEIGHT) / (seconds + _PRIOR_WEIGHT)

    def predict_s(self, text: str, voice: str) -> float:
        """How long `voice` will take for the text, in seconds."""
        return len(text) / self.cps(voice)

    def learn(self, text: str, voice: str, seconds: float) -> None:
        """The voice took `seconds` for the text; what is long ago counts less."""
        if len(text) >= _LEAST_CHARS and seconds > 0:
            chars, total = self._voices.get(voice, (0.0, 0.0))
            self._voices[voice] = (chars * _FORGET + len(text), total * _FORGET + seconds)


def shorten(text: str, language: str, most_chars: float) -> str:
    """The text in at most `most_chars` characters if that can be had; at its shortest if not.

    `language`: a tag; one without lists (neither `en` nor `pt`) loses repetitions and
    parentheses only. Nothing more than needed is taken out.
    """
    code = language.partition("-")[0].lower()
    steps: tuple[Callable[[str, str], Iterator[str]], ...] = (
        _without_repetitions,
        _without_markers,
        _without_fillers,
        _without_parentheses,
        _without_trailing_clauses,
    )
    for step in steps:
        while len(text) > most_chars:
            # The smallest cut that is enough, or the largest if none is.
            options = sorted((_tidy(option) for option in step(text, code)), key=len)
            options = [option for option in options if option and len(option) < len(text)]
            if not options:
                break
            text = next((o for o in reversed(options) if len(o) <= most_chars), options[0])
    return text


def _without_repetitions(text: str, code: str) -> Iterator[str]:
    for found in _REPEATED.finditer(text):
        if _NUMBER.search(found.group()) is None:
            yield text[: found.start()] + found.group(1) + text[found.end() :]


def _without_markers(text: str, code: str) -> Iterator[str]:
    words = "|".join(map(re.escape, sorted(_MARKERS.get(code, ()), key=len, reverse=True)))
    if not words:
        return
    at_start = re.compile(rf"(?:(?<=^)|(?<=[.!?…]\s))(?:{words}),\s+", re.IGNORECASE)
    inside = re.compile(rf",\s+(?:{words})(?=[,.!?…;:])", re.IGNORECASE)
    for pattern in (at_start, inside):
        for found in pattern.finditer(text):
            yield text[: found.start()] + text[found.end() :]


def _without_fillers(text: str, code: str) -> Iterator[str]:
    for word in _FILLERS.get(code, ()):
        for found in re.finditer(rf"(?:(?<=^)|(?<=\s)){word},?\s+", text, re.IGNORECASE):
            # "not very good" is not "not good".
            before = " ".join(text[: found.start()].split()[-2:])
            if _NEGATIONS.get(code, _NO_NEGATION).search(before) is None:
                yield text[: found.start()] + text[found.end() :]


def _without_parentheses(text: str, code: str) -> Iterator[str]:
    for found in (*_PARENTHESIS.finditer(text), *_asides(text, code)):
        if not precious(found.group(), code):
            yield text[: found.start()] + text[found.end() :]


def _asides(text: str, code: str) -> Iterator[re.Match[str]]:
    """Subordinate clauses between two commas; a list of things has commas too, and stays."""
    for found in _ASIDE.finditer(text):
        if _is_subordinate(found.group().strip(", "), code):
            yield found


def _without_trailing_clauses(text: str, code: str) -> Iterator[str]:
    for sentence in re.finditer(r"[^.!?…]+[.!?…]*", text):
        body = sentence.group().rstrip(".!?… ")
        for comma in re.finditer(r"[,;]\s", body):
            tail = body[comma.end() :]
            says_little = _is_subordinate(tail, code) and not precious(tail, code)
            if says_little and comma.start() >= len(body) / 3:
                start = sentence.start() + comma.start()
                yield text[:start] + text[sentence.start() + len(body) :]


def _is_subordinate(text: str, code: str) -> bool:
    lower = text.lower()
    return any(lower.startswith(f"{word} ") for word in _SUBORDINATE.get(code, ()))


def precious(text: str, code: str) -> bool:
    """True if the text holds a negation, a number or a name."""
    patterns = (_NEGATIONS.get(code, _NO_NEGATION), _NUMBER, _NAME)
    return any(pattern.search(text) is not None for pattern in patterns)


def _tidy(text: str) -> str:
    """Single spaces, no mark without words before it, and each sentence with a capital."""
    text = re.sub(r"\s+([,.!?…;:])", r"\1", " ".join(text.split()))
    text = re.sub(r",+(?=[,.!?…;:])", "", text).lstrip(",;: ")
    return re.sub(r"(?:^|(?<=[.!?…]\s))[a-zà-ý]", lambda found: found.group().upper(), text)
