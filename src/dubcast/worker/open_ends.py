"""The ends of fragments that were cut where speech goes on: what the service leaves of them is said
with the next one. Pure; positions in samples.
"""

from __future__ import annotations

from collections.abc import Callable

from dubcast.audio.pcm import RATE
from dubcast.worker.fragment import LEAST_SPEECH, Fragment, State
from dubcast.worker.fragment_length import FragmentLengthLimit
from dubcast.worker.fragments import FragmentBook

# A last word, which may be left whatever time there is, and the most that is.
_LAST_WORD_S = 0.8
_LONGEST_S = 3.0


class OpenEnds:
    """Of one stream. Not thread-safe: called within the core's lock."""

    def __init__(
        self,
        book: FragmentBook,
        limit: FragmentLengthLimit,
        begin_at: Callable[[int, int], bool],
    ) -> None:
        """`begin_at(cut, border)`: speech that was cut goes on earlier; false if that was, too."""
        self._book = book
        self._limit = limit
        self._begin_at = begin_at
        self._awaited: set[int] = set()  # sequence numbers of those of which the end is not known

    def ask(self, fragment: Fragment) -> int:
        """How much of its end may be left for the next one, in ms, so that this one is in time,
        too: what is left is known when the reply begins, and the next one is as long at least."""
        if not fragment.span.cut:
            return 0
        self._awaited.add(fragment.sequence)
        spare_s = self._limit.longest_s - self._limit.round_trip_s(fragment.length_s)
        return round(1000 * min(max(spare_s, _LAST_WORD_S), _LONGEST_S))

    def known(self, sequence: int) -> None:
        """It is known where a fragment ends, or will not be."""
        self._awaited.discard(sequence)

    def pending(self, fragment: Fragment) -> bool:
        """Whether words of the one before may still be left for it."""
        before = fragment.sequence - 1
        waits = any(one.state is State.WAITING and one.span.cut for one in self._book.parts(before))
        return waits or before in self._awaited

    def leave(self, fragment: Fragment, border: int) -> None:
        """The words from `border` on are said with the next fragment. If that is at the service
        already they air as they came, unless it is a last word."""
        cut = fragment.span.stop
        if not fragment.speech_start + LEAST_SPEECH <= border < cut:
            return
        following = fragment.sequence + 1
        goes_on = self._book.begin_at(following, cut, border) or self._begin_at(cut, border)
        if goes_on or cut - border > _LAST_WORD_S * RATE:
            self._book.end_at(fragment, border)
