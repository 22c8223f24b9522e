"""A wall clock that can be stepped, for all processes begun while it is there.

The machine's own needs a privilege, and is everybody's. A small library put before libc moves what
these processes read; Debian's libfaketime 0.9.10 cannot do it: under it `clock_nanosleep` fails.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType

import psutil

from dubcast.errors import MissingPartError

_SOURCE = Path(__file__).with_suffix(".c")
_BYTES = 8


class WallClock:
    """Sets the environment of what is begun inside `with`. Raises MissingPartError without `cc`."""

    def __init__(self, folder: Path) -> None:
        self._library = (folder / "wallclock.so").resolve()
        self._offset = (folder / "wallclock.offset").resolve()
        self._ours = {"LD_PRELOAD": str(self._library), "WALL_CLOCK_OFFSET": str(self._offset)}

    def __enter__(self) -> WallClock:
        self.step(0)
        argv = ["cc", "-shared", "-fPIC", "-O2", "-o", str(self._library), str(_SOURCE), "-ldl"]
        try:
            subprocess.run(argv, check=True)
        except FileNotFoundError as error:
            raise MissingPartError("a C compiler is missing: apt install gcc libc6-dev") from error
        os.environ.update(self._ours)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in self._ours:
            os.environ.pop(name, None)

    def step(self, seconds: int) -> None:
        """From now on the wall clock differs by so many seconds from the machine's."""
        with self._offset.open("r+b" if self._offset.exists() else "wb") as file:
            file.write(seconds.to_bytes(_BYTES, "little", signed=True))

    def moves(self, process: psutil.Process) -> bool:
        """True if this process reads the clock that is stepped."""
        return any(one.path == str(self._library) for one in process.memory_maps())
