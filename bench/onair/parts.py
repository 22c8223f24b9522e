"""The parts of `python -m bench.onair`: each measures by itself, together they make one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from dubcast import log
from dubcast.config import Settings
from dubcast.measure import figures, stage
from dubcast.measure.figures import Bar, Figure

OUT = Path("build/bench/onair")


@dataclass(frozen=True)
class Found:
    """What a part measured; `detail`: what the figures come from."""

    figures: Mapping[str, Figure]
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """`measure` may write to the folder that it is given."""

    name: str
    bars: tuple[Bar, ...]
    measure: Callable[[Settings, Path, Console], Found]


def run(parts: Sequence[Part], name: str = "") -> int:
    """Measure these parts one after the other; the exit status: 1 if a bar is missed.

    The file is `build/bench/onair.json`, or that of the one part that is named.
    """
    console, settings = Console(stderr=True), Settings()
    log.setup(settings.log, "bench")
    found: dict[str, Figure] = {}
    detail: dict[str, Any] = {}
    for part in parts:
        console.print(f"on air: {part.name}", highlight=False)
        folder = OUT / part.name
        stage.clear(folder)
        one = part.measure(settings, folder, console)
        found |= one.figures
        detail |= {part.name: one.detail} if one.detail else {}
    path = OUT.with_name(f"{OUT.name}-{name}.json" if name else f"{OUT.name}.json")
    bars = [bar for part in parts for bar in part.bars]
    ok = figures.report(path, found, bars, seed=1, detail=detail, console=console)
    return 0 if ok else 1
