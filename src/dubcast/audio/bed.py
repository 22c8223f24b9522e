"""What is left of the original under a dub: its separated background, or itself turned down."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dubcast.audio.pcm import Float, Int16, from_db, to_float
from dubcast.audio.store import AudioStore


class Bed(Protocol):
    """Makes what is left of the original under a dub."""

    def render(self, start: int, original: Float) -> Float:
        """The bed for a block that begins at `start`; same shape as `original`, (frames, 2)."""


@dataclass(frozen=True)
class DuckedOriginal:
    """The original, turned down by `duck_db` (24 dB or more: at 15 dB half of it is audible)."""

    duck_db: float

    def render(self, start: int, original: Float) -> Float:
        return original * np.float32(from_db(-self.duck_db))


class StoredBed:
    """The separated background where it is there in time, `substitute` elsewhere.

    Held in a ring of `capacity` samples that is made when the first background comes. The two
    cross over in `fade` samples, linearly: both are the same programme.
    """

    def __init__(self, capacity: int, substitute: Bed, fade: int) -> None:
        self._capacity = capacity
        self._substitute = substitute
        self._fade = fade
        self._ring: AudioStore | None = None
        self._spans: deque[tuple[int, int]] = deque()  # what the ring holds, in order
        self._next = 0  # where the last rendered block ended
        self._share = 1.0  # of the background, there
        self.substituted = 0  # samples of bed that had no background

    def write(self, start: int, background: Int16) -> None:
        """Background (frames, 2) for [start, start + frames); it comes in time order.

        What overlaps the one before is dropped.
        """
        if self._ring is None:
            self._ring = AudioStore(self._capacity)
        known = self._spans[-1][1] if self._spans else start
        background = background[max(known - start, 0) :]
        start = max(start, known)
        if not len(background):
            return
        self._ring.write(start, background)
        first = self._spans.pop()[0] if self._spans and start == known else start
        self._spans.append((first, start + len(background)))
        while self._spans[0][1] <= self._ring.start:
            self._spans.popleft()

    def covered(self, start: int, stop: int) -> int:
        """How many samples of [start, stop) have a background, counted from `start` on."""
        oldest = self._ring.start if self._ring else 0
        for first, last in self._spans:
            if max(first, oldest) <= start < last:
                return min(last, stop) - start
        return 0

    def read(self, start: int, stop: int) -> Int16:
        """The background of [start, stop), (frames, 2); silence where there is none."""
        if self._ring is None:
            return np.zeros((stop - start, 2), np.int16)
        return self._ring.read(start, stop)

    def render(self, start: int, original: Float) -> Float:
        stop = start + len(original)
        if self._ring is None or not any(a < stop and b > start for a, b in self._spans):
            self._note_end(stop, 0.0)
            self.substituted += len(original)
            return self._substitute.render(start, original)
        background = to_float(self._ring.read(start, stop))
        share = self._shares(start, stop)
        if share is None:
            self._note_end(stop, 1.0)
            return background
        self._note_end(stop, float(share[-1]))
        other = self._substitute.render(start, original)
        return other + (background - other) * share[:, np.newaxis]

    def _note_end(self, stop: int, share: float) -> None:
        """The block ended at `stop` with this share of the background: the next goes on there."""
        self._next, self._share = stop, share

    def _shares(self, start: int, stop: int) -> Float | None:
        """Share of the background per sample; None: 1 throughout.

        It falls towards where the background ends by now; should more have come by the next
        block, it rises again from where it was.
        """
        before = self._share if start == self._next else 1.0
        assert self._ring is not None
        index = np.arange(start, stop)
        share = np.zeros(stop - start, dtype=np.float32)
        missing = stop - start
        for first, last in self._spans:
            first = max(first, self._ring.start)
            if first + self._fade <= start and stop + self._fade <= last and before == 1.0:
                return None
            if first < stop and last > start:
                ramp = np.minimum(index - first + 1, last - 1 - index) / self._fade
                np.maximum(share, np.clip(ramp, 0, 1).astype(np.float32), out=share)
                missing -= min(last, stop) - max(first, start)
        self.substituted += missing
        rise = before + np.arange(1, stop - start + 1) / self._fade
        return np.minimum(share, rise).astype(np.float32)
