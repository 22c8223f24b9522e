"""The environment of child processes: settings reach them there, secrets included.

Unlike arguments, it is in no process list.
"""

from __future__ import annotations

import os
from typing import Any

import yaml
from pydantic import SecretStr

from dubcast.config.environment import ENV_PREFIX, FILE_VARIABLE
from dubcast.config.loading import NO_FILE
from dubcast.config.proxy import proxy_exceptions
from dubcast.config.settings import Settings
from dubcast.config.tree import leaves, plain


def to_env(settings: Settings) -> dict[str, str]:
    """The settings as environment variables; a child reads them back with `load`."""
    return {
        ENV_PREFIX + dotted.replace(".", "__").upper(): _written(value)
        for dotted, value in leaves(plain(settings, SecretStr.get_secret_value))
        if value is not None  # the default of every setting that may be None
    }


def child_env(settings: Settings, **extra: str) -> dict[str, str]:
    """The whole environment of a child process: this one's, with `settings` in place of ours.

    The child reads no settings file: it would give what `settings` leave out on purpose.
    """
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)
    }
    around = proxy_exceptions(settings, inherited)
    return {**inherited, **around, FILE_VARIABLE: NO_FILE, **to_env(settings), **extra}


def _written(value: Any) -> str:
    """A value as a variable holds it: text as it is, lists and mappings as YAML."""
    if isinstance(value, str):
        return value
    written: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True)
    return written.removesuffix("\n...\n").strip()
