"""Folders that cannot be made and disks that are full: one clear line, and never a stream less."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
import structlog

from dubcast import config
from dubcast.cli.main import main
from dubcast.config import MediaServerSettings, OrchestratorSettings, Secret, Settings
from dubcast.contract.worker import AsRunEntry, Outcome
from dubcast.errors import ConfigError, MediaServerError, MissingPartError
from dubcast.mediaserver import embedded_server, mediamtx
from dubcast.mediaserver.choice import create
from dubcast.mediaserver.interface import control_plane
from dubcast.orchestrator.instance import InstanceLock
from dubcast.orchestrator.up import hook_secret, notes_folder
from dubcast.processes.lasting import Notes
from dubcast.worker.asrun import AsRunLog


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A folder that nobody can make, root neither: a file is in its way."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "folder"


def entry(number: int) -> AsRunEntry:
    return AsRunEntry(
        fragment_id=str(number),
        sequence_number=number,
        source_start_s=0.0,
        source_end_s=1.0,
        outcome=Outcome.DUBBED,
    )


def test_a_state_folder_is_refused_by_its_setting(blocked: Path) -> None:
    lock = InstanceLock(blocked / "orchestrator-1")
    with pytest.raises(ConfigError, match=r"cannot be written .*: set orchestrator\.state_dir"):
        lock.acquire()


def test_a_hook_secret_that_cannot_be_kept_is_one_of_this_run(blocked: Path) -> None:
    settings = Settings(orchestrator=OrchestratorSettings(state_dir=blocked))
    secrets = {hook_secret(settings).get_secret_value() for _ in range(2)}
    assert len(secrets) == 2
    assert all(len(one) > 30 for one in secrets)


def test_a_hook_secret_is_kept_where_it_can_be(tmp_path: Path) -> None:
    settings = Settings(orchestrator=OrchestratorSettings(state_dir=tmp_path))
    assert hook_secret(settings) == hook_secret(settings)
    file = notes_folder(settings) / "hook-secret"
    assert file.stat().st_mode & 0o077 == 0


def test_without_notes_what_is_noted_runs_on(blocked: Path) -> None:
    notes = Notes(blocked)
    notes.write("worker:demo", {"pid": 1})
    notes.remove("worker:demo")
    assert list(notes.read()) == []


def test_without_its_folder_the_as_run_log_says_so_once(blocked: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        log = AsRunLog(blocked, "demo")
        for number in range(3):
            log.write(entry(number))
        log.close()
    assert [line["event"] for line in lines] == ["the as-run log cannot be written"]
    assert log.lost == 3


def test_a_full_disk_costs_lines_of_the_as_run_log_alone(tmp_path: Path) -> None:
    (tmp_path / "demo.asrun.jsonl").symlink_to("/dev/full")
    with structlog.testing.capture_logs() as lines:
        log = AsRunLog(tmp_path, "demo")
        for number in range(3):
            log.write(entry(number))
        log.close()
        log.close()
    assert [line["log_level"] for line in lines] == ["error"]
    assert "No space left" in lines[0]["reason"]
    assert log.lost == 3


def test_a_line_that_was_torn_spoils_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AsRunLog(tmp_path, "demo")
    write = os.write
    with monkeypatch.context() as full:
        full.setattr("dubcast.worker.asrun.os.write", lambda fd, data: write(fd, data[:20]))
        log.write(entry(0))
    log.write(entry(1))
    log.close()
    torn, whole = log.path.read_text().splitlines()
    assert len(torn) == 20
    assert AsRunEntry.model_validate_json(whole).sequence_number == 1
    assert log.lost == 1


def mtx(tmp_path: Path) -> Any:
    binary = tmp_path / "mediamtx"
    binary.touch()
    media = MediaServerSettings(kind="mediamtx", mediamtx_path=binary)
    settings = Settings(media_server=media)
    return create(settings, control_plane(settings, Secret("secret")))


def test_the_media_server_s_config_goes_to_memory_where_the_disk_is_full(
    tmp_path: Path, blocked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(blocked))
    monkeypatch.setattr(mediamtx, "_MEMORY", str(tmp_path))
    server = mtx(tmp_path)
    file = server._write_config("a: 1\n")
    assert file.is_relative_to(tmp_path)
    assert file.read_text() == "a: 1\n"
    asyncio.run(server.stop())
    assert not file.exists()
    monkeypatch.setattr(mediamtx, "_MEMORY", str(blocked))
    with pytest.raises(MediaServerError, match="the config of mediamtx cannot be written"):
        server._write_config("a: 1\n")


def test_the_embedded_server_says_where_it_cannot_be_installed(blocked: Path) -> None:
    settings = MediaServerSettings(embedded_dir=blocked)
    with pytest.raises(MissingPartError, match=r"folder: .*media_server\.embedded_dir"):
        embedded_server.install(settings)


def test_a_user_without_a_home_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    for folder in (lambda: config.cache_dir({}), config.state_dir):
        with pytest.raises(ConfigError, match="set HOME"):
            folder()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("up --no-sts", "dubcast: the state folder "),
        ("models pull dfn3", "dubcast: cannot write to "),
        ("demo --out {}/x", "dubcast: "),
    ],
)
def test_commands_say_it_in_one_line(
    blocked: Path,
    arguments: str,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "DUBCAST__MODELS__DIR"):
        monkeypatch.setenv(name, str(blocked))
    monkeypatch.setenv("DUBCAST__MEDIA_SERVER__KIND", "embedded")
    monkeypatch.setattr("sys.argv", ["dubcast", *arguments.format(blocked).split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in {1, 2}
    (told,) = capsys.readouterr().err.strip().splitlines()
    assert told.startswith(line) and str(blocked.parent) in told
