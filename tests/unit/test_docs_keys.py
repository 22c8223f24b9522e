"""The table of environments in docs/keys.md: which process is given which key.

When this changes, for the better or the worse, the page has to change with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dubcast import config
from dubcast.config import Secret, Settings
from dubcast.mediaserver.choice import create
from dubcast.mediaserver.interface import PathSource, control_plane
from dubcast.orchestrator.launch import Launcher
from dubcast.orchestrator.up import roles

PAGE = (Path(__file__).parents[2] / "docs/keys.md").read_text(encoding="utf-8")
OURS = {"API", "ROLES"}
ELSEWHERE = {"KEY-ASR", "KEY-MT", "KEY-TTS"}
PUBLISHERS = {"HOOK", "PUBLISH", "READ"}
KEYS = {*OURS, *PUBLISHERS, "FIRST", "SECOND", "GIVEN", "ASKED", "PASSPHRASE-SRT", *ELSEWHERE}


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
        "sts_server": {
            "api_key": "ASKED",
            "remote": {
                "asr": {"api_key": "KEY-ASR"},
                "mt": {"api_key": "KEY-MT"},
                "tts": {"api_key": "KEY-TTS"},
            },
        },
        "media_server": {
            "kind": "embedded",
            "bind": bind,
            "api_key": "API",
            "roles_key": "ROLES",
            "ingest": {"srt_passphrase": "PASSPHRASE-SRT"},
        },
    }
    return Settings.model_validate(tree)


def keys_in(environment: Mapping[str, str]) -> set[str]:
    told = " ".join(v for k, v in environment.items() if k.startswith(config.ENV_PREFIX))
    return {key for key in KEYS if key in told}


def test_the_page_has_the_table() -> None:
    for row in (
        "| speech service | `sts_server.api_key`, the keys of services elsewhere |",
        "| `media-server` | the keys of publishers, viewers and hooks, the SRT passphrase, the",
        "| orchestrator | all but those of the speech service and the SRT passphrase: it hands",
        "| worker | `sts.api_key`; the roles' key where the media server asks for it |",
        "| passthrough | the roles' key likewise |",
        "| forwarder | its destination's URL; the roles' key likewise |",
        "| MediaMTX and its hook program | no setting; the hook secret |",
    ):
        assert row in PAGE


def test_each_role_of_up_is_given_the_keys_that_it_uses() -> None:
    given = {role.name: keys_in(role.env) for role in roles(settings(), with_sts=True)}
    assert given == {
        "sts": {"ASKED", *ELSEWHERE},
        "media-server": {*PUBLISHERS, *OURS, "PASSPHRASE-SRT"},
        "orchestrator": KEYS - {"ASKED", "PASSPHRASE-SRT", *ELSEWHERE},
    }


def test_a_role_that_is_not_known_is_given_nothing() -> None:
    with pytest.raises(KeyError):
        config.settings_of("cache", settings())


def test_who_may_publish_is_known_without_the_destinations_of_the_streams() -> None:
    third = {"destinations": [{"name": "third", "url": "rtmp://host/app/FIRST"}]}
    both = Settings.model_validate({"orchestrator": {"streams": {"show": third}}})
    for role, left in (("media-server", 0), ("orchestrator", 1)):
        streams = config.settings_of(role, both).orchestrator.streams
        assert [len(entry.destinations) for entry in streams.values()] == [left]


def test_children_of_a_stream_are_given_few_and_none_as_an_argument() -> None:
    server = create(settings(), control_plane(settings(), Secret("HOOK")))
    worker, first, second = Launcher(settings(), server).children(
        "show", PathSource("live/show/in", "1", query="key=PUBLISH")
    )
    assert worker.instead is not None
    assert keys_in(worker.env) == {"GIVEN"}
    assert keys_in(worker.instead.env) == set()
    assert keys_in(first.env) == {"FIRST"}
    assert keys_in(second.env) == {"SECOND"}
    for one in (worker, worker.instead, first, second):
        assert [key for key in KEYS if key in " ".join(one.argv)] == []


def test_the_roles_key_goes_where_it_is_asked_for() -> None:
    open_to_others = settings(bind="0.0.0.0")
    server = create(open_to_others, control_plane(open_to_others, Secret("HOOK")))
    worker, first, _ = Launcher(open_to_others, server).children("show", None)
    assert keys_in(worker.env) == {"GIVEN", "ROLES"}
    assert keys_in(first.env) == {"FIRST", "ROLES"}
    assert "ROLES" not in " ".join([*worker.argv, *first.argv])


def test_mediamtx_is_given_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in config.to_env(settings()).items():
        monkeypatch.setenv(name, value)
    environment = config.hook_child_env(**{config.HOOK_SECRET: "HOOK"})
    assert [name for name in environment if name.startswith(config.ENV_PREFIX)] == []
    assert environment[config.HOOK_SECRET] == "HOOK"
