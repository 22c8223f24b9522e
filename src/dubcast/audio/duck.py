"""Sidechain ducking: how far the bed gives way while the dub speaks. Pure.

The dub is known before it sounds, so the bed is down when a word begins (the attack lies before
it), and the curve of a dub is worked out once, in frames of 10 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dubcast.audio.pcm import RATE, Float, from_db

_FRAME = RATE // 100
_NEPER_PER_DB = np.log(10) / 20

_Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DuckCurve:
    """Depth in dB at points 10 ms apart, the first at `start`; 0 elsewhere."""

    start: int
    depth_db: _Points

    def gain(self, start: int, stop: int) -> Float | None:
        """The bed's gain for [start, stop), shape (frames,); None where it is 1 throughout."""
        first = max((start - self.start) // _FRAME, 0)
        last = max(-((self.start - stop) // _FRAME) + 1, 0)
        near = self.depth_db[first:last]
        if not near.any():
            return None
        at = self.start + (first + np.arange(len(near))) * _FRAME
        depth = np.interp(np.arange(start, stop), at, near, left=0.0, right=0.0)
        gain: Float = np.exp(-_NEPER_PER_DB * depth).astype(np.float32)
        return gain


@dataclass(frozen=True)
class Ducker:
    """Ducks by `depth_db` while the dub is above `threshold_db` (dBFS, RMS of 10 ms).

    `attack`, `release`: samples, to and from the full depth; straight lines in dB.
    """

    attack: int
    release: int
    depth_db: float
    threshold_db: float

    def curve(self, start: int, voice: Float) -> DuckCurve:
        """The curve of a dub that sounds from `start` on; `voice`: mono, at its final level."""
        before, after = -(-self.attack // _FRAME), -(-self.release // _FRAME)
        active = np.pad(self._active(voice), (before, after))
        # A point lies between two frames and is down if either is.
        down = np.concatenate([active, [0.0]])
        down[1:] = np.maximum(down[1:], active)
        held = _fall(down, _FRAME / self.release)
        eased = _fall(held[::-1], _FRAME / self.attack)[::-1]
        return DuckCurve(start - before * _FRAME, eased * self.depth_db)

    def _active(self, voice: Float) -> _Points:
        frames = -(-len(voice) // _FRAME)
        square = np.zeros(frames * _FRAME, dtype=np.float32)
        np.square(voice, out=square[: len(voice)])
        power = square.reshape(frames, _FRAME).mean(axis=1)
        active: _Points = (power > from_db(self.threshold_db) ** 2).astype(np.float64)
        return active


def _fall(level: _Points, step: float) -> _Points:
    """`level`, made to fall by no more than `step` from point to point."""
    line = np.arange(len(level)) * step
    held: _Points = np.clip(np.maximum.accumulate(level + line) - line, 0.0, 1.0)
    return held
