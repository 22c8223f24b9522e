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
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Raises ConfigError if another orchestrator holds it. The kernel frees it at exit."""
        self._file = self._path.open("w")
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
