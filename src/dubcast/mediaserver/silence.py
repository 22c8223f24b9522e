"""Who has been silent for too long. Pure.

MediaMTX has one time limit for all connections, and it has to be that of an output, which is
silent for as long as its publisher is away. So those that must not be silent for so long are
watched from outside.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from dubcast.clock import s_to_ns


class SilenceWatch:
    """Follows counters; one that stands still for `limit_s` is named, once per limit."""

    def __init__(self, limit_s: float) -> None:
        self._limit_ns = s_to_ns(limit_s)
        self._moved: dict[str, tuple[Hashable, int]] = {}  # name -> its count, since when

    def look(self, counts: Mapping[str, Hashable], now_ns: int) -> list[str]:
        """The names whose count has not changed for too long. Names that are gone are forgotten."""
        before, self._moved = self._moved, {}
        late = []
        for name, count in counts.items():
            known, since = before.get(name, (None, now_ns))
            if known != count:
                since = now_ns
            elif now_ns - since >= self._limit_ns:
                late.append(name)
                since = now_ns  # if it stays, it has the whole limit again
            self._moved[name] = (count, since)
        return late
