"""Whether a fragment is sung: then it is left alone, or a dub would take the voice out of a song.

Speech comes in syllables: its bands rise and fall between nothing and all, where song and what
plays beside it fill the gaps. Who sings holds notes, and is without a pitch for less of the time.
How sure the recognizer is says nothing beside that. Most songs never come so far: over its
accompaniment a singing voice is none to the voice detector. Pure.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dubcast.contract.sts import LeftAlone
from dubcast.sts.providers.interface import ASR_RATE, Float, Heard, Transcript, Tune
from dubcast.sts.which_language import Answer

Array = npt.NDArray[np.float64]

_HOP = ASR_RATE // 100
_FRAME = 1024
_SIZE = 2 * _FRAME
_LOUD_DB = 20.0
_BANDS_HZ = np.geomspace(200, 4000, 9)
_LOWEST_HZ, _HIGHEST_HZ = 75, 700
# The first peak that is nearly as high as the highest is the pitch, not its octave below.
_NEARLY = 0.9
_CLEAR = 0.6
# A note is held: for as many frames, within as many cents.
_NOTE_FRAMES = 20
_NOTE_CENTS = 70.0
_QUIET = 1e-9
# Logistic regression on 330 fragments of people who speak (readers, prompts, talks, meetings; six
# languages; alone, over music, over a song) and 17 of people who sing, alone and over music. The
# bias is such that of speech from other people, less than one in two hundred is called a song.
_BIAS, _PER_LOG_DEPTH, _PER_HELD, _PER_VOICED = -8.0, -3.5, 11.4, 7.0


def tune_of(samples: Float) -> Tune | None:
    """What a song is told by, of mono sound at 16 kHz; None of less than a second."""
    if len(samples) < ASR_RATE:
        return None
    power = _power(samples)
    pitch, clear = _pitch(power)
    level = 10 * np.log10(power.mean(axis=1) + _QUIET)
    loud = level > np.percentile(level, 95) - _LOUD_DB
    voiced = clear & loud
    return Tune(_depth(power), _held_share(pitch, voiced), float(voiced.sum() / loud.sum()))


def without_song(said: Transcript, heard: Heard, language: str) -> Transcript:
    """The transcript, left alone if it is a song's. `language`: if the recognizer told none."""
    if heard.tune is None or not said.text or not is_song(heard.tune):
        return said
    sure = said.answer.probability if said.answer else 0.0
    language = said.answer.language if said.answer else language
    return replace(said, text="", words=(), answer=Answer(language, sure, LeftAlone.SONG))


def is_song(tune: Tune) -> bool:
    """Whether words are sung, by their sound."""
    score = _BIAS + _PER_HELD * tune.held + _PER_VOICED * tune.voiced
    return bool(score + _PER_LOG_DEPTH * np.log(tune.depth + _QUIET) > 0)


def _power(samples: Float) -> Array:
    """Power spectra, a row for each 10 ms."""
    window = np.hanning(_FRAME)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP] * window
    return np.asarray(np.abs(np.fft.rfft(frames, _SIZE, axis=1)) ** 2)


def _depth(power: Array) -> float:
    """How far the bands rise above their mean: their deviation over it, the mean of all bands."""
    edges = np.round(_BANDS_HZ * _SIZE / ASR_RATE).astype(int)
    bands = np.add.reduceat(power, edges, axis=1)[:, :-1]
    return float((bands.std(axis=0) / (bands.mean(axis=0) + _QUIET)).mean())


def _pitch(power: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """(cents over 55 Hz, whether there is a clear pitch) of each row, by autocorrelation."""
    own = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(_FRAME), _SIZE)) ** 2)
    lags = np.arange(ASR_RATE // _HIGHEST_HZ, ASR_RATE // _LOWEST_HZ)
    curve = np.fft.irfft(power, axis=1)
    likeness = curve[:, lags] / (curve[:, :1] + _QUIET) / (own[lags] / own[0])
    inner = likeness[:, 1:-1]
    is_peak = (inner >= likeness[:, :-2]) & (inner >= likeness[:, 2:])
    best = np.where(is_peak, inner, 0.0).max(axis=1)
    first = np.argmax(is_peak & (inner >= _NEARLY * best[:, None]), axis=1) + 1
    row = np.arange(len(likeness))
    before, at, after = (likeness[row, first + step] for step in (-1, 0, 1))
    bend = np.minimum(before - 2 * at + after, -_QUIET)
    lag = lags[first] + np.clip((before - after) / (2 * bend), -1, 1)
    return 1200 * np.log2(ASR_RATE / lag / 55), best > _CLEAR


def _held_share(cents: Array, voiced: npt.NDArray[np.bool_]) -> float:
    """The share of the voiced frames that are part of a note that is held."""
    held = start = 0
    low = high = 0.0
    for at in range(len(cents) + 1):
        value = cents[at] if at < len(cents) and voiced[at] else None
        if value is not None and at > start:
            low, high = min(low, value), max(high, value)
            if high - low <= _NOTE_CENTS:
                continue
        if at - start >= _NOTE_FRAMES:
            held += at - start
        start, low, high = (at, value, value) if value is not None else (at + 1, 0.0, 0.0)
    return float(held / max(voiced.sum(), 1))
