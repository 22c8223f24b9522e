"""The demo's sound, made from nothing: a soft bed of chords and waves, and the beeps. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dubcast.measure.flashbeep import BEEP_HZ

RATE = 48000
Samples = NDArray[np.float32]

# Soft triads between 130 and 600 Hz: nothing of them comes near the beep.
_CHORDS = (
    (130.8, 196.0, 261.6, 329.6),
    (110.0, 220.0, 261.6, 329.6),
    (174.6, 220.0, 261.6, 349.2),
    (146.8, 196.0, 246.9, 392.0),
)
_CHORD_S = 6.0
_FADE_S = 1.5
_BED_NOISE_SHARE = 0.35


def bed(seconds: float, level_dbfs: float, seed: int) -> Samples:
    """Chords over sea noise, shape (n, 2), with this RMS level in dBFS."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    sides = []
    for detune in (0.9985, 1.0015):
        pads = _unit(_pads(count, detune, random))
        sea = _unit(_sea(count, random))
        sides.append((1 - _BED_NOISE_SHARE) * pads + _BED_NOISE_SHARE * sea)
    stereo = _unit(np.stack(sides, axis=1))
    return np.asarray(stereo * 10 ** (level_dbfs / 20), dtype=np.float32)


def beeps(onsets_s: list[float], seconds: float, length_s: float, amplitude: float) -> Samples:
    """Mono tones that begin exactly at the sample of their onset."""
    out = np.zeros(round(seconds * RATE), dtype=np.float32)
    time = np.arange(round(length_s * RATE)) / RATE
    tone = amplitude * np.sin(2 * np.pi * BEEP_HZ * time)
    for onset in onsets_s:
        start = round(onset * RATE)
        out[start : start + len(tone)] += tone[: len(out) - start].astype(np.float32)
    return out


def trimmed(speech: Samples, threshold_db: float = -45.0, margin_s: float = 0.02) -> Samples:
    """Speech at 48 kHz without the silence around it: what is under the peak by that much."""
    window = RATE // 100
    frames = speech[: len(speech) // window * window].reshape(-1, window)
    loud = np.sqrt((frames.astype(np.float64) ** 2).mean(axis=1))
    if not len(loud) or not loud.max():
        return speech[:0]
    heard = np.flatnonzero(loud > loud.max() * 10 ** (threshold_db / 20))
    margin = round(margin_s * RATE)
    first = max(0, int(heard[0]) * window - margin)
    return speech[first : (int(heard[-1]) + 1) * window + margin]


def levelled(speech: Samples, level_dbfs: float, peak: float = 0.7) -> Samples:
    """Speech at this RMS level of its louder parts, with peaks no higher than `peak`."""
    power = speech.astype(np.float64) ** 2
    active = power[power > power.mean() / 10]
    rms = float(np.sqrt(active.mean())) if len(active) else 1.0
    gain = min(
        10 ** (level_dbfs / 20) / max(rms, 1e-9), peak / max(float(np.abs(speech).max()), 1e-9)
    )
    return np.asarray(speech * gain, dtype=np.float32)


def resampled(samples: Samples, rate_hz: int) -> Samples:
    """Mono samples at `rate_hz`, at 48 kHz."""
    if rate_hz == RATE:
        return samples
    from scipy.signal import resample_poly

    common = int(np.gcd(rate_hz, RATE))
    return np.asarray(resample_poly(samples, RATE // common, rate_hz // common), dtype=np.float32)


def _unit(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(samples / np.sqrt((samples**2).mean()))


def _pads(count: int, detune: float, random: np.random.Generator) -> NDArray[np.float64]:
    out = np.zeros(count)
    for number, start in enumerate(np.arange(0, count / RATE, _CHORD_S)):
        first = round(start * RATE)
        last = min(count, round((start + _CHORD_S + _FADE_S) * RATE))
        time = np.arange(last - first) / RATE
        # Fades in over the tail of the chord before: no attack that could pass for an event.
        shape = np.clip(time / _FADE_S, 0, 1) * np.clip((_CHORD_S + _FADE_S - time) / _FADE_S, 0, 1)
        for note in _CHORDS[number % len(_CHORDS)]:
            phase = random.uniform(0, 2 * np.pi)
            out[first:last] += shape * np.sin(2 * np.pi * note * detune * time + phase)
    return out


def _sea(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Pink noise with a dip around the beep, swelling slowly like waves."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 40.0)
    dip = 1 - 0.9 * np.exp(-((np.log2(hertz / BEEP_HZ) / 0.5) ** 2))
    noise = np.fft.irfft(spectrum * dip / np.sqrt(hertz), count)
    time = np.arange(count) / RATE
    return np.asarray(noise * (0.7 + 0.3 * np.sin(2 * np.pi * 0.09 * time + random.uniform(0, 6))))
