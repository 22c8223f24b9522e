"""Which separator a machine can afford: chosen at the start, lowered when it runs late. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from dubcast.audio.pcm import CHANNELS, RATE
from dubcast.clock import NS_PER_S, s_to_ns
from dubcast.separation.separator import Separator

# Best first. `auto` never takes Spleeter or the blend: they remove singing and cost a second.
AUTO_ORDER = ("dfn3", "nsnet2", "centre")
_TEST_S = 2.0
_BLOCK = RATE // 10
_SHRINKS = 0.9


@dataclass(frozen=True)
class AutoPolicy:
    """`share` of one core that a separator may take; the times of going down and up."""

    share: float = 0.25
    late_s: float = 1.0  # audio that waits
    late_for_s: float = 3.0
    caught_up_s: float = 0.2
    calm_for_s: float = 120.0  # before a better one is tried again; doubles with each failure
    calm_max_s: float = 3600.0


def benchmark(separator: Separator, cpu_ns: Callable[[], int], seconds: float = _TEST_S) -> float:
    """CPU seconds for a second of audio; `cpu_ns` is the clock (CPU time of this process).

    The separator is reset afterwards. Noise, since silence is cheaper than a programme.
    """
    noise = np.random.default_rng(0).standard_normal((_BLOCK, CHANNELS)).astype(np.float32) * 0.05
    separator.process(noise)  # what is done only once does not count
    blocks = max(round(seconds * RATE / _BLOCK), 1)
    before = cpu_ns()
    for _ in range(blocks):
        separator.process(noise)
    spent = cpu_ns() - before
    separator.reset()
    return spent / NS_PER_S / (blocks * _BLOCK / RATE)


def choose(
    measure: Callable[[str], float | None],
    order: Sequence[str] = AUTO_ORDER,
    policy: AutoPolicy | None = None,
) -> tuple[str, float]:
    """The first separator that is there and cheap enough, else the last; and its CPU figure.

    `measure` gives the CPU seconds per second, or None for one that is not installed.
    """
    policy = policy or AutoPolicy()
    for name in order[:-1]:
        cost = measure(name)
        if cost is not None and cost < policy.share:
            return name, cost
    return order[-1], measure(order[-1]) or 0.0


def degradation(name: str) -> tuple[str, ...]:
    """`name` and the separators to go on with, each cheaper or safer than the one before."""
    rest = {
        "blend": ("dfn3", "nsnet2", "centre"),
        "dfn3": ("nsnet2", "centre"),
        "spleeter2": ("nsnet2", "centre"),
        "nsnet2": ("centre",),
        "centre": ("mute",),
        "gate": ("mute",),
    }
    return (name, *rest.get(name, ()))


@dataclass
class Ladder:
    """Goes down the order when the work is late for long, and up again after a long calm."""

    order: Sequence[str]
    policy: AutoPolicy = field(default_factory=AutoPolicy)
    at: int = 0

    def __post_init__(self) -> None:
        self._late_since: int | None = None
        self._least_s = 0.0  # that waited since it is late
        self._calm_since: int | None = None
        self._calm_for = self.policy.calm_for_s
        self._climbed = False

    @property
    def name(self) -> str:
        """The separator in use."""
        return self.order[self.at]

    def observe(self, now_ns: int, waiting_s: float) -> str | None:
        """How much audio waits now; the separator to change to, or None to stay."""
        if waiting_s >= self.policy.late_s:
            return self._late(now_ns, waiting_s)
        self._late_since = None
        if waiting_s > self.policy.caught_up_s:
            self._calm_since = None
            return None
        self._calm_since = now_ns if self._calm_since is None else self._calm_since
        calm = now_ns - self._calm_since >= s_to_ns(self._calm_for)
        return self._up() if calm else None

    def _late(self, now_ns: int, waiting_s: float) -> str | None:
        self._calm_since = None
        # What shrinks is being caught up, as after the start.
        if self._late_since is None or waiting_s < self._least_s * _SHRINKS:
            self._late_since, self._least_s = now_ns, waiting_s
        late = now_ns - self._late_since >= s_to_ns(self.policy.late_for_s)
        return self._down() if late else None

    def drop(self) -> None:
        """The separator just named cannot be had: strike it off and stay with the one before."""
        self.order = [*self.order[: self.at], *self.order[self.at + 1 :]]
        self.at = max(self.at - 1, 0)

    def _down(self) -> str | None:
        self._late_since = self._calm_since = None
        if self.at == len(self.order) - 1:
            return None
        if self._climbed:  # the better one failed again: wait longer before the next try
            self._calm_for = min(self._calm_for * 2, self.policy.calm_max_s)
        self.at += 1
        return self.name

    def _up(self) -> str | None:
        self._calm_since = None
        if self.at == 0:
            return None
        self._climbed = True
        self.at -= 1
        return self.name
