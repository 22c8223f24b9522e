"""What a stream worker says of itself: `/status`, and a line of its as-run log per fragment.

The worker writes these models; orchestrator, views and benches read them. Unknown fields are
ignored, so that an older reader understands a newer worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dubcast.contract.ids import StreamId
from dubcast.contract.streams import NotDubbing
from dubcast.contract.sts import LeftAlone


class WorkerState(StrEnum):
    """What the worker is doing."""

    WAITING = "waiting"  # no input yet
    BUFFERING = "buffering"  # input is there, the delay is filling or the output connects
    LIVE = "live"  # media leaves
    OUTPUT_LOST = "output_lost"  # input is there, the destination is not
    INPUT_LOST = "input_lost"  # the publisher is gone; what is held still leaves
    REFUSED = "refused"  # the source carries what dubcast does not take; never restarted
    STOPPED = "stopped"  # asked to stop, or a file has ended


class Outcome(StrEnum):
    """What the viewer hears of a fragment."""

    DUBBED = "dubbed"
    LATE = "late"  # no reply by the deadline
    FAILED = "failed"  # the service failed or refused
    OVERLOAD = "overload"  # never sent: too many were waiting, or too late to be of use
    NO_SPEECH = "no_speech"  # the service found no words: the original is right
    LEFT_ALONE = "left_alone"  # the words are not to be dubbed: the original is right
    SHIFT = "shift"  # it, or the dub before, is so long that one of them must be left out
    SEPARATION = "separation"  # its background is missing and the policy is not to dub then

    @property
    def original_is_right(self) -> bool:
        """True if nothing is to be dubbed: no dub is missing, and there is no fallback."""
        return self in (Outcome.NO_SPEECH, Outcome.LEFT_ALONE)


class SpeechAired(StrEnum):
    """How speech went on air."""

    DUBBED = "dubbed"
    UNDUBBED = "undubbed"  # as it came, or by the fallback, whatever the reason
    LEFT_ALONE = "left_alone"  # as it came, because that is right


def undubbed_share(seconds: Mapping[SpeechAired, float]) -> float | None:
    """The share of the speech that was to be dubbed and was not; None: nobody has spoken."""
    undubbed = seconds.get(SpeechAired.UNDUBBED, 0.0)
    spoken = undubbed + seconds.get(SpeechAired.DUBBED, 0.0)
    return round(undubbed / spoken, 4) if spoken else None


class BreakerState(StrEnum):
    """Whether calls to an endpoint of the speech service may pass."""

    CLOSED = "closed"  # they pass, and are judged
    OPEN = "open"  # none passes until the open time is over, or pings say that it is worth a try
    HALF_OPEN = "half_open"  # one at a time passes: the probe


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class InputStatus(_Told):
    """The source. `placement_error_ms`: audio placed against its PTS (+: audio early)."""

    sessions: int = 0
    video: bool = False
    audio: bool = False
    placement_error_ms: float = 0.0


class OutputStatus(_Told):
    """The destination. `av_offset_ms`: sound against picture in what leaves, compared with how they
    came (+: audio early). `delivered_s`: how much of it left. `b_frames`: whether pictures left in
    another order than they are shown in.
    """

    restarts: int = 0
    av_offset_ms: float = 0.0
    delivered_s: float = 0.0
    b_frames: bool = False


class SeparationStatus(_Told):
    """The separation of speech from its background. `off`: nothing is left to try, or not asked
    for (`separator` is empty then). `cpu`: of a core. `dropped_s`: audio that it did not take.
    """

    state: Literal["starting", "running", "waiting", "off", "closed"] = "off"
    separator: str = ""
    reason: str = ""
    restarts: int = 0
    cpu: float = 0.0
    dropped_s: float = 0.0


class DubbingStatus(_Told):
    """Whether what is said is dubbed. `fault` empty: it is, or nobody speaks. `message`: the
    service's words, for people. `since_s`: for how long it is not.
    """

    fault: NotDubbing | Literal[""] = ""
    message: str = ""
    since_s: float = 0.0


class EndpointStatus(_Told):
    """An endpoint of the speech service. `url` without keys; `alert`: why somebody has to act."""

    url: str
    state: BreakerState
    alert: str = ""
    retry_in_s: float = 0.0


class WorkerStatus(_Told):
    """`GET /status` of a worker.

    `message`: for people, why a source was refused. `since_s`: how long it is in its state.
    `stuck_s`: for how long a part of it has not come round. `left_alone`: fragments that were left
    alone, by why. `speech_s`: seconds of speech by how they went on air; `undubbed_speech_share`:
    what was to be dubbed of it and was not, whatever the reason. `depth`, `peak`: how much waits
    where (units, fragments or seconds, as the name says), and the most that ever did.
    """

    stream_id: StreamId
    run_id: str = ""
    state: WorkerState
    reason: str = ""
    message: str = ""
    since_s: float = 0.0
    delay_s: float | None = None
    resuming: bool = Field(default=False, description="at the short delay after a crash")
    stuck_s: float = 0.0
    input: InputStatus = InputStatus()
    output: OutputStatus = OutputStatus()
    separation: SeparationStatus = SeparationStatus()
    dubbing: DubbingStatus = DubbingStatus()
    dumps_dropped_samples: int = 0
    fragments: dict[Outcome, int] = {}
    left_alone: dict[LeftAlone, int] = {}
    speech_s: dict[SpeechAired, float] = {}
    undubbed_speech_share: float | None = None
    sts: tuple[EndpointStatus, ...] = ()
    longest_fragment_s: float | None = None
    depth: dict[str, int] = {}
    peak: dict[str, int | float] = {}

    @classmethod
    def read(cls, told: object) -> WorkerStatus | None:
        """What somebody told at `/status`, if that is a worker's."""
        try:
            return cls.model_validate(told)
        except ValidationError:
            return None


