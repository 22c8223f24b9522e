"""The life of a fragment in the worker: a table of states, the decision at its deadline, and
where its dub goes. Pure; times are stream positions in samples, given from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from dubcast.audio.fragmenter import Span
from dubcast.audio.mix import FADE, Dub
from dubcast.audio.pcm import RATE, Float, ms_to_samples

# A span is decided this long before it begins: the block that fades the one before may end there.
DECISION_LEAD = 3 * FADE
_GAP = ms_to_samples(30)  # left between two dubs when the first ran long


class State(StrEnum):
    """Where a fragment is."""

    WAITING = "waiting"  # cut, not yet sent: others are in flight
    INFLIGHT = "inflight"  # at the speech service
    READY = "ready"  # its dub is here and waits for its deadline
    FAILED = "failed"  # the service refused, failed or found no speech: the fallback plays
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


class Outcome(StrEnum):
    """What the viewer hears of a fragment."""

    DUBBED = "dubbed"
    LATE = "late"  # no reply by the deadline
    FAILED = "failed"  # the service failed or refused
    OVERLOAD = "overload"  # never sent: too many were waiting, or too late to be of use
    NO_SPEECH = "no_speech"  # the service found no words: the original is right
    SHIFT = "shift"  # the dub before ran so long that this one would start too late
    SEPARATION = "separation"  # its background is missing and the policy is not to dub then


@dataclass
class Fragment:
    """One span of speech on its way; `text` and figures are filled in as they become known."""

    sequence: int
    id: str
    span: Span
    state: State = State.WAITING
    outcome: Outcome | None = None
    reason: str = ""
    fallback: str = ""  # the mode that plays, if there is no dub though there are words
    voice: Float | None = None
    dub: Dub | None = None
    transcript: str = ""
    translation: str = ""
    tempo: float = 1.0
    round_trip_ms: float = 0.0
    margin_ms: float | None = None  # reply before the deadline
    air_ns: int | None = None  # when its first sample leaves, on the monotonic clock
    stages_ms: dict[str, float] = field(default_factory=dict)

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


class Placement:
    """Where dubs begin: at the source's onset, later only while the dub before still speaks."""

    def __init__(self, max_shift_s: float) -> None:
        self._max_shift = round(max_shift_s * RATE)
        self._busy_until = 0

    def place(self, span: Span, voice: Float, *, match: bool) -> Dub | None:
        """The placed dub, or None if it would begin more than the allowed shift late.

        `match`: the dub is as long as the fragment and begins with it; otherwise it begins with
        the speech.
        """
        onset = span.start if match else span.speech_start
        free = self._busy_until - span.overlap if span.overlap else self._busy_until
        start = max(onset, free)
        if start - onset > self._max_shift:
            return None
        fade = {"fade": span.overlap} if span.overlap else {}
        dub = Dub(span.start, span.stop, start, voice, **fade)
        self._busy_until = dub.stop if span.overlap else dub.stop + _GAP
        return dub


class FragmentBook:
    """All fragments on their way, in order; the one place where their states change.

    Not thread-safe: the worker holds its lock around every call.
    """

    def __init__(
        self,
        placement: Placement,
        *,
        match: bool,
        may_dub: Callable[[Span], bool] = lambda span: True,
    ) -> None:
        self._placement = placement
        self._may_dub = may_dub
        self.match = match
        self._open: dict[int, Fragment] = {}
        self._next = 0
        self.context = ("", "")  # last source and target text that came back

    def add(self, span: Span, run_id: str) -> Fragment:
        """A new fragment, WAITING."""
        fragment = Fragment(self._next, f"{run_id}-{self._next}", span)
        self._open[fragment.sequence] = fragment
        self._next += 1
        return fragment

    def replied(self, sequence: int, voice: Float) -> bool:
        """The dub of a fragment came; False if it is too late and was dropped."""
        fragment = self._open.get(sequence)
        if fragment is None or fragment.state is not State.INFLIGHT:
            return False
        fragment.step("reply")
        fragment.voice = voice
        return True

    def failed(self, sequence: int, outcome: Outcome, reason: str) -> None:
        """The fragment will not be dubbed; dropped if it was decided already."""
        fragment = self._open.get(sequence)
        if fragment is None or fragment.state not in (State.WAITING, State.INFLIGHT):
            return
        fragment.step("fail")
        fragment.outcome, fragment.reason = outcome, reason

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
            fragment.dub = self._placement.place(fragment.span, fragment.voice, match=self.match)
            fragment.outcome = Outcome.DUBBED if fragment.dub else Outcome.SHIFT
            fragment.reason = "" if fragment.dub else "previous_dub_too_long"
