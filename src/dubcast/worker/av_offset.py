"""How far sound and picture are apart in what leaves, against how they came. Pure.

Each track that leaves has a constant: its output timestamp minus its source's. The two are
compared at one moment of the source, not at one moment of the clock: sound leaves before its
picture, so a step of both (the step back after a head start) is no offset while only one made it.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque
from typing import Literal

from dubcast.audio.pcm import samples_to_ns
from dubcast.clock import NS_PER_S, ns_to_s

Track = Literal["audio", "video"]

_KEPT_NS = 5 * NS_PER_S  # sound leaves 0.2 s before its picture
_NEAR_NS = NS_PER_S // 4  # it comes in blocks of 0.1 s: one that began earlier is of another moment


class AvOffset:
    """Told of each unit that leaves, in order. To be told from one thread; read from any."""

    def __init__(self) -> None:
        self._sound: deque[tuple[int, int]] = deque()  # source time, output minus source
        self.seconds = 0.0  # +: the sound is early; 0 until both tracks have left

    def left(self, track: Track, source_ns: int, output_ns: int) -> None:
        """A unit whose source has this timestamp leaves with that one."""
        constant = output_ns - source_ns
        if track == "audio":
            self._keep(source_ns, constant)
            return
        at = bisect_right(self._sound, source_ns, key=lambda one: one[0])
        if at and source_ns - self._sound[at - 1][0] < _NEAR_NS:
            self.seconds = ns_to_s(constant - self._sound[at - 1][1])

    def _keep(self, source_ns: int, constant: int) -> None:
        sound = self._sound
        if sound and source_ns <= sound[-1][0]:
            sound.clear()  # what came before says nothing about what comes now
        sound.append((source_ns, constant))
        while sound[0][0] < source_ns - _KEPT_NS:
            sound.popleft()


class PlacementLog:
    """Which source time each stream position of sound has, as it was placed. Thread-safe.

    The placer follows a publisher's clock; meanwhile sound lies a little before or after its PTS,
    and so it leaves a delay later.
    """

    def __init__(self, kept_s: float) -> None:
        """`kept_s`: for so long sound waits before it leaves."""
        self._kept_ns = round(kept_s * NS_PER_S)
        self._lock = threading.Lock()
        self._placed: deque[tuple[int, int]] = deque()  # stream time, PTS minus stream time

    def placed(self, start: int, early_s: float) -> None:
        """Sound from sample `start` on lies `early_s` before its PTS."""
        at_ns, early_ns = samples_to_ns(start), round(early_s * NS_PER_S)
        with self._lock:
            if self._placed and self._placed[-1][1] == early_ns:
                return
            self._placed.append((at_ns, early_ns))
            while len(self._placed) > 1 and self._placed[1][0] < at_ns - self._kept_ns:
                self._placed.popleft()

    def source_ns(self, start: int) -> int:
        """The source's timestamp, on the stream's timeline, of the sound at sample `start`."""
        at_ns = samples_to_ns(start)
        with self._lock:
            found = bisect_right(self._placed, at_ns, key=lambda one: one[0])
            return at_ns + (self._placed[found - 1][1] if found else 0)
