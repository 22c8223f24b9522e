"""What is generated from the code and committed is what the code generates now."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from dubcast import config

ROOT = Path(__file__).parents[2]


def exporter() -> ModuleType:
    spec = importlib.util.spec_from_file_location("export", ROOT / "scripts/export_schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["export"] = module
    spec.loader.exec_module(module)
    return module


def test_the_committed_schemas_are_those_of_the_code() -> None:
    module = exporter()
    for name, document in module.documents().items():
        committed = (ROOT / "docs/schemas" / name).read_text(encoding="utf-8")
        assert committed == module.text(document), f"{name} is old: run make schemas"


def test_the_settings_page_is_that_of_the_code() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert page == config.reference(), "docs/settings.md is old: run make schemas"


def test_every_setting_says_what_it_means() -> None:
    silent = [
        line for line in config.reference().splitlines() if line.startswith("|") and "|  |" in line
    ]
    # Ports, hosts and thread counts say it in their names.
    words = ("port", "host", "threads")
    assert [line for line in silent if not any(word in line for word in words)] == []
