"""`python -m bench.soak`: run a part of the soak, measure it, and judge all parts so far."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console

from bench.scene import Memory, Scene, recordings, running
from bench.soak import judge, short
from bench.soak.faults import FAULTS, Strike, schedule
from bench.soak.judge import Part
from dubcast import flv, log
from dubcast.config import Settings
from dubcast.errors import DubcastError
from dubcast.measure import arrivals, figures, stage
from dubcast.measure.narrated import narrated
from dubcast.measure.probe import probe

# One is separated, as by default; the other is not, to save the CPU.
_POLICIES: dict[str, dict[str, Any]] = {"air": {}, "struck": {"separation": {"separator": "off"}}}
_WARM_UP_S = 20.0
_LEAVE_S = 5.0
# Minutes and folder, where the command line names none.
_LONG, _SHORT = (120.0, "build/bench/soak"), (30.0, "build/soak")


def main() -> None:
    """Exit status 1 if a bar is missed."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console, settings = Console(stderr=True), Settings()
    log.setup(settings.log, "bench")
    if options.short:
        sys.exit(0 if short.run(settings, options.out, options.minutes, console) else 1)
    kept = _parts(options.out, options.seed) if options.resume else []
    done = sum(part.minutes for part in kept)
    minutes = min(options.minutes - done, options.now or options.minutes)
    if minutes > 0:
        kept.append(_run(settings, options, done, minutes, console))
        _keep(options.out, kept)
    ok = figures.report(
        options.out.with_suffix(".json"),
        judge.figures(kept),
        judge.BARS,
        seed=options.seed,
        detail={"parts": [part.as_dict() for part in kept]},
        console=console,
    )
    sys.exit(0 if ok else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the short soak: nothing is broken")
    parser.add_argument("--minutes", type=float, help="length of the whole soak (120; short: 30)")
    parser.add_argument("--now", type=float, help="run at most so many minutes of it now")
    parser.add_argument("--resume", action="store_true", help="go on after the parts that are kept")
    parser.add_argument("--seed", type=int, default=1, help="fixes what strikes when")
    parser.add_argument("--out", type=Path, help="folder (build/bench/soak; short: build/soak)")
    options = parser.parse_args()
    minutes, out = _SHORT if options.short else _LONG
    options.minutes = options.minutes or minutes
    options.out = options.out or Path(out)
    return options


def _parts(out: Path, seed: int) -> list[Part]:
    """What earlier runs of this seed have kept."""
    path = out / "parts.json"
    if not path.exists():
        return []
    parts = [Part.from_dict(part) for part in json.loads(path.read_text(encoding="utf-8"))]
    return [part for part in parts if part.seed == seed]


def _keep(out: Path, parts: list[Part]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps([part.as_dict() for part in parts], indent=1)
    (out / "parts.json").write_text(text + "\n", encoding="utf-8")


def _run(
    settings: Settings, options: argparse.Namespace, done: float, minutes: float, console: Console
) -> Part:
    """One part: from `done` minutes on, for `minutes`."""
    out = options.out
    stage.clear(out)
    clip = narrated(settings).clip
    console.print(f"soak: seed {options.seed}, minutes {done:g} to {done + minutes:g}")
    strikes = [
        Strike(one.at_s - 60 * done, one.name, one.seed)
        for one in schedule(options.seed, 60 * (done + minutes))
        if one.at_s >= 60 * done
    ]
    before = {one.pid for one in psutil.process_iter()}
    told, memory, last_ns = asyncio.run(
        _on_air(settings, clip, out, strikes, 60 * minutes, console)
    )
    time.sleep(_LEAVE_S)
    left = [one for one in psutil.process_iter() if one.pid not in before and _ours(one)]
    figures.write_json(out / "memory.json", memory.samples)  # for whoever looks for a leak
    console.print("measuring", highlight=False)
    return _measured(options, minutes, told, memory, last_ns, len(left))


async def _on_air(
    settings: Settings,
    clip: Path,
    out: Path,
    strikes: list[Strike],
    seconds: float,
    console: Console,
) -> tuple[list[dict[str, Any]], Memory, int]:
    """Strike after strike; what was done, the memory, and until when media was owed."""
    told: list[dict[str, Any]] = []
    async with running(settings, clip, out, _POLICIES) as scene:
        await asyncio.sleep(_WARM_UP_S)
        start = time.monotonic()
        with Memory(scene) as memory:
            for strike in strikes:
                await asyncio.sleep(max(0.0, start + strike.at_s - time.monotonic()))
                told.append(await _strike(scene, strike, console))
            await asyncio.sleep(max(0.0, start + seconds - time.monotonic()))
        last_ns = time.monotonic_ns()
    return told, memory, last_ns


async def _strike(scene: Scene, strike: Strike, console: Console) -> dict[str, Any]:
    fault = FAULTS[strike.name]
    console.print(f"{strike.at_s:7.0f} s  {strike.name}: {fault.tells}", highlight=False)
    began, error = time.monotonic_ns(), None
    try:
        await fault.strike(scene, random.Random(strike.seed))
    except (DubcastError, psutil.Error, OSError) as failed:
        # Nothing to strike is a finding: what should be there is not.
        error = str(failed)
        console.print(f"           {error}", highlight=False)
    return {"name": strike.name, "at_ns": began, "over_ns": time.monotonic_ns(), "error": error}


def _ours(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        words = " ".join(process.cmdline())
        return "dubcast" in words and process.status() != psutil.STATUS_ZOMBIE
    return False


def _measured(
    options: argparse.Namespace,
    minutes: float,
    told: list[dict[str, Any]],
    memory: Memory,
    last_ns: int,
    left: int,
) -> Part:
    streams = {name: _seconds(options.out, name, last_ns) for name in _POLICIES}
    points = [
        point
        for path in recordings(options.out, "air")
        if (sync := probe(path).sync) is not None
        for point in sync.points
    ]
    return Part(
        commit=figures.revision(Path.cwd())[0],
        seed=options.seed,
        minutes=minutes,
        slopes={name: judge.slope_mb_per_h(one) for name, one in memory.samples.items()},
        drift_ms=judge.drift_ms(points),
        av_points=len(points),
        zombies=len(memory.zombies),
        left_behind=left,
        faults=told,
        **streams,
    )


def _seconds(out: Path, stream: str, last_ns: int) -> judge.Seconds:
    """The seconds of a stream, over all its connections."""
    found = [arrivals.load_media(path) for path in recordings(out, stream)]
    rows = np.concatenate(found) if found else np.zeros((0, 3), np.int64)
    video, audio = (rows[rows[:, 1] == kind, 0] for kind in (flv.VIDEO, flv.AUDIO))
    return judge.seconds(video, audio, last_ns)
