"""A benchmark's result: figures against bars, one JSON file, a table, and a verdict.

Bars are data. The file says when and with what it was measured (commit, machine, versions,
seed, command), and never names a host or a path.
"""

from __future__ import annotations

import json
import math
import operator
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

Op = Literal["<=", ">=", "<", ">", "=="]
Figure = float | int | bool | str | list[Any] | None

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq,
}  # fmt: skip
_PACKAGES = ("dubcast", "numpy", "ctranslate2", "onnxruntime", "fxtranslate", "soxr")


@dataclass(frozen=True)
class Bar:
    """What a figure must satisfy: `figure op limit`. `note` is shown beside it."""

    key: str
    op: Op
    limit: float | int | bool
    note: str = ""

    def __str__(self) -> str:
        return f"{self.op} {show(self.limit)}"


@dataclass(frozen=True)
class Verdict:
    """One figure, its bar (None: told, not judged), and whether it is met."""

    key: str
    value: Figure
    bar: Bar | None
    ok: bool | None


def judge(figures: Mapping[str, Figure], bars: Sequence[Bar]) -> list[Verdict]:
    """Verdicts in the order of the bars, then the figures without a bar.

    A figure that is absent, None or not a number misses its bar.
    """
    judged = [_judge_one(figures.get(bar.key), bar) for bar in bars]
    barred = {bar.key for bar in bars}
    rest = [Verdict(key, value, None, None) for key, value in figures.items() if key not in barred]
    return judged + rest


def _judge_one(value: Figure, bar: Bar) -> Verdict:
    if isinstance(bar.limit, bool):
        return Verdict(bar.key, value, bar, value is bar.limit)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # NaN compares false with everything, except through "==" on itself: ruled out by name.
    ok = number and not math.isnan(value) and _OPERATORS[bar.op](value, bar.limit)  # type: ignore[arg-type]
    return Verdict(bar.key, value, bar, ok)


def passed(verdicts: Sequence[Verdict]) -> bool:
    """Whether no bar is missed."""
    return all(verdict.ok is not False for verdict in verdicts)


def table(verdicts: Sequence[Verdict], title: str = "") -> Table:
    """Figure, bar and verdict, for a terminal."""
    out = Table("figure", "value", "bar", "verdict", title=title or None)
    for verdict in verdicts:
        note = f"  {verdict.bar.note}" if verdict.bar and verdict.bar.note else ""
        word = {True: "[green]met[/]", False: "[bold red]MISSED[/]", None: ""}[verdict.ok]
        bar = str(verdict.bar) + note if verdict.bar else ""
        out.add_row(verdict.key, show(verdict.value), bar, word)
    return out


def show(value: Figure) -> str:
    """A figure as people read it: four significant digits."""
    if value is None:
        return "not measured"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return f"{len(value)} entries"
    return str(value)


def document(
    figures: Mapping[str, Figure],
    *,
    seed: int | None = None,
    detail: Mapping[str, Any] | None = None,
    command: Sequence[str] | None = None,
    repository: Path | None = None,
) -> dict[str, Any]:
    """The benchmark's JSON document (see the module). `date` is now, in UTC."""
    commit, dirty = revision(repository or Path.cwd())
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "dirty": dirty,
        "machine": machine(),
        "versions": versions(),
        "seed": seed,
        "command": command_line(command if command is not None else sys.argv),
        "figures": dict(figures),
        "detail": dict(detail or {}),
    }


def report(
    path: Path,
    figures: Mapping[str, Figure],
    bars: Sequence[Bar] = (),
    *,
    seed: int | None = None,
    detail: Mapping[str, Any] | None = None,
    console: Console | None = None,
) -> bool:
    """Write the JSON file, print the table; whether every bar is met (the exit status)."""
    verdicts = judge(figures, bars)
    result = document(figures, seed=seed, detail=detail)
    result["bars"] = bars_as_data(bars)
    write_json(path, result)
    (console or Console()).print(table(verdicts, title=path.stem))
    return passed(verdicts)


def bars_as_data(bars: Sequence[Bar]) -> dict[str, str]:
    """The bars as `{key: "op limit"}`."""
    return {bar.key: str(bar) for bar in bars}


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write readable JSON as a whole; what is not a number becomes null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_plain(data), indent=2, ensure_ascii=False, allow_nan=False)
    partial = path.with_name(path.name + ".part")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def revision(repository: Path) -> tuple[str | None, bool | None]:
    """(commit, whether the tree differs from it) of a git checkout; Nones outside of one."""
    head = _git(repository, "rev-parse", "HEAD")
    if head is None:
        return None, None
    return head.strip(), bool((_git(repository, "status", "--porcelain") or "").strip())


def _git(repository: Path, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    result = subprocess.run(
        [program, "-C", str(repository), *arguments], capture_output=True, text=True, check=False
    )
    return None if result.returncode else result.stdout


def machine() -> dict[str, Any]:
    """Cores, processor, memory and kernel; no host name."""
    cpu = _first_match(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)")
    memory = _first_match(Path("/proc/meminfo"), r"MemTotal:\s*(\d+)")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": cpu or platform.processor() or platform.machine(),
        "memory_gib": round(int(memory) / 2**20, 1) if memory else None,
        "kernel": f"{platform.system()} {platform.release()}",
        "arch": platform.machine(),
    }


def _first_match(path: Path, pattern: str) -> str | None:
    if not path.exists():
        return None
    found = re.search(pattern, path.read_text(encoding="utf-8", errors="replace"))
    return found[1].strip() if found else None


def versions() -> dict[str, str]:
    """Python, the packages that matter, and the media programs, where installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    for name, program, flag in (
        ("ffmpeg", "ffmpeg", "-version"),
        ("gstreamer", "gst-launch-1.0", "--version"),
    ):
        if (version := _program_version(program, flag)) is not None:
            found[name] = version
    return found


def _program_version(program: str, flag: str) -> str | None:
    path = shutil.which(program)
    if path is None:
        return None
    result = subprocess.run([path, flag], capture_output=True, text=True, check=False)
    found = re.search(r"version (\S+)", result.stdout)
    return found[1] if found else None


def command_line(arguments: Sequence[str]) -> str:
    """The command without machine paths: absolute ones keep their last part."""
    return " ".join(Path(item).name if item.startswith("/") else item for item in arguments)
