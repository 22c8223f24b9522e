"""The life of a fragment in the worker: a table of states, and the decision at its deadline.
Pure; times are stream positions in samples, given from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from dubcast.audio.fragmenter import Span
from dubcast.audio.mix import DUB_EDGE, FADE, Dub
from dubcast.audio.pcm import RATE, Float, ms_to_samples
from dubcast.contract.worker import Outcome
from dubcast.worker.planner import Planner, Utterance
from dubcast.worker.work import DubReply

# A span is decided this long before it begins: the block that fades the one before may end there,
# and the original may be removed a fade's length earlier still.
DECISION_LEAD = 4 * FADE
# A tempo nearer than this to the one wanted is as good, and needs no stretching.
_CLOSE = 0.01
# Any other tempo is not one that a service speaks at: the dub then counts as it came.
_BELIEVED = (0.8, 1.6)
_ROUNDING = ms_to_samples(5)
# A fragment with less speech than this would not have been dubbed.
_LEAST_SPEECH = ms_to_samples(100)
_TEXT = 500  # characters that the service is told of a fragment before
_TEXTS = 16  # kept; more are never on their way at a time


class State(StrEnum):
    """Where a fragment is."""

    WAITING = "waiting"  # cut, not yet sent: others are in flight
    INFLIGHT = "inflight"  # at the speech service
    READY = "ready"  # its dub is here and waits for its deadline
    FAILED = "failed"  # no dub will come: the service refused or failed, or nothing is to be dubbed
    DECIDED = "decided"  # its deadline has passed: on air, one way or the other


_TRANSITIONS: dict[tuple[State, str], State] = {
    (State.WAITING, "send"): State.INFLIGHT,
    (State.WAITING, "fail"): State.FAILED,
    (State.WAITING, "decide"): State.DECIDED,
    (State.INFLIGHT, "reply"): State.READY,
    (State.INFLIGHT, "fail"): State.FAILED,
    (State.INFLIGHT, "decide"): State.DECIDED,
    (State.READY, "decide"): State.DECIDED,
    (State.FAILED, "decide"): State.DECIDED,
}


@dataclass
class Fragment:
    """One span of speech on its way; `text` and figures are filled in as they become known."""

    sequence: int
    id: str
    span: Span
    overlap: int = 0  # so many of its first samples were in the fragment before
    state: State = State.WAITING
    outcome: Outcome | None = None
    reason: str = ""
    fallback: str = ""  # the mode that plays, if there is no dub though there are words
    voice: Float | None = None  # as it will sound
    delivered: Float | None = None  # as it came; None when the fragment is decided
    stretching: bool = False
    dub: Dub | None = None
    language: str = ""  # what the service took it for
    transcript: str = ""
    translation: str = ""
    tempo: float = 1.0  # of `voice`, in total
    service_tempo: float = 1.0  # of `delivered`, as the service says
    speech_start: int = 0
    speech_stop: int = 0
    shift: int | None = None  # the dub begins so much after its onset
    backlog: int | None = None  # the dub lets the next one begin so much late
    round_trip_ms: float = 0.0
    margin_ms: float | None = None  # reply before the deadline
    speech_lufs: float | None = None  # loudness of the speech that the dub replaces
    dub_lufs: float | None = None  # of the dub, as it is mixed
    air_ns: int | None = None  # when its first sample leaves, on the monotonic clock
    stages_ms: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.speech_start, self.speech_stop = self.span.speech_start, self.span.stop

    def hear(self, start_ms: int | None, stop_ms: int | None) -> None:
        """Where the service heard the speech begin and end, in ms within the fragment, if it says.

        The worker's detector may have opened on a breath or the crowd, and a fragment may begin
        with a pause: a later start is believed. An earlier one is not: measured, the service's is
        up to 100 ms before the voice, and a dub that begins before its speaker is noticed sooner
        than one that begins after.
        """
        span = self.span
        if start_ms is not None:
            start = span.start + ms_to_samples(start_ms)
            if self.speech_start < start <= span.stop - _LEAST_SPEECH:
                self.speech_start = start
        if stop_ms is not None:
            stop = span.start + ms_to_samples(stop_ms)
            self.speech_stop = stop if self.speech_start < stop <= span.stop else span.stop

    @property
    def length_s(self) -> float:
        """How long it is, in seconds."""
        return (self.span.stop - self.span.start) / RATE

    @property
    def speaks(self) -> bool:
        """True if its time is taken: by a dub that is there or may come, or by its own words."""
        return self.state not in (State.FAILED, State.DECIDED) or self.left_alone

    @property
    def left_alone(self) -> bool:
        """True if its own words are heard."""
        return self.outcome is Outcome.LEFT_ALONE

    @property
    def deadline(self) -> int:
        """The stream position at whose rendering the decision falls."""
        return self.span.start - DECISION_LEAD

    def step(self, event: str) -> None:
        """Apply `event`. Raises ValueError if the table has no such transition."""
        try:
            self.state = _TRANSITIONS[self.state, event]
        except KeyError:
            raise ValueError(f"fragment {self.sequence}: {event} in {self.state}") from None


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


class FragmentBook:
    """All fragments on their way, in order; the one place where their states change.

    Not thread-safe: the worker holds its lock around every call.
    """

    def __init__(
        self,
        planner: Planner,
        quiet_until: Callable[[], int],
        may_dub: Callable[[Span], bool] = lambda span: True,
    ) -> None:
        """`quiet_until`: where speech that is not a fragment yet may begin at the earliest."""
        self._planner = planner
        self._quiet_until = quiet_until
        self._may_dub = may_dub
        self._open: dict[int, Fragment] = {}
        self._next = 0
        self._cut_to = 0  # where the last fragment stops
        self._texts: dict[int, tuple[str, str]] = {}  # of the last that came back, by sequence

    def add(self, span: Span, run_id: str) -> Fragment:
        """A new fragment, WAITING."""
        overlap = max(self._cut_to - span.start, 0)
        fragment = Fragment(self._next, f"{run_id}-{self._next}", span, overlap)
        self._open[fragment.sequence] = fragment
        self._next += 1
        self._cut_to = span.stop
        return fragment

    def context(self, fragment: Fragment) -> tuple[str, str]:
        """Source and target text of the nearest fragment before it whose dub came in time."""
        before = (number for number in self._texts if number < fragment.sequence)
        return self._texts.get(max(before, default=-1), ("", ""))

    def repeats(self, fragment: Fragment) -> int:
        """How much of its start, in samples, repeats words that are known and have a dub: what
        the fragment before did not get across is not to be left out of this one.
        """
        return fragment.overlap if fragment.sequence - 1 in self._texts else 0

    def overlap_pending(self, fragment: Fragment) -> bool:
        """True if it overlaps the one before, and the words of that one may still come."""
        before = self._open.get(fragment.sequence - 1)
        on_its_way = before is not None and before.state in (State.WAITING, State.INFLIGHT)
        return fragment.overlap > 0 and on_its_way

    def heard(self, sequence: int, reply: DubReply) -> bool:
        """What the service heard and said of a fragment; False if that comes too late."""
        fragment = self._open.get(sequence)
        if fragment is None or fragment.state is not State.INFLIGHT:
            return False
        response = reply.response
        fragment.language = response.detected_language
        fragment.transcript = response.transcript
        fragment.translation = response.translated_text
        fragment.tempo = response.tempo
        fragment.hear(response.speech_start_ms, response.speech_end_ms)
        fragment.stages_ms = response.stages_ms.model_dump()
        fragment.round_trip_ms = reply.round_trip_s * 1000
        return True

    def replied(self, sequence: int, voice: Float) -> bool:
        """The dub of a fragment came; False if it is too late and was dropped."""
        fragment = self._open.get(sequence)
        if fragment is None or fragment.state is not State.INFLIGHT:
            return False
        fragment.step("reply")
        fragment.voice = fragment.delivered = voice
        low, high = _BELIEVED
        if not low <= fragment.tempo <= high:
            fragment.tempo = 1.0
        fragment.service_tempo = fragment.tempo
        self._planner.learn(self._utterance(fragment))
        self._texts[sequence] = (fragment.transcript[-_TEXT:], fragment.translation[-_TEXT:])
        if len(self._texts) > _TEXTS:
            del self._texts[min(self._texts)]
        return True

    def slot(self, fragment: Fragment) -> int:
        """Room for the dub of an open fragment, in samples, as far as it can be foreseen."""
        if self._planner.match:
            return fragment.span.stop - fragment.span.start
        for one, line, free in self._plan():
            if one is fragment:
                onset = line[1].onset if len(line) > 1 else self._quiet_until()
                slot = self._planner.slot(line[0].onset, free, max(onset, fragment.span.slot_stop))
                return max(slot, fragment.span.stop - fragment.speech_start)
        raise ValueError(f"fragment {fragment.sequence} is not open")

    def next_stretch(self) -> Stretch | None:
        """The next dub that should be spoken at another tempo than it is, if any.

        The caller hands the result to `stretched`; until then the dub is not given out again,
        and is on air as it is if its deadline comes.
        """
        for fragment, line, free in self._plan():
            if fragment.delivered is None or fragment.stretching or self._exact(fragment):
                continue
            tempo = self._planner.tempo(line, free, self._quiet_until())
            if abs(tempo / fragment.tempo - 1) > _CLOSE:
                fragment.stretching = True
                return Stretch(fragment, fragment.delivered, tempo)
        return None

    def stretched(self, task: Stretch, voice: Float) -> None:
        """A dub was stretched as asked; dropped if it was decided meanwhile."""
        fragment = task.fragment
        fragment.stretching = False
        if fragment.state is State.READY:
            fragment.voice, fragment.tempo = voice, task.tempo

    def failed(
        self, sequence: int, outcome: Outcome, reason: str, waited_s: float | None = None
    ) -> None:
        """The fragment will not be dubbed; dropped if it was decided already.

        `waited_s`: how long the service had it in vain.
        """
        fragment = self._open.get(sequence)
        if fragment is None or fragment.state not in (State.WAITING, State.INFLIGHT):
            return
        fragment.step("fail")
        fragment.outcome, fragment.reason = outcome, reason
        if waited_s is not None:
            fragment.round_trip_ms = waited_s * 1000

    def decide_until(self, position: int) -> Iterator[Fragment]:
        """Decide every fragment whose deadline is at or before `position`, in order."""
        due = [f for f in self._open.values() if f.deadline <= position]
        for fragment in sorted(due, key=lambda f: f.sequence):
            self._decide(fragment)
            del self._open[fragment.sequence]
            yield fragment

    @property
    def open(self) -> int:
        """Fragments not yet decided."""
        return len(self._open)

    def count(self, state: State) -> int:
        """Open fragments in `state`."""
        return sum(fragment.state is state for fragment in self._open.values())

    def _decide(self, fragment: Fragment) -> None:
        was = fragment.state
        fragment.step("decide")
        if was is State.WAITING:
            fragment.outcome, fragment.reason = Outcome.OVERLOAD, "not_sent"
        elif was is State.INFLIGHT:
            fragment.outcome, fragment.reason = Outcome.LATE, "deadline"
        elif was is State.READY and not self._may_dub(fragment.span):
            fragment.outcome, fragment.reason = Outcome.SEPARATION, "no_background"
        elif was is State.READY:
            assert fragment.voice is not None
            self._place(fragment, fragment.voice)
        fragment.delivered = None

    def _place(self, fragment: Fragment, voice: Float) -> None:
        span = fragment.span
        line = [self._utterance(one) for one in self._from(fragment.sequence)]
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
        fragment.shift, fragment.backlog = placing.shift, placing.backlog

    def _exact(self, fragment: Fragment) -> bool:
        """True if the service made the dub as long as its fragment, as it was asked to."""
        assert fragment.delivered is not None
        span = fragment.span
        return (
            self._planner.match
            and abs(len(fragment.delivered) - (span.stop - span.start)) <= _ROUNDING
        )

    def _plan(self) -> Iterator[tuple[Fragment, list[Utterance], int]]:
        """Each open fragment that speaks, itself and those after it as the planner sees them, and
        where the dubs before it end."""
        fragments = self._from(-1)
        line = [self._utterance(fragment) for fragment in fragments]
        free, quiet_until = self._planner.free, self._quiet_until()
        for i, fragment in enumerate(fragments):
            yield fragment, line[i:], free
            tempo = self._planner.tempo(line[i:], free, quiet_until)
            free = self._planner.after(line[i], free, tempo)

    def _from(self, sequence: int) -> list[Fragment]:
        """The open fragments after `sequence` that speak, in order."""
        later = (one for one in self._open.values() if one.sequence > sequence and one.speaks)
        return sorted(later, key=lambda one: one.sequence)

    def _utterance(self, fragment: Fragment) -> Utterance:
        span = fragment.span
        natural = None
        if fragment.delivered is not None:
            natural = round(len(fragment.delivered) * fragment.service_tempo)
        elif fragment.left_alone:
            natural = fragment.speech_stop - fragment.speech_start
        if self._planner.match:
            return Utterance(span.start, span.stop - span.start, natural)
        return Utterance(
            fragment.speech_start, fragment.speech_stop - fragment.speech_start, natural
        )
