"""A fragment of speech on its way, or one clause of it: a table of states. Pure; times are stream
positions in samples.

A fragment begins as one part. Once its clauses are known, each of them is a part with its own
source span, deadline and state: what is missing at its time airs as original, the others do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from dubcast.audio.fragmenter import Span
from dubcast.audio.mix import FADE, Dub
from dubcast.audio.pcm import RATE, Float, ms_to_samples
from dubcast.contract.worker import Outcome

# A span is decided this long before it begins: the block that fades the one before may end there,
# and the original may be removed a fade's length earlier still.
DECISION_LEAD = 4 * FADE
# A dub that is not there in time may begin so much later, step by step, if enough is left to be
# replaced: half a second without it costs less than a sentence of the original.
LATE_START_S = 1.0
# Over the bed it begins with the next block. Where the original airs until then, each step ends
# between two words, or where it is quietest, from so much to so much after it began; sooner or
# later, but not at once, if that is inside a word.
_BRIDGE_STEP = ms_to_samples(100)
_LATE_STEP = ms_to_samples(300), ms_to_samples(700)
_LATE_LEAST = ms_to_samples(150)
_LEAST_LEFT = ms_to_samples(1000)
# So much before and after where a word ends, by the recognizer, it may really end, which mostly is
# later. (With 0.15 s either way 2 of 10 borders lay inside words, with 0.4 s after it 1, so none.)
WORD_EARLY, WORD_LATE = ms_to_samples(150), ms_to_samples(250)
# A fragment with less speech than this would not have been dubbed.
LEAST_SPEECH = ms_to_samples(100)


class State(StrEnum):
    """Where a part is."""

    WAITING = "waiting"  # cut, not yet sent: others are in flight
    INFLIGHT = "inflight"  # at the speech service
    OVERDUE = "overdue"  # its first words are on air; its clauses, not known yet, may be in time
    HELD = "held"  # it came to nothing, and goes once more with the next one, if that is in time
    READY = "ready"  # its dub is here and waits for its deadline
    FAILED = "failed"  # no dub will come: the service refused or failed, or nothing is to be dubbed
    DECIDED = "decided"  # its deadline has passed: on air, one way or the other


_TRANSITIONS: dict[tuple[State, str], State] = {
    (State.WAITING, "send"): State.INFLIGHT,
    (State.WAITING, "fail"): State.FAILED,
    (State.WAITING, "decide"): State.DECIDED,
    (State.INFLIGHT, "overdue"): State.OVERDUE,
    (State.INFLIGHT, "reply"): State.READY,
    (State.INFLIGHT, "fail"): State.FAILED,
    (State.INFLIGHT, "decide"): State.DECIDED,
    (State.INFLIGHT, "hold"): State.HELD,
    (State.HELD, "decide"): State.DECIDED,
    (State.OVERDUE, "fail"): State.FAILED,
    (State.OVERDUE, "decide"): State.DECIDED,
    (State.READY, "decide"): State.DECIDED,
    (State.FAILED, "decide"): State.DECIDED,
}
# A dub may still come.
PENDING = (State.WAITING, State.INFLIGHT, State.OVERDUE)


@dataclass(frozen=True)
class ClauseSpan:
    """A clause that was announced: where the source begins that it replaces, in samples of the
    stream, and its words in both languages."""

    start: int
    text: str
    source_text: str = ""


@dataclass
class Fragment:
    """One part on its way; texts and figures are filled in as they become known."""

    sequence: int
    id: str
    span: Span
    overlap: int = 0  # so many of its first samples were in the fragment before
    part: int = 0  # which clause of the fragment it is; 0 while they are not known
    parts: int = 1
    joined: bool = False  # with one before it, which came to nothing alone
    heard_after: int = 0  # so much of the running speech that follows was there when it was cut
    awaits_clauses: bool = False  # sent so that they are answered one by one, and not known yet
    may_begin_late: bool = False  # what comes of it is of use for a while after its time, too
    aired: Fragment | None = None  # its beginning, which aired before its dub was there
    beginning: bool = False  # such a beginning: what aired, and no fragment of its own
    late: int = 0  # so much of its speech aired like this
    bridged: bool = False  # such a beginning, over which the bed plays: no scrap of the original
    state: State = State.WAITING
    outcome: Outcome | None = None
    reason: str = ""
    fallback: str = ""  # the mode that plays, if there is no dub though there are words
    voice: Float | None = None  # as it will sound
    delivered: Float | None = None  # as it came; None when the part is decided
    breath: int = 0  # so much of `delivered`, at its end, is the pause after its words
    stretching: bool = False
    dub: Dub | None = None
    language: str = ""  # what the service took it for
    transcript: str = ""
    translation: str = ""
    tempo: float = 1.0  # of `voice`, in total
    service_tempo: float = 1.0  # of `delivered`, as the service says
    speech_start: int = 0
    speech_stop: int = 0
    speech: int = 0  # so much of the span is speech, by the detector
    gaps: tuple[tuple[int, int], ...] = ()  # where a word ends and the next begins, if it is known
    unheard: tuple[tuple[int, int], ...] = ()  # where the service recognized no words
    unheard_speech: int = 0  # so much of that is speech, by the detector
    shift: int | None = None  # the dub begins so much after its onset, `late` included
    backlog: int | None = None  # the dub lets the next one begin so much late
    round_trip_ms: float = 0.0  # until its dub came
    margin_ms: float | None = None  # its dub came so long before the deadline
    speech_lufs: float | None = None  # loudness of the speech that the dub replaces
    dub_lufs: float | None = None  # of the dub, as it is mixed
    air_ns: int | None = None  # when its first sample leaves, on the monotonic clock
    stages_ms: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.speech_start, self.speech_stop = self.span.speech_start, self.span.stop

    def hear(
        self,
        start_ms: int | None,
        stop_ms: int | None,
        sure_from: Callable[[int, int], int] = lambda start, stop: stop,
    ) -> None:
        """Where the service heard the speech begin and end, in ms within the fragment, if it says.

        The worker's detector may have opened on a breath or the crowd, and a fragment may begin
        with a pause: a later start is believed, up to where the detector is sure of a voice
        (`sure_from` a position, before another). The service's hears nothing of what was before:
        where a fragment begins within speech it may take half a second to notice. An earlier start
        is not believed: measured, the service's is up to 100 ms before the voice, and a dub that
        begins before its speaker is noticed sooner than one that begins after.
        """
        span = self.span
        if start_ms is not None:
            start = sure_from(span.start, span.start + ms_to_samples(start_ms))
            if self.speech_start < start <= span.stop - LEAST_SPEECH:
                self.speech_start = start
        if stop_ms is not None:
            stop = span.start + ms_to_samples(stop_ms)
            self.speech_stop = stop if self.speech_start < stop <= span.stop else span.stop

    def end_at(self, border: int) -> None:
        """It ends earlier than it was cut."""
        self.span = replace(self.span, stop=border, slot_stop=border)
        self.speech_stop = border

    def begin_at(self, border: int) -> None:
        """It begins at another place than it was cut."""
        self.span = replace(self.span, start=border, speech_start=border)
        self.speech_start = border

    def begin_later(
        self, quietest: Callable[[int, int], int], bridges: Callable[[Span], bool]
    ) -> Fragment | None:
        """What airs of it now as a part of its own, since its dub is not there: it begins after
        that. None: it cannot. `quietest`: the place between two positions that cuts no word;
        `bridges`: whether the bed may play over a span meanwhile.
        """
        if not self.may_begin_late:
            return None
        start, before = self.span.start, self.aired
        bridged = self._is_bridged(start + _BRIDGE_STEP, bridges)
        if self.state is not State.INFLIGHT and not (bridged and before and self.stretching):
            return None
        begun = before.span.start if before else start
        latest = min(begun + round(LATE_START_S * RATE), self.span.stop - _LEAST_LEFT)
        if bridged:
            first = last = start + _BRIDGE_STEP
        else:
            first, last = (start + one for one in _LATE_STEP)
        last = min(last, latest)
        if last < first or (before and before.bridged and not bridged):
            return None
        border = last if bridged else quietest(*self._between_words(first, last, latest))
        aired = Span(start, border, min(self.speech_start, border), border)
        step = self._late(aired, bridged=bridged)
        if before:
            before.end_at(border)
        else:
            self.aired = step  # what was chosen to play over it is what is told in the end
        self._begin_late(border)
        return step

    def _is_bridged(self, until: int, bridges: Callable[[Span], bool]) -> bool:
        """Whether the bed may play until then: it is there, and nothing else but it was begun."""
        start, before = self.span.start, self.aired
        is_free = before.bridged if before else self.fallback in ("", "original", "background")
        return is_free and bridges(Span(start, until, start, until))

    def _begin_late(self, border: int) -> None:
        """It begins later than it was cut; its speech may do so by itself."""
        speech_start = max(self.speech_start, border)
        self.late += speech_start - self.speech_start
        self.span = replace(self.span, start=border, speech_start=speech_start)
        self.speech_start = speech_start

    def _between_words(self, first: int, last: int, latest: int) -> tuple[int, int]:
        """Around the end of a word that is nearest to [`first`, `last`], of those that are neither
        at once nor after `latest`; all of that where none is known."""
        least = self.span.start + _LATE_LEAST
        near = [gap for gap in self.gaps if least <= gap[0] <= gap[1] <= latest]
        if not near:
            return first, last
        end, begins = min(near, key=lambda gap: max(first - gap[1], gap[0] - last, 0))
        return max(end - WORD_EARLY, least), min(begins + WORD_LATE, latest)

    def begin_undubbed(self, quietest: Callable[[int, int], int]) -> None:
        """No dub came: what aired of the original before it is of it again. After a bridge it
        begins where it is quietest soon."""
        aired = self.aired
        if aired is None:
            return
        if aired.bridged:
            border = quietest(self.span.start, self.span.start + WORD_LATE)
            aired.end_at(border)
            aired.fallback = ""  # the bed plays a little longer than it was told to
            self._begin_late(border)
        else:
            self.begin_at(aired.span.start)
            self.speech_start = aired.span.speech_start
            self.aired, self.late = None, 0

    def right_from(self, border: int) -> list[Fragment]:
        """The original of it is right, and heard from here on. What aired instead before, if there
        is such, is its beginning."""
        span, aired = self.span, []
        if border > span.start:
            covered = Span(span.start, border, min(self.speech_start, border), border)
            aired = [self._late(covered, bridged=False)]
            self._begin_late(border)
        self.fallback = ""
        return aired

    def _late(self, span: Span, *, bridged: bool) -> Fragment:
        return Fragment(
            self.sequence,
            self.id,
            span,
            part=self.part,
            parts=self.parts,
            beginning=True,
            bridged=bridged,
            state=State.DECIDED,
            outcome=Outcome.LATE,
            reason="deadline",
            fallback="" if bridged else self.fallback,
            language=self.language,
        )

    def split(self, clauses: Sequence[ClauseSpan], first: int) -> list[Fragment]:
        """Becomes the part of the clauses before `first` (or of clause 0, if that is 0); returns
        the parts of the others from there on. The clauses follow one another.
        """
        self.awaits_clauses, self.may_begin_late = False, True
        later = range(max(first, 1), len(clauses))
        parts = [self._part(number, clauses) for number in later]
        self.parts = len(clauses) if parts else 1
        head = clauses[: later.start]
        if any(one.source_text for one in clauses):
            self.transcript = " ".join(one.source_text for one in head if one.source_text)
        self.translation = " ".join(one.text for one in head)
        if parts:
            self.end_at(parts[0].span.start)
        return parts

    def _part(self, number: int, clauses: Sequence[ClauseSpan]) -> Fragment:
        clause, last = clauses[number], number == len(clauses) - 1
        stop = self.span.stop if last else clauses[number + 1].start
        slot_stop = self.span.slot_stop if last else stop
        part = Fragment(
            self.sequence,
            self.id,
            Span(clause.start, stop, clause.start, slot_stop),
            part=number,
            parts=len(clauses),
            may_begin_late=True,
            state=State.INFLIGHT,
            fallback=self.fallback,
            language=self.language,
            transcript=clause.source_text,
            translation=clause.text,
            unheard=self.unheard,
            gaps=self.gaps,
        )
        part.speech_stop = self.speech_stop if last else stop
        return part

    @property
    def length_s(self) -> float:
        """How long it is, in seconds."""
        return (self.span.stop - self.span.start) / RATE

    @property
    def speaks(self) -> bool:
        """True if its time is taken: by a dub that is there or may come, or by its own words."""
        taken = self.state not in (State.FAILED, State.DECIDED, State.OVERDUE)
        return taken or self.left_alone

    @property
    def left_alone(self) -> bool:
        """True if its own words are heard."""
        return self.outcome is Outcome.LEFT_ALONE

    @property
    def lacks_dub(self) -> bool:
        """True if it was decided without the dub that it should have."""
        return self.outcome not in (None, Outcome.DUBBED) and not self.outcome.original_is_right

    @property
    def deadline(self) -> int:
        """The stream position at whose rendering the decision falls."""
        if self.state is State.OVERDUE:
            return self.span.stop - LEAST_SPEECH - DECISION_LEAD
        return self.span.start - DECISION_LEAD

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the order of all parts."""
        return self.sequence, self.part

    def step(self, event: str) -> None:
        """Apply `event`. Raises ValueError if the table has no such transition."""
        try:
            self.state = _TRANSITIONS[self.state, event]
        except KeyError:
            raise ValueError(f"fragment {self.sequence}: {event} in {self.state}") from None
