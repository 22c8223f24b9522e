"""Settings: precedence, bad values, secrets, and the way to child processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubcast import config
from dubcast.errors import ConfigError


def load(tmp_path: Path, text: str = "", env: dict[str, str] | None = None, **flags: object):  # type: ignore[no-untyped-def]
    file = tmp_path / "dubcast.yaml"
    file.write_text(text)
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    return config.load(file, dotted, env or {})


def test_flags_win_over_environment_over_file_over_default(tmp_path: Path) -> None:
    text = "stream: {delay_s: 5, voice: pm_alex, duck_db: 30}"
    env = {"DUBCAST__STREAM__DELAY_S": "6", "DUBCAST__STREAM__VOICE": "pf_dora"}
    loaded = load(tmp_path, text, env, stream__delay_s=7.0)
    stream = loaded.settings.stream
    assert (stream.delay_s, stream.voice, stream.duck_db) == (7, "pf_dora", 30)
    assert stream.max_tempo == 1.25
    assert loaded.origins["stream.delay_s"] == "flag"
    assert loaded.origins["stream.voice"] == "DUBCAST__STREAM__VOICE"
    assert loaded.origins["stream.duck_db"].endswith("dubcast.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stream: {deley_s: 5}", ["stream.deley_s", "did you mean delay_s"]),
        ("streem: {delay_s: 5}", ["streem", "did you mean stream"]),
        ("stream: {delay_s: 99}", ["stream.delay_s", "99", "15"]),
        ("stream: {duck_db: 15}", ["stream.duck_db", "24"]),
        ("stream: {fragments: {mode: fast}}", ["stream.fragments.mode", "'fast'", "'speech'"]),
        ("sts: {url: 'ftp://x'}", ["sts", "http://"]),
        ("orchestrator: {streams: {Bad Id: {}}}", ["orchestrator.streams"]),
        ("orchestrator: {streams: {a: {policy: {delay: 3}}}}", ["streams.a.policy", "delay"]),
        ("[1, 2]", ["mapping"]),
        ("stream: {", ["not valid YAML"]),
    ],
)
def test_bad_settings_name_the_key_the_value_and_the_way_out(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    for word in words:
        assert word in str(caught.value)


def test_a_bad_value_names_where_it_was_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="DUBCAST__STREAM__DELAY_S"):
        load(tmp_path, env={"DUBCAST__STREAM__DELAY_S": "1"})


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        config.load(Path("/nonexistent/dubcast.yaml"), env={})


def test_settings_survive_the_way_through_the_environment(tmp_path: Path) -> None:
    text = """
    sts: {api_key: 'k: "x"'}
    stream: {delay_s: 4.5, fragments: {mode: fixed}}
    orchestrator:
      destinations: [{name: third, url: 'rtmp://host/app/key'}]
      streams: {demo: {policy: {voice: pm_alex}}}
    """
    settings = load(tmp_path, text).settings
    assert config.load(env=config.to_env(settings)).settings == settings


def test_secrets_are_masked_in_repr_and_in_show_and_in_errors(tmp_path: Path) -> None:
    text = "sts: {api_key: canary}\norchestrator: {destinations: [{name: a, url: 'rtmp://h/a/canary'}]}"
    settings = load(tmp_path, text).settings
    assert "canary" not in repr(settings)
    assert "canary" not in str(config.masked(settings))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "orchestrator: {destinations: [{name: a, url: 'http://h/a/canary'}]}")
    assert "canary" not in str(caught.value)


def test_a_stream_entry_changes_only_what_it_names(tmp_path: Path) -> None:
    text = "orchestrator: {streams: {demo: {policy: {voice: pm_alex, fragments: {mode: fixed}}}}}"
    settings = load(tmp_path, text, stream__delay_s=9.0).settings
    policy = settings.stream_policy("demo")
    assert (policy.voice, policy.fragments.mode, policy.delay_s) == ("pm_alex", "fixed", 9.0)
    assert settings.stream_policy("other") == settings.stream
