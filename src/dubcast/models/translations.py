"""Which models translate a direction: directly, or by way of English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dubcast.models.manifest import TranslationEntry

PIVOT = "en"
# By quality: the second differs from the first by less than the wear of a table, and is dearer.
_ORDER = ("base-memory", "base", "tiny")


@dataclass(frozen=True)
class Leg:
    """A direction that one model translates, in codes without a region (`pt`)."""

    source: str
    target: str


class Translations:
    """The models that there are. `wanted`: an architecture that goes before better ones."""

    def __init__(self, entries: Mapping[str, TranslationEntry], wanted: str | None = None) -> None:
        self._names: dict[Leg, list[str]] = {}
        order = [wanted, *_ORDER]

        def rank(name: str) -> tuple[bool, int]:
            return entries[name].caution is not None, order.index(entries[name].architecture)

        for name in sorted(entries, key=rank):
            one = entries[name]
            self._names.setdefault(Leg(one.source, one.target), []).append(name)

    @property
    def codes(self) -> set[str]:
        """Every language that is translated from or into."""
        return {code for leg in self._names for code in (leg.source, leg.target)}

    def models(self, leg: Leg) -> list[str]:
        """The names of those that translate a leg, best first; those with a caution last."""
        return self._names.get(leg, [])

    def way(self, source: str, target: str) -> tuple[Leg, ...]:
        """The legs from one language to another: one, two by way of English, none if there are
        none.
        """
        direct = Leg(source, target)
        if direct in self._names:
            return (direct,)
        around = (Leg(source, PIVOT), Leg(PIVOT, target))
        return around if all(leg in self._names for leg in around) and source != target else ()
