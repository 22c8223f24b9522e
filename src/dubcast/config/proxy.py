"""Behind a proxy: what goes to dubcast's own parts never passes it, everything else still does.

GStreamer's sources and sinks (by GIO), Python's, Go's and ffmpeg's HTTP read `http_proxy` and its
relatives from the environment, so that is where our own addresses are taken out of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from dubcast.addresses import bracketed, reachable
from dubcast.config.settings import Settings

_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "ftp_proxy"})
_EXCEPTIONS = ("no_proxy", "NO_PROXY")  # some read one, some the other
_ALL = "*"


def proxy_exceptions(settings: Settings, env: Mapping[str, str]) -> dict[str, str]:
    """The variables with what was excepted in `env` and our own hosts; none without a proxy."""
    if not any(env[name] for name in env if name.lower() in _PROXIES):
        return {}
    given = [one.strip() for name in _EXCEPTIONS for one in env.get(name, "").split(",")]
    if _ALL in given:
        return dict.fromkeys(_EXCEPTIONS, _ALL)
    hosts = ["localhost", "127.0.0.1", "::1", *_own_hosts(settings)]
    # Of an IPv6 address libproxy knows the form of a URL alone, others the bare one.
    every = [form for host in (*given, *hosts) for form in (host, bracketed(host))]
    return dict.fromkeys(_EXCEPTIONS, ",".join(dict.fromkeys(filter(None, every))))


def bypass_proxy(settings: Settings) -> None:
    """Have this process, and what it starts, reach our own addresses without a proxy."""
    os.environ.update(proxy_exceptions(settings, os.environ))


def _own_hosts(settings: Settings) -> list[str]:
    own = (
        settings.media_server.host,
        settings.media_server.bind,
        settings.orchestrator.host,
        settings.sts_server.host,
        settings.worker.metrics_host,
    )
    return [reachable(host) for host in own]
