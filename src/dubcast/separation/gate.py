"""Where speech is taken out, and where the original passes bit for bit. Pure.

Three witnesses, of which one is enough: voice activity, the separator's own estimate of the share
of speech, and the spans that the transcript or a dub claims. When in doubt, remove.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from dubcast.audio.pcm import Float, Int16, ms_to_samples
from dubcast.separation.base import CELL

_SILENT_RUN = 48  # 1 ms of zeros on both channels is silence, not a crossing


@dataclass(frozen=True)
class GatePolicy:
    """Thresholds and times. `before_ms` and `after_ms` are removed in full, then it fades."""

    threshold: float = 0.3  # of the voice activity detector, which misses speech under a crowd
    share_db: float = -15.0
    share_cells: int = 3  # as many 10 ms cells in a row: one alone is a click
    before_ms: float = 150.0
    after_ms: float = 350.0
    fade_ms: float = 20.0


class SpeechGate:
    """Collects the witnesses of one stream and tells the removal mask. Positions are samples."""

    def __init__(self, policy: GatePolicy | None = None) -> None:
        self._policy = policy or GatePolicy()
        self._before = ms_to_samples(self._policy.before_ms)
        self._after = ms_to_samples(self._policy.after_ms)
        self._fade = ms_to_samples(self._policy.fade_ms)
        self._spans: list[tuple[int, int]] = []  # widened, in order, apart by more than two fades
        self._run = (0, 0)  # cells above the share in a row, and where the next must begin

    @property
    def lookahead(self) -> int:
        """A mask is final this many samples before the end of what the witnesses have seen."""
        return self._before + self._fade + self._policy.share_cells * CELL

    def vad(self, start: int, length: int, probability: float) -> None:
        """One window of voice activity."""
        if probability >= self._policy.threshold:
            self.speech(start, start + length)

    def shares(self, start: int, values: Float) -> None:
        """Speech shares in dB of 10 ms cells, the first of which begins at `start`."""
        count, expected = self._run
        count = count if start == expected else 0
        for cell, value in enumerate(values):
            count = count + 1 if value > self._policy.share_db else 0
            if count >= self._policy.share_cells:
                end = start + (cell + 1) * CELL
                self.speech(end - count * CELL, end)
        self._run = count, start + len(values) * CELL

    def speech(self, first: int, last: int) -> None:
        """Someone speaks from `first` to `last`: a word, a fragment, the source of a dub."""
        if last <= first:
            return
        first, last = first - self._before, last + self._after
        apart = 2 * self._fade
        low = bisect_left(self._spans, first - apart, key=lambda span: span[1])
        high = low
        while high < len(self._spans) and self._spans[high][0] <= last + apart:
            first = min(first, self._spans[high][0])
            last = max(last, self._spans[high][1])
            high += 1
        self._spans[low:high] = [(first, last)]

    def around(self, at: int) -> tuple[int, int]:
        """The span of removal that `at` lies in; without a witness that is `at` alone."""
        low = bisect_left(self._spans, at, key=lambda span: span[1])
        if low < len(self._spans) and self._spans[low][0] <= at:
            return self._spans[low]
        return at, at

    def forget(self, before: int) -> None:
        """Drop what lies wholly before `before`."""
        keep = bisect_left(self._spans, before - self._fade, key=lambda span: span[1])
        del self._spans[:keep]

    def mask(self, start: int, count: int) -> Float:
        """How much to remove of each of `count` samples from `start` on: 0 nothing, 1 all."""
        out = np.zeros(count, dtype=np.float32)
        low = bisect_left(self._spans, start - self._fade, key=lambda span: span[1])
        for first, last in self._spans[low:]:
            if first - self._fade >= start + count:
                break
            here = slice(max(first - self._fade - start, 0), max(last + self._fade - start, 0))
            at = np.arange(start, start + count, dtype=np.int64)[here]
            ramp = 1 + np.minimum(at - first, last - 1 - at) / max(self._fade, 1)
            np.maximum(out[here], np.clip(ramp, 0, 1), out=out[here], casting="same_kind")
        return out

    def render(self, start: int, original: Int16, background: Int16) -> Int16:
        """`original` outside speech, bit for bit; `background` inside; a crossfade between.

        Both (frames, 2) from position `start`. Digital silence stays digital silence.
        """
        mask = self.mask(start, len(original))
        if not mask.any():
            return original
        # The two are nearly the same signal: gains that add up to one keep the level.
        mixed = original + mask[:, np.newaxis] * (background.astype(np.float32) - original)
        out: Int16 = np.rint(mixed).astype(np.int16)
        untouched = (mask == 0) | silent(original)
        out[untouched] = original[untouched]
        return out


def silent(block: Int16) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which frames lie in a run of digital silence, on both channels."""
    zero = ~block.any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], zero, [False]]).astype(np.int8)))
    out = np.zeros(len(block), dtype=np.bool_)
    for first, last in edges.reshape(-1, 2):
        out[first:last] = last - first >= min(_SILENT_RUN, len(block))
    return out
