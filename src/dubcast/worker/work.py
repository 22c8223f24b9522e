"""One fragment's work for the speech service, and what comes of it: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from dubcast.audio.pcm import RATE, Float, Int16
from dubcast.clock import NS_PER_MS, NS_PER_S, s_to_ns
from dubcast.contract.stream_reply import Done, Heard
from dubcast.contract.sts import LeftAlone, NoDub, StsResponse
from dubcast.contract.worker import Outcome
from dubcast.worker.fragment import LATE_START_S

# The last clause begins about so long before its end, or in the middle of a short fragment.
_LAST_CLAUSE_NS = NS_PER_S
_LATE_START_NS = s_to_ns(LATE_START_S)


@dataclass(frozen=True)
class Work:
    """What the speech service needs to dub one fragment.

    `audio`: mono int16 at 48 kHz, with `before_ms` and `after_ms` of what lies around the fragment;
    `before_text`: what was said before it, word for word. `deadline_ns`: until when a reply of all
    of it, or its first clause, is of use, on the monotonic clock. `clausewise`: later clauses are
    of use later, if the service streams its reply. `overlap_ms`: how much of its start was in the
    fragment that the texts are of; words of `source_text` that were said in there are not said
    again. `song_odds`: how surely what came just before was sung.
    """

    fragment_id: str
    sequence: int
    audio: Int16
    slot_ms: int
    deadline_ns: int
    source_text: str = ""
    target_text: str = ""
    overlap_ms: int = 0
    song_odds: float = 0.0
    clausewise: bool = False
    before_ms: int = 0
    after_ms: int = 0
    before_text: str = ""

    @property
    def duration_ms(self) -> int:
        """How long the fragment is."""
        return round(1000 * len(self.audio) / RATE) - self.before_ms - self.after_ms

    def due_ns(self, at_ms: int) -> int:
        """When a clause is due whose source begins `at_ms` after the fragment's start."""
        return self.deadline_ns + at_ms * NS_PER_MS

    @property
    def last_due_ns(self) -> int:
        """Until when anything is of use, as far as that is known before the clauses are."""
        if not self.clausewise:
            return self.deadline_ns
        length_ns = self.duration_ms * NS_PER_MS
        last_ns = length_ns - min(_LAST_CLAUSE_NS, length_ns // 2)
        return self.deadline_ns + last_ns + _LATE_START_NS

    def of_use_until_ns(self, at_ms: int) -> int:
        """Until when a clause is of use whose source begins then: its dub may begin late."""
        return self.due_ns(at_ms) + _LATE_START_NS


@dataclass(frozen=True)
class Announced:
    """A clause that will come, and which ms of the fragment it translates."""

    text: str
    source_text: str
    start_ms: int
    stop_ms: int


@dataclass(frozen=True)
class SpokenClause:
    """A clause's checked sound: mono float32 at 48 kHz; empty if nothing in it can be spoken.

    `tempo`: what it was spoken at; `pause_ms`: the silence that belongs after it.
    """

    index: int
    voice: Float
    tempo: float
    pause_ms: int


Progress: TypeAlias = Heard | tuple[Announced, ...] | SpokenClause
"""What comes of a fragment before its end, in the order of a streamed reply."""


@dataclass(frozen=True)
class DubReply:
    """A checked reply in one piece. `voice`: mono float32 at 48 kHz, or None if there is nothing to
    dub."""

    response: StsResponse
    voice: Float | None
    round_trip_s: float

    @property
    def why_no_dub(self) -> tuple[Outcome, str]:
        """The outcome and the reason of a fragment whose reply has no voice."""
        return _why_no_dub(self.response.left_alone, self.response.no_dub)


@dataclass(frozen=True)
class StreamEnd:
    """The end of a reply that came clause by clause."""

    done: Done
    round_trip_s: float
    left_alone: LeftAlone | None = None

    @property
    def why_no_dub(self) -> tuple[Outcome, str]:
        """The outcome and the reason of a fragment without clauses."""
        return _why_no_dub(self.left_alone, self.done.no_dub)


def _why_no_dub(left_alone: LeftAlone | None, no_dub: NoDub | None) -> tuple[Outcome, str]:
    if no_dub is not None:
        return Outcome.FAILED, no_dub.value
    return (Outcome.LEFT_ALONE, left_alone.value) if left_alone else (Outcome.NO_SPEECH, "")
