"""Loudness as ITU-R BS.1770-4 and EBU R128 define it, at 48 kHz, mono or stereo.

Works in hops of 100 ms. The K filter is applied in the frequency domain (overlap-save): its
response has fallen by 200 dB within one hop, so the result is that of the recursive filter, at
a fraction of what it costs without compiled code. Left and right travel as one complex signal.
"""

from __future__ import annotations

import math
from collections import deque
from functools import cache

import numpy as np
import numpy.typing as npt

from dubcast.audio.pcm import RATE, Float

HOP = RATE // 10
SILENT = -math.inf  # the loudness of nothing

Powers = npt.NDArray[np.float64]
_Complex = npt.NDArray[np.complex64]

# BS.1770-4, tables 1 and 2: the head's high shelf and the RLB high-pass, for 48 kHz.
_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_OFFSET_LU = -0.691
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_BLOCK_HOPS = 4  # 400 ms blocks, overlapping by 75 %
_SHORT_TERM_HOPS = 30


def lufs(power: float) -> float:
    """K-weighted power (mean squares, summed over the channels) as LUFS."""
    return _OFFSET_LU + 10 * math.log10(power) if power > 0 else SILENT


def power_of(loudness: float) -> float:
    """LUFS as K-weighted power."""
    return 10 ** ((loudness - _OFFSET_LU) / 10)


class KFilter:
    """K-weighted power of a stream, hop by hop; keeps the hop before."""

    def __init__(self) -> None:
        self._before = np.zeros(HOP, dtype=np.complex64)

    def power(self, hop: Float) -> float:
        """Power of the next `hop`: (HOP, 2), or (HOP,) for a mono signal on both channels."""
        if hop.ndim == 1:
            return 2 * self._mono_power(hop)
        fresh = _packed(hop)
        spectrum = np.fft.fft(np.concatenate([self._before, fresh]))
        spectrum *= _k_response()
        self._before = fresh
        filtered = np.fft.ifft(spectrum)[HOP:]
        return float(np.vdot(filtered, filtered).real) / HOP

    def _mono_power(self, hop: Float) -> float:
        spectrum = np.fft.rfft(np.concatenate([self._before.real, hop]))
        spectrum *= _k_response()[: HOP + 1]
        self._before = hop.astype(np.complex64)
        filtered = np.fft.irfft(spectrum)[HOP:]
        return float(np.dot(filtered, filtered)) / HOP


def _packed(hop: Float) -> _Complex:
    """Left and right as real and imaginary part (a copy, so that the caller's may change)."""
    packed: _Complex = np.array(hop, dtype=np.float32, order="C").view(np.complex64)[:, 0]
    return packed


@cache
def _k_response() -> _Complex:
    z = np.exp(-2j * np.pi * np.arange(2 * HOP) / (2 * HOP))
    response = np.ones(2 * HOP, dtype=np.complex128)
    for over, under in (_SHELF, _HIGH_PASS):
        response *= np.polyval(over[::-1], z) / np.polyval(under[::-1], z)
    return response.astype(np.complex64)


def hop_powers(clip: Float) -> Powers:
    """K-weighted power of each whole hop of `clip`, (frames, 2), or (frames,) for both channels.

    A clip shorter than a hop counts as one, with its own mean.
    """
    k = KFilter()
    if len(clip) < HOP:
        padded = np.zeros((HOP, *clip.shape[1:]), dtype=np.float32)
        padded[: len(clip)] = clip
        return np.array([k.power(padded) * HOP / max(len(clip), 1)])
    return np.array([k.power(clip[at : at + HOP]) for at in range(0, len(clip) - HOP + 1, HOP)])


def gated(hops: Powers) -> float:
    """Integrated loudness of consecutive hops, LUFS: 400 ms blocks, gated at -70 LUFS and then
    10 LU below the mean of the rest. Fewer hops than a block count as one. SILENT: nothing passes.
    """
    if not len(hops):
        return SILENT
    width = min(_BLOCK_HOPS, len(hops))
    total = np.concatenate([[0.0], np.cumsum(hops)])
    blocks = (total[width:] - total[:-width]) / width
    blocks = blocks[blocks >= power_of(_ABSOLUTE_GATE)]
    if not len(blocks):
        return SILENT
    threshold = float(blocks.mean()) * 10 ** (_RELATIVE_GATE / 10)
    return lufs(float(blocks[blocks >= threshold].mean()))


def integrated(clip: Float) -> float:
    """Integrated loudness of a clip, LUFS; (frames, 2), or (frames,) for both channels alike."""
    return gated(hop_powers(clip))


class LoudnessMeter:
    """Follows a stream of blocks of any length; remembers the last 3 s."""

    def __init__(self) -> None:
        self._k = KFilter()
        self._waiting = np.zeros((0, 2), dtype=np.float32)
        self._hops: deque[float] = deque(maxlen=_SHORT_TERM_HOPS)

    def feed(self, block: Float) -> int:
        """Take (frames, 2); returns how many hops it completed."""
        waiting = np.concatenate([self._waiting, block]) if len(self._waiting) else block
        done = len(waiting) // HOP
        for at in range(0, done * HOP, HOP):
            self._hops.append(self._k.power(waiting[at : at + HOP]))
        self._waiting = waiting[done * HOP :].copy()
        return done

    @property
    def momentary(self) -> float:
        """Loudness of the last 400 ms, LUFS; SILENT before there are as many."""
        if len(self._hops) < _BLOCK_HOPS:
            return SILENT
        return lufs(sum(list(self._hops)[-_BLOCK_HOPS:]) / _BLOCK_HOPS)

    @property
    def short_term_gated(self) -> float:
        """Loudness of what passes the gates in the last 3 s at most, LUFS."""
        return gated(np.array(self._hops))
