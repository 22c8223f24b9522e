"""What is wrong with settings, in words: the key, its value, what is allowed, who set it.

A secret's value is never among them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from dubcast.config.secret import MASK
from dubcast.config.tree import (
    field_at,
    is_collection,
    is_secret,
    is_section,
    is_text,
    type_at,
)

_LONGEST = 80  # of a value that is shown
_BOUNDS = {"ge": "{} or more", "gt": "more than {}", "le": "{} or less", "lt": "less than {}"}
_PARSED = {"int": "a whole number", "float": "a number", "bool": "true or false"}


def explain(
    error: ValidationError, root: type[BaseModel], origins: Mapping[str, str] | None = None
) -> str:
    """One line per fault. `origins`: dotted key -> where it was set."""
    lines = []
    for fault in error.errors(include_url=False):
        parts = [str(part) for part in fault["loc"]]
        dotted = ".".join(parts)
        origin = _origin(parts, origins or {})
        where = f" (set by {origin})" if origin else ""
        if fault["type"] == "extra_forbidden":
            lines.append(f"unknown setting {dotted}{where}{_suggestion(parts, root)}")
        elif fault["type"] == "missing":
            lines.append(f"{dotted} is missing{where}")
        else:
            shown = _shown(fault.get("input"), type_at(root, parts))
            lines.append(f"{dotted}{shown}: {_words(fault, root, parts)}{where}")
    return "\n".join(lines)


def _origin(parts: Sequence[str], origins: Mapping[str, str]) -> str | None:
    """Where a value was set, or the list or mapping that it is in, or the first thing in it."""
    for length in range(len(parts), 0, -1):
        if found := origins.get(".".join(parts[:length])):
            return found
    inside = ".".join(parts) + "."
    return next((where for dotted, where in origins.items() if dotted.startswith(inside)), None)


def _shown(value: Any, kind: Any) -> str:
    """` = ` and the value, as far as it may be shown."""
    if is_secret(kind):
        return f" = {MASK}"
    # What stands in place of a section, or where nothing is known, may be a secret.
    if kind is None or is_collection(kind) or isinstance(value, (Mapping, list, tuple)):
        return ""
    if value is None:
        return " = null"
    # A URL, or the user and password of one whose scheme was forgotten.
    if isinstance(value, str) and ("://" in value or "@" in value):
        return f" = {MASK}"
    return f" = {repr(value) if is_text(kind) else value}"[: _LONGEST + 3]


def _words(fault: Mapping[str, Any], root: type[BaseModel], parts: Sequence[str]) -> str:
    """What is allowed."""
    kind = type_at(root, parts)
    if is_section(kind):
        return "must be a mapping of keys to values"
    if is_collection(kind) and fault["type"] in {"tuple_type", "dict_type"}:
        return "must be a list" if fault["type"] == "tuple_type" else "must be a mapping"
    if fault.get("input") is None and is_text(kind):
        return "must be text; put it in quotes if that word is meant"
    wanted = fault["type"].partition("_")[0]
    if wanted in _PARSED:
        return f"must be {_PARSED[wanted]}{_range(root, parts)}"
    return str(fault["msg"]).removeprefix("Value error, ")


def _range(root: type[BaseModel], parts: Sequence[str]) -> str:
    field = field_at(root, parts)
    limits = [
        text.format(getattr(one, name))
        for one in (field.metadata if field else ())
        for name, text in _BOUNDS.items()
        if hasattr(one, name)
    ]
    return f", {' and '.join(limits)}" if limits else ""


def _suggestion(parts: Sequence[str], root: type[BaseModel]) -> str:
    section = type_at(root, parts[:-1])
    known = list(section.model_fields) if is_section(section) else []
    near = difflib.get_close_matches(parts[-1], known, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known: {', '.join(known)}" if known else ""
