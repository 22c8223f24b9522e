"""Benches of several parts: each measures by itself, together they make one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from dubcast import log
from dubcast.config import Settings
from dubcast.errors import MissingPartError
from dubcast.measure import figures, stage
from dubcast.measure.figures import Bar, Figure

_OUT = Path("build/bench")


@dataclass(frozen=True)
class Found:
    """What a part measured; `detail`: what the figures come from; `bars`: those that depend on
    the machine, beside the part's own."""

    figures: Mapping[str, Figure]
    detail: Mapping[str, Any] = field(default_factory=dict)
    bars: tuple[Bar, ...] = ()


@dataclass(frozen=True)
class Part:
    """`measure` may write to the folder that it is given."""

    name: str
    bars: tuple[Bar, ...]
    measure: Callable[[Settings, Path, Console], Found]


def run(bench: str, parts: Sequence[Part], name: str = "") -> int:
    """Measure these parts one after the other; the exit status: 1 if a bar is missed, 2 if what is
    measured is not installed.

    The file is `build/bench/BENCH.json`, or that of the one part that is named.
    """
    console, settings = Console(stderr=True), Settings()
    log.setup(settings.log, "bench")
    found: dict[str, Figure] = {}
    detail: dict[str, Any] = {}
    bars = [bar for part in parts for bar in part.bars]
    for part in parts:
        console.print(f"{bench}: {part.name}", highlight=False)
        folder = _OUT / bench / part.name
        stage.clear(folder)
        try:
            one = part.measure(settings, folder, console)
        except MissingPartError as error:
            console.print(str(error), highlight=False)
            return 2
        found |= one.figures
        bars += one.bars
        detail |= {part.name: one.detail} if one.detail else {}
    path = _OUT / (f"{bench}-{name}.json" if name else f"{bench}.json")
    ok = figures.report(path, found, bars, seed=1, detail=detail, console=console)
    return 0 if ok else 1
