"""Trees of settings: dotted keys, one tree over another, and the type that belongs to a key."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

# Mappings whose keys are names that people choose: one value each.
_FREE_FORM = frozenset({"orchestrator.streams"})


def nest(dotted: str, value: Any) -> dict[str, Any]:
    """`a.b` and a value become `{"a": {"b": value}}`."""
    for part in reversed(dotted.split(".")):
        value = {part: value}
    return dict(value)


def deep_merge(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with what `layer` says instead; mappings are merged key by key."""
    merged = dict(base)
    for key, value in layer.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = deep_merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting of a tree with its dotted key. Lists and free-form mappings are one value."""
    for key, value in tree.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and dotted not in _FREE_FORM:
            yield from leaves(value, dotted + ".")
        else:
            yield dotted, value


def plain(value: Any, shown: Callable[[SecretStr], str]) -> Any:
    """Words, numbers, lists and mappings; `shown` says what stands for a secret."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(), shown)
    if isinstance(value, SecretStr):
        return shown(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {key: plain(item, shown) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item, shown) for item in value]
    return value


def field_at(root: type[BaseModel], parts: Sequence[str]) -> FieldInfo | None:
    """The field that a path of names leads to, or None if it is no field's (an item of a list)."""
    above = type_at(root, parts[:-1])
    fields = above.model_fields if is_section(above) else {}
    return fields.get(parts[-1]) if parts else None


def type_at(root: type[BaseModel], parts: Sequence[str]) -> Any:
    """The type of what a path of names (and numbers, in a list) leads to, without `None` and
    annotations; None if there is nothing of that name."""
    found: Any = root
    for part in parts:
        found = type_below(found, part)
    return found


def type_below(kind: Any, part: str) -> Any:
    """The type of one member of a section, mapping or list; None if it has none of that name."""
    if is_section(kind):
        field = kind.model_fields.get(part)
        return None if field is None else bare(field.annotation)
    args = get_args(kind)
    if get_origin(kind) is dict:
        return bare(args[1])
    return bare(args[0]) if get_origin(kind) is tuple and part.isdigit() else None


def bare(annotation: Any) -> Any:
    """A type without its annotations and without `| None`."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        options = [one for one in get_args(annotation) if one is not type(None)]
        return bare(options[0]) if len(options) == 1 else annotation
    return annotation


def may_be_none(field: FieldInfo) -> bool:
    """True if a setting may be `null`."""
    return type(None) in get_args(field.annotation)


def is_section(kind: Any) -> bool:
    """True for a type that is a section of the settings."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def is_secret(kind: Any) -> bool:
    """True for a type whose values are not to be shown."""
    return isinstance(kind, type) and issubclass(kind, SecretStr)


def is_text(kind: Any) -> bool:
    """True for a type whose values are written as they are: words, paths, secrets."""
    if get_origin(kind) is Literal:
        return all(isinstance(one, str) for one in get_args(kind))
    return isinstance(kind, type) and issubclass(kind, str | Path | SecretStr)


def is_collection(kind: Any) -> bool:
    """True for a type that holds others: a section, a mapping, a list."""
    return is_section(kind) or get_origin(kind) in (dict, tuple)
