"""How much of a source's sound is in none of the recordings made of it, by the sound itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Samples = NDArray[np.float32]
Span = tuple[int, int]  # samples of the source, half open

# Below this nothing is heard: what an encoder puts before and after the sound is zeros.
_SILENT = 1e-3
_WINDOW_S = 1.0


def covered(source: Samples, piece: Samples, rate_hz: int) -> Span:
    """Where the sound of `piece`, of shape (n,), lies in the source's: the peak of the correlation
    of its middle.
    """
    loud = np.flatnonzero(np.abs(piece) > _SILENT)
    first, last = int(loud[0]), int(loud[-1]) + 1
    size = min(round(_WINDOW_S * rate_hz), last - first)
    at = (first + last - size) // 2
    match = signal.correlate(source, piece[at : at + size], mode="valid", method="fft")
    shift = int(np.argmax(match)) - at
    return first + shift, last + shift


def holes(spans: Iterable[Span]) -> list[int]:
    """Samples that lie between spans, in the order of the source, where there are any."""
    found, end = [], None
    for start, stop in sorted(spans):
        if end is not None and start > end:
            found.append(start - end)
        end = stop if end is None else max(end, stop)
    return found


def lost(source: Samples, pieces: Sequence[Samples], rate_hz: int) -> list[int]:
    """Samples of the source's sound that no piece has, hole by hole, from its start to its end."""
    loud = np.flatnonzero(np.abs(source) > _SILENT)
    first, last = int(loud[0]), int(loud[-1]) + 1
    ends = [(first, first), (last, last)]
    return holes([*ends, *(covered(source, piece, rate_hz) for piece in pieces)])
