"""What is measured on a separated background. Pure: arrays and texts in, numbers out.

Sound is float32 of shape (frames, 2) at 48 kHz, and an estimate is aligned with what it is held
against. Ratios of energies are in dB.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

from dubcast.audio.pcm import RATE, Float

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]
Spectra = npt.NDArray[np.complexfloating]

# An error this far below the signal is no error: -100 dB is under the last of 16 bits.
_LEAST = 1e-10
# A bypass that is bit-exact would count as minus infinity and hide every failure in a mean.
BYPASS_DB = -60.0

_SIZE = 2048
_HOP = 512
_BLOCK = 32  # frames of 512: 0.34 s
_BANDS = 24
_LOWEST_HZ = 190.0
_HIGHEST_HZ = 16_000.0
# Bands and blocks in which there is this little speech (below the loudest) say nothing.
_QUIET = 1e-6
_CELL = RATE // 100
_ACTIVE_DB = -45.0


def decibel(ratio: float) -> float:
    """A ratio of energies in dB, not below -100."""
    return float(10 * np.log10(max(ratio, _LEAST)))


def si_sdr_db(estimate: Float, reference: Float) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al., 2019), at most 100 dB.

    One scale for both channels: a shifted stereo image counts as distortion.
    """
    got, true = estimate.astype(np.float64).ravel(), reference.astype(np.float64).ravel()
    scaled = true * (float(got @ true) / max(float(true @ true), 1e-30))
    return -decibel(float(np.sum((got - scaled) ** 2)) / max(float(scaled @ scaled), 1e-30))


@dataclass(frozen=True)
class Leak:
    """`speech_db`: energy of the true speech that is left, relative to the speech.
    `background_db`: energy of what the background lost or gained while there was speech.
    """

    speech_db: float
    background_db: float


def leak(estimate: Float, background: Float, speech: Float) -> Leak:
    """Least squares of the estimate on [background, speech] in each band and block of 0.34 s.

    24 bands up to 24 kHz; one complex factor per source, band and block, both channels together.
    What neither source explains (musical noise) counts in neither figure: see SI-SDR.
    """
    sounds = [_spectra(sound) for sound in (estimate, background, speech)]
    edges = _band_edges()
    fits = [_fit(*(s[..., low:high] for s in sounds)) for low, high in edges]
    b_energy, s_energy, b_factor, s_factor = (np.stack(part) for part in zip(*fits, strict=True))
    there = s_energy > _QUIET * s_energy.max()
    left = (np.abs(s_factor) ** 2 * s_energy)[there].sum() / s_energy[there].sum()
    lost = (np.abs(1 - b_factor) ** 2 * b_energy)[there].sum() / b_energy[there].sum()
    return Leak(decibel(float(left)), decibel(float(lost)))


def _spectra(sound: Float) -> Spectra:
    """(blocks, frames of a block * channels, bins)."""
    frames = (len(sound) - _SIZE) // _HOP + 1
    window = np.hanning(_SIZE + 1)[:-1].astype(np.float32)
    views = np.lib.stride_tricks.sliding_window_view(sound, _SIZE, axis=0)[::_HOP][:frames]
    bins = fft.rfft(views * window)
    blocks = max(frames // _BLOCK, 1)
    return np.asarray(bins[: blocks * _BLOCK].reshape(blocks, -1, _SIZE // 2 + 1))


def _band_edges() -> list[tuple[int, int]]:
    hertz = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS - 1)
    bins = np.unique(np.round(hertz / RATE * _SIZE).astype(int))
    edges = [1, *bins.tolist(), _SIZE // 2 + 1]
    return [(low, high) for low, high in itertools.pairwise(edges) if high > low]


def _fit(
    estimate: Spectra,
    background: Spectra,
    speech: Spectra,
) -> tuple[Values, Values, Spectra, Spectra]:
    """Energies of both sources and their factors, one of each per block."""

    def dot(a: Spectra, b: Spectra) -> Values:
        return np.asarray((a.conj() * b).sum(axis=(1, 2), dtype=np.complex128))

    bb, ss, bs = dot(background, background).real, dot(speech, speech).real, dot(background, speech)
    be, se = dot(background, estimate), dot(speech, estimate)
    # Where the sources are alike, or one is silent, the smallest factors that fit are taken.
    bb_, ss_ = bb + 1e-9 * (bb + ss) + 1e-20, ss + 1e-9 * (bb + ss) + 1e-20
    det = bb_ * ss_ - np.abs(bs) ** 2
    return bb, ss, (ss_ * be - bs * se) / det, (bb_ * se - bs.conj() * be) / det


def active(speech: Float) -> Mask:
    """Where somebody speaks, per sample: 10 ms cells within 45 dB of the loudest one."""
    cells = -(-len(speech) // _CELL)
    padded = np.zeros((cells * _CELL, speech.shape[1]))
    padded[: len(speech)] = speech
    power = np.square(padded).reshape(cells, -1).mean(axis=1)
    loud = power > power.max() * 10 ** (_ACTIVE_DB / 10)
    return np.repeat(loud, _CELL)[: len(speech)]


def speech_free(speech: Float, distance_s: float = 0.3) -> Mask:
    """What is at least this far from any speech, per sample."""
    reach = round(distance_s * RATE)
    near = np.cumsum(np.concatenate([[0], active(speech).astype(np.int64)]))
    at = np.arange(len(speech))
    first, last = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(speech))
    return np.asarray(near[last] == near[first])


def error_db(estimate: Float, reference: Float, where: Mask) -> float:
    """Energy of the difference relative to the reference there; a bypass counts as -60 dB."""
    true = reference[where].astype(np.float64)
    error = np.square(estimate[where] - true).sum()
    return max(decibel(float(error / max(np.square(true).sum(), 1e-30))), BYPASS_DB)


def lag(estimate: Float, reference: Float, most: int = 4800) -> int:
    """Samples by which the estimate is late (negative: early), by the peak of the correlation."""
    got, true = estimate.mean(axis=1), reference.mean(axis=1)
    together = signal.correlate(got.astype(np.float64), true.astype(np.float64), method="fft")
    middle = len(true) - 1
    near = together[max(middle - most, 0) : middle + most + 1]
    return int(np.argmax(near)) - min(middle, most)


def words(text: str) -> list[str]:
    """Words in lower case without punctuation; an apostrophe belongs to its word."""
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower().replace("’", "'"))


def read_in_order(reference: Sequence[str], heard: Sequence[str]) -> float:
    """Per cent of the reference's words that were heard, in its order (longest common
    subsequence).
    """
    best = [0] * (len(heard) + 1)
    for word in reference:
        before = 0
        for at, other in enumerate(heard, 1):
            before, best[at] = (
                best[at],
                (before + 1 if word == other else max(best[at], best[at - 1])),
            )
    return 100.0 * best[-1] / len(reference) if reference else 0.0
