"""Takes a recording apart with the help of what is known of it: bed, original, and the rest.

The bed and the original speech of a generated programme are known to the sample. What is left of
the output when the best fit of both is taken away, band by band, is the dub. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from dubcast.audio.pcm import RATE, Float

_SIZE = 2048
_HOP = 512
_BANDS = 20
_LOWEST_HZ = 150.0
_BLOCK = 16  # frames of 512: 0.17 s
_PIECE = 12 * RATE
_MARGIN = RATE
# Neither is ever louder in the output than it was, but for what a fit makes of chance.
_LARGEST = 1.5
_STEP_S = 0.005
_WINDOW_S = 0.010

Spectra = NDArray[Any]


@dataclass(frozen=True)
class Parts:
    """What an output is made of; all (frames, 2), on the timeline of the content.

    `dub`: neither bed nor original; `voices`: all but the bed, so dub and what is left of the
    original; `original`: the latter alone.
    """

    dub: Float
    voices: Float
    original: Float


def taken_apart(output: Float, bed: Float, speech: Float) -> Parts:
    """Split `output` (frames, 2), given the true `bed` (frames, 2) and `speech` (frames,)."""
    both = np.repeat(speech[:, None], 2, axis=1)
    dub = np.zeros_like(output)
    original = np.zeros_like(output)
    for first, last in _pieces(len(output)):
        wide = slice(max(0, first - _MARGIN), last + _MARGIN)
        rest, left = _fit(output[wide], bed[wide], both[wide])
        inner = slice(first - wide.start, last - wide.start)
        dub[first:last], original[first:last] = rest[inner], left[inner]
    return Parts(dub, dub + original, original)


def leak_db(output: Float, bed: Float, speech: Float) -> float | None:
    """How much of the original is still in this span, against the whole of it, in dB.

    All three are (frames, 2). One factor per band for all of the span, so that a dub can hardly
    pass for the original by chance: beside one as loud, what is 26 dB below can be told in 2 s.
    """
    mixed, under, said = (_spectra(sound) for sound in (output, bed, speech))
    left = whole = 0.0
    for low, high in _bands():
        cell = np.s_[:, low:high]
        energy = _dot(said[cell], said[cell])
        left += energy * _gains(mixed[cell], under[cell], said[cell])[1] ** 2
        whole += energy
    return None if whole < 1e-6 else float(10 * np.log10(max(left / whole, 1e-6)))


def bed_in(output: Float, bed: Float, speech: Float) -> Float:
    """The true bed as loud as it is found in this span of the output, shape (frames, 2).

    One factor per band for all of the span: too coarse to carry a word.
    """
    mixed, under, said = (_spectra(sound) for sound in (output, bed, speech))
    found = np.zeros_like(under)
    for low, high in _bands():
        cell = np.s_[:, low:high]
        found[cell] = _gains(mixed[cell], under[cell], said[cell])[0] * under[cell]
    return _sound(found, len(bed))


def _pieces(count: int) -> Iterator[tuple[int, int]]:
    for first in range(0, count, _PIECE):
        yield first, min(first + _PIECE, count)


def _fit(output: Float, bed: Float, speech: Float) -> tuple[Float, Float]:
    """(the rest, the original as it is found in the output)."""
    mixed, under, said = (_spectra(sound) for sound in (output, bed, speech))
    rest, left = mixed.copy(), np.zeros_like(mixed)
    for low, high in _bands():
        for first in range(0, mixed.shape[2], _BLOCK):
            cell = np.s_[:, low:high, first : first + _BLOCK]
            a, b = _gains(mixed[cell], under[cell], said[cell])
            left[cell] = b * said[cell]
            rest[cell] = mixed[cell] - a * under[cell] - left[cell]
    return _sound(rest, len(output)), _sound(left, len(output))


def _gains(mixed: Spectra, under: Spectra, said: Spectra) -> tuple[float, float]:
    """How much of `under` and of `said` is in `mixed`: least squares with real factors."""
    uu, ss, us = _dot(under, under), _dot(said, said), _dot(under, said)
    um, sm = _dot(under, mixed), _dot(said, mixed)
    a, b = um / max(uu, 1e-12), 0.0
    determinant = uu * ss - us * us
    if ss > 1e-9 and determinant > 1e-6 * uu * ss:
        a, b = (um * ss - sm * us) / determinant, (sm * uu - um * us) / determinant
    elif ss > 1e-9 and uu <= 1e-12:
        b = sm / ss
    return float(np.clip(a, 0, _LARGEST)), float(np.clip(b, 0, _LARGEST))


def _dot(left: Spectra, right: Spectra) -> float:
    return float(np.vdot(left, right).real)


def _spectra(sound: Float) -> Spectra:
    padded = np.pad(sound, ((_SIZE, _SIZE), (0, 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE, axis=0)[::_HOP]
    window = np.sqrt(signal.get_window("hann", _SIZE)).astype(np.float32)
    return np.asarray(fft.rfft(frames * window, axis=2)).transpose(1, 2, 0)


def _sound(spectra: Spectra, count: int) -> Float:
    window = np.sqrt(signal.get_window("hann", _SIZE)).astype(np.float32)
    frames = fft.irfft(spectra.transpose(2, 0, 1), _SIZE, axis=2) * window
    out = np.zeros((len(frames) * _HOP + _SIZE, 2), dtype=np.float32)
    for index, frame in enumerate(frames):
        out[index * _HOP : index * _HOP + _SIZE] += frame.T
    # Four windows overlap; their squares sum to two.
    return np.asarray(out[_SIZE : _SIZE + count] / 2, dtype=np.float32)


def _bands() -> list[tuple[int, int]]:
    edges = np.geomspace(_LOWEST_HZ, RATE / 2, _BANDS)
    bins = [0, *np.round(edges * _SIZE / RATE).astype(int).tolist()]
    bins[-1] = _SIZE // 2 + 1
    return [(low, high) for low, high in pairwise(bins) if high > low]


def level_db(sound: NDArray[Any], window_s: float = _WINDOW_S, step_s: float = _STEP_S) -> Any:
    """RMS level in dBFS every `step_s`, over the `window_s` that begin there."""
    flat = np.asarray(sound, dtype=np.float64).reshape(len(sound), -1)
    sums = np.concatenate([[0.0], np.cumsum((flat**2).mean(axis=1))])
    window, step = round(window_s * RATE), round(step_s * RATE)
    first = np.arange(0, max(len(flat) - window, 0) + 1, step)
    last = np.minimum(first + window, len(flat))
    return 10 * np.log10(np.maximum((sums[last] - sums[first]) / window, 1e-12))


def active_level_db(level: NDArray[np.float64]) -> float:
    """The level of the louder parts: the power mean of what is within 15 dB of the top."""
    if not len(level):
        return -120.0
    top = float(np.percentile(level, 98))
    return float(10 * np.log10(np.mean(10 ** (level[level > top - 15] / 10))))
