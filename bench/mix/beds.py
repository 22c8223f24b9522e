"""What is under the speech, made from nothing but a seed: a stadium, and a band. Pure.

Shapes are (n, 2), float32 at 48 kHz. Each bed keeps away from the beep's frequency, and is quiet
where `quiet_s` says that beeps are to be measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from dubcast.measure.flashbeep import BEEP_HZ
from dubcast.measure.synth import RATE, Samples

Wave = NDArray[np.float64]

_QUIET_DB = -16.0
_FADE_S = 0.8
_VOICES = 14
_CHEER_EVERY_S = 17.0
_BEAT_S = 0.6
# Roots and triads of four bars, in semitones from A2 (110 Hz).
_BARS = ((0, (12, 15, 19)), (-4, (8, 12, 15)), (3, (15, 19, 22)), (-2, (10, 14, 17)))


def crowd(seconds: float, level_dbfs: float, voices: Sequence[Samples], seed: int) -> Samples:
    """A stadium: a roar that swells, cheers, clapping, and a babble of `voices` (mono clips).

    The voices are played backwards in a hall, so that nobody can be understood.
    """
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    swell = _slow(count, 0.25, random)
    sides = [
        _unit(_roar(count, random)) * (0.75 + 0.35 * swell)
        + 0.9 * _unit(_cheers(seconds, np.random.default_rng(seed + 1), random))
        + 0.35 * _unit(_claps(count, random))
        for _ in range(2)
    ]
    out = np.stack(sides, axis=1)
    if voices:
        out += 0.55 * _unit(_babble(count, voices, random))
    return _levelled(out, level_dbfs)


def band(seconds: float, level_dbfs: float, seed: int) -> Samples:
    """Music at 100 beats a minute: bass, a plucked figure, soft chords, kick and hat."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    out = np.zeros((count, 2))
    for beat, at in enumerate(np.arange(0, seconds - 0.1, _BEAT_S)):
        root, triad = _BARS[beat // 4 % len(_BARS)]
        first = round(at * RATE)
        _add(out, first, 0.9 * _kick(), 0.5)
        _add(out, first, 0.6 * _pluck(_hz(root), 0.55, random), 0.5)
        for half in range(2):
            later = first + round(half * _BEAT_S / 2 * RATE)
            _add(out, later, 0.10 * _hat(random), 0.35)
            note = triad[(2 * beat + half) % 3] + 12 * (beat % 2)
            _add(out, later, 0.35 * _pluck(_hz(note), 0.8, random), 0.3 if half else 0.7)
        if beat % 4 == 0:
            for pan, note in zip((0.2, 0.5, 0.8), triad, strict=True):
                _add(out, first, 0.12 * _pad(_hz(note), 4 * _BEAT_S), pan)
    return _levelled(out, level_dbfs)


def hushed(bed: Samples, quiet_s: Sequence[tuple[float, float]]) -> Samples:
    """The bed without the beep's own band, turned down in the spans `quiet_s`."""
    time = np.arange(len(bed)) / RATE
    low = np.zeros(len(bed))
    for first, last in quiet_s:
        ramp = np.minimum(time - first, last - time) / _FADE_S + 1
        low = np.maximum(low, np.clip(ramp, 0, 1))
    gain = 10 ** (_QUIET_DB / 20 * low)
    return np.asarray(_notched(bed) * gain[:, None], dtype=np.float32)


def _notched(bed: Samples) -> Wave:
    spectrum = fft.rfft(bed, axis=0)
    hertz = np.maximum(fft.rfftfreq(len(bed), 1 / RATE), 1.0)
    dip = 1 - 0.95 * np.exp(-((np.log2(hertz / BEEP_HZ) / 0.15) ** 2))
    return np.asarray(fft.irfft(spectrum * dip[:, None], len(bed), axis=0))


def _roar(count: int, random: np.random.Generator) -> Wave:
    """Noise as thousands of open mouths make it: broad humps at the formants of "ah"."""
    spectrum = fft.rfft(random.standard_normal(count))
    hertz = np.maximum(fft.rfftfreq(count, 1 / RATE), 30.0)
    humps = sum(
        gain * np.exp(-((np.log2(hertz / centre) / width) ** 2))
        for centre, width, gain in ((420, 0.9, 1.0), (1250, 0.6, 0.45), (2700, 0.6, 0.18))
    )
    floor = 0.05 * np.sqrt(400 / (hertz + 400))
    return np.asarray(fft.irfft(spectrum * (humps + floor), count))


def _cheers(seconds: float, when: np.random.Generator, random: np.random.Generator) -> Wave:
    """Bursts of roar with whistles; `when` is shared by both sides, so they cheer together."""
    count = round(seconds * RATE)
    out = np.zeros(count)
    at = 4.0
    while at < seconds - 6:
        length = round(when.uniform(3.0, 5.5) * RATE)
        first = round(at * RATE)
        shape = np.minimum(np.arange(length) / (0.4 * RATE), 1) * np.linspace(1, 0, length) ** 1.5
        burst = _unit(_roar(length, random)) + 0.15 * _whistle(length, when.uniform(1900, 2600))
        span = out[first : first + length]
        span += when.uniform(0.6, 1.2) * (burst * shape)[: len(span)]
        at += when.uniform(0.5, 1.5) * _CHEER_EVERY_S
    return out + 1e-6 * random.standard_normal(count)


def _whistle(length: int, hertz: float) -> Wave:
    time = np.arange(length) / RATE
    return np.asarray(np.sin(2 * np.pi * hertz * time + 6 * np.sin(2 * np.pi * 5 * time)))


def _claps(count: int, random: np.random.Generator) -> Wave:
    hits = np.zeros(count)
    hits[random.integers(0, count, count // 1200)] = random.uniform(0.2, 1.0, count // 1200)
    ring = random.standard_normal(480) * np.exp(-np.arange(480) / 90)
    kept = signal.sosfilt(signal.butter(2, [900, 6000], "bandpass", fs=RATE, output="sos"), ring)
    return np.asarray(signal.fftconvolve(hits, kept)[:count])


def _babble(count: int, voices: Sequence[Samples], random: np.random.Generator) -> Wave:
    dry = np.zeros((count, 2))
    for _ in range(_VOICES):
        at = int(random.integers(0, RATE))
        pan = random.uniform(0.1, 0.9)
        while at < count:
            clip = voices[int(random.integers(len(voices)))][::-1]
            _add(dry, at, clip / max(float(np.abs(clip).max()), 1e-6), pan)
            at += len(clip) + int(random.integers(RATE // 5, 2 * RATE))
    decay = np.exp(-np.arange(RATE) / (0.25 * RATE))
    hall = np.stack([random.standard_normal(RATE) * decay for _ in range(2)], axis=1)
    return np.asarray(signal.fftconvolve(dry, hall, axes=0)[:count])


def _slow(count: int, hertz: float, random: np.random.Generator) -> Wave:
    """A random curve between -1 and 1 that changes about so often a second."""
    points = random.uniform(-1, 1, max(2, round(count / RATE * hertz) + 2))
    return np.interp(np.linspace(0, len(points) - 1, count), np.arange(len(points)), points)


def _hz(semitones: float) -> float:
    return float(110 * 2 ** (semitones / 12))


def _pluck(hertz: float, seconds: float, random: np.random.Generator) -> Wave:
    time = np.arange(round(seconds * RATE)) / RATE
    tone = sum(
        np.exp(-time * (3 + 2.5 * n)) * np.sin(2 * np.pi * n * hertz * time + random.uniform(0, 6))
        / n
        for n in range(1, 9)
    )  # fmt: skip
    return np.asarray(tone * np.minimum(time / 0.004, 1) * np.clip((seconds - time) / 0.05, 0, 1))


def _pad(hertz: float, seconds: float) -> Wave:
    time = np.arange(round(seconds * RATE)) / RATE
    shape = np.clip(np.minimum(time, seconds - time) / 0.5, 0, 1)
    return np.asarray(shape * sum(np.sin(2 * np.pi * hertz * k * time) for k in (0.998, 1.002, 2)))


def _kick() -> Wave:
    time = np.arange(round(0.25 * RATE)) / RATE
    return np.asarray(np.exp(-time * 18) * np.sin(2 * np.pi * (50 * time + 6 * np.exp(-time * 30))))


def _hat(random: np.random.Generator) -> Wave:
    noise = random.standard_normal(round(0.06 * RATE))
    return np.asarray(np.diff(noise, prepend=0.0) * np.exp(-np.arange(len(noise)) / (0.012 * RATE)))


def _add(out: NDArray[Any], first: int, mono: NDArray[Any], pan: float) -> None:
    """Add a mono sound in place; `pan` from 0 (left) to 1 (right), at equal power."""
    span = out[first : first + len(mono)]
    sides = np.array([np.cos(pan * np.pi / 2), np.sin(pan * np.pi / 2)])
    span += mono[: len(span), None] * sides


def _unit(samples: Wave) -> Wave:
    return np.asarray(samples / np.sqrt((samples**2).mean()))


def _levelled(samples: Wave, level_dbfs: float) -> Samples:
    return np.asarray(_unit(samples) * 10 ** (level_dbfs / 20), dtype=np.float32)
