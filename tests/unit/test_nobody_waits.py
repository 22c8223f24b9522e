"""The unit tests never sleep and never read a clock of the machine: time in them is virtual."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from source_tree import statements

HERE = Path(__file__).parent
SHARED = [HERE.parent / f"{name}.py" for name in ("sts_fakes", "sts_http", "worker_fakes")]
CHECKED = [*sorted(HERE.rglob("*.py")), *SHARED]

_TIME = ("sleep", "time", "monotonic", "perf_counter", "process_time", "thread_time")
WAITS = {
    *(f"time.{name}{unit}" for name in _TIME for unit in ("", "_ns")),
    "threading.Timer",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "dubcast.clock.SystemClock",
    "dubcast.clock.process_cpu_ns",
}
# On a virtual loop these take none of it.
ON_A_LOOP = {"asyncio.sleep", "asyncio.timeout", "asyncio.timeout_at", "asyncio.wait_for"}


def waits(source: str) -> list[str]:
    """What a module does that takes or reads real time, as `line: name`.

    `asyncio.sleep(0)` is none of it, nor is asyncio's time in a module that knows `virtual_loop`,
    but for tests that are coroutines: pytest runs those on a real loop.
    """
    tree = ast.parse(source)
    known = _imported(tree)
    has_loop = any("virtual_loop" in name for name in known.values())
    found = []
    for top in tree.body:
        real = isinstance(top, ast.AsyncFunctionDef) and top.name.startswith("test_")
        virtual = has_loop and not real
        for node, name in _named(top, known):
            if name in WAITS or (name in ON_A_LOOP and not virtual):
                found.append(f"{node.lineno}: {name}")
    return found


def _imported(tree: ast.Module) -> dict[str, str]:
    """Local name -> what it stands for."""
    known: dict[str, str] = {}
    for node in statements(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                known[one.asname or one.name.partition(".")[0]] = (
                    one.name if one.asname else one.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return known


def _name(node: ast.AST, known: dict[str, str]) -> str:
    """The dotted name that an expression spells out; "" for any other."""
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.Attribute) and (before := _name(node.value, known)):
        return f"{before}.{node.attr}"
    return ""


def _named(top: ast.AST, known: dict[str, str]) -> Iterator[tuple[ast.expr, str]]:
    """Each expression that names something imported, but for the calls `asyncio.sleep(0)`."""
    nodes = list(ast.walk(top))
    harmless = {
        node.func
        for node in nodes
        if isinstance(node, ast.Call)
        and _name(node.func, known) == "asyncio.sleep"
        and [ast.unparse(argument) for argument in node.args] == ["0"]
    }
    for node in nodes:
        if isinstance(node, ast.expr) and node not in harmless and (name := _name(node, known)):
            yield node, name


def test_no_unit_test_takes_time() -> None:
    found = {file: waits(file.read_text(encoding="utf-8")) for file in CHECKED}
    assert {str(file): lines for file, lines in found.items() if lines} == {}


def test_there_are_files_to_check() -> None:
    assert len(CHECKED) > 50
    assert all(file.exists() for file in CHECKED)


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(0.1)",
        "import time\ndef test():\n    began = time.monotonic()",
        "import time as t\nt.perf_counter_ns()",
        "from time import sleep as nap\nnap(1)",
        "import time\nclient(time.monotonic_ns)",
        "import asyncio\nasync def test():\n    await asyncio.sleep(0.01)",
        "import asyncio\nasync def test():\n    await asyncio.sleep(0 * UNIT)",
        "from asyncio import sleep\nasync def test():\n    await sleep(UNIT)",
        "import asyncio\nasync def test():\n    await asyncio.wait_for(one(), 0.1)",
        "import threading\nthreading.Timer(1, free.set).start()",
        "from datetime import UTC, datetime\nnow = datetime.now(UTC)",
        "from dubcast.clock import SystemClock\nclock = SystemClock()",
        "import asyncio\nfrom dubcast.testing import virtual_loop\nasync def test_it():\n"
        "    await asyncio.sleep(5)",
    ],
)
def test_what_takes_time_is_found(source: str) -> None:
    assert len(waits(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasync def test():\n    await asyncio.sleep(0)",
        "async def test(clock):\n    await clock.sleep(5)",
        "import time\ntime.gmtime(0)",
        "import asyncio\nfrom dubcast.testing import virtual_loop\ndef test():\n"
        "    virtual_loop.run(asyncio.sleep(3600), virtual_loop.VirtualLoop())",
        "import asyncio\nfrom dubcast.testing.virtual_loop import VirtualLoop\nasync def story():\n"
        "    await asyncio.sleep(5)",
    ],
)
def test_virtual_time_is_no_fault(source: str) -> None:
    assert waits(source) == []
