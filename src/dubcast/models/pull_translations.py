"""Brings the models of directions into the store: for each leg the best that can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dubcast.errors import ModelStoreError
from dubcast.models.store import ModelStore
from dubcast.models.translations import Leg, Translations

# `pull` for one model: its folder.
PullOne = Callable[[str], Path]


@dataclass(frozen=True)
class Pulled:
    """A model that is here now. `caution`: what is to be known of its licence, and why no better
    one is here.
    """

    path: Path
    caution: str | None = None


def pull_translations(
    store: ModelStore,
    directions: Iterable[tuple[str, str]],
    wanted: str | None,
    pull_one: PullOne,
) -> list[Pulled]:
    """Bring what translates each direction, in codes without a region; `wanted`: as `Translations`.

    A model with a caution is only pulled where no other can be. Raises ModelStoreError for a
    direction that no model translates, before anything is pulled, and if a leg's cannot be had.
    """
    known = Translations(store.translations, wanted)
    legs: dict[Leg, None] = {}
    for source, target in directions:
        way = known.way(source, target)
        if not way:
            raise ModelStoreError(
                f"no model translates from {source} to {target}; "
                f"there are: {', '.join(sorted(known.codes))}"
            )
        legs |= dict.fromkeys(way)
    return [_best(store, known.models(leg), pull_one) for leg in legs]


def _best(store: ModelStore, names: list[str], pull_one: PullOne) -> Pulled:
    failures: list[str] = []
    for name in names:
        caution = store.translations[name].caution
        try:
            path = pull_one(name)
        except ModelStoreError as error:
            failures.append(str(error))
            continue
        if caution is not None:
            reasons = "\n".join(failures)
            return Pulled(path, f"{name}: {caution}. No other could be had:\n{reasons}")
        return Pulled(path)
    raise ModelStoreError("\n".join(failures))
