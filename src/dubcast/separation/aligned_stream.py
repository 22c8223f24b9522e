"""One stream through a separator, by timeline positions: what comes out says what it belongs to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dubcast.audio.pcm import CHANNELS, Float, Int16, to_float, to_int16
from dubcast.separation.separator import CELL, Separator
from dubcast.separation.wire import Background

CHUNK = 10 * CELL  # 100 ms at a time: small calls cost as much as large ones


class AlignedStream:
    """Compensates the separator's delay. A jump of the positions ends one run, begins the next."""

    def __init__(self, separator: Separator) -> None:
        self.separator = separator
        self._begin(None)

    def _begin(self, start: int | None) -> None:
        self._start = start  # of the run, None before the first sample
        self._waiting: Int16 = np.zeros((0, CHANNELS), dtype=np.int16)
        self._fed = 0  # samples of this run given to the separator
        self._out = 0  # samples that came out of it, the first `latency` of them being no one's

    def feed(self, start: int, block: Int16) -> Iterator[Background]:
        """Feed the source from position `start`; yields backgrounds as they become ready."""
        if self._start is None:
            self._begin(start)
        elif start != self._start + self._fed + len(self._waiting):
            yield from self.finish()
            self._begin(start)
        self._waiting = np.concatenate([self._waiting, block])
        whole = len(self._waiting) // CHUNK * CHUNK
        if whole:
            now, self._waiting = self._waiting[:whole], self._waiting[whole:]
            for at in range(0, whole, CHUNK):
                yield from self._process(to_float(now[at : at + CHUNK]), CHUNK)

    def finish(self) -> Iterator[Background]:
        """The end of the run: everything that was fed comes out. The separator forgets it."""
        if self._start is not None:
            rest = len(self._waiting)
            zeros = self.separator.latency + -rest % CELL
            tail = np.concatenate([to_float(self._waiting), _zeros(zeros)])
            for at in range(0, len(tail), CHUNK):
                yield from self._process(tail[at : at + CHUNK], max(min(rest - at, CHUNK), 0))
            self.separator.reset()
        self._begin(None)

    def change(self, separator: Separator) -> Iterator[Background]:
        """Go on with another separator, without a gap in the positions."""
        next_start = None if self._start is None else self._start + self._fed + len(self._waiting)
        yield from self.finish()
        self.separator = separator
        self._begin(next_start)

    def _process(self, block: Float, real: int) -> Iterator[Background]:
        """`real`: how many samples of `block` are the source's; zeros push out the rest."""
        if self._start is None:
            return
        result = self.separator.process(block)
        self._fed += real
        first = self._out - self.separator.latency
        self._out += len(block)
        skip = max(-first, 0)
        count = min(self._out - self.separator.latency, self._fed) - first
        if count <= skip:
            return
        pcm = to_int16(result.background[skip:count])
        shares = result.speech_share[skip // CELL : -(-count // CELL)]
        yield Background(self._start + first + skip, pcm, shares)


def _zeros(frames: int) -> Float:
    return np.zeros((frames, CHANNELS), dtype=np.float32)
