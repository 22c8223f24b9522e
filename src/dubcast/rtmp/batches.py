"""How much has to have come before the loop is woken to read a connection.

To be woken costs more than to read what has come: of a stream the sound comes with the picture
behind it then, 25 times a second instead of 70.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

_KNOWN = sys.platform.startswith("linux")  # where the kernel looks again when the limit is lowered


class Batches:
    """Of one connection; without `at_least`, and elsewhere than on Linux, all is read at once."""

    def __init__(self) -> None:
        self._own: Any = None  # the transport's socket
        self._least = 1
        self._came = False  # something was read since the last `hurry`
        self._hurried = False

    def attach(self, own: Any) -> None:
        """`own`: the socket of a connection, as its transport has it."""
        self._own = own

    def at_least(self, count: int) -> None:
        """From now on less than `count` bytes wait for more, for `hurry`, or for the end."""
        self._least = count
        if not self._hurried:
            self._wake_for(count)

    def hurry(self) -> None:
        """Have it read what little there is, if nothing was since the last call. To be called now
        and then."""
        if self._least > 1 and not self._came:
            self._hurried = True
            self._wake_for(1)
        self._came = False

    def came(self) -> None:
        """Something was read."""
        self._came = True
        if self._hurried:
            self._hurried = False
            self._wake_for(self._least)

    def _wake_for(self, count: int) -> None:
        if _KNOWN and self._own is not None and self._own.fileno() >= 0:
            self._own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
