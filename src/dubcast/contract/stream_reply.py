"""The streamed form of a reply: frames, in the order in which they become known.

Asked for with `Accept: application/vnd.dubcast.stream`. A frame on the wire is the length of its
header and of its PCM (two uint32, big-endian), the header (JSON, `kind` names the model) and the
PCM (S16LE, mono, at the request's rate). The order is `heard`, `translated`, each `clause`, then
`done` or `error`; of `no_speech` there are `heard` and `done`. What fails before the first frame is
answered with a status and a body like every other error.

`timeout_ms` of the request says when the last clause is due; the ones before it are due earlier, by
so much as their source lies before the last one's. Pure: bytes in, frames out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, FiniteFloat, NonNegativeInt, TypeAdapter, ValidationError

from dubcast.contract.sts import (
    BYTES_PER_SAMPLE,
    MAX_DURATION_MS,
    MOST_OF_A_LANGUAGE,
    ErrorDetail,
    FragmentId,
    LeftAlone,
    NoDub,
    ReplyModel,
    StageTimes,
    StsMetadata,
    WordTime,
)

MEDIA_TYPE = "application/vnd.dubcast.stream"
MAX_HEADER_BYTES = 256 * 1024
MAX_PCM_BYTES = 192 * MAX_DURATION_MS * BYTES_PER_SAMPLE
MOST_UNHEARD = 32
_LENGTHS = struct.Struct(">II")


class BadFrame(ValueError):
    """What came is no frame, or none that may come here."""


class Heard(ReplyModel):
    """What was recognised. Fields as in `StsResponse`; `words` if they were asked for.

    `unheard_ms`: (start, end) of what lasts too long for the words that were recognised in it:
    whoever speaks there is not dubbed.
    """

    kind: Literal["heard"] = "heard"
    fragment_id: FragmentId
    transcript: str = ""
    detected_language: str = Field(max_length=MOST_OF_A_LANGUAGE)
    language_probability: float | None = Field(default=None, ge=0, le=1)
    left_alone: LeftAlone | None = None
    song_odds: FiniteFloat | None = None
    speech_start_ms: int | None = Field(default=None, ge=0)
    speech_end_ms: int | None = Field(default=None, ge=0)
    words: tuple[WordTime, ...] = ()
    unheard_ms: tuple[tuple[NonNegativeInt, NonNegativeInt], ...] = Field(
        default=(), max_length=MOST_UNHEARD
    )


class PlannedClause(ReplyModel):
    """A clause that will be spoken, and where in the fragment that is said which it translates.

    The spans of all clauses follow one another without a gap from the speech's start to its end;
    absent if they are not known.
    """

    index: int = Field(ge=0)
    text: str
    source_text: str | None = None
    source_start_ms: int | None = Field(default=None, ge=0)
    source_end_ms: int | None = Field(default=None, ge=0)


class Translated(ReplyModel):
    """The translation as it will be spoken (shortened, if it would not fit), in its clauses."""

    kind: Literal["translated"] = "translated"
    translated_text: str
    clauses: tuple[PlannedClause, ...]


class Clause(ReplyModel):
    """A clause's sound; its PCM begins and ends with speech.

    `natural_ms`: how long the voice took for it; 0, and no PCM, if nothing in it can be spoken.
    `tempo`: what it was brought to, 1.0 for its natural length. `pause_ms`: the silence that
    belongs after it, at its natural length too; the last clause's is what follows the fragment.
    """

    kind: Literal["clause"] = "clause"
    index: int = Field(ge=0)
    text: str
    natural_ms: int = Field(ge=0)
    pause_ms: int = Field(ge=0)
    tempo: float = Field(default=1.0, gt=0)
    sample_rate_hz: int = Field(ge=8_000, le=192_000)
    channels: Literal[1] = 1


class Done(ReplyModel):
    """The end: all has come. Fields as in `StsResponse`; `partial` does not fit its slot."""

    kind: Literal["done"] = "done"
    status: Literal["success", "no_speech", "partial"]
    no_dub: NoDub | None = None
    speech_ms: int = Field(default=0, ge=0)
    tempo: float = Field(default=1.0, gt=0)
    shortened: bool = False
    processing_time_ms: float = Field(ge=0)
    stages_ms: StageTimes
    metadata: StsMetadata


class Failed(ReplyModel):
    """The end: what has not come yet does not come. Frames before it stay valid."""

    kind: Literal["error"] = "error"
    error: ErrorDetail


Frame: TypeAlias = Heard | Translated | Clause | Done | Failed
FRAMES: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="kind")])

# What may come after what; None is the beginning. Clauses also count up from 0.
_AFTER: dict[str | None, tuple[str, ...]] = {
    None: ("heard", "error"),
    "heard": ("translated", "done", "error"),
    "translated": ("clause", "done", "error"),
    "clause": ("clause", "done", "error"),
    "done": (),
    "error": (),
}


def encode(frame: Frame, pcm: bytes = b"") -> bytes:
    """A frame as it goes over the wire. Raises BadFrame if the PCM is not the frame's."""
    _check_pcm(frame, pcm)
    header = frame.model_dump_json().encode()
    _check_lengths(len(header), len(pcm), MAX_PCM_BYTES)
    return b"".join((_LENGTHS.pack(len(header), len(pcm)), header, pcm))


