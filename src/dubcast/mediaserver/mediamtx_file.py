"""The config for a MediaMTX that dubcast does not start itself, as a file. Pure."""

from __future__ import annotations

import yaml

from dubcast.addresses import is_this_machine
from dubcast.config import (
    HOOK_QUERY_ESCAPED,
    HOOK_SECRET,
    HOOK_URL,
    MediaServerSettings,
    Secret,
    Settings,
)
from dubcast.mediaserver.interface import control_plane
from dubcast.mediaserver.mediamtx import generate_config, hook_variables
from dubcast.mediaserver.mediamtx_check import Version

_HEAD = """\
# MediaMTX {version} for dubcast, which attaches to it (media_server.attach: true).
# It holds a key: keep it readable by the server's user alone.
# The hooks run `dubcast-hook`: install dubcast beside the server (no extras are needed), and start
# the server with these variables in its environment:
#   {url_name}={url}
#   {secret_name}={secret}
#   {escaped_name}={escaped}
"""


def config_file(settings: Settings, hook_secret: Secret, version: Version) -> str:
    """The file. Raises ConfigError for a version that is too old."""
    plane = control_plane(settings, hook_secret)
    config = generate_config(
        _elsewhere(settings.media_server), plane, version, lambda kind: f"dubcast-hook {kind}"
    )
    # For the eyes of whoever runs it: there is no log of ours to put it into.
    del config["logStructured"], config["logDestinations"], config["logLevel"]
    variables = hook_variables(plane, version)
    head = _HEAD.format(
        version=".".join(map(str, version)),
        url_name=HOOK_URL,
        url=variables[HOOK_URL],
        secret_name=HOOK_SECRET,
        secret=variables[HOOK_SECRET],
        escaped_name=HOOK_QUERY_ESCAPED,
        escaped=variables[HOOK_QUERY_ESCAPED],
    )
    return head + yaml.safe_dump(config, sort_keys=False)


def _elsewhere(settings: MediaServerSettings) -> MediaServerSettings:
    """The settings as that server needs them: it listens where it is asked for."""
    default = MediaServerSettings()
    changes: dict[str, object] = {"attach": True}
    if settings.bind == default.bind:
        changes["bind"] = settings.host if is_this_machine(settings.host) else ""  # everywhere
    if settings.api_host == default.api_host:
        changes["api_host"] = settings.host
    return settings.model_copy(update=changes)
