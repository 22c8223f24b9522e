"""Settings from where they are written: flags over the environment over the file over defaults.

What is written for a setting that is text stays as it was written, whatever YAML would make of
it: see `yaml_text`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dubcast.config.environment import ENV_PREFIX, FILE_VARIABLE, strays
from dubcast.config.faults import explain
from dubcast.config.settings import Settings
from dubcast.config.tree import (
    deep_merge,
    field_at,
    is_collection,
    is_secret,
    is_text,
    leaves,
    may_be_none,
    nest,
    type_at,
    type_below,
)
from dubcast.config.yaml_text import parse
from dubcast.errors import ConfigError

NO_FILE = "-"  # in FILE_VARIABLE: not even ./dubcast.yaml
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True)
class Loaded:
    """Settings and, per dotted key, where the value came from.

    `warnings`: variables that may be slips of a setting's name, one line each.
    """

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def load(
    file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
) -> Loaded:
    """Read settings: defaults < file < environment < flags.

    `flags` maps dotted keys (`stream.delay_s`) to values; None values are skipped. `file`
    defaults to `$DUBCAST_CONFIG`, then `./dubcast.yaml` if it exists. Raises ConfigError.
    """
    env = os.environ if env is None else env
    layers = _Layers()
    found = strays(env)
    if found.slips:
        raise ConfigError("\n".join(found.slips))
    path = _settings_file(file, env)
    if path is not None:
        layers.lay(_read_file(path), str(path))
    for dotted, value, name in _env_items(env):
        layers.lay(nest(dotted, value), name)
    for dotted, value in (flags or {}).items():
        if value is not None:
            layers.lay(nest(dotted, value), "flag")
    try:
        settings = Settings.model_validate(layers.tree)
    except ValidationError as error:
        raise ConfigError(explain(error, Settings, layers.origins)) from error
    told = env.get(FILE_VARIABLE) == NO_FILE  # by whoever started us as its child
    return Loaded(settings, layers.origins, () if told else found.unknown)


class _Layers:
    """One tree over another, and where each value was set."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {}
        self.origins: dict[str, str] = {}

    def lay(self, layer: Mapping[str, Any], origin: str) -> None:
        """The values of `layer` win over those that are there. Raises ConfigError."""
        settled = _settled(layer, Settings, "", origin)
        self.tree = deep_merge(self.tree, settled)
        self.origins.update({dotted: origin for dotted, _ in leaves(settled)})


def _settled(layer: Mapping[str, Any], kind: Any, prefix: str, origin: str) -> dict[str, Any]:
    """The layer without the sections and lists that hold nothing (all of it commented out).

    Raises ConfigError for a secret that is null: a key that got lost must not open what it kept.
    """
    settled = {}
    for name, value in layer.items():
        below, dotted = type_below(kind, name), f"{prefix}{name}"
        if value is None and is_collection(below):
            continue
        if value is None and is_secret(below):
            raise ConfigError(
                f"{dotted} = null: leave it out to have none; put it in quotes if that word is "
                f"meant (set by {origin})"
            )
        if isinstance(value, Mapping):
            value = _settled(value, below, f"{dotted}.", origin)
        elif isinstance(value, list):
            items = {str(number): item for number, item in enumerate(value)}
            value = list(_settled(items, below, f"{dotted}.", origin).values())
        settled[name] = value
    return settled


def _settings_file(file: Path | None, env: Mapping[str, str]) -> Path | None:
    named = env.get(FILE_VARIABLE)
    if file is None and named == NO_FILE:
        return None
    if file is None and named:
        file = Path(named)
    if file is None:
        default = Path("dubcast.yaml")
        return default if default.is_file() else None
    if not file.is_file():
        raise ConfigError(f"settings file {file} does not exist")
    return file


def _read_file(path: Path) -> dict[str, Any]:
    try:
        data = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not valid YAML: it is not UTF-8") from error
    except ValueError as error:
        raise ConfigError(f"{path} is {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        kind = "list" if isinstance(data, list) else "single value"
        raise ConfigError(f"{path} must hold a mapping of sections, not a {kind}")
    return data


def _env_items(env: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    """Dotted key, value and variable of each setting in the environment."""
    for name in sorted(env):
        if name.startswith(ENV_PREFIX):
            dotted = name.removeprefix(ENV_PREFIX).lower().replace("__", ".")
            try:
                yield dotted, _env_value(dotted.split("."), env[name]), name
            except ValueError as error:
                raise ConfigError(f"{name} is {error}") from error


def _env_value(parts: list[str], text: str) -> Any:
    """What a variable says: its text as it is, or the YAML of a list or mapping."""
    kind = type_at(Settings, parts)
    if is_collection(kind):
        return parse(text)
    field = field_at(Settings, parts)
    if field is not None and may_be_none(field) and not is_secret(kind):
        empty = {""} if is_text(kind) else _NULLS
        return None if text in empty else text
    return text
