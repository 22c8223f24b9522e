"""What the viewer hears of a fragment that has no dub. Pure.

The stream's policy names a mode, and an order to go through when that mode is not to be had: no
background without separation, nothing to repeat before the first dub. The original always is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dubcast.audio.fragmenter import Span
from dubcast.audio.mix import Cover, Dub
from dubcast.audio.pcm import from_db, ms_to_samples
from dubcast.config import SeparationSettings, StreamSettings

_REPEAT_FADE = ms_to_samples(30)
_SHORTEST_REPEAT = ms_to_samples(300)

# Whether the separated background of a span is there; None: the stream has no separation.
HasBackground = Callable[[Span], bool]


class Mode(StrEnum):
    """What plays in place of the dub."""

    ORIGINAL = "original"
    BACKGROUND = "background"  # the bed alone: the speech is missing, the crowd is there
    DUCKED = "ducked"  # the original, turned down
    REPEAT = "repeat"  # the last dub once more, over the bed
    SILENCE = "silence"


@dataclass(frozen=True)
class Choice:
    """The mode chosen and what the mixer takes for it (nothing for the original)."""

    mode: Mode
    cover: Cover | None = None
    dub: Dub | None = None


class FallbackPolicy:
    """Chooses, fragment by fragment in the order of their spans, what plays without a dub."""

    def __init__(self, policy: StreamSettings, background: HasBackground | None = None) -> None:
        self._order = (policy.fallback, *policy.fallback_order, Mode.ORIGINAL)
        self._level = from_db(-policy.fallback_duck_db)
        self._background = background
        self._last: Dub | None = None  # what can be repeated; once
        self._busy_until = 0

    def bridges(self, span: Span) -> bool:
        """Whether the bed plays over `span` while its dub is on its way, instead of a scrap of the
        original: what is said there comes with the dub."""
        wanted = Mode(self._order[0]) in (Mode.ORIGINAL, Mode.DUCKED, Mode.BACKGROUND)
        return wanted and self._try(Mode.BACKGROUND, span) is not None

    def dubbed(self, dub: Dub) -> None:
        """A dub goes on air."""
        self._last, self._busy_until = dub, dub.stop

    def choose(self, span: Span) -> Choice:
        """What plays over `span`."""
        found = (self._try(Mode(name), span) for name in self._order)
        return next(choice for choice in found if choice is not None)

    def _try(self, mode: Mode, span: Span) -> Choice | None:
        if mode is Mode.ORIGINAL:
            return Choice(mode)
        if mode is Mode.REPEAT:
            return self._repeat(span)
        if mode is Mode.DUCKED:
            return Choice(mode, Cover(span.start, span.stop, self._level))
        if mode is Mode.SILENCE:
            return Choice(mode, Cover(span.start, span.stop, 0.0))
        if self._background is None or not self._background(span):
            return None
        return bridge(span)

    def _repeat(self, span: Span) -> Choice | None:
        """The last dub in the room that the span leaves; None if there is none, or no room."""
        start = max(span.speech_start, self._busy_until)
        if self._last is None or span.stop - start < _SHORTEST_REPEAT:
            return None
        samples = self._last.samples[: span.stop - start]
        dub = Dub(span.start, span.stop, start, samples, fade=_REPEAT_FADE)
        self._last, self._busy_until = None, dub.stop
        return Choice(Mode.REPEAT, dub=dub)


def bridge(span: Span) -> Choice:
    """The bed, over `span`."""
    return Choice(Mode.BACKGROUND, Cover(span.start, span.stop, None))


def may_dub(
    separation: SeparationSettings, background: HasBackground | None
) -> Callable[[Span], bool]:
    """Whether a fragment whose dub is there may use it.

    Not if its separation failed and the policy says `skip`; with `duck` the dub goes over the
    ducked original, which is what the mixer's bed is where no background is stored.
    """

    def check(span: Span) -> bool:
        failed = background is not None and not background(span)
        return not (failed and separation.on_failure == "skip")

    return check
