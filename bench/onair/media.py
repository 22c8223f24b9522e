"""`python -m bench.onair.media`: pictures that pause, come seldom or late, timestamps as encoders
send them, each through a worker of its own, over a real media server.

Every connection of the output is recorded, with the arrival of each tag. No speech service answers:
what is measured is the way of the media. How busy the machine is shows in the arrivals alone: who
reads is waited for, and so is what is on its way to them.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from bench import parts
from bench.onair.coverage import Samples, lost
from bench.parts import Found, Part
from bench.scene import Recorders, recordings
from dubcast import flv
from dubcast.audio.pcm import RATE
from dubcast.config import Settings
from dubcast.errors import MediaError
from dubcast.measure import arrivals, decode, stage
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.probe import probe
from dubcast.measure.recording import iter_tags, read
from dubcast.testing import publisher
from dubcast.testing.media import ClipSpec, build_clip
from dubcast.testing.publisher import Timed

DELAY_S = 3.0
FRAME_MS = 1024 / 48
_HELD_FRAMES = 3
_READY_S = 60.0
_NO_STS = "http://127.0.0.1:9"

BARS = (
    Bar("pause_sound_gap_ms", "<=", 0.0, "beyond one frame, over a pause of 12 s"),
    Bar("pause_connections", "==", 1),
    Bar("slow_frames_sound_spread_ms", "<=", 100, "arrival against timestamp; a picture every 5 s"),
    Bar("late_video_sound_lost_ms", "<=", 0.0, "the first picture 6 s late"),
    Bar("late_video_connections", "<=", 2),
    Bar("negative_cts_av_ms", "<=", 1),
    Bar("pts_changed", "==", 0),
    Bar("reset_av_ms", "<=", 1),
    Bar("wrap32_lost_frames", "<=", 1),
    Bar("captions_lost", "==", 0),
)


@dataclass(frozen=True)
class Case:
    """A clip, and how it is bent on its way."""

    spec: ClipSpec
    bend: Callable[[Iterable[Timed]], Iterable[Timed]]


def _clip(seconds: int, **more: int) -> ClipSpec:
    return ClipSpec(seconds=seconds, bed="noise", **more)


CASES = {
    "pause": Case(_clip(24), lambda items: publisher.picture_pause(items, 6, 18)),
    "slow": Case(_clip(21, gop=150, bframes=0), publisher.keys_only),
    # A reader that comes to the second connection within six seconds is given its beginning.
    "late": Case(_clip(16, gop=180), lambda items: publisher.late_picture(items, 6)),
    "early-pts": Case(_clip(12), lambda items: publisher.early_pts(items, 120)),
    "reset": Case(_clip(12), lambda items: publisher.restarted(items, 5)),
    "wrap32": Case(_clip(12), lambda items: publisher.jumped(items, 0, (1 << 32) - 5_000)),
    "captions": Case(_clip(8), lambda items: publisher.captioned(items, 40)),
}


@dataclass(frozen=True)
class Taken:
    """What of a case was sent, of which clip, and the files of the output's connections."""

    sent: list[Timed]
    clip: Path
    files: list[Path]


async def play(case: Case, clip: Path, ingest: str) -> list[Timed]:
    """Publish a case in real time; what was sent."""
    sent = list(case.bend(publisher.paced(iter_tags(clip))))
    await publisher.publish(ingest, sent)
    return sent


def measured(taken: dict[str, Taken]) -> dict[str, Figure]:
    """The figures of the cases that were taken."""
    found: dict[str, Figure] = {}
    for name, one in taken.items():
        found |= _FIGURES[name](one)
    return found


def _pause(one: Taken) -> dict[str, Figure]:
    gaps = [report.audio.timing.gap_max_ms for file in one.files if (report := probe(file)).audio]
    gap = max(gaps, default=float("inf"))
    return {
        "pause_sound_gap_ms": 0.0 if gap <= 1.0 else round(gap, 1),  # FLV rounds to 1 ms
        "pause_connections": len(one.files),
    }


def _slow(one: Taken) -> dict[str, Figure]:
    rows = np.concatenate([_sound_rows(file) for file in one.files])
    late_ms = rows[:, 0] / 1e6 - rows[:, 2]
    # A server gives what it keeps of the past at once to whoever joins; and what the encoder holds
    # when the source ends is sent when the worker does.
    steady = late_ms[rows[:, 0] > rows[0, 0] + 1e9][:-_HELD_FRAMES]
    return {"slow_frames_sound_spread_ms": round(float(steady.max() - steady.min()), 1)}


def _late(one: Taken) -> dict[str, Figure]:
    pieces = [_sound(file) for file in one.files]
    lost_ms = sum(lost(_sound(one.clip), pieces, RATE)) * 1000 / RATE
    return {
        # A codec's first and last milliseconds cannot be told from silence.
        "late_video_sound_lost_ms": 0.0 if lost_ms <= FRAME_MS / 2 else round(lost_ms, 1),
        "late_video_connections": len(one.files),
    }


def _sound(file: Path) -> Samples:
    return np.asarray(decode.whole_sound(read(file)).samples.mean(axis=1), np.float32)


def _early(one: Taken) -> dict[str, Figure]:
    offset = _av_ms(one.files[0])
    sent = _pts([item.tag for item in one.sent])
    came = _pts(list(iter_tags(one.files[0])))
    shifts = [pts - sent[picture] for picture, pts in came.items() if picture in sent]
    usual = max(set(shifts), key=shifts.count)
    changed = sum(shift != usual for shift in shifts) + (len(shifts) < len(sent) - 1)
    return {"negative_cts_av_ms": offset, "pts_changed": changed}


