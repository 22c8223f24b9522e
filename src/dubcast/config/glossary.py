"""A glossary file: a YAML list of entries. Errors say the line."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from dubcast.config.yaml_text import TextLoader, parse
from dubcast.contract.glossary import GlossaryEntry
from dubcast.errors import ConfigError

MOST_ENTRIES = 5000


def read_glossary(path: Path) -> tuple[GlossaryEntry, ...]:
    """The entries of a file. Raises ConfigError with the line that is wrong, and why."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"glossary {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"glossary {path} is not valid YAML: it is not UTF-8") from error
    try:
        parse(text)  # what is no YAML says where
        root = yaml.compose(text, TextLoader)
        return _entries(root)
    except ValueError as error:
        raise ConfigError(f"glossary {path}: {error}") from error


def _entries(root: yaml.Node | None) -> tuple[GlossaryEntry, ...]:
    """The entries of the list. Raises ValueError with the line."""
    if root is None:
        return ()
    if not isinstance(root, yaml.SequenceNode):
        raise ValueError(f"line {_line(root)}: must be a list of entries, `- term: ...`")
    if len(root.value) > MOST_ENTRIES:
        raise ValueError(f"line {_line(root)}: {len(root.value)} entries, at most {MOST_ENTRIES}")
    entries: dict[tuple[str, str | None, str | None], GlossaryEntry] = {}
    for node in root.value:
        entry = _entry(node)
        key = entry.term.casefold(), entry.source, entry.target
        if key in entries:
            raise ValueError(f"line {_line(node)}: {entry.term!r} is there already")
        entries[key] = entry
    return tuple(entries.values())


def _entry(node: yaml.Node) -> GlossaryEntry:
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"line {_line(node)}: an entry is a mapping, `term: ...`")
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        lines[key.value] = _line(value)
        if not isinstance(value, yaml.ScalarNode):
            raise ValueError(f"line {_line(value)}: {key.value} must be a text")
        values[key.value] = value.value
    try:
        return GlossaryEntry.model_validate(values)
    except ValidationError as error:
        # A mistyped key explains the one that is missing.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        field = str(first["loc"][0])
        line = lines.get(field, _line(node))
        raise ValueError(f"line {line}: {_told(field, first['type'])}") from error


def _told(field: str, kind: str) -> str:
    known = ", ".join(GlossaryEntry.model_fields)
    if kind == "extra_forbidden":
        return f"{field} is not known; there are: {known}"
    if kind == "missing":
        return f"{field} is missing"
    return f"{field} must be 1 to 100 characters, a letter or digit among them"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
