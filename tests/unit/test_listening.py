"""Where the roles listen: IPv4 and IPv6 alike, in every setting that names a host."""

from __future__ import annotations

import socket
import urllib.request
from typing import Any

import pytest

from dubcast import config
from dubcast.config import MediaServerSettings, OrchestratorSettings, Secret, Settings
from dubcast.errors import ConfigError
from dubcast.listening import listen
from dubcast.mediaserver.choice import create
from dubcast.mediaserver.interface import control_plane
from dubcast.mediaserver.mediamtx import generate_config
from dubcast.mediaserver.mediamtx_api import api_url
from dubcast.small_http import Reply, SmallServer

HOSTS = [
    "media_server.host",
    "media_server.bind",
    "orchestrator.host",
    "sts_server.host",
    "worker.metrics_host",
]


def load(key: str, value: str) -> Any:
    found: Any = config.load(flags={key: value}, env={}).settings
    for part in key.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("key", HOSTS)
def test_a_host_is_a_name_or_an_address(key: str) -> None:
    for good in ("127.0.0.1", "::", "::1", "2001:db8::7", "fe80::1%eth0", "media.lan", "0.0.0.0"):
        assert load(key, good) == good
    assert load(key, "[::1]") == "::1"
    for bad in ("", "127.0.0.1:80", "[::1]:80", "http://h", "a b", "user@h", "h/x", "::1::2"):
        with pytest.raises(ConfigError, match=key):
            load(key, bad)


@pytest.mark.parametrize(("host", "reached"), [("127.0.0.1", ["127.0.0.1"]), ("::1", ["::1"])])
def test_each_kind_of_address_can_be_listened_on(host: str, reached: list[str]) -> None:
    with listen(host, 0) as listener:
        for one in reached:
            socket.create_connection((one, listener.getsockname()[1]), timeout=2).close()


def test_every_interface_of_ipv6_is_every_interface() -> None:
    with listen("::", 0) as listener:
        for one in ("127.0.0.1", "::1"):
            socket.create_connection((one, listener.getsockname()[1]), timeout=2).close()


def test_a_port_in_use_is_named_as_a_url_would() -> None:
    with listen("::1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"cannot listen on \[::1\]:{port}: Address already"):
            listen("::1", port)


@pytest.mark.parametrize(
    ("host", "urls"),
    [
        ("::1", ["http://[::1]:{}/x"]),
        ("::", ["http://[::1]:{}/x", "http://127.0.0.1:{}/x"]),
        ("127.0.0.1", ["http://127.0.0.1:{}/x"]),
    ],
)
def test_a_role_s_window_is_reached_where_it_is_set(host: str, urls: list[str]) -> None:
    server = SmallServer("test", host, 0, {"GET": lambda _path, _body: Reply(200, b"here")})
    server.start()
    try:
        for url in urls:
            with urllib.request.urlopen(url.format(server.port), timeout=2) as reply:
                assert reply.read() == b"here"
    finally:
        server.close()


def test_every_url_has_its_brackets() -> None:
    settings = Settings(
        media_server=MediaServerSettings(
            kind="mediamtx", attach=True, host="::1", bind="::", rtmp_port=1, rtsp_port=2
        ),
        orchestrator=OrchestratorSettings(host="::", port=3),
    )
    plane = control_plane(settings, Secret("secret"))
    assert plane.hook_url == "http://[::1]:3/v1/mediamtx/events"
    assert plane.auth_url == "http://[::1]:3/v1/internal/mtx-auth"
    server = create(settings, plane)
    assert server.publish_url("live/a/out") == "rtmp://[::1]:1/live/a/out"
    assert api_url(settings.media_server) == "http://[::1]:9997"
    written = generate_config(settings.media_server, plane, (1, 20, 1))
    assert [written[name] for name in ("rtmpAddress", "rtspAddress")] == ["[::]:1", "[::]:2"]


def test_the_api_of_our_own_mediamtx_is_on_loopback() -> None:
    for attach, wanted in ((False, "127.0.0.1"), (True, "media.lan")):
        media = MediaServerSettings(kind="mediamtx", attach=attach, host="media.lan")
        settings = Settings(media_server=media)
        assert api_url(settings.media_server) == f"http://{wanted}:9997"
