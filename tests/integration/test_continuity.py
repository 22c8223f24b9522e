"""A real worker whose speech service fails: what it plays, what it says, how it comes back."""

from __future__ import annotations

import re
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from test_worker import WorkerProcess, media_server, play, spoken_clip, worker

from dubcast.testing import faults
from dubcast.testing.sts_server import Reply, ScriptedSts, success
from rig import eventually


def metrics(one: WorkerProcess, name: str) -> dict[str, float]:
    """The labels (without the stream) and values of a metric."""
    with urllib.request.urlopen(f"http://127.0.0.1:{one.port}/metrics", timeout=2) as reply:
        text = reply.read().decode()
    found = re.findall(rf"^{name}{{(.*)}} (\S+)$", text, re.MULTILINE)
    return {labels.replace(',stream="t"', ""): float(value) for labels, value in found}


async def test_a_failing_service_is_left_alone_covered_and_taken_back(
    server_kind: str, tmp_path: Path
) -> None:
    clip = spoken_clip(tmp_path)
    sts = ScriptedSts(faults.always(faults.status(500)), pages={"/readyz": Reply(503)})
    async with media_server(server_kind) as server:
        source, output = server.read_url("live/t/in"), server.read_url("live/t/out")
        settings = {
            "sts": {"url": sts.url, "ping_s": 0.2, "breaker": {"failures": 1}},
            "stream": {"fallback": "background", "fallback_order": ["silence"]},
        }
        with sts, worker(source, output, tmp_path, **settings) as one:
            await one.state("waiting")
            with play(clip, server.publish_url("live/t/in")):
                await eventually(lambda: metrics(one, "dubcast_fallback_total"), 20)
                await eventually(lambda: one.status()["sts"][0]["state"] == "open", 5)
                assert len(sts.requests) == 1
                sts.script, sts.pages = faults.always(success), {}
                await eventually(lambda: one.status()["fragments"].get("dubbed"), 20)
                await eventually(
                    lambda: metrics(one, "dubcast_breaker_state")['state="closed"'] == 1, 5
                )
                fallbacks = metrics(one, "dubcast_fallback_total")
                calls = metrics(one, "dubcast_sts_calls_total")
            assert one.status()["output"]["restarts"] == 0
            assert one.stop() == 0
    assert fallbacks['mode="silence",reason="MODEL_ERROR"'] == 1
    assert calls['outcome="model_error"'] == 1
    assert calls['outcome="good"'] >= 1


@pytest.mark.parametrize(("max_inflight", "peak"), [(1, 1), (3, 2)])
async def test_no_more_fragments_are_in_flight_than_allowed(
    server_kind: str, tmp_path: Path, max_inflight: int, peak: int
) -> None:
    """A sentence every four seconds, and a service that needs longer than that.

    It is quick enough for every deadline: one given up still counts at a server that answers it.
    """
    under_way: set[str] = set()
    peaks = [0]

    def slow(request: dict[str, Any], call: int) -> Reply:
        under_way.add(request["fragment_id"])
        peaks.append(len(under_way))
        time.sleep(5)
        under_way.discard(request["fragment_id"])
        return success(request)

    clip = spoken_clip(tmp_path)
    async with media_server(server_kind) as server:
        source, output = server.read_url("live/t/in"), server.read_url("live/t/out")
        with ScriptedSts(slow) as sts:
            settings = {
                "sts": {"url": sts.url, "max_inflight": max_inflight, "breaker": {"slow_ratio": 1}},
                "stream": {"delay_s": 12},
            }
            with worker(source, output, tmp_path, **settings) as one:
                await one.state("waiting")
                with play(clip, server.publish_url("live/t/in")):
                    await eventually(lambda: one.status()["fragments"].get("dubbed", 0) > 1, 30)
                assert one.stop() == 0
    assert max(peaks) == peak
