"""Whether a fragment is sung: then it is left alone, or a dub would take the voice out of a song.

Speech comes in syllables: its bands rise and fall between nothing and all, a few times a second,
where song and what plays beside it fill the gaps. Who sings holds notes, and is for longer with a
pitch. How sure the recognizer is says nothing beside that. Most songs never come so far: over its
accompaniment a singing voice is none to the voice detector. Pure.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dubcast.contract.sts import LeftAlone
from dubcast.sts.providers.interface import ASR_RATE, Float, Transcript, Tune
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
# Syllables: so many a second.
_SYLLABLES_HZ = (2.5, 8.0)
_MOVING_HZ = (0.3, 20.0)
# Logistic regression on 491 fragments of people who speak (readers, prompts, talks, meetings; six
# languages; alone, over music, over a song) and 24 of three recordings of singers, alone and over
# music. A song must be surer than even odds, and the surer the shorter it is: twice as sure at two
# seconds as at four and more.
_BIAS = -3.43
_PER_LOG_DEPTH, _PER_PACE, _PER_HELD, _PER_VOICED, _PER_LOG_BREATH = -3.87, -11.47, 5.5, 5.6, 1.45
_LONG_S, _SURE = 4.0, 2.0
# Who sang a moment ago probably still sings, who spoke still speaks: of how sure that was, by all
# before, so much is added, up to a limit. In fragments of up to 2.5 and 5.4 s, 90 and 100 % of the
# songs are told so (72 and 79 % each by itself), of speech 0.6 and 0 % (0.6 and 0.5), and after a
# sure song 2.2 and 1.7 % of it would be.
_OF_BEFORE, _MOST_BEFORE = 0.6, 2.0


def tune_of(samples: Float) -> Tune | None:
    """What a song is told by, of mono sound at 16 kHz; None of less than a second."""
    if len(samples) < ASR_RATE:
        return None
    power = _power(samples)
    pitch, clear = _pitch(power)
    level = 10 * np.log10(power.mean(axis=1) + _QUIET)
    loud = level > np.percentile(level, 95) - _LOUD_DB
    voiced = clear & loud
    bands = _bands(power)
    return Tune(
        seconds=len(samples) / ASR_RATE,
        depth=float((bands.std(axis=0) / (bands.mean(axis=0) + _QUIET)).mean()),
        pace=_pace(bands),
        held=_held_share(pitch, voiced),
        voiced=float(voiced.sum() / loud.sum()),
        breath_s=_mean_run(voiced) * _HOP / ASR_RATE,
    )


def without_song(said: Transcript, odds: float | None, language: str) -> Transcript:
    """The transcript, left alone if it is a song's. `language`: if the recognizer told none;
    `odds`: see `odds_of`, None if that cannot be told."""
    if odds is None or not is_song(odds):
        return said
    sure = said.answer.probability if said.answer else 0.0
    language = said.answer.language if said.answer else language
    return replace(said, text="", words=(), answer=Answer(language, sure, LeftAlone.SONG))


def odds_of(tune: Tune, before: float = 0.0) -> float:
    """How surely words are sung, as log odds (natural): by their sound, which says less the shorter
    it is, and by the odds of what came just before."""
    sound = (
        _BIAS
        + _PER_LOG_DEPTH * np.log(tune.depth + _QUIET)
        + _PER_PACE * tune.pace
        + _PER_HELD * tune.held
        + _PER_VOICED * tune.voiced
        + _PER_LOG_BREATH * np.log(100 * tune.breath_s + 1)
    )
    most = _OF_BEFORE * _MOST_BEFORE
    of_before = min(max(_OF_BEFORE * before, -most), most)
    return float(sound * min(1.0, tune.seconds / _LONG_S) + of_before)


def is_song(odds: float) -> bool:
    """Whether words are sung, by their odds."""
    return odds > _SURE


def _power(samples: Float) -> Array:
    """Power spectra, a row for each 10 ms."""
    window = np.hanning(_FRAME)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP] * window
    return np.asarray(np.abs(np.fft.rfft(frames, _SIZE, axis=1)) ** 2)


def _bands(power: Array) -> Array:
    """The power of each band, row by row."""
    edges = np.round(_BANDS_HZ * _SIZE / ASR_RATE).astype(int)
    return np.asarray(np.add.reduceat(power, edges, axis=1)[:, :-1])


def _pace(bands: Array) -> float:
    """The share of the bands' rise and fall that is at the pace of syllables."""
    moving = np.sqrt(bands) - np.sqrt(bands).mean(axis=0)
    window = np.hanning(len(moving))[:, None]
    power = (np.abs(np.fft.rfft(moving * window, axis=0)) ** 2).sum(axis=1)
    hertz = np.fft.rfftfreq(len(moving), _HOP / ASR_RATE)

    def within(low: float, high: float) -> float:
        return float(power[(hertz >= low) & (hertz <= high)].sum())

    return within(*_SYLLABLES_HZ) / (within(*_MOVING_HZ) + _QUIET)


def _mean_run(flags: npt.NDArray[np.bool_]) -> float:
    """How many frames in a row, on average, of those that are set; 0 if none is."""
    begun = np.count_nonzero(np.diff(np.concatenate([[False], flags]).astype(np.int8)) == 1)
    return float(flags.sum() / max(begun, 1))


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
