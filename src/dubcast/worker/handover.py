"""Where a fragment ends whose last word was cut, and the next one begins: after that word, once it
is known. Pure; positions in samples of the stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import ms_to_samples
from dubcast.worker.fragment import LEAST_SPEECH, WORD_EARLY, WORD_LATE, Fragment, State

# A word that ends so near to the cut was not cut.
_NEAR = ms_to_samples(80)


class Handover:
    """From the last fragment that was cut to what follows. Not thread-safe.

    It moves later alone: what follows is then due later, too, and nothing is late for it. Where
    words before the cut go with what follows, that begins where it was cut: the detector's place is
    as often inside a word as the recognizer's (7 of 30), and begun earlier it would be late.
    """

    def __init__(self, quiet_until: Callable[[], int], quietest: Callable[[int, int], int]) -> None:
        """`quiet_until`: where the speech begins, or may begin at the earliest, that was not cut
        yet; `quietest`: the place between two positions where the original is."""
        self._cut_quiet_until = quiet_until
        self._quietest = quietest
        self._cut = self._border = 0

    def cut(self, at: int) -> None:
        """A fragment was cut there, and ends there until its words say otherwise."""
        self._cut = self._border = at

    def quiet_until(self) -> int:
        """Where speech that is not a fragment yet may begin at the earliest."""
        begins = self._cut_quiet_until()
        return self._border if begins == self._cut else begins

    def begun(self, span: Span) -> Span:
        """What follows, from where it begins."""
        if self._border == self._cut or not self._cut == span.start == span.speech_start:
            return span
        start = _leaving_some(self._border, span)
        return replace(span, start=start, speech_start=start)

    def ends_with(self, fragment: Fragment, last: int, next_one: Fragment | None) -> None:
        """The last word of a fragment, which is not decided, ends at `last`, by the recognizer: at
        the quietest place near that it ends, and what follows begins, which is `next_one` if it was
        cut already; unless that was sent."""
        cut = fragment.span.stop
        if last - cut <= _NEAR or fragment.fallback not in ("", "original"):
            return
        border = self._quietest(last - WORD_EARLY, last + WORD_LATE)
        if border - cut <= _NEAR:
            return
        if next_one is None:
            self._border = border
        else:
            span = next_one.span
            goes_on = cut == span.start == span.speech_start
            if next_one.state is not State.WAITING or not goes_on:
                return
            border = _leaving_some(border, span)
            next_one.begin_at(border)
        fragment.end_at(border)


def _leaving_some(border: int, span: Span) -> int:
    """Where `span` begins, so that something is left of it."""
    return min(border, span.stop - LEAST_SPEECH)
