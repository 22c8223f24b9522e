"""Where speech is taken out, and where the original passes. Pure.

Three witnesses. What the transcript or a dub claims is speech. What voice activity claims is speech
where the separator finds at least some; where the separator is sure, it needs no other witness.
Alone each of the two takes music or a crowd for speech (measured: `make bench-separation`). Where
the separator has not judged, voice activity is believed: when in doubt, remove.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from dubcast.audio.pcm import Float, ms_to_samples
from dubcast.separation.separator import CELL

Span = tuple[int, int]


@dataclass(frozen=True)
class GatePolicy:
    """Thresholds and times. `before_ms` and `after_ms` are removed in full, then it fades.

    The share of speech is the mean over `share_cells` (odd) cells of 10 ms, centred: a syllable
    lasts, a drum does not.
    """

    threshold: float = 0.5  # of the voice activity detector
    share_floor_db: float = -17.0  # under it voice activity is not believed
    share_sure_db: float = -5.0  # from it on the separator alone is believed
    share_cells: int = 41
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
        self._half = self._policy.share_cells // 2
        self._spans: list[Span] = []  # widened, in order, apart by more than two fades
        self._heard: list[Span] = []  # of voice activity, not yet judged by the separator
        self._likely: list[Span] = []  # where the separator finds some speech, in order
        self._judged: int | None = None  # the separator has judged up to here
        self._tail = np.zeros(0)  # shares of energy, the last of which ends at `_fed`
        self._fed = 0

    @property
    def reach(self) -> int:
        """How long before it begins speech is taken out, the fade included."""
        return self._before + self._fade

    @property
    def lookahead(self) -> int:
        """A mask is final this many samples before the end of what the witnesses have seen."""
        return self.reach + (self._half + 1) * CELL

    def vad(self, start: int, length: int, probability: float) -> None:
        """One window of voice activity."""
        if probability < self._policy.threshold:
            return
        span = start, start + length
        for both in _overlaps(span, self._likely):
            self.speech(*both)
        if self._judged is None or span[1] > self._judged:
            _append(self._heard, span)

    def shares(self, start: int, values: Float) -> None:
        """Speech shares in dB of 10 ms cells, the first of which begins at `start`."""
        if start != self._fed or self._judged is None:
            self._begin_shares(start)
        energies = 10 ** (values.astype(np.float64) / 10)
        self._tail = np.concatenate([self._tail, energies])
        self._fed += len(values) * CELL
        ready = len(self._tail) - 2 * self._half
        if ready > 0:
            # Each mean from its own sum: the same for blocks of any size.
            windows = np.lib.stride_tricks.sliding_window_view(self._tail, 2 * self._half + 1)
            self._judge(windows.mean(axis=1))
            self._tail = self._tail[ready:]

    def _begin_shares(self, start: int) -> None:
        """Shares begin, or go on after a gap, in which voice activity is believed."""
        for first, last in self._heard:
            first = first if self._judged is None else max(first, self._judged)
            self.speech(first, min(last, start))
        self._heard = [span for span in self._heard if span[1] > start]
        self._judged = self._fed = start
        self._tail = np.zeros(self._half)

    def _judge(self, means: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
        """Mean shares of the cells from `_judged` on."""
        assert self._judged is not None
        floor, sure = self._policy.share_floor_db, self._policy.share_sure_db
        for span in _runs(means >= 10 ** (sure / 10), self._judged):
            self.speech(*span)
        for span in _runs(means >= 10 ** (floor / 10), self._judged):
            for both in _overlaps(span, self._heard):
                self.speech(*both)
            _append(self._likely, span)
        self._judged += len(means) * CELL
        self._heard = [span for span in self._heard if span[1] > self._judged]

    def speech(self, first: int, last: int) -> None:
        """Someone speaks from `first` to `last`: a word, a fragment, the source of a dub."""
        if last <= first:
            return
        first, last = first - self._before, last + self._after
        apart = 2 * self._fade
        low = bisect_left(self._spans, first - apart, key=_end)
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

    def rings_until(self, first: int, last: int) -> int:
        """Until when the voice that speaks from `first` to `last` is to be taken out.

        A detector hears on after the end. So where the separator has found some of the voice, it
        rings on from where it was found last.
        """
        rung_out = self.around(last - 1)[1]
        found = [span[1] for span in self._likely if span[0] < last and span[1] > first]
        if not found or self._judged is None or self._judged < last:
            return rung_out
        # A mean is above the floor half its length longer than the speech.
        return min(rung_out, found[-1] - self._half * CELL + self._after)

    def forget(self, before: int) -> None:
        """Drop what lies wholly before `before`."""
        keep = bisect_left(self._spans, before - self._fade, key=_end)
        del self._spans[:keep]
        del self._likely[: bisect_left(self._likely, before, key=_end)]
        over = before - self._after - self._fade
        self._heard = [span for span in self._heard if span[1] > over]

    def mask(self, start: int, count: int) -> Float:
        """How much to remove of each of `count` samples from `start` on: 0 nothing, 1 all."""
        out = np.zeros(count, dtype=np.float32)
        for first, last in [*self._claimed(start, start + count), *self._unjudged()]:
            here = slice(max(first - self._fade - start, 0), max(last + self._fade - start, 0))
            at = np.arange(start, start + count, dtype=np.int64)[here]
            ramp = 1 + np.minimum(at - first, last - 1 - at) / max(self._fade, 1)
            np.maximum(out[here], np.clip(ramp, 0, 1), out=out[here], casting="same_kind")
        return out

    def _claimed(self, start: int, end: int) -> list[Span]:
        low = bisect_left(self._spans, start - self._fade, key=_end)
        high = bisect_right(self._spans, end + self._fade, key=_begin)
        return self._spans[low:high]

    def _unjudged(self) -> list[Span]:
        """Voice activity that the separator has not judged yet, widened."""
        since = self._judged
        spans = [
            (first if since is None else max(first, since), last) for first, last in self._heard
        ]
        return [(first - self._before, last + self._after) for first, last in spans]


def _begin(span: Span) -> int:
    return span[0]


def _end(span: Span) -> int:
    return span[1]


def _append(spans: list[Span], span: Span) -> None:
    """Append a span, or let it lengthen the last one where they touch."""
    if spans and spans[-1][0] <= span[0] <= spans[-1][1]:
        span = spans[-1][0], max(spans.pop()[1], span[1])
    spans.append(span)


def _overlaps(one: Span, others: list[Span]) -> list[Span]:
    """What `one` has in common with the others."""
    common = [(max(one[0], other[0]), min(one[1], other[1])) for other in others]
    return [span for span in common if span[0] < span[1]]


def _runs(cells: np.ndarray[tuple[int], np.dtype[np.bool_]], start: int) -> list[Span]:
    """The spans of cells that are set, of which the first begins at sample `start`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], cells, [False]]).astype(np.int8)))
    return [(start + int(a) * CELL, start + int(b) * CELL) for a, b in edges.reshape(-1, 2)]
