"""What a command line is expected to do: help, version, JSON, colours, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dubcast import __version__
from dubcast.cli.main import COMMANDS, application, main
from dubcast.config import colours_wanted
from dubcast.errors import StsError

ROLES = ["orchestrator", "media-server", "sts", "worker", "egress", "passthrough"]


def said(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(application(), list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def dubcast(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "dubcast", *arguments]
    whole = {**os.environ, **env}
    return subprocess.run(argv, env=whole, capture_output=True, text=True, timeout=60)


def test_the_version_is_told() -> None:
    assert said("--version") == f"dubcast {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["up"], ["models"], ["models", "pull"], ["worker"]])
def test_each_command_has_both_forms_of_help(arguments: list[str]) -> None:
    assert said(*arguments, "-h") == said(*arguments, "--help")


def test_what_is_for_people_comes_first_and_the_roles_last() -> None:
    lines = [line.strip(" │") for line in said("-h").splitlines()]
    order = [line.split()[0] for line in lines if line and line[0].isalpha()]
    listed = order[order.index("run") :]
    people = ["run", "up", "doctor", "demo", "probe", "voices", "languages", "models", "config"]
    places = [listed.index(name) for name in [*people, *ROLES]]
    assert places == sorted(places)


def listed(command: str = "") -> set[str]:
    group = typer.main.get_command(application(command))
    assert isinstance(group, typer.core.TyperGroup)
    return set(group.commands)


def test_a_command_brings_its_module_alone_and_no_command_is_forgotten() -> None:
    for commands in COMMANDS.values():
        for command in commands:
            assert listed(command) == set(commands)
    everything = {command for commands in COMMANDS.values() for command in commands}
    assert listed() == listed("no-such-command") == listed("--version") == everything


def test_the_help_has_examples() -> None:
    assert "dubcast up --to pt-BR" in " ".join(said("-h").split())


def test_the_shell_can_complete() -> None:
    done = dubcast(_DUBCAST_COMPLETE="source_bash")
    assert "complete" in done.stdout
    assert "dubcast" in done.stdout


def test_the_voices_and_languages_are_also_json() -> None:
    voices: list[dict[str, Any]] = json.loads(said("voices", "--json"))
    assert voices
    assert all(set(one) == {"name", "language", "gender", "default", "engine"} for one in voices)
    told: dict[str, list[dict[str, Any]]] = json.loads(said("languages", "--json"))
    assert set(told["pairs"][0]) == {"source", "target"}
    assert {"tag", "name", "voices", "dubbed_from"} < set(told["languages"][0])


def test_the_models_are_also_json() -> None:
    told = json.loads(said("models", "list", "--json"))
    assert "kokoro-voices" in {one["name"] for one in told["models"]}
    assert all(one["size"] > 0 for one in told["models"])


def test_a_process_ends_with_the_exit_code_and_no_traceback() -> None:
    done = dubcast("nonsense")
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        "nonsense",
        "up --nonsense",
        "run",
        "up --delay 99",
        "up --destination x",
        "run a.flv http://host/x",
    ],
)
def test_wrong_use_is_exit_code_2(
    arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["dubcast", *arguments.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_a_service_that_is_not_reached_is_exit_code_3() -> None:
    assert StsError("UNAVAILABLE", "away", retryable=True).exit_code == 3
    assert StsError("MODEL_ERROR", "broken", retryable=False).exit_code == 1


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colours_wanted()
    monkeypatch.setenv("NO_COLOR", "")
    assert colours_wanted()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colours_wanted()


def test_console_lines_that_go_to_a_file_have_no_colours() -> None:
    done = dubcast("orchestrator", DUBCAST__LOG__FORMAT="console", XDG_STATE_HOME="/dev/null")
    assert "hook_secret.not_kept" in done.stderr
    assert "\x1b" not in done.stderr
