"""One orchestrator per machine and port: where it notes its children, and the lock on that."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from dubcast import config
from dubcast.config import Settings
from dubcast.errors import ConfigError


class InstanceLock:
    """One orchestrator per state folder: a second one would stop the first one's children."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Make the folder and lock it; the kernel frees it at exit.

        Raises ConfigError if the folder cannot be written, or another orchestrator holds it.
        """
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = self._path.open("w")
        except OSError as error:
            raise ConfigError(
                f"the state folder {folder} cannot be written ({error.strerror}): "
                "set orchestrator.state_dir"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise ConfigError(
                f"another orchestrator, or `dubcast up`, runs with the state folder "
                f"{self._path.parent}; set orchestrator.state_dir or orchestrator.port"
            ) from error

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def state_folder(settings: Settings) -> Path:
    """Where running children are noted, one folder per orchestrator (by its port)."""
    own = settings.orchestrator
    return (own.state_dir or config.state_dir()) / f"orchestrator-{own.port}"
