"""Behind a proxy, what goes to our own parts does not pass it; what goes elsewhere does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dubcast import config
from dubcast.cli.common import load_settings
from dubcast.config import MediaServerSettings, Settings, proxy_exceptions

PROXY = "http://127.0.0.1:9"
ASK_GIO = """
import sys
import gi
gi.require_version("Gio", "2.0")
from gi.repository import Gio
resolver = Gio.ProxyResolver.get_default()
for url in sys.argv[1:]:
    print(",".join(resolver.lookup(url)))
"""


def test_without_a_proxy_nothing_is_set() -> None:
    assert proxy_exceptions(Settings(), {"PATH": "/bin", "http_proxy": "", "no_proxy": "x"}) == {}


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"])
def test_our_own_hosts_are_excepted_beside_what_was(name: str) -> None:
    media = MediaServerSettings(host="media.lan", bind="::")
    env = {name: PROXY, "no_proxy": "corp.example, .lan", "NO_PROXY": "10.0.0.0/8"}
    found = proxy_exceptions(Settings(media_server=media), env)
    assert set(found) == {"no_proxy", "NO_PROXY"}
    for value in found.values():
        wanted = {"corp.example", ".lan", "10.0.0.0/8"}
        wanted |= {"localhost", "127.0.0.1", "::1", "[::1]", "media.lan"}
        assert set(value.split(",")) == wanted


def test_who_excepts_everything_keeps_that() -> None:
    found = proxy_exceptions(Settings(), {"http_proxy": PROXY, "NO_PROXY": "*"})
    assert set(found.values()) == {"*"}


def test_children_and_this_process_get_the_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", PROXY)
    assert "127.0.0.1" in config.child_env(Settings())["no_proxy"]
    with monkeypatch.context() as undone:
        for name in ("no_proxy", "NO_PROXY"):
            undone.setenv(name, "")  # put back afterwards
        load_settings(None)
        assert "127.0.0.1" in os.environ["NO_PROXY"]


def test_gstreamer_goes_to_us_directly_and_elsewhere_by_the_proxy(tmp_path: Path) -> None:
    env = {**os.environ, "http_proxy": PROXY}
    for name in ("no_proxy", "NO_PROXY"):
        env.pop(name, None)
    ours = ["rtmp://127.0.0.1:1935/live/a/in", "rtmp://[::1]:1935/live/a/in", "rtmp://localhost/x"]
    argv = [sys.executable, "-c", ASK_GIO, *ours, "rtmp://a.example.com/app/key"]

    def asked(env: dict[str, str]) -> list[str]:
        return subprocess.run(
            argv, env=env, capture_output=True, text=True, check=True, timeout=30
        ).stdout.split()

    assert asked(env) == [PROXY] * 4
    assert asked({**env, **proxy_exceptions(Settings(), env)}) == ["direct://"] * 3 + [PROXY]
