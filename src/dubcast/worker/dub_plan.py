"""Where the dubs of all open fragments go, and at which tempo, as the planner sees them. Pure;
positions and lengths in samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dubcast.audio.mix import DUB_EDGE, Dub
from dubcast.audio.pcm import Float, ms_to_samples
from dubcast.audio.vad import WINDOW
from dubcast.contract.worker import Outcome
from dubcast.worker.fragment import Fragment
from dubcast.worker.planner import Planner, Utterance

# A tempo nearer than this to the one wanted is as good, and needs no stretching.
_CLOSE = 0.01
_ROUNDING = ms_to_samples(5)
# Speech is detected window by window, and the voice comes late in the first one (measured, 20 ms
# after its beginning in the mean, 60 at most). A dub before its speaker is noticed sooner than one
# after, so that it begins where the window ends.
_DETECTED = WINDOW


@dataclass(frozen=True)
class Stretch:
    """A dub to be brought to `tempo` (in total), from `voice` as it came from the service."""

    fragment: Fragment
    voice: Float
    tempo: float

    @property
    def factor(self) -> float:
        """The tempo relative to `voice`."""
        return self.tempo / self.fragment.service_tempo


class DubPlan:
    """Asks the planner about the parts in `parts`, which change under it. Not thread-safe."""

    def __init__(
        self,
        planner: Planner,
        quiet_until: Callable[[], int],
        parts: Mapping[tuple[int, int], Fragment],
    ) -> None:
        """`quiet_until`: where speech that is not a fragment yet may begin at the earliest."""
        self._planner = planner
        self._quiet_until = quiet_until
        self._parts = parts

    def learn(self, fragment: Fragment) -> None:
        """The natural length of a dub became known."""
        self._planner.learn(self._utterance(fragment))

    def slot(self, fragment: Fragment) -> int:
        """Room for the dub of an open fragment, as far as it can be foreseen."""
        if self._planner.match:
            return fragment.span.stop - fragment.span.start
        for one, line, free in self._plan():
            if one is fragment:
                onset = line[1].onset if len(line) > 1 else self._quiet_until()
                slot = self._planner.slot(line[0].onset, free, max(onset, fragment.span.slot_stop))
                return max(slot, fragment.span.stop - fragment.speech_start)
        raise ValueError(f"fragment {fragment.sequence} is not open")

    def next_stretch(self) -> Stretch | None:
        """The next dub that should be spoken at another tempo than it is, if any; it is not given
        out again until `stretching` is false."""
        for fragment, line, free in self._plan():
            if fragment.delivered is None or fragment.stretching or self._exact(fragment):
                continue
            tempo = self._planner.tempo(line, free, self._quiet_until())
            if abs(tempo / fragment.tempo - 1) > _CLOSE:
                fragment.stretching = True
                return Stretch(fragment, fragment.delivered, tempo)
        return None

    def place(self, fragment: Fragment, voice: Float) -> None:
        """Give a fragment its dub for good, or the reason why there is no room for it."""
        span = fragment.span
        line = [self._utterance(one) for one in self._from(fragment.place)]
        placing = self._planner.place(
            [self._utterance(fragment), *line], len(voice), self._quiet_until(), span.overlap
        )
        fragment.reason = placing.reason
        if placing.start is None:
            fragment.outcome = Outcome.SHIFT
            return
        fragment.outcome = Outcome.DUBBED
        fade = span.overlap or DUB_EDGE
        fragment.dub = Dub(span.start, span.stop, placing.start, voice, fade)
        fragment.shift, fragment.backlog = fragment.late + placing.shift, placing.backlog

    def _exact(self, fragment: Fragment) -> bool:
        """True if the service made the dub as long as its fragment, as it was asked to."""
        assert fragment.delivered is not None
        span = fragment.span
        return (
            self._planner.match
            and abs(len(fragment.delivered) - (span.stop - span.start)) <= _ROUNDING
        )

    def _plan(self) -> Iterator[tuple[Fragment, list[Utterance], int]]:
        """Each open part that speaks, itself and those after it as the planner sees them, and
        where the dubs before it end."""
        fragments = self._from((-1, 0))
        line = [self._utterance(fragment) for fragment in fragments]
        free, quiet_until = self._planner.free, self._quiet_until()
        for i, fragment in enumerate(fragments):
            yield fragment, line[i:], free
            tempo = self._planner.tempo(line[i:], free, quiet_until)
            free = self._planner.after(line[i], free, tempo)

    def _from(self, place: tuple[int, int]) -> list[Fragment]:
        """The open parts after `place` that speak, in order."""
        later = (one for one in self._parts.values() if one.place > place and one.speaks)
        return sorted(later, key=lambda one: one.place)

    def _utterance(self, fragment: Fragment) -> Utterance:
        span = fragment.span
        natural = None
        if fragment.delivered is not None:
            natural = round(len(fragment.delivered) * fragment.service_tempo)
        elif fragment.left_alone:
            natural = fragment.speech_stop - fragment.speech_start
        if self._planner.match:
            return Utterance(span.start, span.stop - span.start, natural)
        speech = fragment.speech_stop - fragment.speech_start
        inner = fragment.part > 0
        onset = fragment.speech_start + (0 if inner else _DETECTED)
        breath = round(fragment.breath * fragment.service_tempo)
        return Utterance(onset, speech, natural, inner, breath)
