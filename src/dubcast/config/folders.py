"""Where dubcast keeps its things for a user, by the XDG specification."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dubcast.errors import ConfigError


def cache_dir(env: Mapping[str, str] | None = None) -> Path:
    """The user's cache folder for dubcast: `$XDG_CACHE_HOME/dubcast`, else `~/.cache/dubcast`."""
    env = os.environ if env is None else env
    base = env.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is invalid and is to be ignored.
    root = Path(base) if Path(base).is_absolute() else _home() / ".cache"
    return root / "dubcast"


def state_dir() -> Path:
    """The user's state folder of dubcast; it may not exist yet."""
    return Path(os.environ.get("XDG_STATE_HOME") or _home() / ".local/state") / "dubcast"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise ConfigError(
            "this user has no home folder: set HOME, or XDG_CACHE_HOME and XDG_STATE_HOME"
        ) from None
