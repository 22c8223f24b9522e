"""`python -m bench.onair.frozen`: a worker that is frozen (SIGSTOP) on air, and when its stream is
back.

All roles run, supervised as in production. The worker is frozen as the fault bench does it, three
times. Back is when from then on both tracks arrive without a hole: at whoever reads `/out`, and at
the third party, behind the forwarder.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from bench import parts
from bench.faults.rows import NS_PER_S, Tape, tape
from bench.faults.strikes import STRIKES, STRUCK
from bench.parts import Found, Part
from bench.scene import Recorders, Scene, recordings, running
from dubcast.config import Settings
from dubcast.contract.ids import output_path
from dubcast.measure import arrivals
from dubcast.measure.figures import Bar, Figure
from dubcast.testing.media import ClipSpec, build_clip

_TIMES = 3
_WARM_UP_S = 12.0
_WATCHED_S = 20.0  # after each: longer than the way back to the full delay
_CLIP = ClipSpec(seconds=_WARM_UP_S + (_TIMES + 1) * _WATCHED_S + 30, bed="noise", beep_every_s=10)
_BEFORE_NS = NS_PER_S
_NEAR, _FAR = "near", STRUCK  # where it is recorded: at `/out`, and at the third party
_POLICY = {STRUCK: {"separation": {"separator": "off"}}}

BARS = (Bar("worker_frozen_recovery_s", "<=", 5, "both tracks at /out; the worst of three"),)


async def freeze(settings: Settings, out: Path, console: Console) -> list[int]:
    """Freeze the worker, again and again; when, in ns of the monotonic clock. What was recorded is
    left in `out`."""
    clip = await asyncio.to_thread(build_clip, _CLIP, out)
    # As many crashes as there are here would bring the passthrough.
    plane = settings.orchestrator.model_copy(update={"crash_budget": 2 * _TIMES})
    base = settings.model_copy(update={"orchestrator": plane})
    struck = []
    async with running(base, clip, out, _POLICY) as scene:
        near = Recorders({_NEAR: _output(scene)}, out)
        try:
            await asyncio.sleep(_WARM_UP_S)
            for number in range(_TIMES):
                console.print(f"  frozen, {number + 1} of {_TIMES}", highlight=False)
                struck.append(time.monotonic_ns())
                await STRIKES["worker_frozen"].act(scene)
                await asyncio.sleep(_WATCHED_S)
        finally:
            await asyncio.to_thread(near.stop)
    return struck


def _output(scene: Scene) -> str:
    return f"rtmp://127.0.0.1:{scene.roles.media_server.rtmp_port}/{output_path(STRUCK)}"


def tapes(out: Path) -> dict[str, Tape]:
    """What was recorded at both places."""
    return {
        place: tape([(arrivals.load_media(file), ()) for file in recordings(out, place)])
        for place in (_NEAR, _FAR)
    }


def measured(struck: Sequence[int], recorded: Mapping[str, Tape]) -> dict[str, Figure]:
    """The figures: the worst of all times. A stream that never stood still was not frozen: None."""
    keys = {_NEAR: "worker_frozen_recovery_s", _FAR: "worker_frozen_third_party_s"}
    found: dict[str, Figure] = {}
    for place, key in keys.items():
        took = [_back_s(recorded[place], at_ns) for at_ns in struck]
        found[key] = max(took) if took and all(took) else None
    return found


def _back_s(recorded: Tape, at_ns: int) -> float:
    watched = (at_ns - _BEFORE_NS, at_ns + round((_WATCHED_S - 1) * NS_PER_S))
    return recorded.steady_s(at_ns, watched)


def _measure(settings: Settings, out: Path, console: Console) -> Found:
    struck = asyncio.run(freeze(settings, out, console))
    return Found(measured(struck, tapes(out)))


PART = Part("frozen", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("onair", [PART], PART.name))
