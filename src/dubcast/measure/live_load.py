"""Live-paced streams against a speech service: what is sent when, what was in time, and how many
streams a service carries. Pure; `live_streams` sends.

Each stream says the same programme from another place. A fragment is sent when its last word has
been said, and each of its clauses must be there before its words are due on air.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from dubcast.audio.pcm import RATE, Int16
from dubcast.contract.sts import PcmAudio
from dubcast.measure.percentile import percentile

IN_TIME = 0.95
"""The share of clauses that must be in time for a number of streams to count as carried."""
# Before a clause is due the worker still has to place and mix it.
MARGIN_S = 0.2
_LEAST_TIMEOUT_S = 0.2
# The words of a fragment's last clause begin at least so much before its end.
_LAST_CLAUSE_S = 1.0


@dataclass(frozen=True)
class Piece:
    """A fragment of a programme: seconds from its start, and the sound of it (mono)."""

    start_s: float
    stop_s: float
    slot_s: float
    audio: PcmAudio

    @property
    def seconds(self) -> float:
        return self.stop_s - self.start_s


@dataclass(frozen=True)
class Programme:
    """The fragments of one programme, which is said over and over."""

    pieces: tuple[Piece, ...]
    seconds: float

    @property
    def speech_s(self) -> float:
        """Seconds of all fragments."""
        return sum(piece.seconds for piece in self.pieces)


@dataclass(frozen=True)
class Sending:
    """A fragment to be sent: `number` in its stream, and seconds from the begin of the run at
    which its sound began and ended."""

    stream: int
    number: int
    index: int
    start_s: float
    stop_s: float


def programme(samples: Int16, spans: Sequence[tuple[int, int]]) -> Programme:
    """A programme of mono sound at 48 kHz, cut at `spans` (samples)."""
    ends = [*(start for start, _ in spans[1:]), len(samples)]
    pieces = [
        Piece(
            start / RATE,
            stop / RATE,
            (until - start) / RATE,
            PcmAudio.from_pcm(samples[start:stop].astype("<i2").tobytes(), RATE, 1),
        )
        for (start, stop), until in zip(spans, ends, strict=True)
    ]
    return Programme(tuple(pieces), len(samples) / RATE)


def sendings(known: Programme, streams: int, seconds: float) -> list[Sending]:
    """What so many streams send in so many seconds, in the order of time.

    They begin at places of the programme that lie apart evenly, so that they do not speak in
    chorus.
    """
    found = [
        sending
        for stream in range(streams)
        for sending in _of_stream(known, stream, known.seconds * stream / streams, seconds)
    ]
    return sorted(found, key=lambda one: one.stop_s)


def _of_stream(known: Programme, stream: int, offset_s: float, seconds: float) -> Iterator[Sending]:
    numbers = count()
    for turn in count():
        for index, piece in enumerate(known.pieces):
            start_s = turn * known.seconds + piece.start_s - offset_s
            stop_s = start_s + piece.seconds
            if stop_s > seconds:
                return
            if start_s >= 0:
                yield Sending(stream, next(numbers), index, start_s, stop_s)


@dataclass(frozen=True)
class Clause:
    """A clause that came: seconds of the run, and where its words begin in its fragment."""

    came_s: float
    source_s: float


@dataclass(frozen=True)
class Answered:
    """What came of a fragment. `clauses`: those that came, whenever. `error`: its code, if it
    was refused or failed. Seconds of the run."""

    sending: Sending
    sent_s: float
    ended_s: float
    clauses: tuple[Clause, ...] = ()
    error: str | None = None

    def in_time(self, delay_s: float) -> int:
        """How many of its clauses were there before their words were due on air."""
        begin = self.sending.start_s + delay_s - MARGIN_S
        return sum(clause.came_s <= begin + clause.source_s for clause in self.clauses)


@dataclass(frozen=True)
class Level:
    """How so many streams fared. `clauses`: how many there should have been; those of a fragment
    that failed are taken to be as many as in another stream. `refused`: fragments; what a refusal
    took, 95th percentile, and a first clause, the median, in ms."""

    streams: int
    seconds: float
    clauses: int
    in_time: int
    failed: int
    refused: int
    refusal_ms: float | None
    first_clause_ms: float | None
    errors: Mapping[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The share of the clauses that was in time; of nothing, 0."""
        return self.in_time / self.clauses if self.clauses else 0.0

    @property
    def goodput(self) -> float:
        """Clauses in time, per second."""
        return self.in_time / self.seconds

    @property
    def carried(self) -> bool:
        return self.share >= IN_TIME

    def as_json(self) -> dict[str, Any]:
        """For a report."""
        return {**asdict(self), "share": round(self.share, 4), "goodput": round(self.goodput, 3)}


def level(streams: int, seconds: float, delay_s: float, answers: Sequence[Answered]) -> Level:
    """What the answers of a run say."""
    usual: dict[int, int] = {}
    for one in answers:
        if one.error is None:
            index = one.sending.index
            usual[index] = max(usual.get(index, 0), len(one.clauses))
    failed = [one for one in answers if one.error is not None]
    lost = sum(max(usual.get(one.sending.index, 1), len(one.clauses)) for one in failed)
    refusals = [1000 * (one.ended_s - one.sent_s) for one in failed if one.error == "OVERLOADED"]
    firsts = [1000 * (one.clauses[0].came_s - one.sent_s) for one in answers if one.clauses]
    errors: dict[str, int] = {}
    for one in failed:
        errors[one.error or ""] = errors.get(one.error or "", 0) + 1
    return Level(
        streams=streams,
        seconds=seconds,
        clauses=lost + sum(len(one.clauses) for one in answers if one.error is None),
        in_time=sum(one.in_time(delay_s) for one in answers),
        failed=len(failed),
        refused=len(refusals),
        refusal_ms=percentile(refusals, 95, 1),
        first_clause_ms=percentile(firsts, 50, 1),
        errors=errors,
    )


def timeout_s(piece: Piece, delay_s: float, *, streamed: bool) -> float:
    """How long the reply to a fragment may take, from when it is sent.

    Until its last clause is due; if the reply comes as a whole, until its first one is.
    """
    said_s = min(piece.seconds, _LAST_CLAUSE_S) if streamed else piece.seconds
    return max(_LEAST_TIMEOUT_S, delay_s - MARGIN_S - said_s)


def longest_s(*, streamed: bool) -> float:
    """How long fragments may be: what the worker takes of a service that is quick enough."""
    return 6.0 if streamed else 3.5


async def most(limit: int, measure: Callable[[int], Awaitable[Level]]) -> tuple[int, list[Level]]:
    """The largest number of streams, of 1 to `limit`, that `measure` says is carried, and every
    level that was tried, in the order of streams: by doubling, then between."""
    tried: dict[int, Level] = {}

    async def carried(streams: int) -> bool:
        tried[streams] = await measure(streams)
        return tried[streams].carried

    good, bad = 0, limit + 1
    trying = 1
    while good + 1 < bad:
        if await carried(trying):
            good = trying
        else:
            bad = trying
        trying = min(2 * good, bad - 1) if bad > limit and good else (good + bad) // 2
    return good, [tried[streams] for streams in sorted(tried)]
