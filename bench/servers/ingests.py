"""`python -m bench.servers.ingests`: what publishers send to a real MediaMTX, by each protocol.

All roles run as `dubcast up` runs them; the speech service is scripted, so that what is asked is
whether the sound arrived, was dubbed, and is in step with the picture of the publisher's own clip.

How long an output takes to be there (`out_ready_s`) counts from when the server lists the
publisher, as a refusal does: of what comes by RTMP MediaMTX looks at 2 s before it lets anybody
read (`out_after_start_s` has them, and the start of the publisher's process). It is measured of a
publisher that has the machine for itself, and told of all: those are started four at a time, and
their workers share the cores as they load.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console

from bench import parts
from bench.parts import Found, Part
from bench.scene import dub
from bench.servers.publishers import Ingest, coded, command
from dubcast.config import Settings, StreamSettings, StsClientSettings
from dubcast.contract.ids import ingest_path, output_path
from dubcast.contract.worker import Outcome, as_run
from dubcast.errors import MediaError, ProbeError
from dubcast.measure import stage
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.narrated import narrated
from dubcast.measure.probe import probe
from dubcast.measure.recorder import RecorderProcess
from dubcast.mediaserver.choice import create
from dubcast.mediaserver.interface import control_plane
from dubcast.orchestrator.up import hook_secret
from dubcast.testing.enhanced import enhanced_tags
from dubcast.testing.media import run_ffmpeg
from dubcast.testing.publisher import paced, publish
from dubcast.testing.sts_server import ScriptedSts

INGESTS = (
    Ingest("rtmp", "aac", bframes=True),
    Ingest("rtmp", "aac"),
    Ingest("rtsp-tcp", "aac", bframes=True),
    Ingest("rtsp-tcp", "opus", bframes=True),
    Ingest("rtsp-tcp", "g711", bframes=True),
    Ingest("rtsp-tcp", "lpcm"),
    Ingest("rtsp-tcp", "mp3"),
    Ingest("rtsp-udp", "aac", bframes=True),
    Ingest("rtsp-udp", "opus"),
    Ingest("rtsp-udp", "g711"),
    Ingest("srt", "aac", bframes=True),
    Ingest("srt", "opus", bframes=True),
    Ingest("srt", "mp3"),
    Ingest("srt", "ac3"),
    Ingest("whip", "opus"),
    Ingest("whip", "g711"),
)
REFUSED = (
    Ingest("rtmp", video="hevc"),
    Ingest("rtmp", video="av1"),
    Ingest("rtsp-tcp", video="hevc"),
    Ingest("rtsp-tcp", video="vp8"),
    Ingest("rtsp-udp", video="vp9"),
    Ingest("srt", video="hevc"),
    Ingest("whip", "opus", video="hevc"),
    Ingest("whip", "opus", video="av1"),
    Ingest("whip", "opus", video="vp8"),
    Ingest("whip", "opus", video="vp9"),
)
# Has no row: it is there to be timed, with a key frame every 2 s from its first picture on.
ALONE = Ingest("rtmp", "aac", bframes=True, mark="alone")
MOST_OFF_MS = 10.0
LEAST_DUBBED = 0.95
BARS = (
    Bar(
        "ingests_missed", "==", 0, f"of those that are listed: dubbed, and within {MOST_OFF_MS} ms"
    ),
    Bar("refusal_s", "<=", 2.0, "from when the server lists the publisher; the slowest"),
    Bar("refusals_missed", "==", 0, "by name, with the way out"),
    Bar("live_before_ready", "==", 0, "streams that said `live` before anybody could read them"),
    Bar("out_ready_s", "<=", 10.5, "from when the server lists it; RTMP, delay 8 s, alone"),
)
_AT_ONCE = 4
_SECONDS = 40.0
_POLL_S = 0.1
_GRACE_S = 12.0  # what is held leaves
_OUT_S = 45.0
_REFUSED_S = 15.0
_READY_S = 20.0
_SPOKEN = frozenset(Outcome) - {Outcome.NO_SPEECH}


@dataclass
class Watched:
    """When a stream was seen in which state, in s since its publisher was started."""

    listed_s: float | None = None
    out_s: float | None = None
    live_s: float | None = None
    failed_s: float | None = None
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def out_ready_s(self) -> float | None:
        """From when the server listed the publisher until it listed the output, in s."""
        if self.listed_s is None or self.out_s is None:
            return None
        return round(self.out_s - self.listed_s, 2)


class Stage:
    """All roles on a MediaMTX of their own."""

    def __init__(self, roles: Settings, out: Path) -> None:
        self.roles = roles
        self.out = out
        self._server = create(roles, control_plane(roles, hook_secret(roles)))
        self._api = httpx2.AsyncClient(trust_env=False, timeout=2)

    async def close(self) -> None:
        await self._server.close()
        await self._api.aclose()

    def asrun(self, name: str) -> Path:
        """What became of the stream's fragments."""
        return self.out / "asrun" / f"{name}.asrun.jsonl"

    async def watch(self, name: str, seen: Watched, started: float) -> None:
        """Look at a stream until cancelled. Raises MediaServerError if the server does not tell."""
        url = f"http://127.0.0.1:{self.roles.orchestrator.port}/v1/streams/{name}"
        while True:
            with contextlib.suppress(httpx2.HTTPError):
                told = (await self._api.get(url)).json()
                paths = await self._server.ready_paths()  # after what is told of them
                self._note(name, seen, time.monotonic() - started, set(paths), told)
            await asyncio.sleep(_POLL_S)

    def _note(
        self, name: str, seen: Watched, now_s: float, paths: set[str], told: dict[str, Any]
    ) -> None:
        if ingest_path(name) in paths and seen.listed_s is None:
            seen.listed_s = now_s
        if output_path(name) in paths and seen.out_s is None:
            seen.out_s = round(now_s, 2)
        state = told.get("state")
        if state == "live" and seen.live_s is None:
            seen.live_s = now_s
        if state == "failed" and seen.failed_s is None:
            seen.failed_s, seen.told = now_s, told

    def recorder(self, name: str) -> RecorderProcess:
        """Records the stream's output, from when it is there."""
        url = self._server.read_url(output_path(name))
        return RecorderProcess(url, self.out / f"{name}.flv", reconnect=True)

    @contextlib.asynccontextmanager
    async def watched(self, name: str) -> AsyncIterator[Watched]:
        """A stream from now on."""
        seen = Watched()
        watching = asyncio.create_task(self.watch(name, seen, time.monotonic()))
        try:
            yield seen
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


