"""`python -m bench.servers.egress [joins|isolation|failures]`: destinations that join, hang, refuse
and are slow.

A stream is published to a real media server and forwarded by `dubcast egress`, as it is on air; the
destinations are servers of our own, which note what they were sent and when. No speech service and
no worker: what is measured begins at `live/<id>/out`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from bench import parts
from bench.parts import Found, Part
from dubcast import flv
from dubcast.config import DestinationSettings, OrchestratorSettings, Settings
from dubcast.contract.ids import output_path
from dubcast.egress.forwarder import Forwarder
from dubcast.egress.outgoing import Target
from dubcast.errors import MediaError
from dubcast.flv import Tag, is_key, is_picture
from dubcast.measure import stage
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.recording import iter_tags
from dubcast.rtmp.address import parse
from dubcast.rtmp.client import Purpose
from dubcast.rtmp.connection import Connection, Trust
from dubcast.testing.certificates import Authority
from dubcast.testing.destination import Destination, Visit
from dubcast.testing.media import ClipSpec, build_clip
from dubcast.testing.publisher import Timed, paced, publish
from dubcast.testing.srt_receiver import SrtReceiver
from dubcast.wire import WireError

JOIN_BARS = (
    Bar("joins_first_try", "==", 120, "of 120 joins at random moments, groups of 2, 8 and 10 s"),
    Bar("join_after_gop_s", "<=", 1.0, "first picture at the destination, beyond a group"),
)
ISOLATION_BARS = (
    Bar("isolation_gap_ms", "<=", 0.0, "five of eight for 5 min; others wedged, refusing, slow"),
    Bar("isolation_latency_ms", "<", 40.0, "p95, publisher to destination, server included"),
    Bar("wedge_found_s", "<=", 10.0),
    Bar("slow_told_s", "<=", 5.0, "takes 2 of 6 Mbit/s"),
    Bar("refused_tries_per_min", "<=", 8.0),
    Bar("egress_cpu", "<=", 0.02, "of a core, per destination at 6 Mbit/s"),
    Bar("egress_rss_mb", "<=", 45.0),
)
SRT_BARS = (
    Bar("egress_srt_cpu", "<=", 0.02, "of a core, an SRT destination at 6 Mbit/s"),
    Bar("egress_srt_rss_mb", "<=", 45.0),
)
FAILURE_BARS = (
    Bar("server_kill_destination_s", "<=", 7.0, "kill -9 to a picture, groups of 2 s"),
    Bar("bad_certificates_accepted", "==", 0),
)
Measure = Callable[[Settings, Path, Console], Coroutine[Any, Any, dict[str, Figure]]]
_JOINS = 40
_GROUPS_S = (2, 8, 10)
_FPS = 25
_SPREAD_S = 20.0  # joins begin within so long
# A picture of the stream that eight get, in bytes: with the sound about 6 Mbit/s.
_PICTURE_BYTES = 29_000
_BEGINNING_S = 10.0  # not counted in what a destination costs
_ISOLATION_S = 300.0
_SRT_S = 30.0
_FREEZE_S = 15.0
_HEAD, _MARK = 8, 16  # of a picture that came, in bytes


# ---- a stream that never ends ---------------------------------------------------------------


def endless(clip: Iterable[Tag], sent: dict[bytes, float]) -> Iterator[Timed]:
    """A clip over and over, in real time; `sent` gets when each picture left, by its mark."""
    items = list(paced(clip))
    pictures = [item.tag.dts_ms for item in items if is_picture(item.tag)]
    length_ms = pictures[-1] - pictures[0] + 1000 // _FPS
    turn = 0
    while True:
        for item in items:
            if turn and not _is_media(item.tag):
                continue
            tag = replace(item.tag, dts_ms=item.tag.dts_ms + turn * length_ms)
            yield Timed(item.at_s + turn * length_ms / 1000, tag)
            if is_picture(tag):
                sent[mark(tag)] = time.monotonic()
        turn += 1


def marked(tag: Tag) -> Tag:
    """A tag with a mark in place of what it holds: minutes of eight destinations are gigabytes."""
    return replace(tag, body=tag.body[:_HEAD] + mark(tag))


def mark(tag: Tag) -> bytes:
    """What tells a picture's content from any other."""
    return hashlib.blake2b(tag.body, digest_size=_MARK).digest()


def _is_media(tag: Tag) -> bool:
    return is_picture(tag) or (tag.kind == flv.AUDIO and tag.body[1:2] == b"\x01")


