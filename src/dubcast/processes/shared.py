"""A process that several others use: the first starts it, the last ends it.

Who uses it is noted in a file that is locked while it is read and written. Users that were killed
are known by their process ids, so nobody has to be told of their end.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dubcast.errors import ConfigError
from dubcast.processes.identity import ProcessRef, ref
from dubcast.processes.ladder import climb, term_then_kill
from dubcast.processes.lasting import noted_ref

_LOOK_S = 0.05


class SharedProcess:
    """`file` notes the process and its users; `start` starts it; `term_s`: time to end in order."""

    def __init__(self, file: Path, start: Callable[[], ProcessRef], term_s: float) -> None:
        self._file = file
        self._start = start
        self._term_s = term_s

    @contextmanager
    def used(self, is_there: Callable[[], bool]) -> Iterator[ProcessRef | None]:
        """Use the process for as long as the block runs, and start it if nobody has.

        Gives None, and starts nothing, if `is_there` though nobody noted it: it is somebody else's.
        Raises ConfigError if the file cannot be written.
        """
        own = ref(os.getpid())
        assert own is not None
        with _locked(self._file) as lease:
            if lease.process is None and is_there():
                process = None
            else:
                process = lease.process = lease.process or self._start()
                lease.users.append(own)
        try:
            yield process
        finally:
            if process is not None:
                self._leave(own)

    def _leave(self, own: ProcessRef) -> None:
        """The lock is held until the process has ended: whoever comes next starts another one."""
        with _locked(self._file) as lease:
            lease.users = [one for one in lease.users if one != own]
            if lease.process is not None and not lease.users:
                climb(term_then_kill(self._term_s), lease.process.send, _ended(lease.process))
                lease.process = None


def has_users(file: Path) -> bool:
    """Whether a process that is noted in `file` is still used by anybody."""
    with _locked(file) as lease:
        return bool(lease.users)


class _Lease:
    """What the file says, less those that have ended."""

    def __init__(self, note: dict[str, Any]) -> None:
        self.process = noted_ref(note.get("process") or {})
        users = (noted_ref(one) for one in note.get("users") or [])
        self.users = [one for one in users if one is not None]

    def note(self) -> dict[str, Any]:
        process = None if self.process is None else vars(self.process)
        return {"process": process, "users": [vars(one) for one in self.users]}


@contextmanager
def _locked(file: Path) -> Iterator[_Lease]:
    """The lease; what it holds at the end is written. Waits while another process holds it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(
            f"the state folder cannot be written ({error}); set XDG_STATE_HOME"
        ) from error
    with os.fdopen(handle, "r+", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        lease = _Lease(_read(held.read()))
        try:
            yield lease
        finally:
            held.seek(0)
            held.truncate()
            held.write(json.dumps(lease.note()))


def _read(text: str) -> dict[str, Any]:
    """Half a file, or none, is an empty lease."""
    try:
        note = json.loads(text)
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def _ended(process: ProcessRef) -> Callable[[float | None], bool]:
    def ended(wait_s: float | None) -> bool:
        end = None if wait_s is None else time.monotonic() + wait_s
        while process.alive and (end is None or time.monotonic() < end):
            time.sleep(_LOOK_S)
        return not process.alive

    return ended
