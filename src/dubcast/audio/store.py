"""Where the source audio waits: placed to the sample by its PTS, held for the delay.

Sample counts alone drift: a lost packet, an encoder pause or a publisher's clock would shift
everything after it. So each chunk is compared with its PTS when it arrives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dubcast.audio.pcm import CHANNELS, Int16, ms_to_samples

# FLV rounds to 1 ms and RTSP jitters by a few: up to here a chunk simply follows the last one.
JUMP_SAMPLES = ms_to_samples(15)
# A mean error beyond this is drift (a clock, many rounded gaps), and is taken out at once.
DRIFT_SAMPLES = ms_to_samples(3)
_SMOOTHING = 1 / 32


@dataclass(frozen=True)
class Placed:
    """What became of one chunk: `kept` samples at `start`; `gap` > 0 silence was left before it,
    `gap` < 0 so many samples were dropped as overlapping."""

    start: int
    kept: int
    gap: int


class Placer:
    """Gives each chunk its place on the timeline, contiguous unless its PTS says otherwise."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._error = 0.0

    @property
    def error_samples(self) -> float:
        """Smoothed PTS minus placed position: + means the audio is placed early."""
        return self._error

    def restart(self) -> None:
        """The next chunk starts afresh at its own PTS (a new input session)."""
        self._next = None
        self._error = 0.0

    def place(self, pts: int, frames: int) -> Placed:
        """Place `frames` samples whose PTS is sample index `pts`."""
        if self._next is None:
            self._next = pts
        error = pts - self._next
        self._error += (error - self._error) * _SMOOTHING
        if abs(error) > JUMP_SAMPLES:
            shift = error
        elif abs(self._error) > DRIFT_SAMPLES:
            shift = round(self._error)
        else:
            shift = 0
        if shift:
            self._error = 0.0
        dropped = min(max(-shift, 0), frames)
        start = self._next + max(shift, 0)
        self._next = start + frames - dropped
        return Placed(start, frames - dropped, shift if shift > 0 else -dropped)


class AudioStore:
    """A ring of stereo int16 samples addressed by timeline index; unwritten means silence.

    `capacity` is in samples. Writing beyond the end pushes the oldest samples out.
    """

    def __init__(self, capacity: int) -> None:
        self._ring = np.zeros((capacity, CHANNELS), dtype=np.int16)
        self._start = 0
        self._stop = 0

    @property
    def start(self) -> int:
        """Oldest index still held."""
        return self._start

    @property
    def stop(self) -> int:
        """One past the newest index written."""
        return self._stop

    def write(self, start: int, block: Int16) -> None:
        """Write `block` at `start`; a hole before it becomes silence."""
        capacity = len(self._ring)
        stop = start + len(block)
        if self._stop == 0 or start - self._stop > capacity:
            self._ring[:] = 0
            self._start = self._stop = start
        if start > self._stop:
            self._fill(self._stop, np.zeros((start - self._stop, CHANNELS), np.int16))
        self._fill(start, block[-capacity:] if len(block) > capacity else block)
        self._stop = max(self._stop, stop)
        self._start = max(self._start, self._stop - capacity)

    def read(self, start: int, stop: int) -> Int16:
        """A copy of [start, stop), shape (stop - start, 2); zeros where nothing is held."""
        out = np.zeros((stop - start, CHANNELS), dtype=np.int16)
        first, last = max(start, self._start), min(stop, self._stop)
        if first < last:
            index = np.arange(first, last) % len(self._ring)
            out[first - start : last - start] = self._ring[index]
        return out

    def _fill(self, start: int, block: Int16) -> None:
        capacity = len(self._ring)
        at = start % capacity
        head = min(len(block), capacity - at)
        self._ring[at : at + head] = block[:head]
        self._ring[: len(block) - head] = block[head:]
