"""The worker's calls for chunks that overlap, against a service on the wire; media time is virtual.

No pipeline runs: what they would bring is put into the core.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Float
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.testing.clock import VirtualClock
from dubcast.testing.sts_server import Reply, ScriptedSts, refusal, success
from dubcast.worker.core import WorkerCore
from dubcast.worker.dubber import Dubber
from dubcast.worker.sts_client import StsClient
from rig import eventually

CHUNK = 4800
POLICY = StreamSettings.model_validate(
    {"delay_s": 8, "fragments": {"mode": "fixed"}, "separation": {"separator": "off"}}
)


class AllSpeech:
    def probability(self, window: Float) -> float:
        return 0.9

    def reset(self) -> None:
        pass


async def sent(script: Any) -> list[dict[str, Any]]:
    """The requests for the first four chunks, two cut before the first reply comes."""
    clock, two_cut = VirtualClock(), threading.Event()

    def held_back(request: dict[str, Any], call: int) -> Reply:
        assert two_cut.wait(10)
        reply: Reply = script(request, call)
        return reply

    with ScriptedSts(held_back) as sts:
        settings = StsClientSettings(url=sts.url, retries=0, max_inflight=4)
        core = WorkerCore(POLICY, "run", AllSpeech(), 0)
        client = StsClient(settings, "demo", POLICY, clock.monotonic_ns)
        dubber = Dubber(core.dubs, client, clock, asyncio.to_thread, settings.max_inflight)
        chunks = 0
        while chunks < 4:
            now = clock.monotonic_ns()
            pcm = np.full((CHUNK, 2), 9000, np.int16).tobytes()
            fragments = core.audio(now, pcm, now)
            chunks += len(fragments)
            dubber.submit(fragments)
            await asyncio.sleep(0)
            if chunks == 2 and not two_cut.is_set():
                two_cut.set()
                await eventually(lambda: len(sts.requests) == 2)
            clock.advance(CHUNK / RATE)
        await dubber.idle()
        await client.close()
    assert clock.monotonic_ns() < 9 * NS_PER_S
    return sts.requests


async def test_a_chunk_is_sent_with_the_words_of_the_one_before() -> None:
    def script(request: dict[str, Any], call: int) -> Reply:
        words = f"words of {request['sequence_number']}"
        return success(request, transcript=words)

    requests = await sent(script)
    assert [request["sequence_number"] for request in requests] == [0, 1, 2, 3]
    assert [request["config"].get("overlap_ms", 0) for request in requests] == [0, 150, 150, 150]
    said = [request["context"]["source_text"] for request in requests]
    assert said == ["", "words of 0", "words of 1", "words of 2"]


@pytest.mark.parametrize("failing", [0, 2])
async def test_a_failure_ends_the_wait_and_leaves_the_seam_alone(failing: int) -> None:
    def script(request: dict[str, Any], call: int) -> Reply:
        if request["sequence_number"] == failing:
            return refusal(500, "MODEL_ERROR", retryable=False)
        return success(request)

    requests = await sent(script)
    overlaps = [request["config"].get("overlap_ms", 0) for request in requests]
    expected = [0, 150, 150, 150]
    expected[failing + 1] = 0
    assert overlaps == expected
