"""The frames of a streamed reply: what is written is read, however it comes; nothing else is."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from dubcast.contract.stream_reply import (
    MAX_HEADER_BYTES,
    BadFrame,
    Clause,
    Done,
    Failed,
    Frame,
    FrameReader,
    Heard,
    PlannedClause,
    Translated,
    encode,
)
from dubcast.contract.sts import ErrorDetail, StageTimes, StsMetadata, WordTime

METADATA = StsMetadata(asr_model="a", translation_model="m", tts_model="t", replica="r")
HEARD = Heard(
    fragment_id="f1",
    transcript="Hello. Bye.",
    detected_language="en",
    language_probability=0.9,
    speech_start_ms=100,
    speech_end_ms=900,
    words=(WordTime(text="Hello.", start_ms=100, end_ms=400),),
)
TRANSLATED = Translated(
    translated_text="Olá. Tchau.",
    clauses=(
        PlannedClause(
            index=0, text="Olá.", source_text="Hello.", source_start_ms=100, source_end_ms=500
        ),
        PlannedClause(index=1, text="Tchau."),
    ),
)
DONE = Done(status="success", processing_time_ms=12.5, stages_ms=StageTimes(), metadata=METADATA)
FAILED = Failed(error=ErrorDetail(code="TIMEOUT", message="late", retryable=True, stage="tts"))
PCM = bytes(range(200))


def clause(index: int, natural_ms: int = 100) -> Clause:
    return Clause(
        index=index, text="Olá.", natural_ms=natural_ms, pause_ms=300, sample_rate_hz=48_000
    )


WHOLE: list[tuple[Frame, bytes]] = [
    (HEARD, b""),
    (TRANSLATED, b""),
    (clause(0), PCM),
    (clause(1, natural_ms=0), b""),
    (DONE, b""),
]


def wire(frames: list[tuple[Frame, bytes]]) -> bytes:
    return b"".join(encode(frame, pcm) for frame, pcm in frames)


def raw(header: dict[str, Any], pcm: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack(">II", len(text), len(pcm)) + text + pcm


def test_the_wire_is_two_lengths_a_header_and_the_sound() -> None:
    data = encode(clause(0), PCM)
    header_bytes, pcm_bytes = struct.unpack(">II", data[:8])
    assert json.loads(data[8 : 8 + header_bytes])["kind"] == "clause"
    assert data[8 + header_bytes :] == PCM and pcm_bytes == len(PCM)


@pytest.mark.parametrize("step", [1, 7, 64, 100_000])
def test_frames_are_read_as_they_were_written_however_they_come(step: int) -> None:
    reader, data = FrameReader(), wire(WHOLE)
    found: list[tuple[Frame, bytes]] = []
    for at in range(0, len(data), step):
        assert not reader.ended
        found += reader.feed(data[at : at + step])
    assert found == WHOLE and reader.ended


@pytest.mark.parametrize(
    "frames",
    [
        [(HEARD, b""), (DONE, b"")],
        [(HEARD, b""), (FAILED, b"")],
        [(HEARD, b""), (TRANSLATED, b""), (clause(0), PCM), (FAILED, b"")],
        [(HEARD, b""), (TRANSLATED, b""), (DONE, b"")],
    ],
)
def test_a_reply_may_end_early(frames: list[tuple[Frame, bytes]]) -> None:
    reader = FrameReader()
    assert list(reader.feed(wire(frames))) == frames and reader.ended


@pytest.mark.parametrize(
    "frames",
    [
        [(TRANSLATED, b"")],
        [(DONE, b"")],
        [(HEARD, b""), (HEARD, b"")],
        [(HEARD, b""), (clause(0), PCM)],
        [(HEARD, b""), (TRANSLATED, b""), (clause(1), PCM)],
        [(HEARD, b""), (TRANSLATED, b""), (clause(0), PCM), (clause(0), PCM)],
        [(HEARD, b""), (TRANSLATED, b""), (TRANSLATED, b"")],
        [(HEARD, b""), (DONE, b""), (FAILED, b"")],
    ],
)
def test_an_order_that_is_not_the_contracts_is_refused(
    frames: list[tuple[Frame, bytes]],
) -> None:
    with pytest.raises(BadFrame):
        list(FrameReader().feed(wire(frames)))


def test_a_kind_that_is_not_known_is_left_out() -> None:
    reader = FrameReader()
    newer = raw({"kind": "mood", "of": "the speaker"}, b"\1\2")
    assert list(reader.feed(encode(HEARD) + newer + encode(DONE))) == [(HEARD, b""), (DONE, b"")]


def test_a_field_that_is_not_known_is_left_out() -> None:
    header = {**HEARD.model_dump(mode="json"), "mood": "good"}
    assert list(FrameReader().feed(raw(header))) == [(HEARD, b"")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (struct.pack(">II", 2, 0) + b"no", "header"),
        (raw({"kind": "heard"}), "fragment_id"),
        (raw({"no": "kind"}), "not a frame"),
        (raw({**HEARD.model_dump(mode="json"), "detected_language": "x" * 36}), "language"),
        (raw({**HEARD.model_dump(mode="json")}, b"\0\0"), "no sound"),
        (raw({**clause(0).model_dump(mode="json")}, b"\0\0\0"), "whole number"),
        (raw({**clause(0).model_dump(mode="json")}), "0 bytes of sound for 100 ms"),
        (raw({**clause(0, natural_ms=0).model_dump(mode="json")}, b"\0\0"), "for 0 ms"),
        (struct.pack(">II", MAX_HEADER_BYTES + 1, 0), "bytes of header"),
        (struct.pack(">II", 10, 0xFFFF_FFFF), "of sound"),
    ],
)
def test_what_is_no_frame_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(BadFrame, match=why):
        list(FrameReader().feed(data))


def test_what_is_no_frame_costs_none_of_those_before_it() -> None:
    found = FrameReader().feed(encode(HEARD) + encode(TRANSLATED) + b"\xff" * 8)
    assert [next(found), next(found)] == [(HEARD, b""), (TRANSLATED, b"")]
    with pytest.raises(BadFrame):
        next(found)


def test_a_length_is_refused_before_the_bytes_have_come() -> None:
    with pytest.raises(BadFrame):
        list(FrameReader(most_pcm_bytes=100).feed(struct.pack(">II", 10, 102)))


def test_what_is_no_sound_of_a_frame_is_not_written() -> None:
    for frame, pcm in ((HEARD, b"\0\0"), (clause(0), b"\0"), (clause(0), b"")):
        with pytest.raises(BadFrame):
            encode(frame, pcm)
