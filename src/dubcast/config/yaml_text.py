"""YAML in which what stands there stays as it was written.

YAML 1.1 reads `off` as false, `0123` as 83 and `12:30:45` as 45045. A key or a voice may be
spelled so: every plain scalar but null is its own text here, and the settings' models, which
know what each value is to be, read numbers and yes or no from it.
"""

from __future__ import annotations

from typing import Any

import yaml


class _KeyProblem(yaml.composer.ComposerError):
    """A key of a mapping that cannot stand."""


class TextLoader(yaml.SafeLoader):
    """Mappings, lists, text and null; a key that is given twice is an error."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":null"):
                raise _KeyProblem(problem="a key must be a word", problem_mark=key.start_mark)
            if key.value in seen:
                problem = f"{key.value} is given more than once"
                raise _KeyProblem(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return node


def _as_written(_loader: TextLoader, node: yaml.ScalarNode) -> str:
    return str(node.value)


for _kind in ("bool", "int", "float", "timestamp", "value", "merge"):
    TextLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", _as_written)


def parse(text: str) -> Any:
    """Mappings, lists, text and None. Raises ValueError, which says where but quotes nothing."""
    try:
        return yaml.load(text, TextLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"not valid YAML: {where}{_told(error)}") from None  # it quotes the line
    except yaml.YAMLError:
        raise ValueError("not valid YAML: it holds a character that is not text") from None


def _told(error: yaml.MarkedYAMLError) -> str:
    """What is wrong, without words of the text, which may be a key's."""
    if isinstance(error, _KeyProblem):
        return str(error.problem)
    hint = "a value that begins with one of *&!%@` needs quotes"
    told = isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError)
    # Names of anchors and tags are the text's own.
    return f"{error.problem} ({hint})" if told and "tag" not in str(error.problem) else hint
