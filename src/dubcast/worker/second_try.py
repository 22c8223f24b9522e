"""A fragment in which the service found no words, or that it failed at once, though somebody
speaks: it goes once more, joined with the one that follows, if its deadline allows. Pure.

Short pieces are what a recognizer rejects; with what follows they are none.
"""

from __future__ import annotations

from collections.abc import Callable

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE, ms_to_samples
from dubcast.clock import NS_PER_S
from dubcast.contract.worker import Outcome
from dubcast.worker.fragment import Fragment, State
from dubcast.worker.fragment_length import FragmentLengthLimit
from dubcast.worker.fragments import FragmentBook

# The detector is sure that somebody speaks if so much of a fragment is speech.
_SURE_SHARE = 0.6
_SURE = ms_to_samples(400)
# What follows later than this is of another breath.
_FARTHEST = ms_to_samples(1500)
# What follows has at least so much.
_LEAST_S = 1.0
# It is cut so long before the two together would be too late.
_MARGIN_S = 0.2


class SecondTry:
    """Of one stream. Not thread-safe: called within the core's lock."""

    def __init__(
        self,
        book: FragmentBook,
        limit: FragmentLengthLimit,
        deadline_ns: Callable[[Fragment], int],
        speech_in: Callable[[int, int], int],
    ) -> None:
        """`speech_in(start, stop)`: how much of that is speech, by the detector, in samples."""
        self._book = book
        self._limit = limit
        self._deadline_ns = deadline_ns
        self._speech_in = speech_in

    def hold(self, fragment: Fragment, outcome: Outcome, reason: str, now: int) -> bool:
        """Whether a fragment that came to nothing is held for what follows; if that does not come
        in time, it stays `outcome`."""
        span = fragment.span
        whole = fragment.parts == 1 and fragment.state is State.INFLIGHT
        if fragment.joined or not whole or fragment is not self._book.last:
            return False
        speech = self._speech_in(span.start, span.stop)
        sure = speech >= max(_SURE, _SURE_SHARE * (span.stop - span.start))
        if not sure or self._left_s(fragment, _LEAST_S, now) < _LEAST_S:
            return False
        self._book.hold(fragment, outcome, reason)
        return True

    def joins(self, span: Span, now: int) -> bool:
        """Whether the fragment that is held goes with what was cut now."""
        held = self._book.held
        if held is None or span.start - held.span.stop > _FARTHEST:
            return False
        return self._left_s(held, (span.stop - held.span.stop) / RATE, now) >= 0

    def longest(self, longest: int, begun: int, position: int, now: int) -> int:
        """How long what follows may become, which began at `begun` and has come to `position`;
        `longest`: what it may otherwise, all in samples."""
        held, open_for = self._book.held, position - begun
        if held is None or open_for < _LEAST_S * RATE:
            return longest
        more_s = (position - held.span.stop) / RATE
        return open_for if self._left_s(held, more_s, now) <= _MARGIN_S else longest

    def _left_s(self, held: Fragment, more_s: float, now: int) -> float:
        """Until when, from now, `held` has to be sent with so much more."""
        trip_s = self._limit.round_trip_s(held.length_s + more_s)
        return (self._deadline_ns(held) - now) / NS_PER_S - trip_s
