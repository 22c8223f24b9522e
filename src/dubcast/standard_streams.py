"""Standard input, output and error are there, whoever started us.

With one closed (`2>&-`, some service managers), the next file or socket would get its number, and
what is printed, by a child too, would go into it.
"""

from __future__ import annotations

import os
import sys


def ensure_standard_streams() -> None:
    """Open those of the three that are closed, on nothing. Call it before anything is opened."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as the process lives
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
