"""`python -m bench.speech.first_clause`: how long the service takes to the first clause's sound.

Fragments of 6 s of real speech are asked for one after the other, as the worker of one stream asks;
the service runs alone, with its defaults. A service that answers as a whole counts with its whole
reply.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
from rich.console import Console

from bench import parts
from bench.mix.takes import read_wav
from bench.parts import Found, Part
from bench.speech import programmes
from dubcast.audio.pcm import RATE, to_int16
from dubcast.config import Settings
from dubcast.contract import stream_reply
from dubcast.contract.stream_reply import Clause, FrameReader
from dubcast.contract.sts import FragmentConfig, PcmAudio, StsRequest
from dubcast.errors import MediaError
from dubcast.measure import stage
from dubcast.measure.figures import Bar

BARS = (
    Bar("first_clause_p50_s", "<=", 2.0, "fragments of 6 s"),
    Bar("first_clause_p95_s", "<=", 3.2, "fragments of 6 s"),
)
_LENGTH_S = 6.0
_EACH = 10  # of either direction
_READY_S = 120.0
_TIMEOUT_S = 20.0
_NAMES = ("readers", "portuguese")


def fragments() -> Iterator[StsRequest]:
    """Six seconds of either programme at a time, from a line's beginning on."""
    for name in _NAMES:
        programme = next(one for one in programmes.PROGRAMMES if one.name == name)
        material = programmes.built(programme)
        speech = read_wav(material.speech)[:, 0]
        starts = [
            at
            for line in material.narration
            for at in np.arange(line.start_s, line.end_s - _LENGTH_S, _LENGTH_S).tolist()
        ]
        config = FragmentConfig(
            source_language=programme.source,
            target_language=programme.target,
            duration_policy="fit",
            slot_ms=round(1200 * _LENGTH_S),
        )
        for number, start_s in enumerate(starts[:_EACH]):
            cut = speech[round(start_s * RATE) : round((start_s + _LENGTH_S) * RATE)]
            yield StsRequest(
                fragment_id=str(uuid.uuid4()),
                stream_id=name,
                sequence_number=number,
                audio=PcmAudio.from_pcm(to_int16(cut).tobytes(), RATE, 1),
                config=config,
                timeout_ms=round(1000 * _TIMEOUT_S),
            )


def first_clause_s(client: httpx2.Client, request: StsRequest) -> float:
    """Seconds from asking to the first clause's last byte, or to the whole reply's; NaN if there is
    none. What fails has taken all of its time.
    """
    headers = {"Accept": stream_reply.MEDIA_TYPE, "Content-Type": "application/json"}
    body = request.model_dump_json().encode()
    begun = time.monotonic()
    with client.stream("POST", "/api/v1/sts/process", content=body, headers=headers) as reply:
        if reply.status_code != httpx2.codes.OK:
            return _TIMEOUT_S
        if not reply.headers["content-type"].startswith(stream_reply.MEDIA_TYPE):
            reply.read()
            return time.monotonic() - begun
        reader = FrameReader()
        for data in reply.iter_raw():
            if any(isinstance(frame, Clause) for frame, _ in reader.feed(data)):
                return time.monotonic() - begun
    return float("nan")


def _ready(client: httpx2.Client, service: stage.Role) -> None:
    end = time.monotonic() + _READY_S
    while time.monotonic() < end and service.running:
        try:
            if client.get("/readyz").status_code == httpx2.codes.OK:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(stage.POLL_S)
    raise MediaError(f"the service did not get ready; its log is {service.log}")


def _measure(settings: Settings, out: Path, _console: Console) -> Found:
    asked = list(fragments())
    roles, _ = stage.stage_settings(settings, out, ())
    service = stage.role("sts", roles, out)
    try:
        with httpx2.Client(
            base_url=roles.sts.url, timeout=2 * _TIMEOUT_S, trust_env=False
        ) as client:
            _ready(client, service)
            first_clause_s(client, asked[0])  # what is loaded on first use is not the clause's
            took = [round(first_clause_s(client, request), 3) for request in asked[1:]]
    finally:
        service.stop()
    heard = [one for one in took if not np.isnan(one)]
    found = {
        f"first_clause_p{rank}_s": round(float(np.percentile(heard, rank)), 2) if heard else None
        for rank in (50, 95)
    }
    return Found(found, {"seconds": took})


PART = Part("first-clause", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("speech", [PART], PART.name))
