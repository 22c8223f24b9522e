"""How many live streams two cores carry, what is left of that under three times the load, and
how quickly the rest is refused."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from rich.console import Console

from bench.parts import Found, Part
from bench.sts import services
from dubcast.config import Settings
from dubcast.measure import live_speech, live_streams
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.live_load import Level
from dubcast.measure.live_streams import Capacity, Target
from dubcast.sts import synthesis
from dubcast.sts.build import voice_subject

DELAY_S = 8.0
LIMIT = 12
SECONDS = 30.0
_OVERLOAD = 3
# On a slower machine the streams are told, not judged.
_QUICK = 0.4
_BARS = (
    Bar("goodput_3x", ">=", 0.9, "of the best"),
    Bar("refusal_ms", "<=", 100.0, "p95"),
)


async def _measured(target: Target, settings: Settings) -> tuple[Capacity, Level]:
    cut = partial(live_speech.cut, live_speech.samples(settings))
    found = await live_streams.capacity(target, cut, LIMIT, SECONDS)
    streams = _OVERLOAD * max(1, found.streams)
    return found, await live_streams.run(found.target, found.known, streams, SECONDS)


def synthesis_rtf(settings: Settings) -> float | None:
    """Seconds that the engine that speaks here takes for a second of speech."""
    subject = voice_subject(settings)
    if subject is None:
        return None
    engine, choice = synthesis.engine_for(settings.sts_server.tts_engine, subject)
    known = choice.trials.get(engine) if choice else None
    trial = known or synthesis.run_trial(subject, engine)
    return trial.wall if trial else None


def figures(found: Capacity, overload: Level) -> dict[str, Figure]:
    """The figures of a search and of a run above the capacity."""
    best = max([*(one.goodput for one in found.levels), overload.goodput])
    return {
        "streams_2cores": found.streams,
        "goodput_3x": round(overload.goodput / best, 3) if best else 0.0,
        # Nobody was kept waiting for a refusal that did not come.
        "refusal_ms": 0.0 if overload.refusal_ms is None else overload.refusal_ms,
    }


def _measure(settings: Settings, out: Path, console: Console) -> Found:
    rtf = synthesis_rtf(settings)
    with services.service(out) as running:
        target = Target(running.url, delay_s=DELAY_S)
        found, overload = asyncio.run(_measured(target, settings))
    for level in (*found.levels, overload):
        console.print(f"  {level.streams} streams: {level.share:.1%} in time", highlight=False)
    is_quick = rtf is not None and rtf <= _QUICK
    bars = (Bar("streams_2cores", ">=", 3),) if is_quick else ()
    detail = {
        "synthesis_rtf": rtf,
        "streamed": found.target.streamed,
        "levels": [level.as_json() for level in found.levels],
        "overload": overload.as_json(),
    }
    return Found(figures(found, overload), detail, bars)


PART = Part("capacity", _BARS, _measure)
