"""Children that outlive the process that started them, and the notes by which they are found."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from dubcast import log
from dubcast.processes.child import Child
from dubcast.processes.identity import ProcessRef, activity, ref, rss_bytes
from dubcast.processes.standstill import Activity

_logger = log.get("processes")


class LastingProcess(subprocess.Popen[bytes]):
    """A child that may outlive us, in a session of its own, without an input.

    Not asyncio's, which kills the process when our own is at its end; and to drop the object says
    nothing about the process.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        super().__init__(
            list(argv),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    @property
    def ref(self) -> ProcessRef:
        """What it is known by; one that has ended already is never alive."""
        return ref(self.pid) or ProcessRef(self.pid, "")

    def __del__(self) -> None:
        """Not a word: it is meant to run on."""


class LastingChild(Child):
    """A lasting process as a child of a supervisor; `popen` is None where it was found running.

    It has no status window.
    """

    pid: int

    def __init__(
        self, key: str, process: ProcessRef, popen: LastingProcess | None, mode: str = ""
    ) -> None:
        self.key = key
        self.mode = mode
        self.pid = process.pid
        self.adopted = popen is None
        self._process = process
        self._popen = popen

    async def wait(self) -> int | None:
        await self._process.ended()
        return None if self._popen is None else self._popen.wait()  # it has ended: no waiting

    async def status(self) -> dict[str, Any] | None:
        return None

    def memory_bytes(self) -> int | None:
        return rss_bytes(self._process.pid)

    def activity(self) -> Activity | None:
        return activity(self._process.pid)

    def send(self, number: signal.Signals) -> None:
        # What is asked to end sees to its own children; what is killed takes them with it.
        self._process.send(number, group=number is signal.SIGKILL)


class Notes:
    """Small JSON files in a folder of ours alone, one per thing that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            _logger.error("notes.folder", reason=str(error))

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
        """Harmless if there is none, or where it cannot be removed: its process has ended."""
        _unlink(self._file(name))

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
                _unlink(file)

    def _file(self, name: str) -> Path:
        return self.folder / (name.replace(":", "+") + ".json")


def _unlink(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)


def noted_ref(note: dict[str, Any]) -> ProcessRef | None:
    """The process that a note names, if it still runs."""
    try:
        found = ProcessRef(int(note["pid"]), str(note["started"]))
    except (KeyError, TypeError, ValueError):
        return None
    return found if found.alive else None
