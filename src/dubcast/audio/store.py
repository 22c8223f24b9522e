"""Where the source audio waits: placed to the sample by its PTS, held for the delay.

Sample counts alone drift: a lost packet, an encoder pause or a publisher's clock would shift
everything after it. So each chunk is compared with its PTS when it arrives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dubcast.audio.drift import SlowResampler
from dubcast.audio.pcm import CHANNELS, RATE, Int16, ms_to_samples

_STEP = ms_to_samples(5)
_QUIET_STEPS = 6

# FLV rounds to 1 ms and RTSP jitters by a few: up to here a chunk simply follows the last one.
JUMP_SAMPLES = ms_to_samples(15)
# A mean error beyond this is drift (a publisher's clock, many rounded gaps). Rounded timestamps
# stay within 1 ms, so that without drift every bit passes as it came.
DRIFT_SAMPLES = ms_to_samples(2)
_SETTLED_SAMPLES = ms_to_samples(0.25)
_SMOOTHING_S = 0.7
# Correction per sample of error: 300 ppm settle at 1 ms, within a few seconds.
_GAIN = 300e-6 / ms_to_samples(1)
_MAX_RATE = 1e-3  # 1.7 cents: not heard
_SLEW_S = 1e-3  # change of the rate within a second
_LOW_RATE = 2e-5


@dataclass(frozen=True)
class Placed:
    """What became of one chunk: `samples`, to be heard from `start` on; `gap` > 0: silence of
    that length was left before it, `gap` < 0: so many samples were dropped as overlapping."""

    start: int
    samples: Int16
    gap: int


class Placer:
    """Gives each chunk its place on the timeline, contiguous unless its PTS says otherwise.

    What drifts away slowly is resampled by at most 0.1 % until it is in its place again.
    """

    def __init__(self) -> None:
        self._next: int | None = None
        self._error = 0.0
        self._rate = 0.0
        self._correcting = False
        self._resampler = SlowResampler()

    @property
    def error_samples(self) -> float:
        """Smoothed PTS minus placed position: + means the audio is placed early."""
        return self._error

    def restart(self) -> None:
        """The next chunk starts afresh at its own PTS (a new input session)."""
        self._next = None
        self._settle()

    def place(self, pts: int, block: Int16) -> Placed:
        """Place `block` (frames, 2), whose PTS is sample index `pts`."""
        if self._next is None:
            self._next = pts
        error = pts - self._next - self._resampler.pending
        if abs(error) > JUMP_SAMPLES:
            return self._jump(pts, block)
        self._follow(error, len(block) / RATE)
        samples = self._resampler.feed(block, self._rate)
        start = self._next
        self._next += len(samples)
        return Placed(start, samples, 0)

    def _jump(self, pts: int, block: Int16) -> Placed:
        """A hole becomes silence; what lies where something was placed already is dropped."""
        assert self._next is not None
        self._settle()
        shift = pts - self._next
        dropped = min(max(-shift, 0), len(block))
        start = self._next + max(shift, 0)
        samples = self._resampler.feed(block[dropped:], 0.0)
        self._next = start + len(samples)
        return Placed(start, samples, shift if shift > 0 else -dropped)

    def _settle(self) -> None:
        self._error = self._rate = 0.0
        self._correcting = False
        self._resampler.reset()

    def _follow(self, error: float, seconds: float) -> None:
        """Choose the rate from the error; it changes smoothly, and only beyond the dead band."""
        self._error += (error - self._error) * seconds / (seconds + _SMOOTHING_S)
        if not self._correcting:
            self._correcting = self._resampler.idle and abs(self._error) > DRIFT_SAMPLES
            return
        wanted = min(max(self._error * _GAIN, -_MAX_RATE), _MAX_RATE)
        step = _SLEW_S * seconds
        self._rate += min(max(wanted - self._rate, -step), step)
        if abs(self._error) < _SETTLED_SAMPLES and abs(self._rate) < _LOW_RATE:
            self._correcting, self._rate = False, 0.0
            self._resampler.land()


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
            at = first % len(self._ring)
            held = self._ring[at : at + last - first]
            out[first - start : first - start + len(held)] = held
            out[first - start + len(held) : last - start] = self._ring[: last - first - len(held)]
        return out

    def quietest(self, start: int, stop: int) -> int:
        """The middle of the quietest 30 ms of [start, stop): in speech mostly between words."""
        power = (self.read(start, stop).astype(np.float32) ** 2).sum(axis=1)
        energy = np.cumsum(power[: len(power) // _STEP * _STEP].reshape(-1, _STEP).sum(axis=1))
        if len(energy) <= _QUIET_STEPS:
            return (start + stop) // 2
        least = int(np.argmin(energy[_QUIET_STEPS:] - energy[:-_QUIET_STEPS])) + 1
        return start + least * _STEP + _QUIET_STEPS * _STEP // 2

    def _fill(self, start: int, block: Int16) -> None:
        capacity = len(self._ring)
        at = start % capacity
        head = min(len(block), capacity - at)
        self._ring[at : at + head] = block[:head]
        self._ring[: len(block) - head] = block[head:]
