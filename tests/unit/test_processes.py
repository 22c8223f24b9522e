"""Which process a process id means, and what is kept about those that outlive us."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dubcast.config import Settings
from dubcast.log import _Sturdy
from dubcast.orchestrator.up import hook_secret, notes_folder
from dubcast.processes.identity import ProcessRef, activity, ref, start_mark
from dubcast.processes.lasting import Notes, noted_ref


def test_a_process_is_its_id_and_its_start() -> None:
    own = ref(os.getpid())
    assert own is not None and own.alive
    assert not ProcessRef(own.pid, own.started + "0").alive
    assert not ProcessRef(own.pid, "").alive


def test_the_start_is_ticks_since_boot_and_no_date() -> None:
    """A date would move with the wall clock, and a live worker would look like another process."""
    own = ref(os.getpid())
    assert own is not None
    boot, ticks = own.started.split(":")
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    assert 0 < int(ticks) / os.sysconf("SC_CLK_TCK") <= uptime_s


def test_a_name_with_brackets_and_spaces_misleads_nobody() -> None:
    """`comm` may hold anything: the fields are counted from its last bracket."""
    name = Path(f"/proc/{os.getpid()}/comm")
    before = name.read_text()
    mark = start_mark(os.getpid())
    try:
        name.write_text("a) S 1 2 3")
        assert start_mark(os.getpid()) == mark
    finally:
        name.write_text(before)


def test_what_a_signal_has_stopped_is_seen() -> None:
    reads = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(reads, stdin=subprocess.PIPE) as one:
        for number, told, stopped in (
            (signal.SIGSTOP, os.WUNTRACED, True),
            (signal.SIGCONT, os.WCONTINUED, False),
        ):
            one.send_signal(number)
            os.waitpid(one.pid, told)  # returns when the signal has had its effect
            seen = activity(one.pid)
            assert seen is not None and seen.stopped is stopped
    assert activity(one.pid) is None
    own = activity(os.getpid())
    assert own is not None and own.cpu_ticks > 0


def test_notes_come_back_and_what_is_none_is_dropped(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "run")
    notes.write("egress:abc:one", {"pid": 1})
    notes.write("egress:abc:one", {"pid": 2})
    (tmp_path / "run" / "half.json").write_text('{"pid": ')
    (tmp_path / "run" / "list.json").write_text("[]")
    assert dict(notes.read()) == {"egress:abc:one": {"pid": 2}}
    notes.remove("egress:abc:one")
    notes.remove("egress:abc:one")
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("note", [{}, {"pid": 1}, {"pid": "x", "started": "y"}, {"pid": None}])
def test_a_note_that_names_no_running_process(note: dict[str, object]) -> None:
    assert noted_ref(note) is None


def test_a_note_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.folder = tmp_path / "gone"
    notes.write("worker:abc", {})


def test_a_log_whose_reader_is_gone_ends_nothing() -> None:
    readable, writable = os.pipe()
    os.close(readable)
    with pytest.raises(BrokenPipeError), os.fdopen(os.dup(writable), "w", buffering=1) as plain:
        plain.write("x\n")
    stream = os.fdopen(writable, "w", buffering=1)
    sturdy = _Sturdy(stream)
    sturdy.write("a line\n")
    sturdy.flush()
    with pytest.raises(BrokenPipeError):
        stream.close()
    sturdy.write("a line, though the stream is closed\n")
    sturdy.flush()


def settings_in(folder: Path, **own: object) -> Settings:
    return Settings.model_validate({"orchestrator": {"state_dir": folder, **own}})


def test_the_hook_secret_outlives_an_up(tmp_path: Path) -> None:
    first = hook_secret(settings_in(tmp_path)).get_secret_value()
    assert len(first) >= 32
    assert hook_secret(settings_in(tmp_path)).get_secret_value() == first
    file = notes_folder(settings_in(tmp_path)) / "hook-secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert hook_secret(settings_in(tmp_path, port=9999)).get_secret_value() != first


def test_a_hook_secret_that_is_set_wins(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, hook_secret="mine")
    assert hook_secret(settings).get_secret_value() == "mine"
    assert not notes_folder(settings).exists()
