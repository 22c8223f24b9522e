"""What the contract costs a fragment of 200 KB, without models.

What both sides do for it by themselves: the client writes the request; the service reads and
checks it, hashes it for its idempotency, and writes the reply; the client reads that. In JSON both
ways, and in binary: a request with its sound beside it, a streamed reply. The service's whole way
from request to reply, with stages that compute nothing, is told beside it.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from starlette.types import ASGIApp, Message

from bench.parts import Found, Part
from bench.sts.still import still_engine
from dubcast.config import Settings
from dubcast.contract import fragment_form, stream_reply
from dubcast.contract.sts import (
    FragmentConfig,
    PcmAudio,
    StageTimes,
    StsMetadata,
    StsRequest,
    StsResponse,
    WordTime,
)
from dubcast.measure.figures import Bar
from dubcast.sts.admission import PROCESS
from dubcast.sts.app import create_app
from dubcast.sts.service import fingerprint

BARS = (
    Bar("contract_json_p50_ms", "<=", 3.0, "written and read by both sides"),
    Bar("contract_binary_p50_ms", "<=", 1.0, "the same, without base64"),
)
_PCM_BYTES = 200_000
_RATE = 48_000
_TIMES = 200
_WORDS = tuple(WordTime(text=f"word{i}", start_ms=100 * i, end_ms=100 * i + 90) for i in range(18))
_METADATA = StsMetadata(asr_model="none", translation_model="none", tts_model="none", replica="a")


async def measure() -> dict[str, float]:
    """Median milliseconds of each form: of the contract, and of the service around it."""
    pcm = random.Random(1).randbytes(_PCM_BYTES)
    return {
        "contract_json_p50_ms": _median_ms(lambda i: _in_json(_request(i, pcm))),
        "contract_binary_p50_ms": _median_ms(lambda i: _in_binary(_request(i, pcm))),
        **await _around(pcm),
    }


def _request(i: int, pcm: bytes) -> StsRequest:
    return StsRequest(
        fragment_id=f"f{i}",
        stream_id="demo",
        sequence_number=i,
        audio=PcmAudio.from_pcm(pcm, _RATE, 1),
        config=FragmentConfig(duration_policy="fit", timings="words"),
    )


def _in_json(asked: StsRequest) -> None:
    read = StsRequest.model_validate_json(asked.model_dump_json().encode())
    fingerprint(read)
    reply = StsResponse(
        fragment_id=read.fragment_id,
        status="success",
        dubbed_audio=read.audio,
        detected_language="en",
        words=_WORDS,
        processing_time_ms=1.0,
        stages_ms=StageTimes(),
        metadata=_METADATA,
    )
    StsResponse.model_validate_json(reply.model_dump_json().encode())


def _in_binary(asked: StsRequest) -> None:
    read = fragment_form.decode(fragment_form.encode(asked))
    fingerprint(read)
    clause = stream_reply.Clause(
        index=0, text="", natural_ms=read.audio.duration_ms, pause_ms=0, sample_rate_hz=_RATE
    )
    frames: list[tuple[stream_reply.Frame, bytes]] = [
        (
            stream_reply.Heard(fragment_id=read.fragment_id, detected_language="en", words=_WORDS),
            b"",
        ),
        (
            stream_reply.Translated(
                translated_text="", clauses=(stream_reply.PlannedClause(index=0, text=""),)
            ),
            b"",
        ),
        (clause, read.audio.pcm_bytes()),
        (
            stream_reply.Done(
                status="success",
                processing_time_ms=1.0,
                stages_ms=StageTimes(),
                metadata=_METADATA,
            ),
            b"",
        ),
    ]
    reader = stream_reply.FrameReader()
    for frame, sound in frames:
        list(reader.feed(stream_reply.encode(frame, sound)))


def _median_ms(once: Callable[[int], None]) -> float:
    took = []
    for i in range(_TIMES):
        begun = time.perf_counter()
        once(i)
        took.append(1000 * (time.perf_counter() - begun))
    return round(statistics.median(took), 3)


async def _around(pcm: bytes) -> dict[str, float]:
    """The service's whole way, without network and with stages that compute nothing."""
    engine = still_engine()
    engine.start()
    engine.wait(10)
    app = create_app(Settings(), engine)
    try:
        return {
            "service_json_p50_ms": await _calls(app, pcm, binary=False),
            "service_binary_p50_ms": await _calls(app, pcm, binary=True),
        }
    finally:
        engine.stop()


async def _calls(app: ASGIApp, pcm: bytes, *, binary: bool) -> float:
    kind = fragment_form.MEDIA_TYPE if binary else "application/json"
    accept = stream_reply.MEDIA_TYPE if binary else "application/json"
    took = []
    for i in range(_TIMES):
        asked = _request(1000 * binary + i, pcm)
        body = fragment_form.encode(asked) if binary else asked.model_dump_json().encode()
        begun = time.perf_counter()
        await _call(app, body, {"content-type": kind, "accept": accept})
        took.append(1000 * (time.perf_counter() - begun))
    return round(statistics.median(took), 3)


async def _call(app: ASGIApp, body: bytes, headers: dict[str, str]) -> None:
    messages: list[Message] = [{"type": "http.request", "body": body}]

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    async def send(message: Message) -> None:
        if message.get("status", 200) != 200:
            raise RuntimeError(f"the service answered {message['status']}")

    scope = {
        "type": "http",
        "method": "POST",
        "path": PROCESS,
        "raw_path": PROCESS.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "server": ("bench", 80),
        "client": ("bench", 1),
    }
    await app(scope, receive, send)


def _measured(_: Settings, __: Path, ___: Console) -> Found:
    found = asyncio.run(measure())
    return Found({bar.key: found[bar.key] for bar in BARS}, found)


PART = Part("contract", BARS, _measured)