class FrameReader:
    """Takes bytes as they come, gives the frames that are whole, and checks their order.

    Frames of a kind that is not known are left out, so that an older client reads a newer service.
    `most_pcm_bytes`: the longest PCM of one frame. What is held is bounded by a frame's size.
    """

    def __init__(self, most_pcm_bytes: int = MAX_PCM_BYTES) -> None:
        self._most_pcm_bytes = most_pcm_bytes
        self._held = bytearray()
        self._last: str | None = None
        self._clauses = 0

    @property
    def ended(self) -> bool:
        """True once `done` or `error` has come; before that, the end of the bytes is a break."""
        return self._last in ("done", "error")

    def feed(self, data: bytes) -> Iterator[tuple[Frame, bytes]]:
        """The frames that are whole now, each with its PCM. Raises BadFrame at one that is none,
        after those before it; what is not asked for comes with the next data."""
        self._held += data
        return self._whole()

    def _whole(self) -> Iterator[tuple[Frame, bytes]]:
        while len(self._held) >= _LENGTHS.size:
            header_bytes, pcm_bytes = _LENGTHS.unpack_from(self._held)
            _check_lengths(header_bytes, pcm_bytes, self._most_pcm_bytes)
            begin = _LENGTHS.size + header_bytes
            if len(self._held) < begin + pcm_bytes:
                return
            header = bytes(self._held[_LENGTHS.size : begin])
            pcm = bytes(self._held[begin : begin + pcm_bytes])
            del self._held[: begin + pcm_bytes]
            frame = _parse(header)
            if frame is not None:
                _check_pcm(frame, pcm)
                self._check_order(frame)
                yield frame, pcm

    def _check_order(self, frame: Frame) -> None:
        if frame.kind not in _AFTER[self._last]:
            raise BadFrame(f"a frame {frame.kind} after {self._last or 'nothing'}")
        if isinstance(frame, Clause):
            if frame.index != self._clauses:
                raise BadFrame(f"clause {frame.index} where {self._clauses} was due")
            self._clauses += 1
        self._last = frame.kind


def _check_lengths(header_bytes: int, pcm_bytes: int, most_pcm_bytes: int) -> None:
    if header_bytes > MAX_HEADER_BYTES or pcm_bytes > most_pcm_bytes:
        raise BadFrame(f"a frame of {header_bytes} bytes of header and {pcm_bytes} of sound")


def _check_pcm(frame: Frame, pcm: bytes) -> None:
    if not isinstance(frame, Clause):
        if pcm:
            raise BadFrame(f"a frame {frame.kind} has no sound")
    elif len(pcm) % BYTES_PER_SAMPLE:
        raise BadFrame(f"{len(pcm)} bytes are not a whole number of samples")
    elif bool(pcm) != (frame.natural_ms > 0):
        raise BadFrame(f"{len(pcm)} bytes of sound for {frame.natural_ms} ms of speech")


def _parse(header: bytes) -> Frame | None:
    """The frame of a header; None if its kind is not known."""
    try:
        return FRAMES.validate_json(header)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        if faults[0]["type"] == "union_tag_invalid":
            return None
        where = ".".join(str(part) for part in faults[0]["loc"])
        raise BadFrame(f"not a frame: {where or 'header'}: {faults[0]['msg']}") from error
