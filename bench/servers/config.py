"""`python -m bench.servers.config`: what the generated config of the media server holds.

Injections are sent to a server of its own. Then one stream is on air with the longest delay while
its publisher goes away, twice and nearly for the whole grace period, and the server is killed: who
publishes the output, and who sends to the destination, must stay the same but for the kill.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGKILL
from typing import Any

import psutil
from rich.console import Console

from bench import parts
from bench.parts import Found, Part
from bench.servers.injections import accepted, basic, config_of, injections, sent
from dubcast.config import MediaServerSettings, Secret, Settings
from dubcast.contract.ids import ingest_path, output_path
from dubcast.errors import MediaServerError, MissingPartError
from dubcast.measure import stage
from dubcast.measure.figures import Bar, Figure
from dubcast.mediaserver.auth import access_of
from dubcast.mediaserver.auth_relay import AuthRelay
from dubcast.mediaserver.choice import create
from dubcast.mediaserver.interface import MediaServer, control_plane
from dubcast.mediaserver.keys import own_keys
from dubcast.orchestrator.up import hook_secret
from dubcast.testing.media import ClipSpec, build_clip

BARS = (
    Bar("config_injections_accepted", "==", 0, "of the calls that run programs on an open server"),
    Bar("grace_cuts", "==", 0, "publisher away for 34 s and 58 s of 60 s, delay 15 s"),
    Bar("grace_log_lines_per_s", "<=", 1),
    Bar("server_kill_out_s", "<=", 5),
)
STREAM = "held"
DELAY_S = 15.0
AWAY_S = (34.0, 58.0)
_BACK_S = DELAY_S + 10
_READY_S = 90.0
_POLL_S = 0.1


@dataclass
class Seen:
    """Who has published a path, by source id, one after the other."""

    sources: list[str] = field(default_factory=list)
    listed: bool = False

    def look(self, source_id: str | None) -> None:
        self.listed = source_id is not None
        if source_id is not None and source_id not in self.sources[-1:]:
            self.sources.append(source_id)

    @property
    def cuts(self) -> int:
        return max(0, len(self.sources) - 1)


def measure(out: Path, console: Console) -> dict[str, Figure]:
    """All figures. Raises MissingPartError without MediaMTX."""
    found = asyncio.run(inject(out))
    console.print(f"injections accepted: {found['config_injections_accepted']}", highlight=False)
    return {**found, **asyncio.run(on_air(out, console))}


async def inject(out: Path) -> dict[str, Figure]:
    """Send every injection to a server as dubcast runs it."""
    settings, _ = stage.stage_settings(_mediamtx(), out, ())
    secret = Secret("secret-of-the-bench")
    plane = control_plane(settings, secret)
    relay = AuthRelay(access_of(settings, secret), plane.auth_url)
    relay.start()
    server = create(settings, replace(plane, auth_url=relay.url))
    keys = own_keys(settings.media_server, secret)
    address = ("127.0.0.1", settings.media_server.api_port)
    ours = basic("dubcast", keys.api.get_secret_value())
    try:
        await server.start()
        with tempfile.TemporaryDirectory() as folder:
            others = [keys.callback, keys.roles]
            calls = injections(Path(folder), [one.get_secret_value() for one in others])
            before = await asyncio.to_thread(config_of, address, ours)
            statuses = await asyncio.to_thread(sent, address, calls)
            changed = await asyncio.to_thread(config_of, address, ours) != before
            taken = len(accepted(Path(folder), statuses)) + changed
    finally:
        await server.stop()
        await server.close()
        relay.close()
    return {"config_injections_accepted": taken, "config_injections": len(calls)}


def _mediamtx() -> Settings:
    if shutil.which("mediamtx") is None:
        raise MissingPartError("no mediamtx on PATH: `dubcast mediamtx install` gets it")
    separation = {"separator": "off"}
    stream = {"delay_s": DELAY_S, "fallback": "original", "separation": separation}
    return Settings.model_validate(
        {"media_server": MediaServerSettings(kind="mediamtx"), "stream": stream}
    )


async def on_air(out: Path, console: Console) -> dict[str, Figure]:
    """One stream, its publisher's absences, and the end of its server."""
    settings, third = stage.stage_settings(_mediamtx(), out, (STREAM,))
    # A destination that is patient itself: it is not to be the one that cuts.
    patient = third.media_server.model_copy(update={"silent_s": 300.0})
    third = third.model_copy(update={"media_server": patient})
    stage.clear(out)
    clip = await asyncio.to_thread(build_clip, ClipSpec(), out / "clip")
    context = stage.running(settings, third, out, "--no-sts")
    up = await asyncio.to_thread(context.__enter__)
    try:
        async with _watching(settings, third) as seen:
            return await _story(clip, settings, out, up, seen, console)
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


