"""Equal lines of a log are written once, then at most once a minute with their count."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from dubcast.log_library import structlog

_PERIOD_S = 60.0
_REMEMBERED = 256  # kinds of lines
# A library's words hold a number that is new each time: an element's name, an address.
_WORDS = ("reason", "error")
_COUNTED = re.compile(r"0x[0-9a-f]+|(?<=[A-Za-z])\d+")
# A step from one state to another is told each time: else the last line would not be the truth.
_STEPS = frozenset({"state", "before"})


class Repeats:
    """Knows which lines were written lately. Safe to use from several threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[Any, ...], tuple[float, int]] = OrderedDict()

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """A processor of structlog: the event, with `again` if equal ones were left out.

        Raises DropEvent for one that is left out.
        """
        if not _STEPS.isdisjoint(event):
            return event
        left_out = self.left_out(event)
        if left_out is None:
            raise structlog.DropEvent
        if left_out:
            event["again"] = left_out
        return event

    def left_out(self, event: Mapping[str, Any]) -> int | None:
        """None if this line is to be left out, else how many equal ones were since the last."""
        kind, now = _kind(event), self._now()
        with self._lock:
            written, count = self._seen.get(kind, (None, 0))
            if written is not None and now - written < _PERIOD_S:
                self._seen[kind] = (written, count + 1)
                return None
            self._seen[kind] = (now, 0)
            self._seen.move_to_end(kind)
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return count


def _kind(event: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        (name, _COUNTED.sub("", str(value)) if name in _WORDS else str(value))
        for name, value in sorted(event.items())
    )
