"""Processes that outlive the one that started them: known again, waited for, noted in files.

A process id alone may mean another process later. The moment at which the kernel started it, in
ticks since boot (/proc/PID/stat), is what tells: unlike a date, no step of the clock changes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import psutil

from dubcast import log

_logger = log.get("processes")
_POLL_S = 0.25
_STARTTIME = 19  # field 22 of /proc/PID/stat, counted from the state, which is field 3
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ProcessRef:
    """One process: its id, and the mark of its start."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """True while exactly this process runs; a zombie does not."""
        return start_mark(self.pid) == self.started

    def send(self, number: signal.Signals, *, group: bool = False) -> None:
        """Signal it, or its whole group; harmless if it has ended."""
        if not self.alive:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number) if group else os.kill(self.pid, number)

    async def ended(self) -> None:
        """Wait until it has ended, whoever its parent is. Safe to cancel."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        except (AttributeError, OSError):  # no such call here
            await self._ended_by_polling()
            return
        try:
            # It may have ended before, and its id been given anew.
            if self.alive:
                await _readable(handle)
        finally:
            os.close(handle)

    async def _ended_by_polling(self) -> None:
        while self.alive:  # noqa: ASYNC110 - not our child: nobody tells us
            await asyncio.sleep(_POLL_S)


async def _readable(handle: int) -> None:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    loop.add_reader(handle, _resolve, done)
    try:
        await done
    finally:
        loop.remove_reader(handle)


def _resolve(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


def ref(pid: int) -> ProcessRef | None:
    """The process that has this id now, if there is one."""
    mark = start_mark(pid)
    return None if mark is None else ProcessRef(pid, mark)


def start_mark(pid: int) -> str | None:
    """Boot and tick at which the process started; None if there is none (a zombie is none)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()  # the name before it may hold anything
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _start_date(pid)
    return None if fields[0] in "ZX" else f"{boot}:{fields[_STARTTIME]}"


def _start_date(pid: int) -> str | None:
    """Where there is no /proc."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return None


def rss_bytes(pid: int) -> int | None:
    """Resident memory of a process; None if it cannot be read."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


class LastingProcess(subprocess.Popen[bytes]):
    """A child that may outlive us, in a session of its own, without an input.

    Not asyncio's, which kills the process when our own is at its end; and to drop the object says
    nothing about the process.
    """

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], stdout: TextIO | None = None
    ) -> None:
        super().__init__(
            list(argv),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            start_new_session=True,
        )

    @property
    def ref(self) -> ProcessRef:
        """What it is known by; one that has ended already is never alive."""
        return ref(self.pid) or ProcessRef(self.pid, "")

    def __del__(self) -> None:
        """Not a word: it is meant to run on."""


def find_by_arguments(*wanted: str) -> ProcessRef | None:
    """The process whose arguments hold `wanted` in this order, side by side."""
    for process in psutil.process_iter():
        try:
            given = process.cmdline()
        except psutil.Error:
            continue
        if any(tuple(given[i : i + len(wanted)]) == wanted for i in range(len(given))):
            return ref(process.pid)
    return None


class Notes:
    """Small JSON files in a folder of ours alone, one per thing that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, name: str, note: dict[str, Any]) -> None:
        """Written aside and moved into place: a reader never sees half of it.

        Where it cannot be written (the disk is full), what it is about runs on without a note.
        """
        file = self._file(name)
        aside = file.with_suffix(".tmp")
        try:
            aside.write_text(json.dumps(note), encoding="utf-8")
            aside.replace(file)
        except OSError as error:
            _logger.error("note.not_written", about=name, reason=str(error))

    def remove(self, name: str) -> None:
        """Harmless if there is none."""
        self._file(name).unlink(missing_ok=True)

    def read(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and note, sorted; files that are no notes are removed."""
        for file in sorted(self.folder.glob("*.json")):
            try:
                note = json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                note = None
            if isinstance(note, dict):
                yield file.stem.replace("+", ":"), note
            else:
                file.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self.folder / (name.replace(":", "+") + ".json")


def noted_ref(note: dict[str, Any]) -> ProcessRef | None:
    """The process that a note names, if it still runs."""
    try:
        found = ProcessRef(int(note["pid"]), str(note["started"]))
    except (KeyError, TypeError, ValueError):
        return None
    return found if found.alive else None
