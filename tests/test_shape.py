"""The shape of the code: how long its functions are, how much its classes hold.

Limits that keep the code readable, above what it needs today. Where one is in the way, split what
grew; if that really makes the code worse, raise the limit here and say why in the commit.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from source_tree import statements

ROOT = Path(__file__).parents[1]
LONGEST_FUNCTION = 60
P95_FUNCTION = 30
LONGEST_CLASS = 300
MOST_METHODS = 20

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Definition:
    """A function, or a class with so many methods; `name`: its file and its own."""

    name: str
    line: int
    lines: int
    is_class: bool
    methods: int


@cache
def _definitions(*folders: str) -> list[Definition]:
    """All functions and classes in some folders."""
    return [
        _definition(str(path.relative_to(ROOT)), node)
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in statements(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, Function | ast.ClassDef)
    ]


def _definition(file: str, node: Function | ast.ClassDef) -> Definition:
    assert node.end_lineno is not None
    return Definition(
        f"{file}:{node.name}",
        node.lineno,
        node.end_lineno - node.lineno + 1,
        isinstance(node, ast.ClassDef),
        sum(isinstance(one, Function) for one in node.body),
    )


@cache
def _functions() -> dict[tuple[str, int], int]:
    """(file and name, line) -> how many lines it has."""
    found = [*_product(), *_definitions("tests", "scripts")]
    return {(one.name, one.line): one.lines for one in found if not one.is_class}


def _classes() -> list[Definition]:
    return [one for one in _product() if one.is_class]


def _product() -> list[Definition]:
    return _definitions("src", "bench")


def test_the_code_was_parsed() -> None:
    assert len(_functions()) > 3000
    assert len(_classes()) > 300


def test_functions_are_short() -> None:
    functions = _functions()
    assert not {name: size for name, size in functions.items() if size > LONGEST_FUNCTION}
    assert sorted(functions.values())[round(0.95 * len(functions))] <= P95_FUNCTION


def test_classes_are_small() -> None:
    assert not {one.name: one.lines for one in _classes() if one.lines > LONGEST_CLASS}
    assert not {one.name: one.methods for one in _classes() if one.methods > MOST_METHODS}
