"""The shape of the code: how long its functions are, how much its classes hold.

Limits that keep the code readable, above what it needs today. Where one is in the way, split what
grew; if that really makes the code worse, raise the limit here and say why in the commit.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST_FUNCTION = 60
P95_FUNCTION = 30
LONGEST_CLASS = 300
MOST_METHODS = 20

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _nodes(folder: str) -> Iterator[tuple[str, ast.AST]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield f"{path.relative_to(ROOT)}:{getattr(node, 'name', '')}", node


def _lines(node: ast.AST) -> int:
    assert isinstance(node, Function | ast.ClassDef) and node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


FUNCTIONS = {
    (name, node.lineno): _lines(node)
    for folder in ("src", "bench", "tests", "scripts")
    for name, node in _nodes(folder)
    if isinstance(node, Function)
}
CLASSES = [
    (name, node)
    for folder in ("src", "bench")
    for name, node in _nodes(folder)
    if isinstance(node, ast.ClassDef)
]


def test_the_code_was_parsed() -> None:
    assert len(FUNCTIONS) > 3000
    assert len(CLASSES) > 300


def test_functions_are_short() -> None:
    assert not {name: size for name, size in FUNCTIONS.items() if size > LONGEST_FUNCTION}
    assert sorted(FUNCTIONS.values())[round(0.95 * len(FUNCTIONS))] <= P95_FUNCTION


def test_classes_are_small() -> None:
    long = {name: size for name, node in CLASSES if (size := _lines(node)) > LONGEST_CLASS}
    wide = {
        name: len(methods)
        for name, node in CLASSES
        if len(methods := [one for one in node.body if isinstance(one, Function)]) > MOST_METHODS
    }
    assert not long
    assert not wide
