"""Rides the whole output towards a target loudness, slowly, and limits it. Off unless asked for:
only without it does what is not replaced pass bit by bit.
"""

from __future__ import annotations

import numpy as np

from dubcast.audio import limiter
from dubcast.audio.limiter import Limiter
from dubcast.audio.loudness import HOP, LoudnessMeter
from dubcast.audio.mix import Cover, Dub, Mixer
from dubcast.audio.pcm import Float, Int16, from_db, scale, to_float, to_int16

_SLOPE_DB = 0.1  # per hop: 1 dB/s
_RANGE_DB = 12.0
# Below this there is no programme to judge by, and a pause must not be turned up.
_QUIET_LUFS = -50.0
_PAUSE_LU = 6.0  # what is so far below the last seconds is a pause


class Normaliser:
    """Blocks in, the same samples out at the target's loudness, `latency` samples later.

    The gain follows what passes the gates of the last 3 s, by at most 1 dB/s, within +-12 dB.
    """

    latency = limiter.LATENCY

    def __init__(self, target_lufs: float, ceiling_dbtp: float) -> None:
        self._target = target_lufs
        self._meter = LoudnessMeter()
        self._limiter = Limiter(ceiling_dbtp)
        self._gain_db = 0.0

    @property
    def gain_db(self) -> float:
        """The gain at the end of what came in."""
        return self._gain_db

    def jump(self) -> None:
        """What comes next does not continue what came last; the gain stays."""
        self._limiter.reset()

    def process(self, block: Float) -> Float:
        """(frames, 2) in, as many out."""
        parts = [self._ride(block[at : at + HOP]) for at in range(0, len(block), HOP)]
        return self._limiter.process(np.concatenate(parts))

    def _ride(self, part: Float) -> Float:
        before = self._gain_db
        if self._meter.feed(part):
            self._step()
        ramp = np.linspace(from_db(before), from_db(self._gain_db), len(part), dtype=np.float32)
        ridden = part.copy()
        scale(ridden, ramp)
        return ridden

    def _step(self) -> None:
        loudness = self._meter.short_term_gated
        if loudness < _QUIET_LUFS or self._meter.momentary < loudness - _PAUSE_LU:
            return
        wanted = min(max(self._target - loudness, -_RANGE_DB), _RANGE_DB)
        self._gain_db += min(max(wanted - self._gain_db, -_SLOPE_DB), _SLOPE_DB)


class NormalisedMixer:
    """A mixer whose whole output is normalised; renders as a Mixer does, to the same samples."""

    def __init__(self, mixer: Mixer, normaliser: Normaliser) -> None:
        self._mixer = mixer
        self._normaliser = normaliser
        self._mixed_to: int | None = None
        self.lookahead = mixer.lookahead + normaliser.latency

    def accept(self, dub: Dub) -> None:
        """As Mixer.accept."""
        self._mixer.accept(dub)

    def cover(self, cover: Cover) -> None:
        """As Mixer.cover."""
        self._mixer.cover(cover)

    def uncover(self, start: int, stop: int) -> None:
        """As Mixer.uncover."""
        self._mixer.uncover(start, stop)

    def render(self, start: int, original: Int16) -> Int16:
        """As Mixer.render: `original` is (frames + lookahead, 2)."""
        frames = len(original) - self.lookahead
        at, part = start + self._normaliser.latency, original[self._normaliser.latency :]
        if self._mixed_to != at:
            self._normaliser.jump()
            at, part = start, original
        mixed = self._mixer.render(at, part)
        self._mixed_to = at + len(mixed)
        return to_int16(self._normaliser.process(to_float(mixed))[-frames:])
