"""What the commands say to bad input, in process and without models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml
from typer.testing import CliRunner

from dubcast.cli.main import application
from dubcast.cli.service import check_here, check_policy, is_ready
from dubcast.config import Settings, StreamSettings, StsClientSettings
from dubcast.errors import ConfigError, StsError
from dubcast.testing.sts_server import Reply, ScriptedSts, success
from holes import store_of_holes

LANGUAGES = {"pairs": [{"source": "en", "target": "pt-BR"}, {"source": "pt-BR", "target": "en"}]}
VOICES = {
    "voices": [
        {"name": "pf_dora", "language": "pt-BR", "gender": "female", "default": True},
        {"name": "af_heart", "language": "en-US", "gender": "female", "default": True},
    ]
}


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Commands set the log up on the runner's streams, which are closed when the test ends."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def sts() -> Iterator[ScriptedSts]:
    pages = {"/api/v1/languages": LANGUAGES, "/api/v1/voices": VOICES}
    bodies = {path: Reply(200, json.dumps(page).encode()) for path, page in pages.items()}
    with ScriptedSts(lambda request, call: success(request), pages=bodies) as one:
        yield one


@pytest.mark.parametrize("policy", [{}, {"voice": "pf_dora"}, {"target_language": "pt"}])
def test_a_policy_that_the_service_can_serve(sts: ScriptedSts, policy: dict[str, Any]) -> None:
    check_policy(StsClientSettings(url=sts.url), StreamSettings.model_validate(policy))


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"target_language": "xx"}, ["'xx'", "en to pt-BR", "pt-BR to en"]),
        ({"source_language": "de"}, ["'de'", "en to pt-BR"]),
        ({"source_language": "auto"}, ["'auto'", "it cannot tell languages", "en to pt-BR"]),
        ({"voice": "nobody"}, ["'nobody'", "default, pf_dora"]),
        ({"voice": "af_heart"}, ["'af_heart'", "default, pf_dora"]),
    ],
)
def test_what_it_cannot_serve_is_refused_with_a_list(
    sts: ScriptedSts, policy: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_policy(StsClientSettings(url=sts.url), StreamSettings.model_validate(policy))
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"stream": {"target_language": "xx"}}, ["stream:", "'xx'", "en -> pt-BR"]),
        ({"stream": {"voice": "nobody"}}, ["stream:", "'nobody'", "pf_dora", "pm_alex"]),
        (
            {"orchestrator": {"streams": {"show": {"policy": {"voice": "nobody"}}}}},
            ["orchestrator.streams.show.policy", "'nobody'"],
        ),
    ],
)
def test_policies_are_checked_before_anything_starts(
    tmp_path: Path, settings: dict[str, Any], words: list[str]
) -> None:
    store = {"models": {"dir": store_of_holes(tmp_path)}}
    check_here(Settings.model_validate(store))
    with pytest.raises(ConfigError) as caught:
        check_here(Settings.model_validate({**settings, **store}))
    assert all(word in str(caught.value) for word in words)


def test_a_service_that_is_away_is_not_ready_and_says_so() -> None:
    away = StsClientSettings(url="http://127.0.0.1:9")
    assert not is_ready(away)
    with pytest.raises(StsError, match="did not answer"):
        check_policy(away, StreamSettings())


def test_run_refuses_a_destination_that_is_not_rtmp() -> None:
    result = CliRunner().invoke(application(), ["run", "x.flv", "rmtp://host/live/canary"])
    assert isinstance(result.exception, ConfigError)
    assert "must be an rtmp://" in str(result.exception)
    assert "canary" not in str(result.exception)


def test_config_show_names_origins_and_masks_secrets() -> None:
    env = {"DUBCAST__STS__API_KEY": "canary", "DUBCAST__STREAM__DELAY_S": "9"}
    result = CliRunner().invoke(application(), ["config", "show", "--origin"], env=env)
    assert result.exit_code == 0
    assert "stream.delay_s: 9.0    # DUBCAST__STREAM__DELAY_S" in result.output
    assert "canary" not in result.output


@pytest.mark.parametrize("where", ["stream", "orchestrator.streams.show.policy"])
def test_config_check_asks_the_service_about_every_policy(
    sts: ScriptedSts, tmp_path: Path, where: str
) -> None:
    tree: dict[str, Any] = {"sts": {"url": sts.url}}
    file = tmp_path / "dubcast.yaml"
    file.write_text(yaml.safe_dump(tree))
    result = CliRunner().invoke(application(), ["config", "check", "-c", str(file)])
    assert (result.exit_code, "offers" in result.output) == (0, True)
    inner = tree
    for name in where.split("."):
        inner = inner.setdefault(name, {})
    inner["voice"] = "nobody"
    file.write_text(yaml.safe_dump(tree))
    result = CliRunner().invoke(application(), ["config", "check", "-c", str(file)])
    assert isinstance(result.exception, ConfigError)
    assert result.exception.exit_code == 2
    assert all(word in str(result.exception) for word in (f"{where}: ", "default, pf_dora"))


def test_config_check_says_what_it_could_not_check() -> None:
    env = {"DUBCAST__STS__URL": "http://127.0.0.1:9"}
    result = CliRunner().invoke(application(), ["config", "check"], env=env)
    assert result.exit_code == 0
    assert "were not checked" in result.output


def test_config_check_names_another_service_where_the_speech_service_should_be() -> None:
    pages = {"/api/v1/languages": Reply(200, b"<html>another service")}
    with ScriptedSts(lambda request, call: success(request), pages=pages) as other:
        env = {"DUBCAST__STS__URL": other.url}
        result = CliRunner().invoke(application(), ["config", "check"], env=env)
    assert isinstance(result.exception, ConfigError)
    assert f"what listens at {other.url} is no speech service" in str(result.exception)


def test_config_check_fails_on_an_unknown_setting() -> None:
    result = CliRunner().invoke(
        application(), ["config", "check"], env={"DUBCAST__STREAM__DELY_S": "9"}
    )
    assert isinstance(result.exception, ConfigError)
    assert "did you mean delay_s" in str(result.exception)
