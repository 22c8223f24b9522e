"""Streams on air for benches that break things: every process real, the speech service scripted.

All roles run as `dubcast up` runs them, each stream goes to a third party and is recorded there.
The way to the speech service, and to the destination of chosen streams, can be disturbed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench.wallclock import WallClock
from dubcast.config import DestinationSettings, Settings, StreamSettings, StsClientSettings
from dubcast.contract.ids import ingest_path
from dubcast.errors import MediaError
from dubcast.measure import arrivals, stage
from dubcast.measure.recorder import RecorderProcess
from dubcast.testing.proxy import FaultProxy
from dubcast.testing.sts_server import Reply, ScriptedSts, no_speech, success, tone

_SAMPLE_S = 5.0
_SHORTEST_WORD_MS = 400
_LIVE_S = 60.0
_LAST_S = 20.0
_FOREVER_S = 24 * 3600.0
_PATIENT_S = 120.0


@dataclass
class Wires:
    """What can be disturbed: the service, the ways to it, to a third party and from a publisher."""

    sts: ScriptedSts
    link: FaultProxy
    destination: FaultProxy
    ingest: FaultProxy
    wall_clock: WallClock | None


def dub(request: Mapping[str, Any], call: int) -> Reply:
    """A tone of two thirds of the speech: the beep in the pause that follows stays clear. A beep
    that was taken for speech is none, as a real service says too.
    """
    audio = request["audio"]
    if audio["duration_ms"] < _SHORTEST_WORD_MS:
        return no_speech(request)
    return success(request, tone(audio["duration_ms"] / 1500, audio["sample_rate_hz"]))


class Scene:
    """Everything that runs. `roles`, `third`: the settings of ours and of the third party."""

    def __init__(
        self,
        up_pid: int,
        roles: Settings,
        third: Settings,
        clip: Path,
        out: Path,
        wires: Wires,
        behind_proxy: Sequence[str],
    ) -> None:
        self.sts = wires.sts
        self.link = wires.link
        self.destination = wires.destination
        self.ingest = wires.ingest
        self.wall_clock = wires.wall_clock
        self.up = psutil.Process(up_pid)
        self.roles = roles
        self.third = third
        self._port = roles.media_server.rtmp_port
        self._clip = clip
        self._out = out
        self._behind_proxy = behind_proxy
        self._publishers: dict[str, stage.Role] = {}

    def publish(self, stream: str) -> None:
        """Send the clip to a stream, over and over."""
        port = self.ingest.port if stream in self._behind_proxy else self._port
        url = f"rtmp://127.0.0.1:{port}/{ingest_path(stream)}"
        self._publishers[stream] = stage.publish(self._clip, url, self._out, loop_s=_FOREVER_S)

    def unpublish(self, stream: str) -> None:
        """End a stream's publisher."""
        publisher = self._publishers.pop(stream, None)
        if publisher is not None:
            publisher.stop()

    def processes(self) -> Iterator[tuple[str, psutil.Process]]:
        """Everything of ours that runs now, by what it is: `worker air`, `node`, ..."""
        own = {self.up.pid: self.up, **{one.pid: one for one in self.up.children(True)}}
        # A child outlives a killed orchestrator: it is found by the server that it talks to.
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if f"127.0.0.1:{self._port}/" in " ".join(one.cmdline()):
                    own |= {one.pid: one, **{below.pid: below for below in one.children(True)}}
        ours = {publisher.pid for publisher in self._publishers.values()}
        for one in own.values():
            with contextlib.suppress(psutil.Error):
                name = _name(one.cmdline())
                if name and one.pid not in ours:
                    yield name, one

    def role(self, role: str, stream: str = "") -> psutil.Process:
        """A process by its role. Raises MediaError if it does not run."""
        wanted = f"{role} {stream}".strip()
        for name, process in self.processes():
            if name == wanted:
                return process
        raise MediaError(f"there is no {wanted} to strike")

    def separation(self, stream: str) -> psutil.Process:
        """The separating process of a stream. Raises MediaError if there is none."""
        for child in self.role("worker", stream).children():
            if "dubcast.separation.process" in child.cmdline():
                return child
        raise MediaError(f"stream {stream} has no separating process to strike")

    def kill(self, process: psutil.Process, number: signal.Signals) -> None:
        """Send a signal to one of ours."""
        os.kill(process.pid, number)

    def close(self) -> None:
        """End the publishers."""
        for stream in tuple(self._publishers):
            self.unpublish(stream)


def _name(words: list[str]) -> str:
    """What a command line runs; "" for what is not followed."""
    if "dubcast.separation.process" in words:
        return "separation"
    if words[1:3] == ["-m", "dubcast"] and len(words) > 3:
        stream = words[words.index("--stream-id") + 1] if "--stream-id" in words else ""
        return f"{words[3]} {stream}".strip()
    program = Path(words[0]).name if words else ""
    return program if program in {"node", "mediamtx", "ffmpeg"} else ""