@dataclass
class Air:
    """A stream on air: where it is read, and when its pictures left."""

    url: str
    sent: dict[bytes, float] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def on_air(rtmp_port: int, stream_id: str, tags: list[Tag]) -> AsyncIterator[Air]:
    """Publish a clip for as long as the block runs, again whenever the server goes away."""
    air = Air(f"rtmp://127.0.0.1:{rtmp_port}/{output_path(stream_id)}")

    async def keep() -> None:
        while True:
            with contextlib.suppress(MediaError, TimeoutError):
                await publish(air.url, endless(tags, air.sent))
            await asyncio.sleep(0.2)

    task = asyncio.create_task(keep())
    try:
        await _readable(air.url)
        yield air
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _readable(url: str) -> None:
    """Wait until the server gives the stream to whoever asks."""
    while True:
        reader = Connection(parse(url), Purpose.PLAY)
        with contextlib.suppress(WireError):
            await reader.open()
            await reader.leave()
            return
        await asyncio.sleep(0.2)


def _clip(group_s: int, folder: Path) -> list[Tag]:
    spec = ClipSpec(seconds=20, fps=_FPS, gop=group_s * _FPS, bframes=0, bed="noise")
    return list(iter_tags(build_clip(spec, folder)))


def _heavy(tags: Iterable[Tag]) -> list[Tag]:
    """The same pictures with so much filler that each has the same size; no two are the same."""
    return [_filled(tag) if is_picture(tag) else tag for tag in tags]


def _filled(tag: Tag) -> Tag:
    room = max(2, _PICTURE_BYTES - len(tag.body) - 4)
    filler = b"\x0c" + bytes([0xFF]) * (room - 2) + b"\x80"
    return replace(tag, body=tag.body + room.to_bytes(4) + filler)


async def _until(check: object, timeout_s: float) -> float:
    """Wait until `check()` is true; how long it took, in s. NaN if it never was."""
    started = time.monotonic()
    while not check():  # type: ignore[operator]
        if time.monotonic() - started > timeout_s:
            return float("nan")
        await asyncio.sleep(0.05)
    return time.monotonic() - started


# ---- joins ----------------------------------------------------------------------------------


async def joins(air: Air, group_s: int) -> tuple[int, list[float]]:
    """Joins at the first try, and how long after a group each had a picture, in s."""
    chance = random.Random(group_s)
    jobs = [_join(air, chance.uniform(0, _SPREAD_S), group_s) for _ in range(_JOINS)]
    found = await asyncio.gather(*jobs)
    return sum(first for first, _ in found), [late for _, late in found]


async def _join(air: Air, after_s: float, group_s: int) -> tuple[bool, float]:
    await asyncio.sleep(after_s)
    async with Destination().running() as there:
        one = Forwarder("join", "there", parse(air.url), Target(parse(there.rtmp())))
        task = asyncio.create_task(one.run())
        waited_s = await _until(lambda: any(_has_key(visit) for visit in there.visits), 30)
        first = one.status().tries == 1 and len(there.visits) == 1
        one.stop()
        await task
    return first and waited_s <= 30, waited_s - group_s


def _has_key(visit: Visit) -> bool:
    return any(is_key(tag) for _, tag in visit.pictures())


# ---- eight destinations ---------------------------------------------------------------------


@dataclass
class Forwarded:
    """A destination and the process that forwards to it."""

    there: Destination
    role: stage.Role
    status_port: int
    told: list[tuple[float, str, str]] = field(default_factory=list)  # at, state, reason

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.role.pid)

    def ask(self) -> None:
        """Note how it stands, as its orchestrator asks."""
        try:
            url = f"http://127.0.0.1:{self.status_port}/status"
            with urllib.request.urlopen(url, timeout=1) as reply:
                status = json.load(reply)
        except OSError:
            return
        self.told.append((time.monotonic(), status["state"], status["reason"]))

    def first(self, state: str) -> float:
        """When it first was told to be in that state; NaN if never."""
        return next((at for at, one, _ in self.told if one == state), float("nan"))


MANNERS = {
    **{f"well-{n}": Destination(kept=marked) for n in range(5)},
    "wedged": Destination("freeze_after", seconds=_FREEZE_S, kept=marked),
    "refusing": Destination("close_on_publish"),
    "slow": Destination("slow", bytes_per_s=250_000, kept=marked),
}


async def isolation(air: Air, out: Path) -> dict[str, Figure]:
    """Eight destinations of one stream, of which three misbehave."""
    async with contextlib.AsyncExitStack() as block:
        all_of: dict[str, Forwarded] = {}
        for name, there in MANNERS.items():
            await block.enter_async_context(there.running())
            all_of[name] = _forward(air.url, name, there, out)
            block.push_async_callback(asyncio.to_thread, all_of[name].role.stop)
        usage = await _watch(all_of)
    well = [all_of[name] for name in all_of if name.startswith("well")]
    return {
        "isolation_gap_ms": max(_gap_ms(one.there) for one in well),
        "isolation_latency_ms": max(_latency_ms(one.there, air) for one in well),
        "wedge_found_s": _wedge_s(all_of["wedged"]),
        "slow_told_s": _slow_s(all_of["slow"]),
        "refused_tries_per_min": len(all_of["refusing"].there.visits) * 60 / _ISOLATION_S,
        **usage,
    }


