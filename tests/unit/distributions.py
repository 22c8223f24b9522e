"""Packages made in a folder, as an installer leaves them: modules beside a `.dist-info`."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path


def install(folder: Path, pyproject: str, modules: Mapping[str, str]) -> None:
    """Lay out the package that `pyproject` describes; `modules`: file name -> source."""
    project = tomllib.loads(pyproject)["project"]
    name, version = project["name"], project["version"]
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    lines: list[str] = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    for file, source in modules.items():
        (folder / file).write_text(source, encoding="utf-8")


def forget(folder: Path) -> None:
    """Take what was imported from the folder out of the interpreter again."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(folder)):
            del sys.modules[name]
