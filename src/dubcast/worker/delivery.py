"""How much of the output left: pushed to connections that stood, less what waited in them. Pure."""

from __future__ import annotations

import threading


class Delivery:
    """Seconds of output that left. Thread-safe: pushed by one thread, settled by another.

    What is pushed to a connection that never stands, or waits when it is lost, is not counted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._output: object = None
        self._pushed_s = 0.0  # to this connection
        self._left_s = 0.0  # of that, what is known to have left
        self._before_s = 0.0  # by earlier connections

    def pushed(self, output: object, seconds: float) -> None:
        """This connection was given so much more."""
        with self._lock:
            if output is not self._output:
                self._before_s += self._left_s
                self._output, self._pushed_s, self._left_s = output, 0.0, 0.0
            self._pushed_s += seconds

    def stands(self, output: object, backlog_s: float) -> None:
        """This connection is taken by the destination; so much waits in it."""
        with self._lock:
            if output is self._output:
                self._left_s = max(self._left_s, self._pushed_s - backlog_s)

    @property
    def seconds(self) -> float:
        """What left so far."""
        with self._lock:
            return self._before_s + self._left_s
