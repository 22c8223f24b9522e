"""The faults of the live run: how each is injected and healed, and what is asked of it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import psutil

from bench.scene import Scene, dub
from dubcast.errors import MediaError
from dubcast.testing import faults as replies
from dubcast.testing.proxy import Faults
from dubcast.testing.sts_server import Script

STRUCK = "struck"
DELAY_S = 5.0
# Dubbing again: the next fragment's speech, a pause, a ping, the delay.
_FRAGMENT_S = 6.0
_LONGEST_OPEN_S = 60 * 1.2  # of the breaker, with its jitter
_NO_GAP = {"gap_video_ms": 0.0, "gap_audio_ms": 0.0, "av_offset_after_ms": 20.0, "restarts": 0.0}
_STS = {**_NO_GAP, "recovery_s": DELAY_S + _FRAGMENT_S}
# Where pings are always well answered, the open state has to pass.
_PINGS_SAY_NOTHING = {**_STS, "recovery_s": _LONGEST_OPEN_S + DELAY_S + _FRAGMENT_S}
_APART = {"connections": 0.0, "backwards": 0.0, "other_gap_ms": 0.0}
_STEADY = {**_NO_GAP, **_APART, "steady_s": 10.0}
_BACK = {"restarts": 0.0, "av_offset_after_ms": 20.0, "backwards": 0.0, "connections": 0.0}
_POLL_S = 0.1
_MBIT = 125_000.0  # bytes per second
_DAY_S = 86_400
# At the clip's seam it is so long until the next beep that no dub lies over.
_BEEPS_S = 35.0

Act = Callable[[Scene], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Strike:
    """`act` injects a fault and heals it, and tells what it saw. `bars`: the most allowed.

    `settle_s`: how long after it the stream is still watched. `anew`: the output is connected
    anew, so its recovery is that of the picture and not of the dubs.
    """

    act: Act
    bars: dict[str, float] = field(default_factory=dict)
    settle_s: float = DELAY_S + _BEEPS_S
    anew: bool = False
    dubs: bool = False


def _wire(faults: Faults, seconds: float) -> Act:
    async def act(scene: Scene) -> dict[str, Any]:
        calls = await calls_of(scene)
        scene.link.faults = faults
        scene.link.reset()
        try:
            await asyncio.sleep(seconds)
            return {"calls": await calls_of(scene) - calls, "seconds": seconds}
        finally:
            scene.link.faults = Faults()

    return act


def _answers(script: Script, seconds: float) -> Act:
    async def act(scene: Scene) -> dict[str, Any]:
        calls = await calls_of(scene)
        scene.sts.script = script
        await asyncio.sleep(seconds)
        scene.sts.script = dub
        return {"calls": await calls_of(scene) - calls, "seconds": seconds}

    return act


async def _partition(scene: Scene) -> dict[str, Any]:
    scene.link.faults = Faults(latency_s=0.25)
    await asyncio.sleep(12)
    scene.link.faults = Faults(hang=True)
    await asyncio.sleep(5)
    scene.link.faults = Faults()
    return {}


def _ingest(faults: Faults, seconds: float) -> Act:
    async def act(scene: Scene) -> dict[str, Any]:
        scene.ingest.faults = faults
        await asyncio.sleep(seconds)
        scene.ingest.faults = Faults()
        return {"seconds": seconds}

    return act


async def _clock_stepped(scene: Scene) -> dict[str, Any]:
    clock = scene.wall_clock
    if clock is None:
        raise MediaError("this scene's wall clock cannot be stepped")
    try:
        for offset_s in (_DAY_S, -_DAY_S):
            clock.step(offset_s)
            await asyncio.sleep(10)
        stays = [name for name, process in scene.processes() if not clock.moves(process)]
    finally:
        clock.step(0)
    return {"steps_s": f"{_DAY_S} {-2 * _DAY_S} {_DAY_S}", "unmoved": len(stays)}


async def _separation_killed(scene: Scene) -> dict[str, Any]:
    scene.kill(scene.separation(STRUCK), signal.SIGKILL)
    return {}


async def _separation_frozen(scene: Scene) -> dict[str, Any]:
    scene.kill(scene.separation(STRUCK), signal.SIGSTOP)
    await asyncio.sleep(10)
    return {}


def _publisher_away(seconds: float) -> Act:
    async def act(scene: Scene) -> dict[str, Any]:
        scene.unpublish(STRUCK)
        await asyncio.sleep(seconds)
        scene.publish(STRUCK)
        return {"away_s": seconds}

    return act


async def _worker_killed(scene: Scene) -> dict[str, Any]:
    scene.kill(scene.role("worker", STRUCK), signal.SIGKILL)
    return {}


async def _worker_frozen(scene: Scene) -> dict[str, Any]:
    scene.kill(scene.role("worker", STRUCK), signal.SIGSTOP)
    return {}


async def _media_server_killed(scene: Scene) -> dict[str, Any]:
    server = scene.role("node")
    port = scene.roles.media_server.rtmp_port
    scene.kill(server, signal.SIGKILL)
    opened = await _until(lambda: _listens(port, server.pid), 20)
    for stream in (STRUCK, "other"):  # an encoder connects again by itself
        scene.unpublish(stream)
        scene.publish(stream)
    return {"opened_ns": opened}


async def _orchestrator_killed(scene: Scene) -> dict[str, Any]:
    worker = scene.role("worker", STRUCK).pid
    # Frozen, `up` does not put another in its place.
    scene.kill(scene.up, signal.SIGSTOP)
    try:
        scene.kill(scene.role("orchestrator"), signal.SIGKILL)
        await asyncio.sleep(30)
    finally:
        scene.kill(scene.up, signal.SIGCONT)
    started = await _until(lambda: _runs(scene, "orchestrator"), 20)
    adopted = await _until_async(lambda: _adopts(scene, worker), 20)
    workers = sum(name == f"worker {STRUCK}" for name, _ in scene.processes())
    return {"adopt_s": round((adopted - started) / 1e9, 2), "duplicates": workers - 1}


async def _destination_wedged(scene: Scene) -> dict[str, Any]:
    began = time.monotonic_ns()
    scene.destination.faults = Faults(hang=True)
    try:
        found = await _until_async(lambda: _egress_is_down(scene), 20)
        await asyncio.sleep(2)
    finally:
        scene.destination.faults = Faults()
        scene.destination.reset()
    return {"found_s": round((found - began) / 1e9, 2), "opened_ns": time.monotonic_ns()}


async def calls_of(scene: Scene) -> int:
    """Calls that the worker has made to the speech service, pings left out."""
    words = scene.role("worker", STRUCK).cmdline()
    port = words[words.index("--status-port") + 1]
    async with httpx2.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics", timeout=5)).text
    found = re.findall(r"^dubcast_sts_calls_total\{.*\} ([\d.e+]+)$", text, re.MULTILINE)
    return round(sum(float(value) for value in found))


async def state(scene: Scene, stream: str) -> dict[str, Any]:
    """What the orchestrator says of a stream; empty while it does not answer."""
    url = f"http://127.0.0.1:{scene.roles.orchestrator.port}/v1/streams/{stream}"
    try:
        async with httpx2.AsyncClient(trust_env=False) as client:
            return dict(json.loads((await client.get(url, timeout=2)).content))
    except (httpx2.HTTPError, ValueError):
        return {}


async def _adopts(scene: Scene, worker: int) -> bool:
    known = await state(scene, STRUCK)
    return known.get("state") == "live" and known["worker"]["pid"] == worker


async def _egress_is_down(scene: Scene) -> bool:
    known = await state(scene, STRUCK)
    taken = ("live", "slow")
    return any(one.get("state") not in taken for one in known.get("destinations", []))


def _runs(scene: Scene, role: str) -> bool:
    return any(name == role for name, _ in scene.processes())


def _listens(port: int, but_not: int) -> bool:
    """A process listens there, and not this one; the socket of a killed one has none at its end."""
    return any(
        one.laddr.port == port and one.pid not in (None, but_not)
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr
    )


async def _until(check: Callable[[], bool], seconds: float) -> int:
    async def asked() -> bool:
        return check()

    return await _until_async(asked, seconds)


async def _until_async(check: Callable[[], Awaitable[bool]], seconds: float) -> int:
    """When it became true, in ns of the monotonic clock. Raises MediaError if it does not."""
    end = time.monotonic() + seconds
    while not await check():
        if time.monotonic() > end:
            raise MediaError(f"not seen within {seconds:g} s")
        await asyncio.sleep(_POLL_S)
    return time.monotonic_ns()


_BAD_AUDIO = {
    name: fault for name, fault in replies.all_faults().items() if name not in ("401", "huge")
}
STRIKES = {
    "sts_gone": Strike(_wire(Faults(refuse=True), 60), {**_STS, "calls": 5}, dubs=True),
    "sts_hangs": Strike(
        _wire(Faults(hang=True), 25), {**_STS, "fallback_onset_ms": 16_000}, dubs=True
    ),
    "sts_slow": Strike(
        _wire(Faults(latency_s=1.2 * DELAY_S / 2, jitter_s=1.0), 25), _STS, dubs=True
    ),
    "sts_flaps": Strike(
        _answers(replies.flap(2, replies.status(503)), 25),
        _PINGS_SAY_NOTHING,
        settle_s=_LONGEST_OPEN_S,
        dubs=True,
    ),
    "sts_narrow": Strike(
        _wire(Faults(rate=_MBIT), 25), _PINGS_SAY_NOTHING, settle_s=_LONGEST_OPEN_S, dubs=True
    ),
    "sts_overloaded": Strike(
        _answers(replies.always(replies.status(429, retry_after_s=20)), 25),
        {**_NO_GAP, "calls": 4},
        dubs=True,
    ),
    "sts_bad_audio": Strike(
        _answers(replies.chaos(1, _BAD_AUDIO, share=0.8), 30),
        _PINGS_SAY_NOTHING,
        settle_s=_LONGEST_OPEN_S,
        dubs=True,
    ),
    "sts_reordered": Strike(_answers(replies.reordered(), 20), _STS, dubs=True),
    "sts_doubled": Strike(_answers(replies.always(replies.doubled()), 20), _STS, dubs=True),
    "sts_partition": Strike(_partition, _STS, dubs=True),
    "ingest_late": Strike(_ingest(Faults(latency_s=0.5, jitter_s=0.1), 15), _STEADY),
    "ingest_narrow": Strike(_ingest(Faults(rate=_MBIT), 15), _STEADY),
    "ingest_partition": Strike(_ingest(Faults(hang=True), 5), _STEADY),
    "clock_stepped": Strike(
        _clock_stepped,
        {**_STS, **_APART, "unmoved": 0.0},
        settle_s=DELAY_S + 2 * _BEEPS_S,
        dubs=True,
    ),
    "separation_killed": Strike(_separation_killed, _NO_GAP),
    "separation_frozen": Strike(_separation_frozen, _NO_GAP),
    "publisher_back": Strike(_publisher_away(5), _BACK),
    "publisher_back_late": Strike(_publisher_away(50), _BACK),
    "destination_wedged": Strike(_destination_wedged, {"found_s": 10, "restarts": 0}, anew=True),
    "orchestrator_killed": Strike(_orchestrator_killed, {**_NO_GAP, "adopt_s": 5, "duplicates": 0}),
    "worker_killed": Strike(
        _worker_killed,
        {"recovery_s": 4, "other_gap_ms": 0, "av_offset_after_ms": 20},
        anew=True,
    ),
    "worker_frozen": Strike(
        _worker_frozen,
        {"recovery_s": 6, "other_gap_ms": 0, "av_offset_after_ms": 20},
        anew=True,
    ),
    "media_server_killed": Strike(
        _media_server_killed,
        {"recovery_s": 5, "restarts": 0, "av_offset_after_ms": 20},
        anew=True,
    ),
}
