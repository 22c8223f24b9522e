"""Processes that must not outlive the one that started them."""

from __future__ import annotations

import sys

# The kernel sends SIGTERM to the child when its parent dies, however it dies. Set in a tiny
# interpreter that then becomes the program: a pre-exec function is unsafe beside threads.
_DIE_WITH_PARENT = (
    "import ctypes,os,sys;"
    "ctypes.CDLL(None).prctl(1,15,0,0,0);"
    "os.getppid()==int(sys.argv[1]) or sys.exit(1);"
    "os.execvp(sys.argv[2],sys.argv[2:])"
)


def die_with_parent(argv: list[str], parent_pid: int) -> list[str]:
    """`argv` wrapped so that the process ends with its parent (Linux; elsewhere unchanged)."""
    if not sys.platform.startswith("linux"):
        return argv
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(parent_pid), *argv]
