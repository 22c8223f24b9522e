"""Streams that come at the pace of speech: each sends a fragment when it has been said, and the
next one when that one has, whether or not an answer came.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx2

from dubcast.contract.sts import FragmentConfig, PcmAudio, StsRequest

PATH = "/api/v1/sts/process"
_ID = "in-place-of-the-id"
_RATE = 48_000


@dataclass(frozen=True)
class Said:
    """A fragment of speech as it is sent, but for its names, and how long it takes to say."""

    body: bytes
    seconds: float

    def of(self, stream: str, fragment: int) -> bytes:
        """The request of a stream's fragment."""
        body = self.body.replace(f"{_ID}-s".encode(), stream.encode(), 1)
        return body.replace(f"{_ID}-f".encode(), f"{stream}-{fragment}".encode(), 1)


def said(pcm: bytes, deadline_s: float, target: str) -> Said:
    """A fragment of mono 48 kHz S16LE English, to be answered within `deadline_s`."""
    request = StsRequest(
        fragment_id=f"{_ID}-f",
        stream_id=f"{_ID}-s",
        sequence_number=0,
        audio=PcmAudio.from_pcm(pcm, _RATE, 1),
        config=FragmentConfig(
            source_language="en", target_language=target, duration_policy="fit", timings="words"
        ),
        timeout_ms=round(1000 * deadline_s),
    )
    return Said(request.model_dump_json().encode(), len(pcm) / 2 / _RATE)


@dataclass
class Tally:
    """What became of the fragments of one load: seconds to each answer, and how many had none."""

    took_s: list[float] = field(default_factory=list)
    refused: int = 0
    failed: int = 0
    silent: int = 0

    def share_in_time(self, deadline_s: float) -> float:
        """Share of all fragments that were dubbed within the deadline."""
        sent = len(self.took_s) + self.refused + self.failed + self.silent
        return sum(one <= deadline_s for one in self.took_s) / sent if sent else 0.0


async def load(url: str, fragments: Sequence[Said], streams: int, seconds: float) -> Tally:
    """The tally of so many streams for so long.

    Each has a connection of its own, as a worker has.
    """
    tally, chance = Tally(), random.Random(streams)
    async with asyncio.TaskGroup() as group:
        for i in range(streams):
            own = chance.sample(list(fragments), len(fragments))
            until = time.monotonic() + seconds
            # They began at different times before: no burst of all of them.
            begin = chance.uniform(0, own[0].seconds)
            group.create_task(_stream(url, f"load-{streams}-{i}", own, begin, until, tally))
    return tally


async def _stream(
    url: str, name: str, fragments: Sequence[Said], begin_s: float, until: float, tally: Tally
) -> None:
    due = time.monotonic() + begin_s
    async with (
        httpx2.AsyncClient(base_url=url, timeout=30.0, trust_env=False) as client,
        asyncio.TaskGroup() as group,
    ):
        for number in itertools.count():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if due > until:
                return
            one = fragments[number % len(fragments)]
            group.create_task(_send(client, one.of(name, number), tally))
            due += fragments[(number + 1) % len(fragments)].seconds


async def _send(client: httpx2.AsyncClient, body: bytes, tally: Tally) -> None:
    begun = time.monotonic()
    try:
        reply = await client.post(PATH, content=body, headers={"Content-Type": "application/json"})
    except httpx2.HTTPError:
        tally.failed += 1
        return
    if reply.status_code == 503:
        tally.refused += 1
    elif reply.status_code != 200:
        tally.failed += 1
    elif b'"status":"no_speech"' in reply.content[:600]:
        tally.silent += 1
    else:
        tally.took_s.append(time.monotonic() - begun)
