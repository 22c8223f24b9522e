"""A stream's fragments keep their order, whatever the schedule: in virtual time, with real inboxes.

A violation is an item that begins at a stage while one of an earlier fragment of its stream waits
or runs there; and a fragment that is done before an earlier one of its stream, where none had to
ask a stage again.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.parts import Found, Part
from bench.sts.schedules import Fragment, Item, Schedule, Stage, Visit
from dubcast.config import Settings
from dubcast.measure.figures import Bar
from dubcast.sts.batcher import Waiting

SCHEDULES = 10_000
BARS = (Bar("fifo_violations", "==", 0, f"{SCHEDULES:,} randomised schedules"),)
_STAGES = ("resample", "asr", "mt", "tts", "fit")


class Watcher:
    """Counts what begins before its turn."""

    def __init__(self) -> None:
        self.stages: dict[str, Stage] = {}
        self.violations = 0
        self._running: dict[str, list[Waiting[Item]]] = defaultdict(list)

    def __call__(self, name: str, batch: Sequence[Waiting[Item]], done: bool) -> None:
        running = self._running[name]
        if done:
            self._running[name] = [one for one in running if one not in batch]
            return
        waiting = [one for one in self.stages[name].inbox.waiting() if not one.item.fragment.failed]
        for one in batch:
            before = (*running, *waiting)
            self.violations += any(
                other.stream_id == one.stream_id and other.turn < one.turn for other in before
            )
        running += batch


def violations(seed: int) -> int:
    """How often one schedule, made from a seed, breaks the order."""
    rng, watcher = random.Random(seed), Watcher()
    watcher.stages = {
        name: Stage.of(rng.choice((1, 1, 2, 4)), rng.choice((1, 1, 4, 16)), rng.random())
        for name in _STAGES
    }
    schedule = Schedule(watcher.stages, watcher)
    again = rng.random() < 0.5
    arrivals = sorted(rng.uniform(0, 10) for _ in range(rng.randint(4, 24)))
    for number, when_s in enumerate(arrivals):
        fragment = Fragment(
            rng.choice("abcd"), number, _visits(rng, again), when_s + rng.choice((0.5, 3, 9, 99))
        )
        schedule.at(when_s, lambda fragment=fragment: schedule.submit(fragment))
    schedule.run()
    return watcher.violations + (0 if again else _out_of_order(schedule.finished))


def _visits(rng: random.Random, again: bool) -> list[Visit]:
    stages = list(_STAGES)
    if again and rng.random() < 0.3:
        stages.insert(3, "mt")
    most = {"mt": 4, "tts": 5}
    return [
        Visit(name, tuple(rng.expovariate(4) for _ in range(rng.randint(1, most.get(name, 1)))))
        for name in stages
    ]


def _out_of_order(finished: Sequence[Fragment]) -> int:
    last: dict[str, int] = {}
    count = 0
    for fragment in finished:
        if fragment.done_s is not None:
            count += fragment.number < last.get(fragment.stream_id, 0)
            last[fragment.stream_id] = fragment.number
    return count


def measure(schedules: int = SCHEDULES) -> int:
    """Violations in so many schedules."""
    return sum(violations(seed) for seed in range(schedules))


def _measured(_: Settings, __: Path, ___: Console) -> Found:
    return Found({"fifo_violations": measure()})


PART = Part("fifo", BARS, _measured)
