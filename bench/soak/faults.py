"""The faults of the soak, and when each strikes. The schedule is pure: a seed fixes it."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubcast.testing import faults as replies
from dubcast.testing.proxy import Faults
from dubcast.testing.sts_server import Script, success

if TYPE_CHECKING:
    from bench.scene import Scene

# One begins every 60 to 180 s, and each is over before the next.
_LEAST_PAUSE_S = 60.0
_MOST_PAUSE_S = 180.0
_SOUND = replies.always(success)


@dataclass(frozen=True)
class Fault:
    """`strike` injects it and heals it again. `tells`: what a report says of it."""

    strike: Callable[[Scene, random.Random], Awaitable[None]]
    tells: str


@dataclass(frozen=True)
class Strike:
    """A fault that begins `at_s` after the start of the soak."""

    at_s: float
    name: str
    seed: int


def schedule(seed: int, seconds: float) -> Iterator[Strike]:
    """What strikes when: every fault once in a random order, then again in another."""
    rng = random.Random(seed)
    at = 0.0
    waiting: list[str] = []
    while True:
        at += rng.uniform(_LEAST_PAUSE_S, _MOST_PAUSE_S)
        if at >= seconds:
            return
        if not waiting:
            waiting = rng.sample(sorted(FAULTS), len(FAULTS))
        yield Strike(round(at, 1), waiting.pop(), rng.randrange(1 << 30))


def _wire(faults: Faults, least_s: float, most_s: float) -> Callable[..., Awaitable[None]]:
    """A fault of the connection to the speech service."""

    async def strike(scene: Scene, rng: random.Random) -> None:
        scene.link.faults = faults
        if faults.refuse:
            scene.link.reset()
        await asyncio.sleep(rng.uniform(least_s, most_s))
        scene.link.faults = Faults()

    return strike


def _answers(script: Callable[[int], Script], least_s: float, most_s: float) -> Fault:
    """A fault of the speech service itself."""

    async def strike(scene: Scene, rng: random.Random) -> None:
        scene.sts.script = script(rng.randrange(1 << 30))
        await asyncio.sleep(rng.uniform(least_s, most_s))
        scene.sts.script = _SOUND

    return Fault(strike, "the speech service answers badly")


async def _cut(scene: Scene, rng: random.Random) -> None:
    scene.link.reset()


async def _separation_killed(scene: Scene, rng: random.Random) -> None:
    scene.kill(scene.separation("air"), signal.SIGKILL)


async def _separation_frozen(scene: Scene, rng: random.Random) -> None:
    scene.kill(scene.separation("air"), signal.SIGSTOP)  # its client kills it


async def _orchestrator_killed(scene: Scene, rng: random.Random) -> None:
    scene.kill(scene.role("orchestrator"), signal.SIGKILL)


async def _orchestrator_frozen(scene: Scene, rng: random.Random) -> None:
    frozen = scene.role("orchestrator")
    scene.kill(frozen, signal.SIGSTOP)
    await asyncio.sleep(rng.uniform(5, 20))
    scene.kill(frozen, signal.SIGCONT)


async def _worker_killed(scene: Scene, rng: random.Random) -> None:
    scene.kill(scene.role("worker", "struck"), signal.SIGKILL)


async def _worker_frozen(scene: Scene, rng: random.Random) -> None:
    scene.kill(scene.role("worker", "struck"), signal.SIGSTOP)


async def _egress_killed(scene: Scene, rng: random.Random) -> None:
    scene.kill(scene.role("egress", "struck"), signal.SIGKILL)


async def _publisher_gone(scene: Scene, rng: random.Random) -> None:
    scene.unpublish("struck")
    await asyncio.sleep(rng.uniform(3, 20))
    scene.publish("struck")


_HARSH = ("huge", "killed")  # these have their own place
_CHAOS = {name: fault for name, fault in replies.all_faults().items() if name not in _HARSH}

FAULTS = {
    "sts_gone": Fault(_wire(Faults(refuse=True), 20, 50), "connections are refused"),
    "sts_hangs": Fault(_wire(Faults(hang=True), 15, 40), "nothing comes back"),
    "sts_slow": Fault(_wire(Faults(latency_s=2.5, jitter_s=2.0), 20, 40), "2.5 s late, each way"),
    "sts_link_corrupt": Fault(_wire(Faults(corrupt=0.2), 15, 30), "bytes change on the way"),
    "sts_link_cut": Fault(_cut, "all connections are reset once"),
    "sts_errors": _answers(lambda seed: replies.flap(2, replies.status(503)), 20, 40),
    "sts_overloaded": _answers(
        lambda seed: replies.always(replies.status(429, retry_after_s=10)), 15, 30
    ),
    "sts_chaos": _answers(lambda seed: replies.chaos(seed, _CHAOS, share=0.7), 20, 40),
    "separation_killed": Fault(_separation_killed, "SIGKILL to the separating process of `air`"),
    "separation_frozen": Fault(_separation_frozen, "SIGSTOP to the separating process of `air`"),
    "orchestrator_killed": Fault(_orchestrator_killed, "SIGKILL; `up` starts it anew"),
    "orchestrator_frozen": Fault(_orchestrator_frozen, "SIGSTOP for up to 20 s"),
    "worker_killed": Fault(_worker_killed, "SIGKILL to the worker of `struck`"),
    "worker_frozen": Fault(_worker_frozen, "SIGSTOP to the worker of `struck`"),
    "egress_killed": Fault(_egress_killed, "SIGKILL to the egress of `struck`"),
    "publisher_gone": Fault(_publisher_gone, "`struck` is not published for up to 20 s"),
}
