"""The operator's glossary, read again when its file changes."""

from __future__ import annotations

from pathlib import Path

from dubcast import log
from dubcast.config import read_glossary
from dubcast.contract.glossary import GlossaryEntry
from dubcast.errors import ConfigError

Stamp = tuple[int, int, int]


class GlossaryFile:
    """The entries of a file, as they are now. None: there is no file, and no entry.

    Raises ConfigError on creation if the file is wrong. Later a wrong file is told in the log,
    once, and the entries that were good stay in force: nothing on air waits for the operator.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._log = log.get("glossary")
        self._stamp = _stamp(path)
        self._entries = read_glossary(path) if path is not None else ()

    def entries(self) -> tuple[GlossaryEntry, ...]:
        """What is in force. Asks the file system whether the file has changed."""
        stamp = _stamp(self._path)
        if self._path is not None and stamp != self._stamp:
            self._stamp = stamp
            try:
                self._entries = read_glossary(self._path)
            except ConfigError as error:
                self._log.error("glossary_refused", error=str(error), entries=len(self._entries))
            else:
                self._log.info("glossary_read", entries=len(self._entries))
        return self._entries


def _stamp(path: Path | None) -> Stamp | None:
    """What changes when a file is written or replaced; None if there is none."""
    try:
        told = path.stat() if path is not None else None
    except OSError:
        return None
    return told and (told.st_mtime_ns, told.st_size, told.st_ino)
