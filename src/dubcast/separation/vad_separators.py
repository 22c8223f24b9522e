"""Separators led by a voice activity detector alone: what can be done without a model.

A voice activity detector says when someone speaks; outside that the source passes. They are worse
than any model (research: a gate alone leaves 55 % of the words readable), so each goes far.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dubcast.audio.pcm import CHANNELS, RATE, Float, from_db, to_int16
from dubcast.audio.vad import WINDOW, SpeechModel, VadStream
from dubcast.separation.fifo import Fifo
from dubcast.separation.gate import GatePolicy, SpeechGate
from dubcast.separation.separator import Burst
from dubcast.separation.stft import Spectra, Stft, sqrt_hann

# Two windows of the detector at a time, its resampler, and one window to spare.
_VAD_BEHIND = 4 * WINDOW
_SIZE, _HOP = 2048, 512


class _SpeechTrack:
    """Gives the source back, late enough to know of each sample whether it is speech."""

    def __init__(self, model: SpeechModel) -> None:
        self._model = model
        # The detector is the only witness, so it is believed early. Ramps of 40 ms: the level
        # falls far, which is heard when it falls fast.
        self._policy = GatePolicy(threshold=0.3, fade_ms=40.0)
        self.reset()
        self.behind = _VAD_BEHIND + self._gate.reach

    def reset(self) -> None:
        self._vad = VadStream(self._model)
        self._gate = SpeechGate(self._policy)
        self._source = Fifo(CHANNELS)
        self._fed = self._given = 0

    def feed(self, block: Float) -> tuple[Float, Float]:
        """Source (frames, 2) and speech mask (frames,) in [0, 1], as far as it is decided."""
        for window in self._vad.feed(self._fed, to_int16(block)):
            self._gate.vad(window.start, WINDOW, window.probability)
        self._fed += len(block)
        self._source.push(block)
        count = max(self._fed - self.behind - self._given, 0)
        mask = self._gate.mask(self._given, count)
        self._given += count
        self._gate.forget(self._given)
        return self._source.pop(count), mask


def _spoken(source: Float, mask: Float) -> Float:
    """All of the mid counts as speech while someone speaks: the detector is the only witness."""
    speech: Float = source.mean(axis=1, keepdims=True) * mask[:, np.newaxis]
    return speech


class MuteCore:
    """Turns everything down to silence while someone speaks."""

    def __init__(self, model: SpeechModel) -> None:
        self._track = _SpeechTrack(model)
        self.latency = self._track.behind

    def reset(self) -> None:
        self._track.reset()

    def advance(self, block: Float) -> Burst:
        source, mask = self._track.feed(block)
        return Burst(source * (1 - mask)[:, np.newaxis], _spoken(source, mask))


class Gains(Protocol):
    """Says how much of each bin stays while someone speaks."""

    def gains(self, spectra: Spectra, speech: Float) -> Float:
        """`spectra` (2, frames, bins), `speech` (frames,) in [0, 1]; gains (frames, bins)."""

    def reset(self) -> None:
        """Forget the stream."""


class SpectralCore:
    """Applies a rule's gains while someone speaks, and leaves the rest alone."""

    def __init__(self, model: SpeechModel, rule: Gains) -> None:
        self._track = _SpeechTrack(model)
        self._rule = rule
        self._stft = Stft(_SIZE, _HOP, sqrt_hann(_SIZE), analysed=CHANNELS, made=CHANNELS)
        self.latency = self._track.behind + self._stft.behind
        self._mask = np.zeros(_SIZE - _HOP, dtype=np.float32)

    def reset(self) -> None:
        self._track.reset()
        self._rule.reset()
        self._stft.reset()
        self._mask = np.zeros(_SIZE - _HOP, dtype=np.float32)

    def advance(self, block: Float) -> Burst:
        source, mask = self._track.feed(block)
        spectra = self._stft.analyse(source.T)
        speech = self._frame_masks(mask, spectra.shape[1])
        gains = self._rule.gains(spectra, speech)
        kept = 1 - speech[:, np.newaxis] * (1 - gains)
        return Burst(self._stft.synthesise(spectra * kept).T, _spoken(source, mask))

    def _frame_masks(self, mask: Float, frames: int) -> Float:
        """The strongest mask under each frame's window."""
        self._mask = np.concatenate([self._mask, mask])
        if not frames:
            return np.zeros(0, dtype=np.float32)
        views = np.lib.stride_tricks.sliding_window_view(self._mask, _SIZE)
        out: Float = views[: frames * _HOP : _HOP].max(axis=1, initial=0)
        self._mask = self._mask[frames * _HOP :]
        return out


