"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from dubcast import config

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="settings file (default: ./dubcast.yaml)")
]
# Panels of `dubcast --help`, in its order.
PEOPLE = "For people"
ROLES = "Roles, which the commands above start"

JsonOption = Annotated[bool, typer.Option("--json", help="JSON, for programs")]


def load_settings(file: Path | None, **flags: Any) -> config.Settings:
    """Settings of a command; `flags` names use `__` for dots (`stream__delay_s`).

    From then on this process reaches dubcast's own addresses without a proxy.
    """
    settings = load(file, **flags).settings
    config.bypass_proxy(settings)
    return settings


def load(file: Path | None, **flags: Any) -> config.Loaded:
    """As `load_settings`, with the origins, for who only shows them. Warnings are told."""
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    loaded = config.load(file, dotted)
    for line in loaded.warnings:
        sys.stderr.write(f"dubcast: warning: {line}\n")
    return loaded


@contextmanager
def progress_bars() -> Iterator[Any]:
    """Yields a `Progress` that draws one bar per file or package on standard error."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskID,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bars:

        class Report:
            task = TaskID(0)

            def begin(self, label: str, total: int | None) -> None:
                self.task = bars.add_task(label, total=total)

            def advance(self, count: int) -> None:
                bars.advance(self.task, count)

            def end(self) -> None:
                if bars.tasks[self.task].total is None:
                    bars.update(self.task, total=1, completed=1)
                bars.stop_task(self.task)

        yield Report()
