"""Puts the dub over the bed. Pure: what is accepted, and the original, decide every sample.

Outside the replaced spans the original passes bit by bit, however loud it is. Inside,
`out = bed * bg_gain + dub * dub_gain`, kept below the true-peak ceiling. Original and bed cross
over linearly (they are correlated: equal-power would swell); two dubs that overlap cross over
with equal power (they are not). The limiter works on what replaces the original *before* the
two cross over: so the sum never exceeds the ceiling but where the original itself does, and
no gain is left to be released outside.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np

from dubcast.audio import limiter
from dubcast.audio.bed import Bed, DuckedOriginal, StoredBed
from dubcast.audio.duck import DuckCurve, Ducker
from dubcast.audio.limiter import Limiter
from dubcast.audio.pcm import Float, Int16, ms_to_samples, scale, to_float, to_int16

__all__ = ["DUB_EDGE", "FADE", "Bed", "Cover", "Dub", "DuckedOriginal", "Mixer", "StoredBed"]

FADE = ms_to_samples(50)  # the longest crossfade between original and bed
DUB_EDGE = ms_to_samples(5)  # a dub's own fade, where no other dub borders on it
_LEAST_SHARE = np.float32(1e-6)


@dataclass(frozen=True)
class Dub:
    """A dub placed on the timeline.

    It replaces the source span [`source_start`, `source_stop`) and sounds from `start` on.
    `samples`: mono float32. `fade`: length of its own fade in and out, in samples. `removed`:
    a wider span, if so wished, in which the original gives way to the bed although no dub sounds.
    """

    source_start: int
    source_stop: int
    start: int
    samples: Float
    fade: int = DUB_EDGE
    removed: tuple[int, int] | None = None

    @property
    def stop(self) -> int:
        """One past its last sample."""
        return self.start + len(self.samples)

    @property
    def replaced(self) -> tuple[int, int]:
        """The span in which the original gives way to the bed."""
        first, last = min(self.source_start, self.start), max(self.source_stop, self.stop)
        if self.removed is None:
            return first, last
        return min(first, self.removed[0]), max(last, self.removed[1])

    def faded(self) -> Float:
        """Its samples under its own fades."""
        samples = self.samples.copy()
        head = min(self.fade, len(samples) // 2)
        tail = min(self.fade, len(samples) - head)
        for first, last in ((self.start, self.start + head), (self.stop - tail, self.stop)):
            edges = self.edges(first, last)
            if edges is not None:
                samples[first - self.start : last - self.start] *= edges
        return samples

    def edges(self, start: int, stop: int) -> Float | None:
        """Its own fades over [start, stop), which lies in the dub; None: 1 throughout."""
        fade = max(self.fade, 1)
        if start >= self.start + fade and stop <= self.stop - fade:
            return None
        index = np.arange(start - self.start, stop - self.start)
        ramp = np.minimum(index + 1, len(self.samples) - index) / fade
        return np.sin(np.minimum(ramp, 1) * (np.pi / 2)).astype(np.float32)


@dataclass(frozen=True)
class Cover:
    """A span [`start`, `stop`) in which the original gives way though there is no dub.

    `level`: what is left of the original, linear (0: silence); None: the bed plays.
    """

    start: int
    stop: int
    level: float | None

    def without(self, start: int, stop: int) -> list[Cover]:
        """What is left of it beside a part of its span."""
        if not (self.start <= start and stop <= self.stop):
            return [self]
        rest = [replace(self, stop=start), replace(self, start=stop)]
        return [cover for cover in rest if cover.start < cover.stop]


@dataclass(frozen=True)
class _Held:
    """A dub that was accepted, and how the bed ducks under it."""

    dub: Dub
    curve: DuckCurve | None


class Mixer:
    """Renders blocks of output in time order from the original, the dubs and the covers.

    `fade`: crossfade between original and bed, in samples, at most FADE. It looks `lookahead`
    samples ahead, so a dub must be accepted that much before what is replaced begins.
    """

    lookahead = limiter.LATENCY

    def __init__(
        self,
        bed: Bed,
        bg_gain: float,
        dub_gain: float,
        fade: int = FADE,
        ducker: Ducker | None = None,
        ceiling_dbtp: float = -1.0,
    ) -> None:
        self._bed = bed
        self._bg_gain = np.float32(bg_gain)
        self._dub_gain = np.float32(dub_gain)
        self._fade = fade
        self._ducker = ducker
        self._limiter = Limiter(ceiling_dbtp)
        self._limited_to: int | None = None  # what the limiter was fed up to
        self._dubs: list[_Held] = []
        self._covers: list[Cover] = []

    def accept(self, dub: Dub) -> None:
        """Take a dub; what it replaces begins `lookahead` or more after what was rendered.

        It takes its place in a cover that was for more than its span.
        """
        self.uncover(dub.source_start, dub.source_stop)
        keys = [held.dub.source_start for held in self._dubs]
        curve = None
        if self._ducker is not None:
            curve = self._ducker.curve(dub.start, dub.samples * self._dub_gain)
        self._dubs.insert(bisect_left(keys, dub.source_start), _Held(dub, curve))

    def cover(self, cover: Cover) -> None:
        """Take a cover; it begins a fade and `lookahead` or more after what was rendered."""
        self._covers.append(cover)

    def uncover(self, start: int, stop: int) -> None:
        """The covers that were for more than this give way to what is there; as for a dub, it
        begins `lookahead` or more after what was rendered."""
        self._covers = [part for cover in self._covers for part in cover.without(start, stop)]

    def render(self, start: int, original: Int16) -> Int16:
        """The output for the block that begins at `start`.

        `original`: (frames + lookahead, 2), the block and what follows it. Returns (frames, 2).
        """
        frames = len(original) - self.lookahead
        stop = start + frames
        self._forget(start)
        wet = self._wetness(start, stop)
        if wet is None:
            return original[:frames]
        instead = self._limited(start, frames, original)
        if wet.min() == 1:
            return to_int16(instead)
        dry = to_float(original[:frames])
        # Exact at both ends, unlike dry + (instead - dry) * wet.
        scale(dry, 1 - wet)
        scale(instead, wet)
        return to_int16(dry + instead)

    def _forget(self, start: int) -> None:
        # A span that is joined to it may begin two fades later, and would then fade in.
        oldest = start - 3 * self._fade
        self._dubs = [held for held in self._dubs if held.dub.replaced[1] > oldest]
        self._covers = [cover for cover in self._covers if cover.stop > oldest]

    def _limited(self, start: int, frames: int, original: Int16) -> Float:
        """What stands in place of the original, limited; made `lookahead` before it is due."""
        at, part = start + self.lookahead, original[self.lookahead :]
        if self._limited_to != at:
            self._limiter.reset()
            at, part = start, original
        self._limited_to = at + len(part)
        return self._limiter.process(self._instead(at, part))[-frames:]

    def _instead(self, start: int, original: Int16) -> Float:
        """Bed and dubs over [start, start + len(original))."""
        dry = to_float(original)
        out = self._bed.render(start, dry) * self._bg_gain
        stop = start + len(out)
        for cover in self._covers:
            self._replace(out, dry, start, cover)
        gains = [held.curve.gain(start, stop) for held in self._dubs if held.curve]
        known = [gain for gain in gains if gain is not None]
        if known:
            scale(out, np.minimum.reduce(known))
        for held in self._dubs:
            self._add(out, start, held.dub)
        return out

    def _replace(self, out: Float, dry: Float, start: int, cover: Cover) -> None:
        """Put what `cover` asks for into the block `out` that begins at `start`, in place.

        It fades outside its span, where the original is heard unless another span borders on it:
        so the two cross over at the border without the original flashing up.
        """
        if cover.level is None:
            return
        span = (cover.start - self._fade, cover.stop + self._fade)
        share = _ramps([span], start, start + len(out), self._fade)
        if share is not None:
            original = dry * np.float32(cover.level)
            scale(original, share)
            scale(out, 1 - share)
            out += original

    def _add(self, out: Float, start: int, dub: Dub) -> None:
        """Add the part of `dub` that falls into the block `out` beginning at `start`, in place."""
        first, last = max(start, dub.start), min(start + len(out), dub.stop)
        if first >= last:
            return
        voice = dub.samples[first - dub.start : last - dub.start] * self._dub_gain
        edges = dub.edges(first, last)
        if edges is not None:
            # The crossfade with the original fades it, too: both together make its own fade.
            share = self._wetness(first, last)
            assert share is not None
            voice *= edges / np.maximum(share, _LEAST_SHARE)
        part = out[first - start : last - start]
        part[:, 0] += voice
        part[:, 1] += voice

    def _wetness(self, start: int, stop: int) -> Float | None:
        """Share of what replaces the original per sample (0: original), None: 0 throughout.

        Never below a dub's own fade, however short: the original leaves as the dub enters.
        """
        covers = [(cover.start, cover.stop) for cover in self._covers]
        spans = _merge([*(held.dub.replaced for held in self._dubs), *covers], self._fade)
        share = _ramps(spans, start, stop, self._fade)
        if share is None:
            return None
        for dub in (held.dub for held in self._dubs):
            first, last = max(start, dub.start), min(stop, dub.stop)
            edges = dub.edges(first, last) if first < last else None
            if first < last:
                part = share[first - start : last - start]
                np.maximum(part, np.float32(1) if edges is None else edges, out=part)
        return share


def _merge(spans: list[tuple[int, int]], fade: int) -> list[tuple[int, int]]:
    """Spans in order; those closer than two fades become one, so the original does not flash up."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start - merged[-1][1] < 2 * fade:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    return merged


def _ramps(spans: list[tuple[int, int]], start: int, stop: int, fade: int) -> Float | None:
    """1 in the spans, 0 outside, with linear ramps inside them; None: 0 throughout."""
    touching = [span for span in spans if span[0] < stop and span[1] > start]
    if not touching:
        return None
    share = np.zeros(stop - start, dtype=np.float32)
    for first, last in touching:
        length = max(min(fade, (last - first) // 2), 1)
        if first + length <= start and stop <= last - length:
            share[:] = 1
            break
        index = np.arange(start, stop, dtype=np.float64)
        ramp = np.minimum(index - first, last - index) / length
        np.maximum(share, np.clip(ramp, 0, 1).astype(np.float32), out=share)
    return share