@contextlib.asynccontextmanager
async def staged(base: Settings, out: Path) -> AsyncIterator[Stage]:
    """The roles, ready. Raises MissingPartError without MediaMTX, MediaError if they fail."""
    roles, third = stage.stage_settings(base, out, ())
    separation = roles.stream.separation.model_copy(update={"separator": "off"})
    policy = StreamSettings(separation=separation)
    plane = roles.orchestrator.model_copy(update={"max_streams": 2 * _AT_ONCE, "grace_s": _GRACE_S})
    with ScriptedSts(dub) as sts:
        roles = roles.model_copy(
            update={
                "stream": policy,
                "orchestrator": plane,
                "sts": StsClientSettings(url=sts.url),
                "media_server": roles.media_server.model_copy(update={"kind": "mediamtx"}),
            }
        )
        starting = stage.running(roles, third, out, "--no-sts")
        await asyncio.to_thread(starting.__enter__)
        one = Stage(roles, out)
        try:
            yield one
        finally:
            await one.close()
            await asyncio.to_thread(starting.__exit__, None, None, None)


async def run(
    base: Settings,
    out: Path,
    console: Console,
    ingests: Sequence[Ingest] = INGESTS,
    refused: Sequence[Ingest] = REFUSED,
) -> dict[str, Figure]:
    """The figures. Raises MissingPartError without MediaMTX or the narrator's voice."""
    stage.clear(out)
    clip = narrated(base).clip
    async with staged(base, out) as one:
        alone = await _begun(one, ALONE, clip)
        found = await _all_aired(one, ingests, clip)
        # A beep under a dub says nothing: what has no other is looked at once more.
        unclear = [each for each in ingests if found[each][0]["av_offset_ms"] is None]
        found |= await _all_aired(one, unclear, clip)
        refusals = [await _refused(one, each, clip) for each in refused]
    rows, seen = zip(*found.values(), strict=True)
    console.print(*rows, *refusals, sep="\n", highlight=False)
    return {
        "ingests": list(rows),
        "ingests_missed": sum(not row["ok"] for row in rows),
        "refusal_s": max((one.slowest_s for one in refusals), default=None),
        "refusals_missed": sum(not one.ok for one in refusals),
        "out_ready_s": alone.out_ready_s,
        "out_after_start_s": alone.out_s,
        "live_before_ready": sum(_live_too_early(one) for one in (alone, *seen)),
    }


async def _all_aired(
    one: Stage, ingests: Sequence[Ingest], clip: Path
) -> dict[Ingest, tuple[dict[str, Any], Watched]]:
    found: dict[Ingest, tuple[dict[str, Any], Watched]] = {}
    for group in _groups(ingests):
        files = [await asyncio.to_thread(_files, each, clip, one.out) for each in group]
        both = zip(group, files, strict=True)
        done = await asyncio.gather(*(_aired(one, *each) for each in both))
        found.update(zip(group, done, strict=True))
    return found


def _groups(ingests: Sequence[Ingest]) -> Iterable[Sequence[Ingest]]:
    return (ingests[i : i + _AT_ONCE] for i in range(0, len(ingests), _AT_ONCE))


def _live_too_early(seen: Watched) -> bool:
    if seen.live_s is None:
        return False
    return seen.out_s is None or seen.live_s < seen.out_s - 2 * _POLL_S


def _files(ingest: Ingest, clip: Path, out: Path) -> tuple[Path, Path]:
    """What is sent, and the same with AAC: the probe reads FLV alone."""
    plain = coded(replace(ingest, audio="aac"), clip, out, _SECONDS)
    return coded(ingest, clip, out, _SECONDS), plain