class CentreRemoval:
    """Takes out what is alike on both sides, where speech is; all of it if the source is mono.

    The share of the centre in a bin is 2 Re(L R*) / (|L|^2 + |R|^2), after Avendano's panning
    index (2003), smoothed over four frames. Whether the source is mono is asked every 0.5 s.
    """

    _LOWEST_HZ, _HIGHEST_HZ = 90, 14_000  # outside there is no speech worth the bass and the air
    _MONO_DB = -40.0  # difference against sum
    _SMOOTH = np.float32(0.6)

    def __init__(self) -> None:
        bins = np.arange(_SIZE // 2 + 1) * RATE / _SIZE
        self._voice_bins = (bins >= self._LOWEST_HZ) & (bins <= self._HIGHEST_HZ)
        self.reset()

    def reset(self) -> None:
        bins = _SIZE // 2 + 1
        self._cross: Float = np.zeros(bins, dtype=np.float32)
        self._total: Float = np.zeros(bins, dtype=np.float32)
        self._side = self._sum = 0.0
        self._counted = 0
        self._mono = True  # until half a second has shown otherwise

    def gains(self, spectra: Spectra, speech: Float) -> Float:
        del speech
        left, right = spectra
        cross = 2 * (left * right.conj()).real
        total = np.square(np.abs(left)) + np.square(np.abs(right))
        out = np.empty(left.shape, dtype=np.float32)
        for frame in range(len(out)):
            self._cross += (cross[frame] - self._cross) * (1 - self._SMOOTH)
            self._total += (total[frame] - self._total) * (1 - self._SMOOTH)
            self._ask(float((total[frame] - cross[frame]).sum()), float(total[frame].sum()))
            centre = np.clip(self._cross / (self._total + np.float32(1e-20)), 0, 1)
            sides = np.where(self._voice_bins, np.sqrt(1 - centre), 1)
            out[frame] = 0 if self._mono else sides
        return out

    def _ask(self, side: float, total: float) -> None:
        """Count one frame's energies; decide anew when half a second is full."""
        self._side += side
        self._sum += total
        self._counted += 1
        if self._counted * _HOP >= RATE // 2:
            limit = 10 ** (self._MONO_DB / 10)
            self._mono = self._side <= limit * self._sum
            self._side = self._sum = 0.0
            self._counted = 0


class SpectralGate:
    """Holds each bin down to the level it has when nobody speaks (the specification's fallback).

    Never more than 18 dB: deeper, it only rings.
    """

    _LOWEST = np.float32(from_db(-18.0))
    _LEARN = np.float32(0.05)  # a frame's weight in the learnt level: a time constant of 0.2 s

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._level: Float = np.zeros(_SIZE // 2 + 1, dtype=np.float32)

    def gains(self, spectra: Spectra, speech: Float) -> Float:
        magnitude = np.abs(spectra).mean(axis=0)
        out: Float = np.ones_like(magnitude)
        for frame, spoken in enumerate(speech):
            if spoken == 0:
                self._level += (magnitude[frame] - self._level) * self._LEARN
                continue
            ratio = self._level / (magnitude[frame] + np.float32(1e-10))
            out[frame] = np.clip(ratio, self._LOWEST, 1)
        return out
