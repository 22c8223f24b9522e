"""Holds a background down to its own level where a voice is left in it. Pure.

Of some voices (narrow bands, codecs, a held "uh") separation takes next to nothing out, and they
would be heard beside the dub. Voice activity hears them all the same. So where somebody speaks and
the separator found little of it, no band of the background is louder than it is where nobody
speaks: the crowd goes on, what sticks out of it does not. A crowd that cheers beside the voice is
heard by the side signal, in which there is next to nothing of a voice: by as much as that rises,
the background may.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import numpy.typing as npt

from dubcast.audio.pcm import CHANNELS, RATE, Float, ms_to_samples, to_int16
from dubcast.audio.vad import WINDOW, SpeechModel, VadStream
from dubcast.separation.fifo import Fifo
from dubcast.separation.fixed_latency import whole_cells
from dubcast.separation.separator import CELL, SHARE_FLOOR_DB, Separated, Separator
from dubcast.separation.stft import Spectra, Stft, sqrt_hann

_SIZE, _HOP = 2048, 1024
_EDGES = np.unique(
    np.round(np.concatenate([[0], np.geomspace(100, 16_000, 20) * _SIZE / RATE])).astype(int)
)
_WIDTHS = np.diff(np.append(_EDGES, _SIZE // 2 + 1))
# Left and right to mid and side, and back.
_MID_SIDE: Float = np.array([[0.5, 0.5], [0.5, -0.5]], dtype=np.float32)
_LEFT_RIGHT = 2 * _MID_SIDE
_TINY = 1e-12
_LEAST_DB = -0.1
_FRAMES_PER_S = RATE / _HOP
# Of the last so many frames in which nobody spoke, this percentile of each band is its own level.
# A beat may stick out: what separates well is hardly held, and a band's median over the last
# seconds, voice and all, is its own level too: music may swell while somebody speaks.
_OWN_FRAMES, _OWN_PERCENT = round(10 * _FRAMES_PER_S), 90
_SWELL_FRAMES, _SWELL_PERCENT = round(4 * _FRAMES_PER_S), 50
# The side signal is smoothed over 0.1 s, and rises where it is above this percentile of its own. It
# tells about a band only where the background is wide, and is one: coding and rooms put a shadow of
# the voice into it.
_SIDE_SMOOTH, _SIDE_PERCENT = np.exp(-10 / _FRAMES_PER_S), 75
_WIDE_DB, _NOTHING_DB = -15.0, -60.0  # side over all; the spectrum of noise at -90 dBFS
_LEAST_FRAMES = round(0.5 * _FRAMES_PER_S)
_AGAIN_FRAMES = round(0.5 * _FRAMES_PER_S)
# A band may be so much louder than its own level: where there is a voice for sure, and beside that.
_MARGIN_DB, _MARGIN_BESIDE_DB = 2.0, 6.0
# Speech over mix: held in full where the separator found less than the first, not at all where it
# found more than the second.
_LITTLE_DB, _ENOUGH_DB = -8.0, -4.0
# The mean over so many cells to both sides of a frame: it waits for those that come after it.
_SHARE_CELLS = 10
_WAIT = _SHARE_CELLS * CELL
# Of the detector. It takes effects and music for a voice too, but seldom for sure; of a murmur it
# is sure now and then, and near that need not be. What may be a voice is none of the background.
_SURE, _LIKELY, _MAYBE = 0.9, 0.7, 0.5
_NEAR = ms_to_samples(1000)  # so long after a voice for sure
_APART = ms_to_samples(165)  # from a voice: what rings on is none of the background

Levels = npt.NDArray[np.float64]


class Hold:
    """A separator, and on its background the hold. `model` hears the voices."""

    def __init__(self, separator: Separator, model: SpeechModel) -> None:
        self.name = separator.name
        self._behind = whole_cells(_SIZE) + _WAIT  # the separator
        self.latency = separator.latency + self._behind
        self._separator = separator
        self._model = model
        self._restart()

    def _restart(self) -> None:
        self._vad = VadStream(self._model)
        self._voices: deque[tuple[int, float]] = deque()  # windows that may be of one, how surely
        self._fed = 0
        self._stft = Stft(_SIZE, _HOP, sqrt_hann(_SIZE), analysed=CHANNELS, made=CHANNELS)
        self._waiting = Fifo(CHANNELS, zeros=_WAIT)
        self._raw = Fifo(CHANNELS)
        self._ready = Fifo(CHANNELS, zeros=whole_cells(_SIZE))
        # The source position of the next frame.
        self._frame = -(_SIZE - _HOP) - _WAIT - self._separator.latency
        self._levels = OwnLevels()
        self._found = np.zeros(0, dtype=np.float32)  # speech over mix, power, cell by cell
        self._found_from = -(self._separator.latency // CELL)  # the first one's number
        missing = self._behind // CELL
        self._shares = np.full(missing, SHARE_FLOOR_DB, dtype=np.float32)
        self._held: Levels = np.zeros(len(_EDGES))

    def reset(self) -> None:
        self._separator.reset()
        self._restart()

    def process(self, block: Float) -> Separated:
        for window in self._vad.feed(self._fed, to_int16(block)):
            if window.probability >= _MAYBE:
                self._voices.append((window.start, window.probability))
        self._fed += len(block)
        self._forget()
        made = self._separator.process(block)
        self._found = np.concatenate([self._found, 10 ** (made.speech_share / 10)])
        self._waiting.push(made.background)
        background = self._waiting.pop(len(made.background))
        self._raw.push(background)
        spectra = self._stft.analyse(_MID_SIDE @ background.T)
        change = self._stft.synthesise(spectra * self._changes(spectra)).T @ _LEFT_RIGHT
        raw = self._raw.pop(len(change))
        # Digital silence stays so: a change reaches as far as its frame, past the end of a sound.
        self._ready.push(raw + change * raw.any(axis=1, keepdims=True))
        return Separated(self._ready.pop(len(block)), self._late(made.speech_share))

    def _late(self, shares: Float) -> Float:
        self._shares = np.concatenate([self._shares, shares])
        due, self._shares = self._shares[: len(shares)], self._shares[len(shares) :]
        return due

    def _changes(self, spectra: Spectra) -> Float:
        """What is added to each bin, as a share of it, shape (frames, bins): 0 where it stays."""
        power = np.square(spectra.real) + np.square(spectra.imag)
        mid, side = np.add.reduceat(power, _EDGES, axis=2) / _WIDTHS
        frames = zip(_decibel(mid + side), side, strict=True)
        held = np.array([self._hold(*frame) for frame in frames]).reshape(-1, len(_EDGES))
        gains = np.repeat(10 ** (held / 20), _WIDTHS, axis=1) - 1
        return gains.astype(np.float32)

    def _doubt(self) -> float:
        """How little speech the separator finds around the next frame: 0 (enough) to 1."""
        cell = (self._frame + _SIZE // 2) // CELL - self._found_from
        first = max(cell - _SHARE_CELLS, 0)
        self._found, self._found_from = self._found[first:], self._found_from + first
        near = self._found[: cell + _SHARE_CELLS + 1 - first]
        found = float(near.mean()) if len(near) else 0.0
        short_db = _ENOUGH_DB - 10 * math.log10(max(found, _TINY))
        return min(max(short_db / (_ENOUGH_DB - _LITTLE_DB), 0.0), 1.0)

    def _hold(self, level: Levels, side: Levels) -> Levels:
        """How far each band of the next frame is held down, in dB (0 or less)."""
        doubt = self._doubt()
        first, last = self._frame, self._frame + _SIZE
        self._frame += _HOP
        if first >= 0:
            near_voice = self._voiced(_MAYBE, first - _APART, last + _APART)
            self._levels.note(level, side, near_voice=near_voice)
        margin_db = self._margin_db(first, last) if self._levels.known and doubt > 0 else None
        held = np.zeros(len(level))
        if margin_db is not None:
            held = doubt * np.minimum(self._levels.limit() + margin_db - level, 0)
        # Half a step at a time, so that no band flutters.
        self._held = (held + self._held) / 2 if self._held.min() < _LEAST_DB else held
        return self._held

    def _margin_db(self, first: int, last: int) -> float | None:
        """How far above its own level a band may be in [first, last); None: nobody speaks there."""
        if self._voiced(_SURE, first, last):
            return _MARGIN_DB
        before = self._voiced(_SURE, first - _NEAR, first)
        after = self._voiced(_SURE, last, last + _APART)
        if not (before or after) or not self._voiced(_LIKELY, first, last):
            return None
        return _MARGIN_DB if before and after else _MARGIN_BESIDE_DB

    def _voiced(self, least: float, first: int, last: int) -> bool:
        """Whether somebody speaks within [first, last), as surely as that."""
        windows = (at for at, sure in self._voices if sure >= least)
        return any(at < last and at + WINDOW > first for at in windows)

    def _forget(self) -> None:
        """Drop the windows that no frame asks about any more."""
        while self._voices and self._voices[0][0] + WINDOW <= self._frame - _NEAR:
            self._voices.popleft()


class OwnLevels:
    """How loud a background is in each band by itself, whoever speaks. Levels are in dB."""

    def __init__(self) -> None:
        self.known = False  # whether there was enough without a voice to tell
        self._own: deque[Levels] = deque(maxlen=_OWN_FRAMES)
        self._own_sides: deque[Levels] = deque(maxlen=_OWN_FRAMES)
        self._recent: deque[Levels] = deque(maxlen=_SWELL_FRAMES)
        self._noted = 0
        self._side: Levels = np.zeros(len(_EDGES))  # power, smoothed
        self._alone = self._side_alone = self._swollen = self._side
        self._wide = np.zeros(len(_EDGES), dtype=bool)

    def note(self, level: Levels, side: Levels, *, near_voice: bool) -> None:
        """The next frame's levels, and the power of its side signal."""
        self._side = side + _SIDE_SMOOTH * (self._side - side)
        self._recent.append(level)
        if not near_voice:
            self._own.append(level)
            self._own_sides.append(_decibel(self._side))
        self._noted += 1
        if len(self._own) >= _LEAST_FRAMES and self._noted % _AGAIN_FRAMES == 0:
            self._learn()

    def _learn(self) -> None:
        self.known = True
        self._alone = np.percentile(self._own, _OWN_PERCENT, axis=0)
        self._side_alone = np.percentile(self._own_sides, _SIDE_PERCENT, axis=0)
        self._wide = self._side_alone > np.maximum(self._alone + _WIDE_DB, _NOTHING_DB)
        self._swollen = np.percentile(self._recent, _SWELL_PERCENT, axis=0)

    def limit(self) -> Levels:
        """What of the frame noted last may be the background's own."""
        rise = np.maximum(_decibel(self._side) - self._side_alone, 0)
        limit: Levels = np.maximum(self._alone + self._wide * rise, self._swollen)
        return limit


def _decibel(power: Levels) -> Levels:
    level: Levels = 10 * np.log10(power + _TINY)
    return level
