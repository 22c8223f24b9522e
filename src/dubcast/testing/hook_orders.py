"""Random orders of what an orchestrator hears and what happens to it, and how often it errs.

The real orchestrator, with its reconciler, actors and supervisors, in virtual time, between a
media server and a placement that are scripted. Publishers ask, come and go, or ask and never come;
hooks are lost, sent five times, late, in the wrong order, and for paths that are none of ours;
workers crash; the media server is away at times. At no time may a path have two workers; when all
is quiet, every path with a publisher has exactly one, and every other has none.

`python -m dubcast.testing.hook_orders --orders 10000` prints the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dubcast import log
from dubcast.config import LogSettings, Secret, Settings
from dubcast.contract.hooks import HookEvent
from dubcast.contract.ids import ingest_path, output_path
from dubcast.errors import MediaServerError
from dubcast.mediaserver.interface import ControlPlane, MediaServer, PathSource
from dubcast.orchestrator.launch import Launcher
from dubcast.orchestrator.orchestrator import Orchestrator
from dubcast.orchestrator.placement.driver import ChildSpec, Placement
from dubcast.processes.child import Child
from dubcast.processes.standstill import Activity
from dubcast.testing import virtual_loop

GRACE_S = 5.0
_STREAMS = ("one", "two", "three")
_SPOOFED = ("live/one/out", "live/../one/in", "live/ONE/in", "other/one/in", "live/one/in/x")
_QUERIES = ("", "lang=es")
_EVENTS = 24
_ANSWER_S = 0.02
_LISTED_S = 1.0  # from a worker's start until its output is listed
# Longer than a look, a start and a stop, with the grace period twice.
_QUIET_S = 30.0


@dataclass
class Findings:
    """What a run of orders showed; `violations` is the figure, the rest says what it means."""

    orders: int = 0
    violations: int = 0
    worst_heal_s: float = 0.0  # from a publisher whose hook is lost to its worker's start
    workers_started: int = 0
    first_seeds: list[int] = field(default_factory=list)  # of the first orders that went wrong

    def add(self, seed: int, problems: int, heal_s: float, started: int) -> None:
        self.orders += 1
        self.workers_started += started
        self.worst_heal_s = max(self.worst_heal_s, heal_s)
        self.violations += problems > 0
        if problems and len(self.first_seeds) < 10:
            self.first_seeds.append(seed)


def run_orders(count: int, seed: int = 0) -> Findings:
    """Play `count` random orders, each from a seed of its own."""
    findings = Findings()
    for number in range(seed, seed + count):
        loop = virtual_loop.VirtualLoop()
        world = _World(loop, random.Random(number))
        virtual_loop.run(world.play(), loop)
        findings.add(number, world.problems, world.worst_heal_s, world.placement.started)
    return findings


def storm(flaps: int = 1000, seconds: float = 60.0, paths: int = 20, seed: int = 0) -> int:
    """A flap storm within one grace period; the most workers started for any one path."""
    loop = virtual_loop.VirtualLoop()
    world = _World(loop, random.Random(seed), grace_s=2 * seconds)
    return virtual_loop.run(world.storm(flaps, seconds, paths), loop)


class _World:
    """One orchestrator and what happens to it."""

    def __init__(
        self, loop: virtual_loop.VirtualLoop, rng: random.Random, grace_s: float = GRACE_S
    ) -> None:
        own = {"grace_s": grace_s, "max_streams": 64}
        settings = Settings.model_validate({"orchestrator": own})
        self._rng = rng
        self._loop = loop
        self._server = _Server(settings, rng)
        self.placement = _Placement(loop, rng)
        self._server.outputs = self.placement.outputs
        self._orchestrator = Orchestrator(
            *(settings, self._server, self.placement),
            launcher=_Launcher(settings, self._server),
            clock=loop,
        )
        self._hooks: list[HookEvent] = []  # sent, and not there yet
        self.worst_heal_s = 0.0
        self._wrong = 0

    @property
    def problems(self) -> int:
        """Violations of this order."""
        return self._wrong + self.placement.doubled

    async def play(self) -> None:
        """Events, then quiet, then a hook that is lost."""
        running = asyncio.create_task(self._orchestrator.run())
        for number in range(_EVENTS):
            self._happen(number)
            await asyncio.sleep(self._rng.choice([0, 0.01, 0.3, 1, 2 * GRACE_S]))
            self._arrive()
        self._server.away = False
        await asyncio.sleep(_QUIET_S)
        self._check()
        await self._lose_a_hook()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        self._wrong += len(self.placement.running)  # a child was left behind

    async def storm(self, flaps: int, seconds: float, paths: int) -> int:
        """Publish and unpublish at random times; every hook is delivered at once."""
        running = asyncio.create_task(self._orchestrator.run())
        for number in range(flaps):
            self._flap(f"s{self._rng.randrange(paths)}", number)
            await asyncio.sleep(self._rng.uniform(0, 2 * seconds / flaps))
            self._arrive(everything=True)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return max(self.placement.starts.values(), default=0)

    def _happen(self, number: int) -> None:
        what = self._rng.random()
        if what < 0.55:
            self._flap(self._rng.choice(_STREAMS), number)
        elif what < 0.7:
            self._ask(self._rng.choice(_STREAMS))
        elif what < 0.8:
            self._server.away = not self._server.away
        elif what < 0.9:
            self.placement.crash_one()
        else:
            self._hooks.append(HookEvent(path=self._rng.choice(_SPOOFED), sourceId="x"))

    def _ask(self, stream_id: str) -> None:
        """A publisher is let in; whether and when it is listed is another matter."""
        self._orchestrator.let_in(ingest_path(stream_id), "rtmp", self._rng.choice(_QUERIES))

    def _flap(self, stream_id: str, number: int) -> None:
        path = ingest_path(stream_id)
        if path in self._server.paths:
            del self._server.paths[path]
        else:
            query = self._rng.choice(_QUERIES)
            self._server.paths[path] = PathSource(path, f"source-{number}", query=query)
        event = HookEvent(path=path, sourceId=f"source-{number}")
        self._hooks += [event] * self._rng.choice([0, 1, 1, 5])

    def _arrive(self, *, everything: bool = False) -> None:
        """Some of the hooks that are on their way, in any order."""
        self._rng.shuffle(self._hooks)
        count = len(self._hooks) if everything else self._rng.randint(0, len(self._hooks))
        for _ in range(count):
            self._orchestrator.hooked(self._hooks.pop())

    def _check(self) -> None:
        wanted = Counter(path.split("/")[1] for path in self._server.paths)
        running = Counter(child.stream_id for child in self.placement.running)
        self._wrong += wanted != running

    async def _lose_a_hook(self) -> None:
        """A publisher of whom no hook tells is found by the reconciler."""
        self._server.paths[ingest_path("lost")] = PathSource(ingest_path("lost"), "lost")
        appeared = self._loop.time()
        while not self.placement.starts["lost"]:
            await asyncio.sleep(0.01)
            if self._loop.time() - appeared > _QUIET_S:
                self._wrong += 1
                return
        self.worst_heal_s = self._loop.time() - appeared


class _Server(MediaServer):
    """A media server whose publishers are a dict; its answers take a moment."""

    kind = "scripted"

    def __init__(self, settings: Settings, rng: random.Random) -> None:
        super().__init__(settings.media_server, ControlPlane(None, Secret(""), "", True))
        self.paths: dict[str, PathSource] = {}
        self.outputs: Callable[[], Iterable[str]] = tuple  # what workers publish
        self.away = False
        self._rng = rng

    async def ready_paths(self) -> dict[str, PathSource]:
        # What is told is a moment old when it arrives.
        seen = self.paths | {path: PathSource(path, "worker") for path in self.outputs()}
        await asyncio.sleep(self._rng.uniform(0, _ANSWER_S))
        if self.away:
            raise MediaServerError("away")
        return seen

    def expected(self, path: str, protocol: str, query: str) -> PathSource | None:
        return PathSource(path, "", query=query)

    async def start(self) -> None:
        """It runs."""

    async def wait(self) -> int:
        await asyncio.Event().wait()
        return 0

    async def stop(self) -> None:
        """It has no process."""

    async def close(self) -> None:
        """It has no connection."""

    async def kick(self, path: str) -> bool:
        return self.paths.pop(path, None) is not None


class _Launcher(Launcher):
    """A worker per stream, without its command line: that takes longer than all the rest."""

    def children(self, stream_id: str, source: PathSource | None) -> list[ChildSpec]:
        return [self.worker(stream_id, source)]

    def worker(self, stream_id: str, source: PathSource | None) -> ChildSpec:
        return ChildSpec("worker", stream_id, "", (source.query if source else "",), {})


class _Worker(Child):
    """A worker that answers, and ends when it is told to, in its own time."""

    adopted = False
    mode = ""

    def __init__(self, spec: ChildSpec, placement: _Placement) -> None:
        self.key, self.stream_id = spec.key, spec.stream_id
        self.started_s = placement.loop.time()
        self._placement = placement
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int | None:
        return await asyncio.shield(self._ended)

    async def status(self) -> dict[str, Any] | None:
        return {"stream_id": self.stream_id, "state": "live", "reason": ""}

    def memory_bytes(self) -> int | None:
        return 1

    def activity(self) -> Activity | None:
        return None

    def send(self, number: signal.Signals) -> None:
        if number is signal.SIGKILL:
            self.end(-9)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(self._placement.rng.uniform(0, 2), self.end, 0)

    def end(self, code: int) -> None:
        """Its process is gone."""
        if not self._ended.done():
            self._ended.set_result(code)
            self._placement.running.remove(self)


class _Placement(Placement):
    """Counts what runs."""

    def __init__(self, loop: virtual_loop.VirtualLoop, rng: random.Random) -> None:
        self.loop = loop
        self.rng = rng
        self.running: list[_Worker] = []
        self.starts: Counter[str] = Counter()
        self.doubled = 0

    @property
    def started(self) -> int:
        return sum(self.starts.values())

    def outputs(self) -> list[str]:
        """The paths that workers publish."""
        by_now_s = self.loop.time() - _LISTED_S
        return [output_path(one.stream_id) for one in self.running if one.started_s <= by_now_s]

    async def start(self, spec: ChildSpec) -> Child:
        self.doubled += any(one.key == spec.key for one in self.running)
        worker = _Worker(spec, self)
        self.running.append(worker)
        self.starts[spec.stream_id] += 1
        return worker

    def crash_one(self) -> None:
        """Some worker's process ends by itself."""
        if self.running:
            self.rng.choice(self.running).end(-11)

    async def list(self) -> list[Child]:
        return []

    def forget(self, child: Child) -> None:
        """Nothing is noted."""

    def capacity(self) -> int:
        return 64

    async def close(self) -> None:
        """It holds nothing."""


def main() -> None:
    """The figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    log.setup(LogSettings(level="error"), "hook-orders")
    found = run_orders(given.orders, given.seed)
    figures = {
        "hook_orders": found.orders,
        "hook_orders_violations": found.violations,
        "hook_lost_healed_s": round(found.worst_heal_s, 3),
        "flap_storm_spawns_per_path": storm(),
    }
    print(json.dumps({**figures, "first_seeds": found.first_seeds}))


if __name__ == "__main__":
    main()
