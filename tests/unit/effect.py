"""What shows that a setting matters: something that comes out otherwise once it is changed."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from dubcast import config
from dubcast.config import Settings


@dataclass(frozen=True)
class Place:
    """Where an effect is looked at. `names` stand in braces in the values of settings."""

    folder: Path
    patch: pytest.MonkeyPatch
    names: Mapping[str, str]
    services: Mapping[str, Any]
    elsewhere: Any


@dataclass(frozen=True)
class Effect:
    """`seen` of the settings `beside` is another once the setting is `value`.

    What takes long to see comes as an iterator, which is followed until it is another.
    """

    value: Any
    seen: Callable[[Settings, Place], Any]
    beside: Mapping[str, Any] = field(default_factory=dict)


def observe(effect: Effect, place: Place, changes: Mapping[str, Any]) -> Any:
    """What is seen with the settings `beside` and `changes`; coroutines are run to their end."""
    given = _filled({**effect.beside, **changes}, place.names)
    settings = config.load(flags=given, env={"DUBCAST_CONFIG": "-"}).settings
    seen = effect.seen(settings, place)
    return asyncio.run(seen) if inspect.iscoroutine(seen) else seen


def is_the_same(seen: Any, before: Any) -> bool:
    """Whether it is seen as before; of iterators no more is taken than it needs to know."""
    if isinstance(seen, Iterator):
        return all(one == other for one, other in zip_longest(seen, before))
    return bool(seen == before)


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return value.format_map(names)
    if isinstance(value, dict):
        return {key: _filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, names) for item in value]
    return value
