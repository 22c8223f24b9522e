"""Puts the dub over the bed. Pure: what is accepted, and the original, decide every sample.

Outside the replaced spans the original passes bit by bit. Inside, `out = bed * bg_gain +
dub * dub_gain`, with linear crossfades between original and bed (they are correlated, so
equal-power would swell). The bed is behind an interface: today the deeply ducked original; a
separated background takes its place.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dubcast.audio.pcm import Float, Int16, from_db, ms_to_samples, to_float, to_int16

FADE = ms_to_samples(50)
_DUB_EDGE = ms_to_samples(5)


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


@dataclass(frozen=True)
class Dub:
    """A dub placed on the timeline.

    It replaces the source span [`source_start`, `source_stop`) and sounds from `start` on.
    `samples`: mono float32. `fade`: length of its own fade in and out, in samples.
    """

    source_start: int
    source_stop: int
    start: int
    samples: Float
    fade: int = _DUB_EDGE

    @property
    def stop(self) -> int:
        """One past its last sample."""
        return self.start + len(self.samples)

    @property
    def replaced(self) -> tuple[int, int]:
        """The span in which the original gives way to the bed."""
        return min(self.source_start, self.start), max(self.source_stop, self.stop)


@dataclass(frozen=True)
class Cover:
    """A span [`start`, `stop`) in which the original gives way though there is no dub.

    `level`: what is left of the original, linear (0: silence); None: the bed plays.
    """

    start: int
    stop: int
    level: float | None


class Mixer:
    """Renders blocks of output in time order from the original, the dubs and the covers."""

    def __init__(self, bed: Bed, bg_gain: float, dub_gain: float) -> None:
        self._bed = bed
        self._bg_gain = np.float32(bg_gain)
        self._dub_gain = np.float32(dub_gain)
        self._dubs: list[Dub] = []
        self._covers: list[Cover] = []

    def accept(self, dub: Dub) -> None:
        """Take a dub; it must not begin before what was rendered already."""
        keys = [held.source_start for held in self._dubs]
        self._dubs.insert(bisect_left(keys, dub.source_start), dub)

    def cover(self, cover: Cover) -> None:
        """Take a cover; it must begin a fade or more after what was rendered already."""
        self._covers.append(cover)

    def render(self, start: int, original: Int16) -> Int16:
        """The output for the block of `original` (frames, 2) that begins at `start`."""
        stop = start + len(original)
        # A span that is joined to it may begin two fades later, and would then fade in.
        kept = start - 3 * FADE
        self._dubs = [dub for dub in self._dubs if dub.replaced[1] > kept]
        self._covers = [cover for cover in self._covers if cover.stop > kept]
        covered = [(cover.start, cover.stop) for cover in self._covers]
        spans = _merge([*(dub.replaced for dub in self._dubs), *covered])
        wet = _wetness(spans, start, stop)
        if wet is None:
            return original
        dry = to_float(original)
        bed = self._bed.render(start, dry) * self._bg_gain
        for cover in self._covers:
            _replace(bed, dry, start, cover)
        out = dry + (bed - dry) * wet[:, np.newaxis]
        for dub in self._dubs:
            _add(out, start, dub, self._dub_gain)
        return to_int16(out)


def _replace(bed: Float, dry: Float, start: int, cover: Cover) -> None:
    """Put what `cover` asks for into the block `bed` that begins at `start`, in place.

    It fades outside its span, where the original is heard unless another span borders on it: so
    the two cross over at the border without the original flashing up.
    """
    if cover.level is None:
        return
    share = _wetness([(cover.start - FADE, cover.stop + FADE)], start, start + len(bed))
    if share is not None:
        bed += (dry * np.float32(cover.level) - bed) * share[:, np.newaxis]


def _merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order; those closer than two fades become one, so the original does not flash up."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start - merged[-1][1] < 2 * FADE:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    return merged


def _wetness(spans: list[tuple[int, int]], start: int, stop: int) -> Float | None:
    """Share of the bed per sample (0 original, 1 bed), or None if it is 0 throughout."""
    touching = [span for span in spans if span[0] < stop and span[1] > start]
    if not touching:
        return None
    index = np.arange(start, stop, dtype=np.float64)
    wet = np.zeros(stop - start, dtype=np.float32)
    for first, last in touching:
        fade = max(min(FADE, (last - first) // 2), 1)
        ramp = np.minimum(index - first, last - index) / fade
        np.maximum(wet, np.clip(ramp, 0, 1).astype(np.float32), out=wet)
    return wet


def _add(out: Float, start: int, dub: Dub, gain: np.float32) -> None:
    """Add the part of `dub` that falls into the block `out` beginning at `start`, in place."""
    first, last = max(start, dub.start), min(start + len(out), dub.stop)
    if first >= last:
        return
    part = dub.samples[first - dub.start : last - dub.start]
    index = np.arange(first - dub.start, last - dub.start, dtype=np.float32)
    edge = np.minimum(index + 1, len(dub.samples) - index) / max(dub.fade, 1)
    voice = part * np.minimum(edge, 1).astype(np.float32) * gain
    out[first - start : last - start] += voice[:, np.newaxis]
