"""The live run: one fault after the other on air, and what was seen of each."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from bench.faults.rows import Events, Row, Span, Tape, seams_ms, tape
from bench.faults.strikes import DELAY_S, STRIKES, STRUCK, Strike
from bench.scene import Memory, Recorders, Scene, dub, recordings, running
from bench.wallclock import WallClock
from dubcast import flv
from dubcast.config import Settings, StsClientSettings
from dubcast.contract.worker import as_run
from dubcast.errors import DubcastError
from dubcast.measure import arrivals, stage
from dubcast.measure.probe import probe
from dubcast.measure.recording import iter_tags
from dubcast.testing.sts_server import ScriptedSts

_WARM_UP_S = 15.0
_BEFORE_NS = 1_000_000_000
# What follows a fault is on air again by then.
_AFTER_NS = 2_000_000_000
_BARE = {"separation": {"separator": "off"}}
_POLICIES: dict[str, dict[str, Any]] = {
    STRUCK: {"separation": {"separator": "nsnet2"}},
    "other": _BARE,
}


@dataclass(frozen=True)
class Seen:
    """One strike: when it began, was healed and was looked away from, and the worker's pids."""

    name: str
    began_ns: int
    healed_ns: int
    over_ns: int
    workers: tuple[int | None, int | None]
    detail: dict[str, Any]

    @property
    def span(self) -> Span:
        return self.began_ns - _BEFORE_NS, self.over_ns


async def run(
    settings: Settings, clip: Path, out: Path, names: Iterable[str], console: Console
) -> tuple[list[Seen], Memory]:
    """Strike with each of `names`. The recordings and as-run logs are left in `out`."""
    base = settings.model_copy(
        update={"stream": settings.stream.model_copy(update={"delay_s": DELAY_S})}
    )
    seen = []
    with WallClock(out) as clock:
        on_air = running(base, clip, out, _POLICIES, behind_proxy=(STRUCK,), wall_clock=clock)
        async with on_air as scene, _control(scene, clip, out):
            await asyncio.sleep(_WARM_UP_S)
            with Memory(scene) as memory:
                for name in names:
                    console.print(f"  {name}", highlight=False)
                    seen.append(await _strike(scene, name, STRIKES[name]))
    return seen, memory


async def _strike(scene: Scene, name: str, strike: Strike) -> Seen:
    before, began = _worker(scene), time.monotonic_ns()
    try:
        detail = await strike.act(scene)
    except (DubcastError, psutil.Error, OSError) as error:
        detail = {"error": str(error)}
    healed = time.monotonic_ns()
    await asyncio.sleep(strike.settle_s)
    return Seen(name, began, healed, time.monotonic_ns(), (before, _worker(scene)), detail)


def _worker(scene: Scene) -> int | None:
    with contextlib.suppress(DubcastError):
        return int(scene.role("worker", STRUCK).pid)
    return None


@contextlib.asynccontextmanager
async def _control(scene: Scene, clip: Path, out: Path) -> AsyncIterator[None]:
    """A stream that shares nothing with what is struck but the machine."""
    ingest = stage.third_party_url(scene.third, "control")
    output = stage.third_party_url(scene.third, "controlled")
    with ScriptedSts(dub) as sts:
        policy = scene.roles.stream.model_copy(
            update={
                "separation": scene.roles.stream.separation.model_copy(update={"separator": "off"})
            }
        )
        own = scene.roles.model_copy(
            update={"sts": StsClientSettings(url=sts.url), "stream": policy}
        )
        words = ("--stream-id", "control", "--input", ingest, "--output", output)
        worker = stage.role("worker", own, out, *words, "--status-port", str(stage.free_port()))
        recorders = Recorders({"control": output}, out)
        publisher = stage.publish(clip, ingest, out, loop_s=24 * 3600)
        try:
            await recorders.live()
            yield
        finally:
            await asyncio.to_thread(publisher.stop)
            await asyncio.to_thread(worker.stop)
            await asyncio.to_thread(recorders.stop)


def tapes(out: Path, clip: Path) -> dict[str, Tape]:
    """What was recorded of each stream. Beeps are looked for in `struck` alone."""
    found, seams = {}, seams_ms(iter_tags(stage.looped(clip, out / "looped.flv")))
    for stream in (STRUCK, "other", "control"):
        connections = []
        for path in recordings(out, stream):
            rows = arrivals.load_media(path)
            sync = probe(path).sync if stream == STRUCK and len(rows) > 200 else None
            connections.append((rows, sync.points if sync else []))
        found[stream] = tape(connections, seams)
    return found


def rows(seen: Iterable[Seen], memory: Memory, clip: Path, out: Path) -> list[Row]:
    """A row for each strike, and one for the control stream."""
    known = tapes(out, clip)
    asrun = out / "asrun" / f"{STRUCK}.asrun.jsonl"
    events = Events(as_run(asrun.read_text(encoding="utf-8")))
    found = [_row(one, known, events, memory) for one in seen]
    control = known["control"].rows
    # The last second is that of the end.
    whole = (int(control[0, 0]) + _BEFORE_NS, int(control[-1, 0]) - _BEFORE_NS)
    gaps = _gaps(known["control"], whole)
    undecided = {"undecided": events.undecided()}
    bars = dict.fromkeys(("gap_video_ms", "gap_audio_ms", "undecided"), 0.0)
    return [*found, Row("control", *gaps, bars=bars, detail=undecided)]


def _row(seen: Seen, known: dict[str, Tape], events: Events, memory: Memory) -> Row:
    strike, struck = STRIKES[seen.name], known[STRUCK]
    after = (seen.healed_ns + _AFTER_NS, seen.over_ns)
    recovery = struck.back_s(seen.detail.get("opened_ns", seen.began_ns)) if strike.anew else None
    detail = {key: value for key, value in seen.detail.items() if not key.endswith("_ns")}
    detail["other_gap_ms"] = max(_gaps(known["other"], seen.span))
    detail["connections"] = struck.connections(seen.span)
    if "steady_s" in strike.bars:
        detail["stall_ms"] = struck.stall_ms(seen.span)
        detail["steady_s"] = struck.steady_s(seen.healed_ns, seen.span)
    detail["backwards"] = int(not struck.monotone(seen.span))
    return Row(
        seen.name,
        *_gaps(struck, seen.span),
        fallback_onset_ms=events.fallback_onset_ms(seen.span) if strike.dubs else None,
        recovery_s=events.dubbed_again_s(seen.healed_ns) if strike.dubs else recovery,
        av_offset_after_ms=struck.av_offset_ms(after),
        restarts=int(seen.workers[0] != seen.workers[1]),
        rss_peak_mb=_peak(memory, seen.span),
        bars=strike.bars,
        detail=detail,
    )


def _gaps(one: Tape, span: Span) -> tuple[float, float]:
    """Of the picture, and of the sound."""
    return one.gap_ms(flv.VIDEO, span), one.gap_ms(flv.AUDIO, span)


def _peak(memory: Memory, span: Span) -> float | None:
    sizes = [
        size
        for name, samples in memory.samples.items()
        if name.startswith(f"worker {STRUCK}")
        for at, size in samples
        if span[0] <= at * 1e9 <= span[1]
    ]
    return round(max(sizes), 1) if sizes else None
