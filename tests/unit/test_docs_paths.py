"""What the page about media servers names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/media-servers.md").read_text(encoding="utf-8")


def test_every_file_that_the_page_names_exists() -> None:
    named = [path for path in re.findall(r"`((?:src|tests)/[\w/.]+)`", PAGE) if "NAME" not in path]
    assert len(named) > 8
    assert [path for path in named if not (ROOT / path).is_file()] == []
