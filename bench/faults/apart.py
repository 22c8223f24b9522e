"""Faults that need no stream on air, or each a short one of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from bench.faults import inputs
from bench.faults.inputs import Bent
from bench.faults.rows import Row
from bench.scene import Recorders
from dubcast.config import Settings
from dubcast.measure import stage
from dubcast.measure.probe import probe
from dubcast.testing import hook_orders

_DELAY_S = 3.0
_GROUP = 5
_ORDERS = 10_000
_NO_STS = "http://127.0.0.1:9"
_OFFSET_MS = 20.0


async def bent_inputs(settings: Settings, out: Path, console: Console) -> list[Row]:
    """Publish every bent programme through a worker of its own, a few at a time."""
    _, third = stage.stage_settings(settings, out, ())
    server = stage.role("media-server", third, out)
    rows: list[Row] = []
    try:
        await asyncio.sleep(4)
        todo = list({**inputs.BENT, **inputs.ODD}.items())
        for first in range(0, len(todo), _GROUP):
            group = dict(todo[first : first + _GROUP])
            console.print(f"  inputs: {', '.join(group)}", highlight=False)
            barrier = asyncio.Barrier(len(group))
            jobs = [_one(name, bent, third, out, barrier) for name, bent in group.items()]
            rows += await asyncio.gather(*jobs)
    finally:
        await asyncio.to_thread(server.stop)
    return rows


async def _one(name: str, bent: Bent, third: Settings, out: Path, all_wait: asyncio.Barrier) -> Row:
    ingest = stage.third_party_url(third, name)
    output = stage.third_party_url(third, f"{name}-out")
    own = third.model_copy(
        update={
            "sts": third.sts.model_copy(update={"url": _NO_STS}),
            "stream": third.stream.model_copy(
                update={
                    "delay_s": _DELAY_S,
                    "separation": third.stream.separation.model_copy(update={"separator": "off"}),
                }
            ),
            "worker": third.worker.model_copy(update={"drain_s": 0.0}),
        }
    )
    words = ("--stream-id", name, "--input", ingest, "--output", output)
    worker = stage.role("worker", own, out, *words, "--status-port", str(stage.free_port()))
    recorders = Recorders({name: output}, out)
    try:
        await asyncio.sleep(4)
        await all_wait.wait()
        await inputs.publish(bent, ingest, out)
        await asyncio.sleep(_DELAY_S + 2)
    finally:
        await asyncio.to_thread(recorders.stop)
        alive = worker.running
        await asyncio.to_thread(worker.stop)
    clip = inputs.clip_of(bent, out)
    return await asyncio.to_thread(_judge, name, bent, out / f"{name}.flv", clip, alive)


def _judge(name: str, bent: Bent, recording: Path, clip: Path, alive: bool) -> Row:
    report = probe(recording, source=clip)
    tracks = (report.video, report.audio)
    video, audio = (track.timing.gap_max_ms if track else None for track in tracks)
    row = Row(
        f"input_{name}",
        video,
        audio,
        av_offset_after_ms=report.sync.max_abs_ms if report.sync else None,
        restarts=int(not alive),
        bars={"av_offset_after_ms": _OFFSET_MS, "restarts": 0, "backwards": 0},
    )
    row.bars |= {"gap_video_ms": bent.gap_ms, "gap_audio_ms": bent.gap_ms}
    row.detail["backwards"] = sum(track.timing.dts_backwards for track in tracks if track)
    if bent.exact:
        row.detail["changed_pictures"] = int(
            report.comparison is None or not report.comparison.bit_exact
        )
        row.bars["changed_pictures"] = 0
    return row


def hooks() -> list[Row]:
    """Lost, doubled, late and reordered hooks, and a storm of them, in virtual time.

    In a process of its own, whose log holds errors alone: 10,000 orders have much to tell.
    """
    words = [sys.executable, "-m", hook_orders.__name__, "--orders", str(_ORDERS), "--seed", "1"]
    found = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)
    orders = Row(
        "hook_orders",
        recovery_s=round(found["hook_lost_healed_s"], 2),
        bars={"violations": 0, "recovery_s": 3},
        detail={"violations": found["hook_orders_violations"], "orders": found["hook_orders"]},
    )
    spawned = {"spawns_per_path": found["flap_storm_spawns_per_path"]}
    return [orders, Row("hook_storm", bars={"spawns_per_path": 1}, detail=spawned)]


def bad_replies() -> Row:
    """1,000 generated replies on a real socket: the test that checks each of them, run deep."""
    words = [sys.executable, "-m", "pytest", "-q", "--hypothesis-profile=deep", "--timeout=900"]
    done = subprocess.run(
        [*words, "tests/unit/test_bad_replies.py"], capture_output=True, check=False
    )
    return Row("bad_replies", bars={"crashes": 0}, detail={"crashes": int(done.returncode != 0)})


def bad_config(out: Path) -> Row:
    """A setting that is wrong: refused at once, by name."""
    path = out / "bad.yaml"
    path.write_text("stream: {delay_s: 99}\n", encoding="utf-8")
    began = time.monotonic()
    words = [sys.executable, "-m", "dubcast", "up", "-c", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    named = done.returncode == 2 and "stream.delay_s" in done.stderr
    took = {"refused_s": round(time.monotonic() - began, 2), "unnamed": int(not named)}
    return Row("bad_config", bars={"refused_s": 2, "unnamed": 0}, detail=took)