async def _story(
    clip: Path, settings: Settings, out: Path, up: int, seen: dict[str, Seen], console: Console
) -> dict[str, Figure]:
    publisher = _publish(clip, settings, out)
    await _until(lambda: all(one.listed for one in seen.values()), _READY_S)
    lines, away_s = 0, 0.0
    for seconds in AWAY_S:
        await asyncio.sleep(2)
        await asyncio.to_thread(publisher.stop)
        before = _lines(out)
        await asyncio.sleep(seconds)
        lines, away_s = lines + _lines(out) - before, away_s + seconds
        publisher = _publish(clip, settings, out)
        await asyncio.sleep(_BACK_S)
        console.print(f"away for {seconds:g} s: {_told(seen)}", highlight=False)
    cuts = {f"grace_cuts_{name}": one.cuts for name, one in seen.items()}
    gone_s = await _kill_server(up, seen["out"])
    await asyncio.to_thread(publisher.stop)
    return {
        "grace_cuts": sum(cuts.values()),
        **cuts,
        "grace_log_lines_per_s": round(lines / away_s, 2),
        "server_kill_out_s": gone_s,
    }


def _publish(clip: Path, settings: Settings, out: Path) -> stage.Role:
    url = f"rtmp://127.0.0.1:{settings.media_server.rtmp_port}/{ingest_path(STREAM)}"
    return stage.publish(clip, url, out, loop_s=600)


def _told(seen: dict[str, Seen]) -> str:
    return ", ".join(f"{name} {one.cuts} cuts" for name, one in seen.items())


def _lines(out: Path) -> int:
    """Lines of the media server in the log of `up`."""
    return len(re.findall(r"mediamtx\.said", (out / "up.log").read_text(errors="replace")))


async def _kill_server(up: int, output: Seen) -> float:
    """Seconds from the server's death until the output is published again."""
    children = psutil.Process(up).children(recursive=True)
    (server,) = [one for one in children if stage.role_of(one.cmdline()) == "mediamtx"]
    known, began_s = len(output.sources), time.monotonic()
    os.kill(server.pid, SIGKILL)
    await _until(lambda: len(output.sources) > known, 60)
    return round(time.monotonic() - began_s, 2)


@asynccontextmanager
async def _watching(settings: Settings, third: Settings) -> AsyncIterator[dict[str, Seen]]:
    """Follows the output on our server, and the ingest of the third party."""
    watched = {"out": (settings, output_path(STREAM)), "destination": (third, ingest_path(STREAM))}
    seen = {name: Seen() for name in watched}
    servers = {
        name: create(one, control_plane(one, hook_secret(one)))
        for name, (one, _) in watched.items()
    }
    tasks = [
        asyncio.create_task(_follow(servers[name], path, seen[name]))
        for name, (_, path) in watched.items()
    ]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in servers.values():
            await server.close()


async def _follow(server: MediaServer, path: str, seen: Seen) -> None:
    while True:
        try:
            source = (await server.ready_paths()).get(path)
            seen.look(source.source_id if source else None)
        except MediaServerError:
            seen.look(None)
        await asyncio.sleep(_POLL_S)


async def _until(check: Any, timeout_s: float) -> None:
    async with asyncio.timeout(timeout_s):
        while True:
            if check():
                return
            await asyncio.sleep(_POLL_S)


def _measure(_settings: Settings, out: Path, console: Console) -> Found:
    return Found(measure(out, console))


PART = Part("config", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("servers", [PART], PART.name))
