"""The languages that there are: every file in `spoken`, found by itself."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from dubcast.languages import spoken
from dubcast.languages.language import Language, Variety


@functools.cache
def known() -> tuple[Language, ...]:
    """Every language, in the order of its file's name.

    Raises TypeError if a file has no `LANGUAGE`, ValueError if two claim the same tag.
    """
    found = tuple(_language(module.name) for module in pkgutil.iter_modules(spoken.__path__))
    _names(found)
    return found


def find(tag: str) -> Language | None:
    """The language that a caller means by a tag, a variety's tag or an alias, in any case.

    `PT_br` is Brazilian Portuguese; None if no such language is known.
    """
    return _names(known()).get(_lower(tag))


def variety(tag: str) -> Variety | None:
    """The variety with this tag (`en-GB`), or None."""
    every = (one for language in known() for one in language.varieties)
    return next((one for one in every if one.tag == tag), None)


def _language(module: str) -> Language:
    name = f"{spoken.__name__}.{module}"
    language = getattr(importlib.import_module(name), "LANGUAGE", None)
    if not isinstance(language, Language):
        raise TypeError(f"{name} must define LANGUAGE, a dubcast.languages.language.Language")
    return language


@functools.cache
def _names(languages: tuple[Language, ...]) -> dict[str, Language]:
    names: dict[str, Language] = {}
    for language in languages:
        own = (language.tag, *language.aliases, *(one.tag for one in language.varieties))
        for name in map(_lower, own):
            if names.setdefault(name, language) is not language:
                raise ValueError(f"{names[name].tag} and {language.tag} both claim {name!r}")
    return names


def _lower(tag: str) -> str:
    return tag.lower().replace("_", "-")
