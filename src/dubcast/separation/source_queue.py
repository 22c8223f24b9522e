"""Source audio on its way to the separation process, between the worker's threads and the pipe."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from dubcast.audio.pcm import RATE, Int16
from dubcast.separation.wire import Audio

# Decoders give 21 ms at a time: to hand on each would wake three threads 47 times a second.
_BATCH = RATE // 10


class SourceQueue:
    """Source audio that waits; when it is full the oldest goes, being nearest to its deadline.

    `limit`: frames. `frames` wait now, `dropped` were lost so far. Safe from any thread.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._blocks: deque[Audio] = deque()
        self._gathered: list[Int16] = []  # what follows on without a hole, until it is a batch
        self._start = self._stop = 0  # of what is gathered
        self._ended = False
        self._changed = threading.Condition()
        self.frames = 0
        self.dropped = 0

    def put(self, audio: Audio) -> None:
        """Append a block; drops the oldest if too much waits. Never blocks."""
        with self._changed:
            if audio.start != self._stop:
                self._gather()
            if not self._gathered:
                self._start = audio.start
            self._gathered.append(audio.block)
            self._stop = audio.start + len(audio.block)
            self.frames += len(audio.block)
            if self._stop - self._start >= _BATCH:
                self._gather()
            while self.frames > self._limit and self._blocks:
                lost = len(self._blocks.popleft().block)
                self.frames -= lost
                self.dropped += lost

    def _gather(self) -> None:
        if self._gathered:
            self._blocks.append(Audio(self._start, np.concatenate(self._gathered)))
            self._gathered = []
            self._changed.notify()

    def take(self, stop: threading.Event) -> Audio | None:
        """The next block; None at the end or once `stop` is set (see `wake`)."""
        with self._changed:
            self._changed.wait_for(lambda: self._blocks or self._ended or stop.is_set())
            if stop.is_set() or not self._blocks:
                return None
            audio = self._blocks.popleft()
            self.frames -= len(audio.block)
            return audio

    def wake(self) -> None:
        """Let `take` look at its `stop`."""
        with self._changed:
            self._changed.notify_all()

    def end(self) -> None:
        """No more will come: once it is empty, `take` gives None."""
        with self._changed:
            self._gather()
            self._ended = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Drop all that waits."""
        with self._changed:
            self.dropped += self.frames
            self._blocks.clear()
            self._gathered = []
            self.frames = 0