def _reset(one: Taken) -> dict[str, Figure]:
    return {"reset_av_ms": _av_ms(one.files[0])}


def _wrap(one: Taken) -> dict[str, Figure]:
    sent = _pts([item.tag for item in one.sent])
    came = _pts([tag for file in one.files for tag in iter_tags(file)])
    return {"wrap32_lost_frames": len(sent.keys() - came.keys())}


def _captions(one: Taken) -> dict[str, Figure]:
    def texts(tags: Iterable[flv.Tag]) -> list[bytes]:
        return [tag.body for tag in tags if tag.kind == flv.SCRIPT and b"onTextData" in tag.body]

    came = texts(tag for file in one.files for tag in iter_tags(file))
    return {"captions_lost": len(texts(item.tag for item in one.sent)) - len(came)}


_FIGURES: dict[str, Callable[[Taken], dict[str, Figure]]] = {
    "pause": _pause,
    "slow": _slow,
    "late": _late,
    "early-pts": _early,
    "reset": _reset,
    "wrap32": _wrap,
    "captions": _captions,
}


def _sound_rows(file: Path) -> np.ndarray:
    rows = arrivals.load_media(file)
    return rows[rows[:, 1] == flv.AUDIO]


def _av_ms(file: Path) -> float | None:
    sync = probe(file).sync
    return None if sync is None or sync.max_abs_ms is None else round(sync.max_abs_ms, 2)


def _pts(tags: Iterable[flv.Tag]) -> dict[bytes, int]:
    """PTS in ms of each picture, by what is in it; those that occur twice are left out."""
    found: dict[bytes, list[int]] = {}
    for tag in tags:
        packet = flv.video_packet(tag) if tag.kind == flv.VIDEO else None
        if packet is not None and packet.config is None:
            found.setdefault(packet.payload, []).append(tag.dts_ms + packet.cts_ms)
    return {picture: times[0] for picture, times in found.items() if len(times) == 1}


async def take(settings: Settings, out: Path, console: Console) -> dict[str, Taken]:
    """All cases at once, each on a stream and a worker of its own."""
    _, third = stage.stage_settings(settings, out, ())
    server = stage.role("media-server", third, out)
    try:
        await asyncio.sleep(4)
        console.print(f"on air: {', '.join(CASES)}", highlight=False)
        all_wait = asyncio.Barrier(len(CASES))
        jobs = [_one(name, case, third, out, all_wait) for name, case in CASES.items()]
        return dict(zip(CASES, await asyncio.gather(*jobs), strict=True))
    finally:
        await asyncio.to_thread(server.stop)


async def _one(
    name: str, case: Case, third: Settings, out: Path, all_wait: asyncio.Barrier
) -> Taken:
    ingest, output = (stage.third_party_url(third, one) for one in (name, f"{name}-out"))
    words = ("--stream-id", name, "--input", ingest, "--output", output)
    worker = stage.role(
        "worker", _without_service(third), out, *words, "--status-port", str(stage.free_port())
    )
    # Read by HTTP: `rtmp2src` drops a connection's last tag if it comes with the end.
    recorders = Recorders({name: stage.third_party_flv_url(third, f"{name}-out")}, out)
    rtmp, http = third.media_server.rtmp_port, third.media_server.http_port
    clip = await asyncio.to_thread(build_clip, case.spec, out)
    try:
        await _becomes(
            lambda: recorders.connected(http) and bool(stage.connections(worker.pid, rtmp))
        )
        await all_wait.wait()
        await _read_anew(worker, rtmp)
        sent = await play(case, clip, ingest)
        await asyncio.sleep(DELAY_S + 2)
    finally:
        await asyncio.to_thread(worker.stop)  # it sends the last that it holds
        await asyncio.to_thread(recorders.finish)
    return Taken(sent, clip, recordings(out, name))


async def _becomes(true: Callable[[], bool]) -> None:
    """Wait for what others bring about. Raises MediaError if it takes too long."""
    end = time.monotonic() + _READY_S
    while not await asyncio.to_thread(true):
        if time.monotonic() > end:
            raise MediaError(f"a case did not get ready in {_READY_S:.0f} s")
        await asyncio.sleep(0.1)


async def _read_anew(worker: stage.Role, port: int) -> None:
    """Wait until a worker has just begun to read. It gives up what sends nothing for some seconds,
    and reads again; of sound a server keeps nothing for who is not there at that moment.
    """
    before = stage.connections(worker.pid, port)
    await _becomes(lambda: bool(stage.connections(worker.pid, port) - before))
    await asyncio.sleep(0.5)  # from the connection to the request


def _without_service(third: Settings) -> Settings:
    separation = third.stream.separation.model_copy(update={"separator": "off"})
    policy = {"delay_s": DELAY_S, "separation": separation}
    return third.model_copy(
        update={
            "sts": third.sts.model_copy(update={"url": _NO_STS}),
            "stream": third.stream.model_copy(update=policy),
        }
    )


def _measure(settings: Settings, out: Path, console: Console) -> Found:
    return Found(measured(asyncio.run(take(settings, out, console))))


PART = Part("media", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("onair", [PART], PART.name))
