"""The environment of the media server's hook program: what the server and its adapter put there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from dubcast.config.environment import ENV_PREFIX, HOOK_PREFIX
from dubcast.config.secret import Secret
from dubcast.errors import ConfigError

# Set by the media-server adapter for the hook program that its server runs.
HOOK_URL = HOOK_PREFIX + "URL"
HOOK_SECRET = HOOK_PREFIX + "SECRET"
HOOK_QUERY_ESCAPED = HOOK_PREFIX + "QUERY_ESCAPED"


def hook_child_env(**extra: str) -> dict[str, str]:
    """The environment of a media server: this one's without our settings, plus the hook's.

    Without our settings, since MediaMTX hands its whole environment to what it runs.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith((ENV_PREFIX, "MTX_"))}
    return {**inherited, **extra}


@dataclass(frozen=True)
class HookEnvironment:
    """What the media server gives its hook program, and where the hook goes."""

    path: str
    # As the server gave it: escaped as a whole by MediaMTX since 1.18. A key may be in it.
    query: str = field(repr=False)
    source_type: str
    source_id: str
    url: str
    secret: Secret
    query_escaped: bool


def hook_environment(env: Mapping[str, str] | None = None) -> HookEnvironment:
    """Read the hook's variables. Raises ConfigError if one that it needs is missing."""
    env = os.environ if env is None else env
    missing = [name for name in ("MTX_PATH", HOOK_URL, HOOK_SECRET) if not env.get(name)]
    if missing:
        raise ConfigError(f"the hook needs {', '.join(missing)} in its environment")
    return HookEnvironment(
        path=env["MTX_PATH"],
        query=env.get("MTX_QUERY", ""),
        source_type=env.get("MTX_SOURCE_TYPE", ""),
        source_id=env.get("MTX_SOURCE_ID", ""),
        url=env[HOOK_URL],
        secret=Secret(env[HOOK_SECRET]),
        query_escaped=env.get(HOOK_QUERY_ESCAPED, "1") != "0",
    )