def _forward(source: str, name: str, there: Destination, out: Path) -> Forwarded:
    role, port = _egress(source, name, there.rtmp(), out)
    return Forwarded(there, role, port)


def _egress(source: str, name: str, url: str, out: Path) -> tuple[stage.Role, int]:
    """The role that forwards to a URL, and the port of its status."""
    destination = DestinationSettings.model_validate({"name": name, "url": url})
    settings = Settings(orchestrator=OrchestratorSettings(destinations=(destination,)))
    port = stage.free_port()
    words = ("--stream-id", "eight", "--input", source, "--destination", name)
    return stage.role("egress", settings, out, *words, "--status-port", str(port)), port


async def _watch(all_of: dict[str, Forwarded]) -> dict[str, Figure]:
    """Ask each how it stands for as long as it is measured; what a well one used."""
    well = [one for name, one in all_of.items() if name.startswith("well")]
    await _ask(all_of, _BEGINNING_S)
    started, before = time.monotonic(), [_cpu_s(one.process) for one in well]
    await _ask(all_of, _ISOLATION_S)
    passed_s = time.monotonic() - started
    used = [_cpu_s(one.process) - cpu for one, cpu in zip(well, before, strict=True)]
    return {
        "egress_cpu": round(statistics.median(used) / passed_s, 4),
        "egress_rss_mb": round(max(one.process.memory_info().rss for one in well) / 2**20, 1),
    }


