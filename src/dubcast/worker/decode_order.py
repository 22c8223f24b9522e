"""DTS for pictures that come in decoding order with nothing but their PTS. Pure.

Matroska writes down when a picture is shown, not when it is decoded. If at most `depth` pictures
come before one in decoding order and are shown after it (H.264's max_num_reorder_frames), then of
all pictures the number n to be shown is decoded as number n + depth at the latest. So picture i is
decoded when picture i - depth is shown: DTS are the PTS in their order, `depth` pictures late, and
are known without a look ahead. Only for the first `depth` of all there is no such picture.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, TypeVar

from dubcast.clock import NS_PER_MS, NS_PER_S
from dubcast.worker.edges import InputUnit
from dubcast.worker.h264 import reorder_depth

# A picture after a hole is not decoded before the hole. Less than the shortest delay, so that what
# arrives when it is shown is not too late to be sent.
_EARLIEST_NS = 2 * NS_PER_S
_LEAST_STEP_NS = NS_PER_MS
Unit = TypeVar("Unit")


class DecodeOrder(Generic[Unit]):
    """Gives each unit a DTS: growing, and not after its PTS. All times in ns.

    The first `depth` units are held until it is known where the PTS begin.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._opening: list[tuple[int, Unit]] = []
        self._begun = False
        self._to_show: list[int] = []  # a heap of PTS
        self._last: int | None = None

    def add(self, pts: int, unit: Unit) -> list[tuple[int, Unit]]:
        """The next unit in decoding order; those that can go on, with their DTS."""
        heapq.heappush(self._to_show, pts)
        if self._begun:
            return [(self._growing(heapq.heappop(self._to_show), pts), unit)]
        self._opening.append((pts, unit))
        return [] if len(self._opening) <= self._depth else self.flush()

    def flush(self) -> list[tuple[int, Unit]]:
        """What is held: there will be no more, or enough is there to begin."""
        opening, self._opening = self._opening, []
        if not opening:
            return []
        self._begun = True
        shown = sorted(pts for pts, _ in opening)
        steps = (b - a for a, b in itertools.pairwise(shown))
        step = min((step for step in steps if step), default=0)
        late = len(opening) - 1
        heapq.heappop(self._to_show)
        return [
            (self._growing(shown[0] - (late - number) * step, pts), unit)
            for number, (pts, unit) in enumerate(opening)
        ]

    def _growing(self, dts: int, pts: int) -> int:
        dts = max(dts, pts - _EARLIEST_NS)
        if self._last is not None:
            dts = max(dts, self._last + _LEAST_STEP_NS)
        self._last = dts
        return dts


class DtsRestorer:
    """Hands units on with their DTS, whatever DTS they came with."""

    def __init__(self, deliver: Callable[[InputUnit], None]) -> None:
        self._deliver = deliver
        self._config = b""
        self._order: DecodeOrder[InputUnit] = DecodeOrder(0)

    def take(self, unit: InputUnit) -> None:
        """The next unit in decoding order."""
        if unit.config != self._config:  # other parameters: no picture is shown across this
            self.flush()
            self._config = unit.config
            self._order = DecodeOrder(reorder_depth(unit.config))
        self._hand_on(self._order.add(unit.pts, unit))

    def flush(self) -> None:
        """Hand on what is held: the source has ended."""
        self._hand_on(self._order.flush())

    def _hand_on(self, units: list[tuple[int, InputUnit]]) -> None:
        for dts, unit in units:
            self._deliver(replace(unit, dts=dts))
