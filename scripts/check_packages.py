"""Compares what the source names with what the packages of `scripts/setup.sh` contain.

Collected by parsing, so that it does not matter what this machine has: GStreamer elements,
typelibs and programs in Python and in shell. What is in no table fails, and so does a table that
`setup.sh` does not install. That the tables are true is `tests/integration/test_packages.py`'s.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from dubcast import gst_elements, system_packages
from dubcast.testing.launch_line import elements_of

ROOT = Path(__file__).parents[1]
PYTHON = ("src", "tests", "bench", "scripts")
# They name what is nowhere, to see that it is told.
_EXAMPLES = {"tests/unit/test_check_packages.py", "tests/unit/test_gst_elements.py"}
SHELL = ("scripts/setup.sh", "scripts/fresh.sh", ".ci/run", "Makefile")

Kind = Literal["element", "typelib", "program"]

_PROGRAM = re.compile(r"[a-z][a-z0-9.+_-]*")
_OPTION = re.compile(r"--?[A-Za-z]")
# Calls whose first argument is a command, as a list or word by word.
_STARTS = {
    *("subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call"),
    *("subprocess.check_output", "asyncio.create_subprocess_exec", "shutil.which"),
    *("Child", "child", "LastingProcess"),
}
_COMMAND_NAMES = re.compile(r"(^|_)(argv|command|cmd)$")
# In every Debian and Ubuntu: essential packages, and what they and `make` need.
_EVERYWHERE = {
    *("apt-config", "apt-get", "awk", "chmod", "chown", "chroot", "cp", "cut", "date", "dirname"),
    *("dpkg-deb", "dpkg-query", "flock", "grep", "id", "ln", "make", "mkdir", "mknod", "mount"),
    *("mv", "nice", "realpath", "rm", "sed", "sh", "sha256sum", "sleep", "sort", "tar", "tee"),
    *("tr", "unshare"),
}
_BUILTINS = {
    *("break", "case", "cd", "command", "compgen", "continue", "do", "done", "echo", "elif"),
    *("else", "esac", "exec", "exit", "export", "fi", "for", "function", "if", "in", "kill"),
    *("local", "printf", "pwd", "return", "set", "shift", "then", "trap", "wait", "while"),
}
# All that is looked at in Python: most of a tree is something else.
_TELLING = (
    *(ast.Call, ast.List, ast.Tuple, ast.Constant, ast.JoinedStr, ast.ImportFrom),
    *(ast.Assign, ast.AnnAssign, ast.Expr),
)
_COMMAND_IN_SHELL = re.compile(
    r"(?:^|[;|&({!`]|\b(?:then|do|else|if|while|env)\b)\s*(?:[A-Za-z_]\w*=[^\s(]*\s+)*"
    r"([a-z][a-z0-9.+_-]*)(?=[\s;)`]|$)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Named:
    """Something that a file names, which must come from somewhere."""

    kind: Kind
    name: str
    where: str


def in_python(text: str, where: str) -> Iterator[Named]:
    """Elements, typelibs and programs that a module names."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, _TELLING)]
    no_command = set(_said_to_others(nodes))
    for node in nodes:
        if id(node) in no_command:
            continue
        here = f"{where}:{node.lineno}"
        yield from (Named("element", name, here) for name in _elements(node))
        yield from (Named("typelib", name, here) for name in _typelibs(node))
        yield from (Named("program", name, here) for name in _programs(node))


def _said_to_others(nodes: Iterable[ast.AST]) -> Iterator[int]:
    """What looks like a pipeline or a command and is none: docstrings, our own subcommands."""
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        elif isinstance(node, ast.Call) and _called(node).endswith(".invoke"):
            yield from (id(argument) for argument in node.args)


def in_shell(text: str, where: str) -> Iterator[Named]:
    """Programs that a script or a Makefile runs, and elements of its pipelines."""
    own = set(re.findall(r"^([a-z]\w*)\(\)", text, re.MULTILINE))
    joined = re.sub(r"\\\n", " ", re.sub(r"^\w+=\([^)]*\)", "", text, flags=re.MULTILINE))
    for line in joined.splitlines():
        bare = re.sub(r"(^|\s)#.*", "", line).strip().lstrip("@")
        bare = re.sub(r"\$\([A-Z]\w*\)", "X", bare.replace("$$", "$")).replace("$(shell ", "$(")
        # What is quoted is data, but for what it lets run.
        bare = re.sub(r"'[^']*'|\"[^\"]*\"", _let_run, bare)
        if "gst-launch-1.0" in bare:
            yield from (Named("element", name, where) for name in _of_pipeline(bare.split()))
            bare = bare.replace(" ! ", " ")  # a link here, no "not"
        for name in _COMMAND_IN_SHELL.findall(bare):
            if name not in own | _BUILTINS:
                yield Named("program", name, where)


def _let_run(quoted: re.Match[str]) -> str:
    return " ".join(re.findall(r"\$\([^()]*\)", quoted[0])) or "''"


