"""The separated background of a stream, and where it takes the place of the original. Pure.

Not thread-safe: the worker's core holds its lock around every call.
"""

from __future__ import annotations

from dubcast.audio.bed import StoredBed
from dubcast.audio.fragmenter import PAD, Span
from dubcast.audio.pcm import Float, Int16, ms_to_samples
from dubcast.separation.gate import SpeechGate
from dubcast.worker.fragment import Fragment

# Removed before a fragment's padding, if the one before does not border on it.
_FARTHER = ms_to_samples(70)


class Background:
    """The bed as far as it has come, and the gate that knows where voices are."""

    def __init__(self, bed: StoredBed, gate: SpeechGate) -> None:
        self._bed = bed
        self._gate = gate

    def write(self, start: int, background: Int16, speech_share: Float) -> None:
        """Background (frames, 2) from `start` on; `speech_share` in dB, one value per 10 ms."""
        self._bed.write(start, background)
        self._gate.shares(start, speech_share)

    def forget(self, before: int) -> None:
        """What lies before this position has left."""
        self._gate.forget(before)

    def covers(self, span: Span) -> bool:
        """Whether all of a span has a background."""
        return self._bed.covered(span.start, span.stop) == span.stop - span.start

    def removed(self, fragment: Fragment) -> tuple[int, int] | None:
        """Where the background replaces the original around a dub; None: it is not there.

        A voice begins before it is found and rings after it: the gate says how long. But never
        into what may be the next fragment, or was the one before, which may not be dubbed.
        """
        span = fragment.span
        padded = span.speech_start - span.start >= PAD
        spoken = max(span.stop - PAD, span.speech_start + 1)
        self._gate.speech(span.speech_start, spoken)
        first = self._gate.around(span.speech_start)[0] if padded else span.start
        last = min(self._gate.rings_until(span.speech_start, spoken), span.slot_stop)
        first, last = max(first, span.start - _FARTHER), max(last, span.stop)
        return (first, last) if self._bed.covered(first, last) == last - first else None
