"""Sums of money, with their currency before or behind them. Pure."""

from __future__ import annotations

import re

from dubcast.languages.numbers import FIGURE, Numbers
from dubcast.languages.reading import Counted, Currency, Reading, Step


def money_step(currency: Currency, reading: Reading, numbers: Numbers) -> Step:
    """Finds sums in a currency, and says them."""
    return _Money(currency, reading, numbers).step()


class _Money:
    def __init__(self, currency: Currency, reading: Reading, numbers: Numbers) -> None:
        self._currency = currency
        self._reading = reading
        self._numbers = numbers
        self._scales = dict(reading.scales)

    def step(self) -> Step:
        sign = "|".join(map(re.escape, sorted(self._currency.signs, key=len, reverse=True)))
        scale = "|".join(map(re.escape, sorted(self._scales, key=len, reverse=True))) or "(?!)"

        def amount(name: str) -> str:
            return rf"(?P<{name}>{FIGURE})(?:[\s-]?(?P<{name}_scale>{scale})(?!\w))?"

        before = rf"(?:{sign})\s?(?:{amount('from')}\s?[-–—]\s?(?:(?:{sign})\s?)?)?{amount('a')}"
        behind = rf"(?:{amount('of')}\s?(?:{sign})?\s?[-–—]\s?)?{amount('b')}\s?(?:{sign})(?!\w)"
        pattern = (
            rf"(?:(?<![\w.,])(?P<minus>[-−–]))?(?<!\w)(?:{before}|{behind})"
            r"(?P<joined>-(?:(?:an?|per)-)?(?=[a-z]))?"
        )
        return re.compile(pattern), self._said

    def _said(self, found: re.Match[str]) -> str:
        reading, numbers = self._reading, self._numbers
        written = found["a"] or found["b"]
        scale = self._scales.get(found["a_scale"] or found["b_scale"] or "")
        said = f"{reading.minus} " if found["minus"] else ""
        if found["from"] or found["of"]:
            low = self._low(scale, found)
            said += f"{low} {reading.up_to} "
        joined = (found["joined"] or "").replace("-", " ")
        if scale is not None:
            at = found.start("a_scale" if found["a_scale"] else "b_scale")
            attributive = joined or found.string[at - 1] == "-"
            noun = self._currency.name.one if attributive else self._currency.name.many
            return said + reading.counted(numbers.amount(written, scale), noun) + joined
        if joined:
            return said + f"{numbers.figure(written)} {self._currency.name.one}{joined}"
        return said + self._sum(written)

    def _low(self, scale: Counted | None, found: re.Match[str]) -> str:
        """What a range of money begins with; its currency is said once, unless it has parts."""
        written = found["from"] or found["of"]
        own_scale = self._scales.get(found["from_scale"] or found["of_scale"] or "")
        if own_scale is not None:
            return self._numbers.amount(written, own_scale)
        whole, part = self._numbers.parts(written)
        if self._currency.part is not None and len(part) == 2 and int(part):
            return self._sum(written)
        number = (whole or "0") if part == "00" else written
        return self._numbers.figure(number, feminine=self._currency.name.feminine and not scale)

    def _sum(self, written: str) -> str:
        numbers = self._numbers
        whole, part = numbers.parts(written)
        if self._currency.part is None or len(part) != 2:
            return numbers.amount(written, self._currency.name)
        sums = [(whole, self._currency.name)] if int(whole or 0) or not int(part) else []
        sums += [(part, self._currency.part)] if int(part) else []
        counted = (numbers.amount(str(int(number or 0)), noun) for number, noun in sums)
        return f" {self._reading.also} ".join(counted)
