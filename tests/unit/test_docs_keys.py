"""The table of environments in docs/keys.md: which process is given which key.

When this changes, for the better or the worse, the page has to change with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dubcast import config
from dubcast.config import Settings
from dubcast.mediaserver.choice import create
from dubcast.mediaserver.interface import control_plane
from dubcast.orchestrator.launch import Launcher
from dubcast.orchestrator.up import roles

PAGE = (Path(__file__).parents[2] / "docs/keys.md").read_text(encoding="utf-8")
KEYS = {"HOOK", "PUBLISH", "READ", "API", "ROLES", "FIRST", "SECOND", "GIVEN", "ASKED"}
SERVICE = {"GIVEN", "ASKED"}


def settings(bind: str = "127.0.0.1") -> Settings:
    urls = {"first": "rtmp://host/app/FIRST", "second": "rtmp://host/app/SECOND"}
    tree = {
        "orchestrator": {
            "hook_secret": "HOOK",
            "publish_key": "PUBLISH",
            "read_key": "READ",
            "destinations": [{"name": name, "url": url} for name, url in urls.items()],
        },
        "sts": {"api_key": "GIVEN"},
        "sts_server": {"api_key": "ASKED"},
        "media_server": {
            "kind": "embedded",
            "bind": bind,
            "api_key": "API",
            "roles_key": "ROLES",
        },
    }
    return Settings.model_validate(tree)


def keys_in(environment: Mapping[str, str]) -> set[str]:
    told = " ".join(v for k, v in environment.items() if k.startswith(config.ENV_PREFIX))
    return {key for key in KEYS if key in told}


def test_the_page_has_the_table() -> None:
    for row in (
        "| each role that `dubcast up` starts | all settings, all keys |",
        "| worker, passthrough | no key of publishers, viewers, hooks or destinations; both",
        "| forwarder | its destination's URL; `sts_server.api_key`, which it does not use; the",
        "| MediaMTX and its hook program | no setting; the hook secret |",
    ):
        assert row in PAGE


def test_each_role_of_up_is_given_every_key() -> None:
    started = roles(settings(), with_sts=True)
    assert [role.name for role in started] == ["sts", "media-server", "orchestrator"]
    assert all(keys_in(role.env) == KEYS for role in started)


def test_children_of_a_stream_are_given_few_and_none_as_an_argument() -> None:
    server = create(settings(), control_plane(settings(), "HOOK"))
    worker, first, second = Launcher(settings(), server).children("show", "key=PUBLISH")
    assert worker.instead is not None
    assert keys_in(worker.env) == keys_in(worker.instead.env) == SERVICE
    assert keys_in(first.env) == {"FIRST", "ASKED"}
    assert keys_in(second.env) == {"SECOND", "ASKED"}
    for one in (worker, worker.instead, first, second):
        assert [key for key in KEYS if key in " ".join(one.argv)] == []


def test_the_roles_key_goes_where_it_is_asked_for() -> None:
    open_to_others = settings(bind="0.0.0.0")
    server = create(open_to_others, control_plane(open_to_others, "HOOK"))
    worker, first, _ = Launcher(open_to_others, server).children("show", "")
    assert keys_in(worker.env) == {*SERVICE, "ROLES"}
    assert keys_in(first.env) == {"FIRST", "ASKED", "ROLES"}
    assert "ROLES" not in " ".join([*worker.argv, *first.argv])


def test_mediamtx_is_given_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in config.to_env(settings()).items():
        monkeypatch.setenv(name, value)
    environment = config.hook_child_env(**{config.HOOK_SECRET: "HOOK"})
    assert [name for name in environment if name.startswith(config.ENV_PREFIX)] == []
    assert environment[config.HOOK_SECRET] == "HOOK"