class Memory:
    """Samples the RSS of every process, by name and pid, as (monotonic seconds, MB)."""

    def __init__(self, scene: Scene) -> None:
        self.samples: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        self.zombies: set[int] = set()
        self._scene = scene
        self._quit = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._quit.set()
        self._thread.join(2 * _SAMPLE_S)

    def _watch(self) -> None:
        before: set[int] = set()
        while not self._quit.wait(_SAMPLE_S):
            dead = set()
            for name, process in self._scene.processes():
                with contextlib.suppress(psutil.Error):
                    size = process.memory_info().rss / 1e6
                    self.samples[f"{name} {process.pid}"].append((time.monotonic(), size))
                    dead |= {one.pid for one in process.children() if _dead(one)}
            self.zombies |= dead & before  # one that is reaped at once is none
            before = dead


def _dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


@contextlib.asynccontextmanager
async def running(
    base: Settings,
    clip: Path,
    out: Path,
    policies: Mapping[str, Mapping[str, Any]],
    *,
    behind_proxy: Sequence[str] = (),
    wall_clock: WallClock | None = None,
) -> AsyncIterator[Scene]:
    """The scene with all streams on air: those of `policies`, and how each differs.

    `behind_proxy`: streams whose publisher and destination can be disturbed. Raises MediaError if
    they do not get on air.
    """
    roles, third = stage.stage_settings(base, out, tuple(policies))
    # Whether our side keeps the connection is asked: a third party that drops it hides the answer.
    patient = third.media_server.model_copy(update={"silent_s": _PATIENT_S})
    third = third.model_copy(update={"media_server": patient})
    target = ("127.0.0.1", third.media_server.rtmp_port)
    source = ("127.0.0.1", roles.media_server.rtmp_port)
    with ScriptedSts(dub) as sts:
        service = ("127.0.0.1", urlsplit(sts.url).port or 0)
        async with (
            FaultProxy(service) as link,
            FaultProxy(target) as destination,
            FaultProxy(source) as ingest,
        ):
            proxied = dict.fromkeys(behind_proxy, destination.port)
            roles = _adapted(roles, third, link.port, policies, proxied)
            starting = stage.running(roles, third, out, "--no-sts")
            up_pid = await asyncio.to_thread(starting.__enter__)
            wires = Wires(sts, link, destination, ingest, wall_clock)
            scene = Scene(up_pid, roles, third, clip, out, wires, behind_proxy)
            urls = {name: stage.third_party_url(third, name) for name in policies}
            recorders = Recorders(urls, out)
            try:
                for stream in policies:
                    scene.publish(stream)
                await recorders.live()
                yield scene
            finally:
                await asyncio.to_thread(scene.close)
                await asyncio.to_thread(recorders.stop)
                await asyncio.to_thread(starting.__exit__, None, None, None)


def _adapted(
    roles: Settings,
    third: Settings,
    sts_port: int,
    policies: Mapping[str, Mapping[str, Any]],
    proxied: Mapping[str, int],
) -> Settings:
    """The roles with the scripted service, the streams' policies, and proxies on the way."""
    streams = {}
    for name, entry in roles.orchestrator.streams.items():
        changes: dict[str, Any] = {"policy": StreamSettings.model_validate(policies[name])}
        if name in proxied:
            direct = f":{third.media_server.rtmp_port}/"
            url = stage.third_party_url(third, name).replace(direct, f":{proxied[name]}/")
            one = DestinationSettings.model_validate({"name": "third-party", "url": url})
            changes["destinations"] = (one,)
        streams[name] = entry.model_copy(update=changes)
    plane = roles.orchestrator.model_copy(update={"streams": streams})
    service = StsClientSettings(url=f"http://127.0.0.1:{sts_port}")
    return roles.model_copy(update={"sts": service, "orchestrator": plane})


class Recorders:
    """One for each stream by its URL; they follow it through reconnections."""

    def __init__(self, urls: Mapping[str, str], out: Path) -> None:
        self._all = {
            name: RecorderProcess(url, out / f"{name}.flv", reconnect=True)
            for name, url in urls.items()
        }

    async def live(self) -> None:
        """Return when every stream arrives. Raises MediaError if one does not."""
        for name, recorder in self._all.items():
            if not await asyncio.to_thread(recorder.wait_for_data, _LIVE_S):
                raise MediaError(f"stream {name} did not reach the third party in {_LIVE_S:.0f} s")

    def connected(self, port: int) -> bool:
        """Whether each has a connection to this port of its server: it waits for its stream."""
        return all(stage.connections(one.pid, port) for one in self._all.values())

    def finish(self) -> None:
        """Record to the end of streams that are over."""
        for recorder in self._all.values():
            recorder.finish(_LAST_S)

    def stop(self) -> None:
        """End the recordings."""
        for recorder in self._all.values():
            recorder.stop()


def recordings(out: Path, stream: str) -> list[Path]:
    """A stream's files, one for each connection, oldest first."""
    paths = [path for path in out.glob(f"{stream}*.flv") if arrivals.sidecar(path).exists()]
    return sorted(paths, key=lambda path: path.stat().st_mtime)