def _elements(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Call):
        if re.fullmatch(r"make|.*ElementFactory\.(make|find)", _called(node)):
            return _first_text(node)
        if re.fullmatch(r".*(parse|set)_launch", _called(node)):
            return _of_pipeline(" ".join(_first_text(node)).split())
        words = _words(node.args)
        return _of_pipeline(words) if "!" in words else []
    if isinstance(node, ast.List | ast.Tuple):
        words = _words(node.elts)
        return _of_pipeline(words) if "!" in words or "gst-launch-1.0" in words[:1] else []
    words = (_text(node) or "").split()
    return _of_pipeline(words) if "!" in words else []


def _of_pipeline(words: list[str]) -> list[str]:
    return [name for name in elements_of(words) if name not in system_packages.PROGRAMS]


def _typelibs(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom) and node.module == "gi.repository":
        return [alias.name for alias in node.names]
    if isinstance(node, ast.Call) and _called(node) == "gi.require_version":
        return _first_text(node)
    return []


def _programs(node: ast.AST) -> list[str]:
    """The program of a command: what a process is begun with, or what looks like a command."""
    if isinstance(node, ast.Call) and _called(node) in _STARTS and node.args:
        first = node.args[0]
        literal = isinstance(first, ast.List | ast.Tuple)
        return _first_program(_words(first.elts) if literal else _words([first]))
    if isinstance(node, ast.List | ast.Tuple):
        words = _words(node.elts)
        if any(_OPTION.match(word) for word in words[1:2]):
            return _first_program(words)
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.List):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(_COMMAND_NAMES.search(ast.unparse(target)) for target in targets):
            return _first_program(_words(node.value.elts))
    return []


def _first_program(words: list[str]) -> list[str]:
    found = words[:1] if words and _PROGRAM.fullmatch(words[0]) else []
    # `nice -n 10 PROGRAM`
    return found + (_first_program(words[3:]) if found == ["nice"] else [])


def _called(node: ast.Call) -> str:
    """The dotted name of what is called; what is no name in it is `()`."""
    names: list[str] = []
    inner = node.func
    while isinstance(inner, ast.Attribute):
        names.append(inner.attr)
        inner = inner.value
    names.append(inner.id if isinstance(inner, ast.Name) else "()")
    return ".".join(reversed(names))


def _first_text(node: ast.Call) -> list[str]:
    return [text for argument in node.args[:1] if (text := _text(argument))]


def _words(items: list[ast.expr]) -> list[str]:
    """The texts of a literal list, those of lists within in their place; `{}` for what is not."""
    found: list[str] = []
    for item in items:
        inner = item.value if isinstance(item, ast.Starred) else item
        if isinstance(inner, ast.List | ast.Tuple) and isinstance(item, ast.Starred):
            found += _words(inner.elts)
        else:
            found.append(_text(inner) or "{}")
    return found


def _text(node: ast.AST) -> str | None:
    """A literal text, with `{}` for what an f-string fills in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "{}" for part in node.values)
    return None


def wrong_names(found: Iterable[Named]) -> Iterator[str]:
    """A line for each name that no package of the tables brings."""
    known: dict[Kind, set[str]] = {
        "element": set(gst_elements.ELEMENTS),
        "typelib": set(system_packages.TYPELIBS),
        "program": {*system_packages.PROGRAMS, *system_packages.ELSEWHERE, *_EVERYWHERE},
    }
    for one in found:
        if one.name not in known[one.kind]:
            yield f"{one.where}: no package that setup installs brings the {one.kind} {one.name}"


def wrong_setup(setup: str) -> Iterator[str]:
    """A line for each package by which the list in `setup.sh` differs from the tables."""
    listed = re.search(r"^APT_PACKAGES=\((.*?)^\)", setup, re.MULTILINE | re.DOTALL)
    lines = listed[1].splitlines() if listed else []
    installed = {word for line in lines for word in line.partition("#")[0].split()} - {'"$@"'}
    for package in sorted(system_packages.needed() - installed):
        yield f"scripts/setup.sh does not install {package}"
    for package in sorted(installed - system_packages.needed()):
        yield f"scripts/setup.sh installs {package}, which no table names"


@cache
def everything_named() -> tuple[Named, ...]:
    """What all files of the project name."""
    return tuple(_everything_named())


def _everything_named() -> Iterator[Named]:
    for folder in PYTHON:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if name not in _EXAMPLES:
                yield from in_python(path.read_text(encoding="utf-8"), name)
    for name in SHELL:
        yield from in_shell((ROOT / name).read_text(encoding="utf-8"), name)


def main() -> int:
    """The command: 1 if something is wrong."""
    wrong = [*wrong_names(everything_named())]
    wrong += wrong_setup((ROOT / "scripts/setup.sh").read_text(encoding="utf-8"))
    for line in dict.fromkeys(wrong):
        sys.stderr.write(line + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
