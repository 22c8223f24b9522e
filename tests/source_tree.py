"""What tests read of the source tree: each file is parsed once, for all that ask."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
Import = ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Imports:
    """The imports of a file, inside functions too; `at_run`: but for those for types alone."""

    all: tuple[Import, ...]
    at_run: tuple[Import, ...]


@cache
def imports(path: Path) -> Imports:
    """The imports of a file."""
    return imports_of(ast.parse(path.read_text(encoding="utf-8")))


def imports_of(tree: ast.AST) -> Imports:
    """The imports in a tree."""
    return Imports(
        tuple(one for one in statements(tree) if isinstance(one, Import)),
        tuple(one for one in statements(tree, typing=False) if isinstance(one, Import)),
    )


def statements(tree: ast.AST, *, typing: bool = True) -> Iterator[ast.AST]:
    """All statements in a tree, however deep; `typing`: those under `if TYPE_CHECKING` too.

    Expressions, which are most of a tree and hold no statements, are not walked.
    """
    left = [tree]
    while left:
        node = left.pop()
        yield node
        unused = (
            not typing and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        )
        for block in _BLOCKS:
            if not (unused and block == "body"):
                left += getattr(node, block, ())