async def _aired(
    one: Stage, ingest: Ingest, files: tuple[Path, Path]
) -> tuple[dict[str, Any], Watched]:
    """Send a clip to its end, and see what became of it."""
    for old in (*one.out.glob(f"{ingest.name}*.flv"), one.asrun(ingest.name)):
        old.unlink(missing_ok=True)
    argv = command(ingest, files[0], one.roles.media_server)
    async with one.watched(ingest.name) as seen:
        sender = stage.Role(argv, one.out / f"publisher-{ingest.name}.log")
        recorder = one.recorder(ingest.name)
        try:
            await asyncio.to_thread(sender.wait, _OUT_S)
            await asyncio.sleep(one.roles.stream.delay_s + 2)
        finally:
            sender.stop()
            await asyncio.to_thread(recorder.stop)
    off_ms = await asyncio.to_thread(offset_ms, one.out, ingest.name, files[1])
    share = dubbed_share(one.asrun(ingest.name))
    ok = off_ms is not None and abs(off_ms) <= MOST_OFF_MS and share >= LEAST_DUBBED
    row = {
        "protocol": ingest.protocol,
        "audio": ingest.audio,
        "bframes": ingest.bframes,
        "dubbed_share": round(share, 3),
        "av_offset_ms": off_ms,
        "out_ready_s": seen.out_ready_s,
        "ok": ok,
    }
    return row, seen


def offset_ms(out: Path, name: str, clip: Path) -> float | None:
    """The largest A/V offset of the recordings, less what the publisher's own clip has."""
    found: list[float] = []
    try:
        own = probe(clip).sync
        for path in sorted(out.glob(f"{name}*.flv")):
            sync = probe(path).sync
            found += [point.offset_ms for point in sync.points] if sync else []
    except (MediaError, ProbeError):
        return None
    base = own.median_ms or 0.0 if own else 0.0
    return round(max((one - base for one in found), key=abs), 1) if found else None


def dubbed_share(log_file: Path) -> float:
    """Of the fragments with speech, those whose dub was on air; 0 without any."""
    entries = as_run(log_file.read_text(encoding="utf-8")) if log_file.exists() else []
    spoken = [one for one in entries if one.outcome in _SPOKEN and not one.beginning]
    dubbed = sum(one.outcome is Outcome.DUBBED for one in spoken)
    return dubbed / len(spoken) if spoken else 0.0


@dataclass(frozen=True)
class Refusal:
    """What became of a publisher that cannot be served."""

    name: str
    after_s: float | None  # from when the server listed it until the API said so
    message: str

    @property
    def ok(self) -> bool:
        codec = self.name.split("-")[-3].upper()
        return self.after_s is not None and codec in self.message and "H.264" in self.message

    @property
    def slowest_s(self) -> float:
        return self.after_s if self.after_s is not None else _REFUSED_S


async def _begun(one: Stage, ingest: Ingest, clip: Path) -> Watched:
    """Send a clip until its output is on air, and see when that was."""
    file = await asyncio.to_thread(coded, ingest, clip, one.out, _SECONDS)
    async with one.watched(ingest.name) as seen, _sending(one, ingest, file):
        await _until(lambda: None not in (seen.out_s, seen.live_s), _READY_S)
    return seen


async def _until(done: Callable[[], bool], within_s: float) -> None:
    """Look now and then, at most for so long."""
    for _ in range(round(within_s / _POLL_S)):
        if done():
            return
        await asyncio.sleep(_POLL_S)


async def _refused(one: Stage, ingest: Ingest, clip: Path) -> Refusal:
    file = await asyncio.to_thread(coded, ingest, clip, one.out, _REFUSED_S)
    async with one.watched(ingest.name) as seen, _sending(one, ingest, file):
        await _until(lambda: seen.failed_s is not None, _REFUSED_S)
    after = None
    if seen.failed_s is not None and seen.listed_s is not None:
        after = round(max(seen.failed_s - seen.listed_s, 0.0), 2)
    return Refusal(ingest.name, after, str(seen.told.get("message", "")))


@contextlib.asynccontextmanager
async def _sending(one: Stage, ingest: Ingest, file: Path) -> AsyncIterator[None]:
    server = one.roles.media_server
    if ingest.protocol == "rtmp" and ingest.video != "h264":  # ffmpeg 5 has no tag for it
        # Of MPEG-TS the units of HEVC have delimiters; AV1 has no place there.
        stream = file.with_suffix(".ts") if ingest.video == "hevc" else file
        if stream != file:
            await asyncio.to_thread(run_ffmpeg, ["-i", str(file), "-c", "copy", "-an", str(stream)])
        url = f"rtmp://127.0.0.1:{server.rtmp_port}/{ingest_path(ingest.name)}"
        task = asyncio.create_task(publish(url, paced(enhanced_tags(stream, ingest.video, 33))))
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return
    sender = stage.Role(command(ingest, file, server), one.out / f"publisher-{ingest.name}.log")
    try:
        yield
    finally:
        await asyncio.to_thread(sender.stop)


def _measure(settings: Settings, out: Path, console: Console) -> Found:
    return Found(asyncio.run(run(settings, out, console)))


PART = Part("ingests", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("servers", [PART], PART.name))
