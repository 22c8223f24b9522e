"""Benchmark documents: bars, verdicts, and what the file may not hold."""

from __future__ import annotations

import io
import json
import math
import platform
from pathlib import Path

import pytest
from rich.console import Console

from dubcast.measure import figures
from dubcast.measure.figures import Bar, Figure


@pytest.mark.parametrize(
    ("bar", "value", "ok"),
    [
        (Bar("k", "<=", 5), 5.0, True),
        (Bar("k", "<=", 5), 5.01, False),
        (Bar("k", "<", 5), 5, False),
        (Bar("k", ">=", 0.9), 0.95, True),
        (Bar("k", ">", 0), 0, False),
        (Bar("k", "==", 0), 0, True),
        (Bar("k", "==", True), True, True),
        (Bar("k", "==", True), 1, False),
        (Bar("k", "==", 1), True, False),
        (Bar("k", "<=", 5), math.nan, False),
        (Bar("k", "<=", 5), None, False),
        (Bar("k", "<=", 5), "fast", False),
    ],
)
def test_a_bar(bar: Bar, value: Figure, ok: bool) -> None:
    (verdict,) = figures.judge({"k": value}, [bar])
    assert verdict.ok is ok
    assert figures.passed([verdict]) is ok


def test_an_absent_figure_misses_its_bar_and_one_without_a_bar_is_told() -> None:
    verdicts = figures.judge({"told": 3}, [Bar("absent", "<=", 1)])
    assert [(v.key, v.ok) for v in verdicts] == [("absent", False), ("told", None)]


def test_the_file_and_the_table(tmp_path: Path) -> None:
    out = io.StringIO()
    path = tmp_path / "bench" / "x.json"
    bars = [Bar("gap_ms", "<=", 50), Bar("exact", "==", True)]
    ok = figures.report(
        path,
        {"gap_ms": 61.25, "exact": True, "odd": math.inf},
        bars,
        seed=7,
        detail={"runs": [1, 2]},
        console=Console(file=out, width=100),
    )
    data = json.loads(path.read_text(encoding="utf-8"))
    assert not ok and "MISSED" in out.getvalue() and "61.25" in out.getvalue()
    wanted = {"date", "commit", "dirty", "machine", "versions", "seed", "command", "detail"}
    assert wanted | {"figures"} <= set(data)
    assert data["figures"] == {"gap_ms": 61.25, "exact": True, "odd": None}
    assert data["bars"] == {"gap_ms": "<= 50", "exact": "== yes"}


def test_no_host_and_no_path_in_the_document(tmp_path: Path) -> None:
    command = ["/opt/place/bin/tool", "--out", str(tmp_path / "x.json"), "--fast"]
    assert figures.command_line(command) == "tool --out x.json --fast"
    text = json.dumps(figures.document({}, repository=tmp_path))
    assert str(tmp_path) not in text
    assert platform.node() not in json.dumps(figures.machine())


def test_outside_of_a_checkout_there_is_no_commit(tmp_path: Path) -> None:
    assert figures.revision(tmp_path) == (None, None)