async def _ask(all_of: dict[str, Forwarded], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for one in all_of.values():
            await asyncio.to_thread(one.ask)
        await asyncio.sleep(0.5)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def srt_cost(air: Air, out: Path) -> dict[str, Figure]:
    """What one SRT destination takes. Raises MediaError if it got less than was published."""
    async with SrtReceiver().running() as there:
        role, _ = _egress(air.url, "srt", there.url(), out)
        try:
            await asyncio.sleep(_BEGINNING_S)
            process = psutil.Process(role.pid)
            started, before, had = time.monotonic(), _cpu_s(process), _received(there)
            await asyncio.sleep(_SRT_S)
            passed_s = time.monotonic() - started
            used_s, rss = _cpu_s(process) - before, process.memory_info().rss
            came = _received(there) - had
        finally:
            await asyncio.to_thread(role.stop)
    # What is on its way at either end is not the same.
    if came / passed_s < 0.95 * _PICTURE_BYTES * _FPS:
        raise MediaError("the SRT destination did not get the whole stream")
    return {
        "egress_srt_cpu": round(used_s / passed_s, 4),
        "egress_srt_rss_mb": round(rss / 2**20, 1),
    }


def _received(there: SrtReceiver) -> int:
    return sum(len(packet) for visit in there.visits for _, packet in visit)


def _gap_ms(there: Destination) -> float:
    """The longest step between pictures, beyond one frame."""
    times = [tag.dts_ms for visit in there.visits for _, tag in visit.pictures() if is_picture(tag)]
    steps = [after - before for before, after in itertools.pairwise(times)]
    return max(steps, default=float("inf")) - 1000 / _FPS


def _latency_ms(there: Destination, air: Air) -> float:
    """The 95th percentile from the publisher to the destination, without the start."""
    (visit,) = there.visits
    pictures = visit.pictures()
    late = [
        (at - air.sent[tag.body[_HEAD:]]) * 1000
        for at, tag in pictures
        if at > pictures[0][0] + 5 and tag.body[_HEAD:] in air.sent
        # A content that was sent again meanwhile tells nothing.
        if at >= air.sent[tag.body[_HEAD:]]
    ]
    return round(statistics.quantiles(late, n=20)[-1], 1)


def _wedge_s(one: Forwarded) -> float:
    visit = one.there.visits[0]
    assert visit.published_s is not None
    found = next((at for at, state, reason in one.told if "stalled" in (state, reason)), None)
    return float("nan") if found is None else round(found - visit.published_s - _FREEZE_S, 1)


def _slow_s(one: Forwarded) -> float:
    """From the first media on: it is slow from then on."""
    return round(one.first("slow") - one.there.visits[0].tags[0][0], 1)


# ---- the server killed, and certificates ----------------------------------------------------


async def server_killed(settings: Settings, role: stage.Role, air: Air, out: Path) -> float:
    """Kill the media server, start it again; from then to a picture at the destination, in s."""
    async with Destination().running() as there:
        one = Forwarder("killed", "there", parse(air.url), Target(parse(there.rtmp())))
        task = asyncio.create_task(one.run())
        await _until(lambda: one.status().state == "live", 20)
        for process in psutil.Process(role.pid).children(recursive=True):
            process.kill()
        os.kill(role.pid, signal.SIGKILL)
        again, struck = stage.role("media-server", settings, out), time.monotonic()
        try:
            await _until(lambda: any(_came_after(visit, struck) for visit in there.visits), 30)
        finally:
            one.stop()
            await task
            await asyncio.to_thread(again.stop)
    return round(min(_came_after(visit, struck) or 99.0 for visit in there.visits), 1)


def _came_after(visit: Visit, struck_s: float) -> float | None:
    """How long after the strike a picture came on a connection that was made after it."""
    keys = [at for at, tag in visit.pictures() if is_key(tag)]
    return keys[0] - struck_s if keys and keys[0] > struck_s + 0.5 else None


async def certificates(air: Air) -> int:
    """Of certificates that prove nothing, how many were sent anything."""
    accepted = 0
    with tempfile.TemporaryDirectory() as folder:
        ours = Authority(Path(folder))
        for name, days, known in (
            ("127.0.0.1", 2, False),
            ("other.example", 2, True),
            ("127.0.0.1", -1, True),
        ):
            async with Destination().running(tls=ours.server(name, days=days)) as there:
                url = there.rtmp().replace("rtmp:", "rtmps:")
                target = Target(parse(url), Trust(ca_file=ours.file if known else None))
                one = Forwarder("tls", "there", parse(air.url), target)
                await one.run(once=True)
                accepted += sum(visit.bytes for visit in there.visits) > 0
    return accepted


# ---- the parts ------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _server(base: Settings, out: Path) -> AsyncIterator[tuple[Settings, stage.Role]]:
    """A media server of its own, in its role."""
    settings, _ = stage.stage_settings(base, out, ())
    role = stage.role("media-server", settings, out)
    try:
        yield settings, role
    finally:
        await asyncio.to_thread(role.stop)


async def _joins(base: Settings, out: Path, console: Console) -> dict[str, Figure]:
    """Takes about two minutes."""
    first, late = 0, [0.0]
    async with _server(base, out) as (settings, _):
        for group_s in _GROUPS_S:
            clip = await asyncio.to_thread(_clip, group_s, out)
            async with on_air(settings.media_server.rtmp_port, f"join{group_s}", clip) as air:
                console.print(f"{_JOINS} joins, groups of {group_s} s", highlight=False)
                count, waits = await joins(air, group_s)
                first, late = first + count, late + waits
    return {
        "joins": _JOINS * len(_GROUPS_S),
        "joins_first_try": first,
        "join_after_gop_s": round(max(late), 2),
    }


async def _isolation(base: Settings, out: Path, console: Console) -> dict[str, Figure]:
    """Takes about six minutes."""
    async with _server(base, out) as (settings, _):
        clip = _heavy(await asyncio.to_thread(_clip, 2, out))
        async with on_air(settings.media_server.rtmp_port, "eight", clip) as air:
            console.print(f"eight destinations, {_ISOLATION_S:g} s", highlight=False)
            return await isolation(air, out)


async def _srt(base: Settings, out: Path, console: Console) -> dict[str, Figure]:
    """Takes a minute."""
    async with _server(base, out) as (settings, _):
        clip = _heavy(await asyncio.to_thread(_clip, 2, out))
        async with on_air(settings.media_server.rtmp_port, "eight", clip) as air:
            console.print("an SRT destination", highlight=False)
            return await srt_cost(air, out)


async def _failures(base: Settings, out: Path, console: Console) -> dict[str, Figure]:
    """Takes half a minute."""
    async with _server(base, out) as (settings, role):
        clip = await asyncio.to_thread(_clip, 2, out)
        async with on_air(settings.media_server.rtmp_port, "killed", clip) as air:
            accepted = await certificates(air)
            console.print("the media server is killed", highlight=False)
            back_s = await server_killed(settings, role, air, out)
    return {"bad_certificates_accepted": accepted, "server_kill_destination_s": back_s}


def _part(name: str, bars: tuple[Bar, ...], measure: Measure) -> Part:
    def measured(settings: Settings, out: Path, console: Console) -> Found:
        return Found(asyncio.run(measure(settings, out, console)))

    return Part(name, bars, measured)


PARTS = (
    _part("joins", JOIN_BARS, _joins),
    _part("isolation", ISOLATION_BARS, _isolation),
    _part("srt", SRT_BARS, _srt),
    _part("failures", FAILURE_BARS, _failures),
)


def main(names: Sequence[str]) -> int:
    """Measure the parts of these names, or all; the exit status."""
    unknown = set(names) - {one.name for one in PARTS}
    if unknown:
        sys.stderr.write(f"no such part: {', '.join(sorted(unknown))}\n")
        return 2
    chosen = [one for one in PARTS if one.name in names or not names]
    return parts.run("servers", chosen, "-".join(one.name for one in chosen))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