class AsRunEntry(_Told):
    """A fragment whose time on air has come, or a clause of it. Times in s of stream time.

    `clause` of `clauses`: which part of the fragment it is, once they are known (0 of 1: all of
    it). What aired of a part while its dub was late is a record of its own before it, `late` and
    without words: the part's `beginning`, which is not counted as a fragment. `speech_s`: so much
    of it is speech, by the worker's detector; `unheard_s`: so much of that is where the service
    recognised no words.
    `fallback`: what played instead of a dub, if there was to be one. `language`: what the service
    took it for; empty if it did not say. `tempo`: of the dub, in total.
    `begins_late_s`: so much of its speech lies in the record of its beginning. `placed_shift_s`:
    how late the dub began, that included; `backlog_s`: how late it lets the next one begin.
    `air_ns`: when its first sample left, on the monotonic clock of the worker's machine.
    `deadline_margin_ms`: how long before its deadline the reply came. `on_air` false: its time came
    while no destination took the output.
    """

    fragment_id: str
    sequence_number: int
    clause: int = 0
    clauses: int = 1
    beginning: bool = False
    source_start_s: float
    source_end_s: float
    speech_s: float = 0.0
    unheard_s: float = 0.0
    outcome: Outcome
    reason: str = ""
    fallback: str = ""
    language: str = ""
    transcript: str = ""
    translated_text: str = ""
    tempo: float = 1.0
    begins_late_s: float = 0.0
    placed_shift_s: float | None = None
    backlog_s: float | None = None
    dub_start_s: float | None = None
    dub_end_s: float | None = None
    speech_lufs: float | None = None
    dub_lufs: float | None = None
    air_ns: int | None = None
    stages_ms: dict[str, float] = {}
    round_trip_ms: float = 0.0
    deadline_margin_ms: float | None = None
    on_air: bool = True

    def goes_on(self, before: AsRunEntry | None) -> bool:
        """Whether its dub goes on with what that of the clause before began."""
        if before is None or before.fragment_id != self.fragment_id:
            return False
        return before.dub_span_s is not None and self.dub_span_s is not None

    @property
    def ends_fragment(self) -> bool:
        """Whether nothing of its fragment follows."""
        return self.clause + 1 == self.clauses and not self.beginning

    @property
    def to_be_dubbed(self) -> bool:
        """Whether it is a fragment, or a clause of one, that should have a dub."""
        return not (self.beginning or self.outcome.original_is_right)

    @property
    def lag_s(self) -> float | None:
        """How long after its speech its dub begins; None if there is none."""
        if self.dub_start_s is None:
            return None
        return self.dub_start_s - self.source_start_s + self.begins_late_s

    @property
    def number(self) -> str:
        """Its number for people: `3`, or of a clause `3.1`."""
        clause = f".{self.clause + 1}" if self.clauses > 1 else ""
        return f"{self.sequence_number}{clause}"

    @property
    def aired(self) -> SpeechAired:
        """How its speech went on air."""
        if self.outcome is Outcome.DUBBED:
            return SpeechAired.DUBBED
        left_alone = self.outcome is Outcome.LEFT_ALONE
        return SpeechAired.LEFT_ALONE if left_alone else SpeechAired.UNDUBBED

    @property
    def aired_s(self) -> dict[SpeechAired, float]:
        """The seconds of its speech by how they went on air: what was not heard has no dub."""
        unheard_s = self.unheard_s if self.outcome is Outcome.DUBBED else 0.0
        seconds = {self.aired: self.speech_s - unheard_s}
        return seconds | {SpeechAired.UNDUBBED: unheard_s} if unheard_s else seconds

    @property
    def dub_span_s(self) -> tuple[float, float] | None:
        """Where the dub sounds; None if there is none."""
        if self.dub_start_s is None or self.dub_end_s is None:
            return None
        return self.dub_start_s, self.dub_end_s

    def moved(self, by_s: float) -> AsRunEntry:
        """The same with its times moved, to another timeline."""
        names = ("source_start_s", "source_end_s", "dub_start_s", "dub_end_s")
        times = {name: getattr(self, name) for name in names}
        update = {name: at + by_s for name, at in times.items() if at is not None}
        return self.model_copy(update=update)


def as_run(lines: str) -> list[AsRunEntry]:
    """The entries of an as-run log. Raises ValidationError for a line that is none."""
    return [AsRunEntry.model_validate_json(line) for line in lines.splitlines()]
