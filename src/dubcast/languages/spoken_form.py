"""What is written as it is said: figures, signs and abbreviations in words, before synthesis. Pure.

The order matters: what is written in a pattern of its own (addresses, dates, times) is read before
the numbers in it would be, and a number with what it counts before one that stands alone.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace

from dubcast.languages.asides import without_asides
from dubcast.languages.language import Language
from dubcast.languages.money import money_step
from dubcast.languages.numbers import FIGURE, Numbers
from dubcast.languages.reading import Counted, Reading, Step, Unit
from dubcast.languages.rules import end_of_sentence
from dubcast.languages.sentences import sentences

# Names in it are bounded, so that letters and dashes without end take no time without end.
ADDRESS = re.compile(
    r"(?:\bhttps?://)?\b(?P<where>"
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]+)+"
    r"|(?:www\.|(?<=://))[\w-]+(?:\.[\w-]+)+(?:/[\w/.-]*\w)?"
    r"|[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:(?:com|org|net|gov|edu|tv|io)(?:\.[a-z]{2})?|co\.[a-z]{2})(?:/[\w/.-]*\w)?"
    r")(?![\w@])/?",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"[^\W\d_]+|\d+|[.@/_+-]")
_HASHTAG = re.compile(r"(?<!\w)#(?=[^\W\d])")
_NUMBER_SIGN = re.compile(r"(?<!\w)#\s?(?=\d)")
_HANDLE = re.compile(r"(?<!\w)@\s?(?=\w)")
# Neither Roman numerals, nor laughter: kkkkk.
_STRETCHED = re.compile(r"([^\W\d_iIxXkK])\1{2,}", re.IGNORECASE)
_INITIALS = re.compile(r"\b(?:[A-Z]\.\s?){2,}")
_INITIAL = re.compile(r"\b[A-Z]\.(?=\s[A-Z][a-z])")
_CAPITALS = re.compile(r"\b([A-ZÀ-Ý]{2,}(?:&[A-Z]+)?)(s?)\b")
_NEXT_TO_LETTERS = re.compile(r"(?<=[^\W\d_])-?(?=\d)|(?<=\d)-?(?=[^\W\d_])")
_RANGE = re.compile(rf"(?<![\w.,-])({FIGURE})\s?[-–—]\s?({FIGURE})(?![\w-]|[.,]\d)")
# A dash between times: 9am-5pm, 9h-17h, 15:30-16:45, 9-5pm.
_UNTIL = re.compile(
    r"(?:(?<=\d[hH])|(?<=[:hH][0-5]\d)|(?<=[apAP][mM])|(?<=[apAP]\.[mM]\.))"
    r"\s?[-–—]\s?(?=\d{1,2}(?:[:hH]|\s?[apAP]\.?[mM]\b)|noon|midnight|mei[oa]-)"
    r"|(?<=\d)\s?[-–—]\s?(?=\d{1,2}(?::[0-5]\d)?(?:[hH]\b|\s?[apAP]\.?[mM]\b))"
)
_COMPOSED = (("<=", "≤"), (">=", "≥"), ("!=", "≠"), ("==", "="))
_ARROW = re.compile(r"\s?(?:[-–=]{1,3}>|[→⇒])\s?")
# A path through menus: Settings > General.
_MENU = re.compile(r"(?<=\w\w) > (?=[A-ZÀ-Ý]\w)")
_COMPARED = re.compile(r"(?<!\S)[<>](?= \w)|[<>](?=\s?[-−$€£]?\d)")
_VULGAR = re.compile(r"(?:(\d)\s?)?([¼-¾⅐-⅞])")
_PER = re.compile(r"(?<=\d)\s?/\s?(?=[^\W\d_]{3,})")
_APART = re.compile(r"(?<=\d):(?=\d)")
_ADDED = re.compile(r"(?<=\d)\s?\+\s?(?=\d)")
_SIGNED = rf"(?:(?<![\w.,%)])[-−–](?=\d))?{FIGURE}"
_FIGURE = re.compile(_SIGNED)
_NAME = re.compile(r"\s(?:[A-ZÀ-Ý]|d[aeo]s? [A-ZÀ-Ý])")
_WORD = re.compile(r"[^\W\d_]{2,}")
_LOUD_WORDS = 3
_LONG_WORD = 6
_BRACKETS = re.compile(r"[()\[\]{}<>*_~|^`\\]+")
_SPACE_BEFORE_MARK = re.compile(r"\s+(?=[.,;:!?…](?:\s|$))")


def spoken_form(text: str, language: Language) -> str:
    """The text in words that any voice can say; brackets and pictures are left out.

    A language without a `Reading` keeps its figures and abbreviations as they are written.
    """
    plain = _tidy(without_asides(text, language.reading.cues if language.reading else "(?!)"))
    if language.reading is None:
        return _tidy(_BRACKETS.sub(" ", plain))
    reader = _reader(language)
    plain = unshouted(plain, language)
    return " ".join(_tidy(reader.read(one)) for one in sentences(plain, language))


def unshouted(text: str, language: Language) -> str:
    """A text that is all capitals because it is loud, in small letters."""
    if language.reading is None or not _reader(language).is_shouted(text):
        return text
    return text.lower()


class _Reader:
    """The patterns of one language, in the order in which they are asked."""

    def __init__(self, language: Language, reading: Reading) -> None:
        self._reading = reading
        self._numbers = Numbers(reading)
        self._abbreviations = dict(reading.abbreviations)
        self._scales = dict(reading.scales)
        self._shouted = set(reading.shouted)
        self._speakable = re.compile(reading.speakable)
        self._feminine = re.compile(rf"\s(?:{reading.feminine_noun})\b", re.IGNORECASE)
        self._steps = tuple(self._in_order())

    def is_shouted(self, text: str) -> bool:
        """Whether capitals spell nothing here and are only loud: some word in them is a plain one,
        or there are many, and they are no list.
        """
        words = _WORD.findall(text)
        if text != text.upper() or len(words) < _LOUD_WORDS:
            return False
        plain = any(one.lower() in self._shouted or len(one) >= _LONG_WORD for one in words)
        return plain or (len(words) > _LOUD_WORDS and "," not in text)

    def read(self, sentence: str) -> str:
        for pattern, say in self._steps:
            sentence = pattern.sub(say, sentence)
        return sentence

    def _in_order(self) -> Iterator[Step]:
        reading, numbers = self._reading, self._numbers
        yield ADDRESS, self._address
        yield _STRETCHED, lambda found: found[1]
        for written, sign in _COMPOSED:
            yield re.compile(re.escape(written)), functools.partial(_instead, sign)
        yield _ARROW, functools.partial(_arrow, reading)
        yield _MENU, lambda _: ", "
        yield _COMPARED, functools.partial(_compared, reading)
        yield _VULGAR, _slashed
        yield _UNTIL, lambda _: f" {reading.up_to} "
        yield _part_of_measure(reading)
        for rule in reading.rules:
            yield re.compile(rule.pattern), functools.partial(_ruled, rule.say, numbers)
        yield _BRACKETS, lambda _: " "
        yield _HASHTAG, lambda _: f"{reading.hashtag} "
        yield _NUMBER_SIGN, lambda _: f"{reading.number_sign} "
        yield _HANDLE, lambda _: f"{reading.at} "
        yield _PER, lambda _: f" {reading.per} "
        yield from (money_step(one, reading, numbers) for one in reading.currencies)
        yield from (self._measure(one) for one in reading.units)
        yield self._large()
        yield _INITIALS, self._initials
        yield self._short_forms(), self._abbreviation
        for rule in reading.late_rules:
            yield re.compile(rule.pattern), functools.partial(_ruled, rule.say, numbers)
        yield _INITIAL, self._initials
        yield _NEXT_TO_LETTERS, lambda _: " "
        yield _CAPITALS, self._capitals
        yield _RANGE, lambda found: f"{found[1]} {reading.up_to} {found[2]}"
        yield _APART, lambda _: " "
        yield _ADDED, lambda _: f" {reading.plus} "
        yield _FIGURE, self._figure
        for sign, word in reading.signs:
            yield re.compile(re.escape(sign)), functools.partial(_apart, word)

    def _address(self, found: re.Match[str]) -> str:
        parts = _IN_ADDRESS.findall(found["where"])
        return " ".join(self._part_of_address(parts, i) for i in range(len(parts)))

    def _part_of_address(self, parts: list[str], i: int) -> str:
        reading, part = self._reading, parts[i]
        signs = {
            ".": reading.dot,
            "@": reading.at,
            "/": reading.slash,
            "-": reading.dash,
            "_": reading.underscore,
            "+": reading.plus,
        }
        if part in signs:
            return signs[part]
        if part.isdigit():
            return self._numbers.figure(part)
        country = len(part) == 2 and i > 0 and parts[i - 1] == "." and "/" not in parts[:i]
        if part.lower() == "www" or (country and part.lower() not in reading.domains):
            return self._numbers.letters(part)
        return part

    def _large(self) -> Step:
        """`250k`, `2.5M`: letters that multiply a number which counts something."""
        letters = self._reading.large
        low = rf"(?:(?P<low>{FIGURE})(?:{letters})?\s?[-–]\s?)?"
        noun = rf"(?:\s(?P<noun>(?!(?:{self._reading.no_noun})\b)[^\W\d_]{{3,}}))?"
        pattern = rf"(?<![\w.,/:-]){low}(?![48]K\b)(?P<n>{FIGURE})(?P<scale>{letters})\b(?!-){noun}"
        return re.compile(pattern), self._say_large

    def _say_large(self, found: re.Match[str]) -> str:
        numbers, scale = self._numbers, self._scales[found["scale"]]
        thousand = scale.one == scale.many
        counts = found.end("scale")
        feminine = scale.feminine or (
            thousand and self._feminine.match(found.string, counts) is not None
        )
        said = numbers.amount(found["n"], replace(scale, feminine=feminine))
        if found["low"]:
            low = numbers.figure(found["low"], feminine=feminine)
            said = f"{low} {self._reading.up_to} {said}"
        return self._reading.counted(said, found["noun"]) if found["noun"] else said

    def _measure(self, unit: Unit) -> Step:
        sign = "|".join(map(re.escape, sorted(unit.signs, key=len, reverse=True)))
        low = rf"(?:(?<![\w.,])(?P<low>{FIGURE})\s?(?:{sign})?\s?[-–]\s?)?"
        pattern = rf"{low}(?<![\w])(?P<n>{_SIGNED})\s?(?:{sign})(?![\w/])(?:\.(?=\s[a-z\d]))?"
        return re.compile(pattern), functools.partial(self._say_measure, unit.name)

    def _say_measure(self, name: Counted, found: re.Match[str]) -> str:
        said = self._numbers.amount(found["n"], name) + end_of_sentence(found)
        if not found["low"]:
            return said
        low = self._numbers.figure(found["low"], feminine=name.feminine)
        return f"{low} {self._reading.up_to} {said}"

    def _short_forms(self) -> re.Pattern[str]:
        forms = sorted(self._abbreviations, key=len, reverse=True)
        return re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, forms))})(?!\w)")

    def _abbreviation(self, found: re.Match[str]) -> str:
        if re.fullmatch(r"[A-Z]\.", found[0]) and _NAME.match(found.string, found.end()) is None:
            return found[0]  # a letter that ends a sentence: vitamin D.
        return self._abbreviations[found[0]] + end_of_sentence(found)

    def _initials(self, found: re.Match[str]) -> str:
        if found[0].strip() in self._abbreviations:
            return found[0]
        letters = self._numbers.letters(re.sub(r"\W", "", found[0]))
        return letters + (end_of_sentence(found) or " " * found[0].endswith(" "))

    def _capitals(self, found: re.Match[str]) -> str:
        word, plural = found.groups()
        if "&" in word:
            joined = f" {dict(self._reading.signs).get('&', '&')} "
            return joined.join(self._numbers.letters(one) for one in word.split("&")) + plural
        if word.lower() in self._shouted and not plural:
            return word.lower()
        spelled = word in self._reading.spelled
        if word in self._reading.acronyms or (not spelled and self._speakable.fullmatch(word)):
            return word.capitalize() + plural
        return self._numbers.letters(word) + (self._reading.letters_plural if plural else "")

    def _figure(self, found: re.Match[str]) -> str:
        feminine = self._feminine.match(found.string, found.end()) is not None
        return self._numbers.figure(found[0], feminine=feminine)


@functools.cache
def _reader(language: Language) -> _Reader:
    assert language.reading is not None
    return _Reader(language, language.reading)


def _arrow(reading: Reading, found: re.Match[str]) -> str:
    before, after = found.string[: found.start()], found.string[found.end() :]
    if not before or not after:
        return " "
    return f" {reading.up_to} " if before[-1].isdigit() and after[0].isdigit() else ", "


def _compared(reading: Reading, found: re.Match[str]) -> str:
    return f" {dict(reading.signs).get(found[0], '')} "


def _part_of_measure(reading: Reading) -> Step:
    """`1/2 kg`: the unit's name, so that it is what is halved."""
    named = {
        sign: unit.name
        for unit in reading.units
        for sign in unit.signs
        if sign.rstrip(".").isalpha()
    }
    signs = "|".join(map(re.escape, sorted(named, key=len, reverse=True))) or "(?!)"

    def said(found: re.Match[str]) -> str:
        name = named[found["sign"]]
        return f"{found['part']} {name.many if found['whole'] else name.one}"

    part = r"(?<![\d/.,])(?P<part>(?P<whole>\d{1,4}\s)?[1-9]/[2-9])"
    return re.compile(rf"{part}\s?(?P<sign>{signs})(?![\w/])(?:\.(?=\s[a-z\d]))?"), said


def _instead(sign: str, _: re.Match[str]) -> str:
    return sign


def _slashed(found: re.Match[str]) -> str:
    """`2½` as `2 1/2`."""
    fraction = unicodedata.normalize("NFKC", found[2]).replace("⁄", "/")
    return f"{found[1]} {fraction}" if found[1] else fraction


def _apart(word: str, _: re.Match[str]) -> str:
    return f" {word} "


def _ruled(
    say: Callable[[re.Match[str], Numbers], str], numbers: Numbers, found: re.Match[str]
) -> str:
    return say(found, numbers)


def _tidy(text: str) -> str:
    return _SPACE_BEFORE_MARK.sub("", " ".join(text.split()))
