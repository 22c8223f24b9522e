"""Arranging sound: levels, loops, rooms. Pure; float32 of shape (frames, 2) at 48 kHz."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import signal

from bench.separation.metrics import active
from dubcast.audio.pcm import CHANNELS, RATE, Float, from_db

_SEAM_S = 0.25


def silence(seconds: float) -> Float:
    return np.zeros((round(seconds * RATE), CHANNELS), dtype=np.float32)


def centred(mono: Float) -> Float:
    """(n,) to both channels alike."""
    return np.repeat(mono[:, np.newaxis], CHANNELS, axis=1).astype(np.float32)


def folded(sound: Float) -> Float:
    """The mean of the channels on both: a mono programme."""
    return centred(sound.mean(axis=1))


def panned(sound: Float, position: float) -> Float:
    """Mono-compatible sound moved by constant-power panning; -1 is left, 1 is right."""
    angle = (position + 1) * np.pi / 4
    gains = np.array([np.cos(angle), np.sin(angle)]) * np.sqrt(2)
    return np.asarray(sound.mean(axis=1, keepdims=True) * gains, dtype=np.float32)


def looped(sound: Float, seconds: float) -> Float:
    """The sound again and again, crossfaded, for this long."""
    frames, seam = round(seconds * RATE), min(round(_SEAM_S * RATE), len(sound) // 2)
    fade = np.sin(np.linspace(0, np.pi / 2, seam))[:, np.newaxis]
    out = np.zeros((frames + 2 * len(sound), CHANNELS))
    out[: len(sound)] = sound
    at = len(sound) - seam
    while at < frames:
        out[at : at + seam] = out[at : at + seam] * fade[::-1] + sound[:seam] * fade
        out[at + seam : at + len(sound)] = sound[seam:]
        at += len(sound) - seam
    return out[:frames].astype(np.float32)


def scattered(
    sounds: Sequence[Float], seconds: float, each_s: float, random: np.random.Generator
) -> Float:
    """One of the sounds about every `each_s`, at random places in time and between the sides."""
    out = silence(seconds)
    for start in np.arange(0.2, seconds - 0.2, each_s):
        piece = sounds[int(random.integers(len(sounds)))]
        moved = panned(piece, random.uniform(-0.8, 0.8)) * random.uniform(0.4, 1.0)
        add(out, moved, float(start + random.uniform(0, each_s / 2)))
    return out


def add(onto: Float, sound: Float, start_s: float) -> None:
    """Mix in place; what reaches beyond the end is cut."""
    first = round(start_s * RATE)
    onto[first : first + len(sound)] += sound[: max(len(onto) - first, 0)]


def roomy(sound: Float, wet: float, decay_s: float, random: np.random.Generator) -> Float:
    """In a room: early sound plus decaying noise of this share of the energy, 60 dB down
    in `decay_s`.
    """
    time = np.arange(round(decay_s * RATE)) / RATE
    tail = random.standard_normal((len(time), CHANNELS)) * (10 ** (-3 * time / decay_s))[:, None]
    tail *= np.sqrt(wet / (tail**2).sum(axis=0))
    late = signal.fftconvolve(sound, tail, axes=0)[: len(sound)]
    return np.asarray(np.sqrt(1 - wet) * sound + late, dtype=np.float32)


def to_level(sound: Float, dbfs: float) -> Float:
    """With this RMS level."""
    rms = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    return (sound * (from_db(dbfs) / max(rms, 1e-9))).astype(np.float32)


def phrases(speech: Sequence[Float], start_s: float, end_s: float, pause_s: float) -> Float:
    """The phrases one after the other from `start_s`, a pause after each; those that would end
    after `end_s` are left out. Raises ValueError if none fits.
    """
    out = silence(end_s)
    at, placed = start_s, 0
    for phrase in speech:
        length = len(phrase) / RATE
        if at + length <= end_s:
            add(out, phrase, at)
            at, placed = at + length + pause_s, placed + 1
    if not placed:
        raise ValueError("no phrase fits between the start and the end")
    return out


def mixed(speech: Float, background: Float, snr_db: float, peak: float) -> tuple[Float, Float]:
    """(speech, background) with this ratio of energies where there is speech, and the sum within
    `peak`.
    """
    where = active(speech)
    power = [float(np.square(s[where], dtype=np.float64).mean()) for s in (speech, background)]
    scaled = speech * np.sqrt(10 ** (snr_db / 10) * power[1] / power[0])
    loudest = float(np.abs(scaled + background).max())
    gain = min(peak / loudest, 1.0)
    return (scaled * gain).astype(np.float32), (background * gain).astype(np.float32)
