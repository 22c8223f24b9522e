"""What the user's terminal is to show."""

from __future__ import annotations

import os


def colours_wanted() -> bool:
    """False where `NO_COLOR` is set to anything (no-color.org)."""
    return not os.environ.get("NO_COLOR")
