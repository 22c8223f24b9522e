"""Cuts the timeline into fragments of speech. Pure: windows in, fragments out.

Two ways of cutting behind one interface:

- `SpeechFragmenter` cuts at pauses. Measured on the same speech, fixed chunks of 1-2 s lose
  6-50 % of the words, cuts at pauses 1-8 %. Where speech does not pause, the cut falls on the
  100 ms that are the least like speech in the last 45 % of the longest fragment allowed.
- `FixedFragmenter` cuts chunks of 1-2 s with an overlap, as the specification names them, and
  leaves out chunks without speech.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from dubcast.audio.pcm import ms_to_samples
from dubcast.audio.vad import WINDOW, Window

PAD = ms_to_samples(100)  # kept around the speech; crossfades fall into it
_HYSTERESIS = 0.15
_CUT_REGION = 0.45
_CUT_WINDOWS = 3  # 96 ms
# Beside the detector's probability: over a crowd the quietest place is the crowd's, not a gap
# between words (measured on fast sport: 1 point of chrF).
_POWER_WEIGHT = 0.1
# A fragment shorter than the minimum ends all the same when the pause lasts this long. Waiting
# costs nothing, since a dub is due when its speech is, and "ask not" alone is no sentence. (Counted
# in words, over nine minutes of readers and talk, it makes no difference beyond chance.)
_LONG_PAUSE_FACTOR = 5
# A fragment that has this much of the longest allowed ends at any pause.
_ENOUGH = 0.65
# What is left of a word when the input ends may be shorter than the service takes: no loss.
_LEAST = ms_to_samples(200)


@dataclass(frozen=True)
class Span:
    """A fragment on the timeline, in samples.

    `start`..`stop` is sent and replaced; the speech begins at `speech_start`. `slot_stop` is how
    far the dub may run: the end of the silence that is known to follow. `overlap` > 0: the next
    fragment begins that much before `stop` (fixed mode).
    """

    start: int
    stop: int
    speech_start: int
    slot_stop: int
    overlap: int = 0


class Fragmenter(Protocol):
    """Windows in time order in, spans in time order out."""

    def feed(self, windows: Iterable[Window], longest: int) -> Iterator[Span]:
        """Spans completed by these windows; `longest` is the longest allowed, in samples."""

    def flush(self) -> Iterator[Span]:
        """The rest, when the input ends or jumps."""

    @property
    def quiet_until(self) -> int:
        """Where the speech of the next span begins, or may begin at the earliest."""


class SpeechFragmenter:
    """Cuts at pauses of at least `pause` samples once a fragment has `shortest` samples.

    The shorter a fragment is against the longest allowed, the longer a pause has to be: most
    sentences end with one, and a sentence is translated better as a whole.
    """

    def __init__(self, threshold: float, pause: int, shortest: int) -> None:
        self._open_at = threshold
        self._close_at = max(threshold - _HYSTERESIS, 0.01)
        self._pause = pause
        self._shortest = shortest
        self._floor = 0  # end of the previous fragment: the next may not begin before it
        self._windows: deque[Window] = deque()  # of the open fragment
        self._start: int | None = None
        self._speech_start = 0
        self._speech_stop = 0
        self._heard = 0  # end of the last window

    @property
    def quiet_until(self) -> int:
        return self._heard if self._start is None else self._speech_start

    def feed(self, windows: Iterable[Window], longest: int) -> Iterator[Span]:
        for window in windows:
            self._heard = window.start + WINDOW
            if self._start is None:
                self._maybe_open(window)
                continue
            self._windows.append(window)
            if window.probability >= self._close_at:
                self._speech_stop = window.start + WINDOW
            yield from self._maybe_close(window.start + WINDOW, longest)

    def flush(self) -> Iterator[Span]:
        if self._start is None:
            return
        rest = self._close(self._speech_stop, self._speech_stop)
        if rest.stop - rest.start >= _LEAST:
            yield rest

    def _maybe_open(self, window: Window) -> None:
        if window.probability < self._open_at:
            return
        self._start = max(window.start - PAD, self._floor)
        self._speech_start = window.start
        self._speech_stop = window.start + WINDOW
        self._windows = deque([window])

    def _maybe_close(self, now: int, longest: int) -> Iterator[Span]:
        assert self._start is not None
        silence = now - self._speech_stop
        is_full = now - self._start >= longest
        length = self._speech_stop + PAD - self._start
        needed = self._pause if is_full else self._needed_pause(length, longest)
        if silence >= needed:
            yield self._close(min(self._speech_stop + PAD, now), now)
        elif is_full:
            yield from self._cut(longest)

    def _needed_pause(self, length: int, longest: int) -> int:
        """How long a pause ends a fragment of `length`: from _LONG_PAUSE_FACTOR times the pause
        down to it, where a fragment has _ENOUGH of the longest allowed.
        """
        shortest, enough = self._shortest, round(_ENOUGH * longest)
        if length < shortest:
            return _LONG_PAUSE_FACTOR * self._pause
        missing = min(max((enough - length) / max(enough - shortest, 1), 0.0), 1.0)
        return round(self._pause * (1 + (_LONG_PAUSE_FACTOR - 1) * missing))

    def _cut(self, longest: int) -> Iterator[Span]:
        """Split running speech where it is least; the rest becomes the next fragment."""
        assert self._start is not None
        at = self._least(self._start + int(longest * (1 - _CUT_REGION)))
        rest = [window for window in self._windows if window.start >= at]
        speech_stop = self._speech_stop
        goes_on = speech_stop > at
        yield self._close(at, at)
        if goes_on:
            self._start = self._speech_start = at
            self._speech_stop = speech_stop
            self._windows = deque(rest)

    def _least(self, earliest: int) -> int:
        """Middle of the `_CUT_WINDOWS` windows that begin at `earliest` or later and are the least
        like speech. Power decides between those that the detector takes for equal.
        """
        windows = [window for window in self._windows if window.start >= earliest]
        if len(windows) < _CUT_WINDOWS:
            return self._windows[-1].start + WINDOW
        usual = statistics.median(window.power for window in windows) or 1.0
        speech = [w.probability + _POWER_WEIGHT * w.power / usual for w in windows]
        sums = [sum(speech[i : i + _CUT_WINDOWS]) for i in range(len(speech) - _CUT_WINDOWS + 1)]
        least = windows[sums.index(min(sums))]
        return least.start + WINDOW * _CUT_WINDOWS // 2

    def _close(self, stop: int, slot_stop: int) -> Span:
        assert self._start is not None
        span = Span(self._start, stop, self._speech_start, max(slot_stop, stop))
        self._floor = stop
        self._start = None
        self._windows.clear()
        return span


class FixedFragmenter:
    """Chunks of `chunk` samples on a fixed grid, each overlapping the next by `overlap`."""

    def __init__(self, threshold: float, chunk: int, overlap: int) -> None:
        self._threshold = threshold
        self._chunk = chunk
        self._overlap = overlap
        self._start: int | None = None
        self._speech: deque[int] = deque()  # starts of windows with speech
        self._heard = 0

    @property
    def quiet_until(self) -> int:
        return self._heard if self._start is None else self._start

    def feed(self, windows: Iterable[Window], longest: int) -> Iterator[Span]:
        chunk = min(self._chunk, longest)
        for window in windows:
            self._heard = window.start + WINDOW
            if self._start is None:
                self._start = window.start
            if window.probability >= self._threshold:
                self._speech.append(window.start)
            while window.start + WINDOW >= self._start + chunk:
                yield from self._emit(self._start, self._start + chunk)
                self._start += chunk - self._overlap

    def flush(self) -> Iterator[Span]:
        self._start = None
        self._speech.clear()
        return iter(())

    def _emit(self, start: int, stop: int) -> Iterator[Span]:
        if any(start - WINDOW < at < stop for at in self._speech):
            yield Span(start, stop, start, stop, self._overlap)
        while self._speech and self._speech[0] + WINDOW <= stop - self._overlap:
            self._speech.popleft()
