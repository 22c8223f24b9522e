"""Streamed replies for `ScriptedSts`: frames as the contract has them, and streams that go wrong.

with ScriptedSts(lambda request, call: streamed(request, TWO, every_s=0.1)) as sts:
    ...  # sts.url
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dubcast.contract import stream_reply
from dubcast.contract.errors import ErrorCode
from dubcast.contract.stream_reply import (
    Clause,
    Done,
    Failed,
    Frame,
    Heard,
    PlannedClause,
    Translated,
    encode,
)
from dubcast.contract.sts import ErrorDetail, StageTimes, StsMetadata
from dubcast.testing.sts_server import Reply, tone

_METADATA = StsMetadata(
    asr_model="scripted", translation_model="scripted", tts_model="scripted", replica="scripted"
)


@dataclass(frozen=True)
class Says:
    """A clause: its words, how long its dub is, and which ms of the fragment it translates."""

    text: str
    seconds: float = 1.0
    source_ms: tuple[int, int] | None = None
    source: str | None = None


Pieces = list[tuple[Frame, bytes]]


def frames(request: Mapping[str, Any], says: Sequence[Says]) -> Pieces:
    """A whole reply; without clauses: nobody spoke."""
    rate = request["audio"]["sample_rate_hz"]
    heard = Heard(
        fragment_id=request["fragment_id"],
        transcript=" ".join(one.source or "word" for one in says),
        detected_language=request["config"]["source_language"],
    )
    status: Literal["success", "no_speech"] = "success" if says else "no_speech"
    done = Done(
        status=status, processing_time_ms=1.0, stages_ms=StageTimes(asr=1.0), metadata=_METADATA
    )
    if not says:
        return [(heard, b""), (done, b"")]
    planned = [_planned(number, one) for number, one in enumerate(says)]
    text = " ".join(one.text for one in says)
    spoken = [_spoken(number, one, rate) for number, one in enumerate(says)]
    translated = Translated(translated_text=text, clauses=tuple(planned))
    return [(heard, b""), (translated, b""), *spoken, (done, b"")]


def streamed(
    request: Mapping[str, Any],
    says: Sequence[Says],
    *,
    every_s: float = 0.0,
    breaks_after: int | None = None,
    stalls_after: int | None = None,
) -> Reply:
    """A streamed reply, a frame `every_s`. After so many clauses the connection breaks, or nothing
    more comes."""
    pieces = frames(request, says)
    ends = breaks_after if breaks_after is not None else stalls_after
    if ends is not None:
        pieces = pieces[: 2 + ends]
    told = [(every_s, encode(frame, pcm)) for frame, pcm in pieces]
    if stalls_after is not None:
        told.append((3600.0, b" "))
    return of(told, breaks=breaks_after is not None)


def failing(
    request: Mapping[str, Any], says: Sequence[Says], code: ErrorCode, *, after: int
) -> Reply:
    """A streamed reply that ends with an error after so many clauses."""
    error = ErrorDetail(code=code, message="scripted", retryable=code == "OVERLOADED")
    pieces: Pieces = [*frames(request, says)[: 2 + after], (Failed(error=error), b"")]
    return of([(0.0, encode(frame, pcm)) for frame, pcm in pieces])


def of(pieces: Sequence[tuple[float, bytes]], *, breaks: bool = False) -> Reply:
    """These bytes as a streamed reply, each after its wait in seconds."""
    headers = {"Content-Type": stream_reply.MEDIA_TYPE}
    return Reply(200, headers=headers, pieces=tuple(pieces), breaks=breaks)


def _planned(index: int, one: Says) -> PlannedClause:
    start, stop = one.source_ms or (None, None)
    return PlannedClause(
        index=index,
        text=one.text,
        source_text=one.source,
        source_start_ms=start,
        source_end_ms=stop,
    )


def _spoken(index: int, one: Says, rate: int) -> tuple[Clause, bytes]:
    natural_ms = round(1000 * one.seconds)
    clause = Clause(
        index=index, text=one.text, natural_ms=natural_ms, pause_ms=0, sample_rate_hz=rate
    )
    return clause, tone(one.seconds, rate) if natural_ms else b""
