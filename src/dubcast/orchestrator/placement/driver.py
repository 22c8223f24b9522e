"""What the orchestrator asks of whatever runs its children: the driver interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from dubcast.processes.child import Child, ChildSource, Start

Role = Literal["worker", "egress"]


@dataclass(frozen=True)
class ChildSpec:
    """One child to run. `argv` holds no secret; settings and keys go by `env`."""

    role: Role
    stream_id: str
    name: str  # of the destination; empty for a worker
    argv: tuple[str, ...]  # without the status port, which the driver picks and appends
    env: Mapping[str, str] = field(repr=False, compare=False)
    again: tuple[str, ...] = ()  # more arguments of every start but the first
    instead: ChildSpec | None = None  # what runs in its place when it keeps crashing
    mode: str = ""  # `passthrough`: this is what runs instead

    @property
    def key(self) -> str:
        """Unique among all children: at most one runs."""
        return ":".join(filter(None, (self.role, self.stream_id, self.name)))

    def is_run_as(self, other: ChildSpec) -> bool:
        """True if what is started for both is the same, keys and settings too."""
        return (self.argv, self.env) == (other.argv, other.env)

    def restarted(self) -> ChildSpec:
        """The same child as it is started after the first time."""
        return replace(self, argv=(*self.argv, *self.again), again=())


class Placement(ABC):
    """Runs children somewhere. They outlive the orchestrator, and are found again."""

    @abstractmethod
    async def start(self, spec: ChildSpec) -> Child:
        """Start a child. Raises DubcastError if it cannot be started at all."""

    @abstractmethod
    async def list(self) -> list[Child]:
        """Children of an earlier orchestrator that still run."""

    @abstractmethod
    def forget(self, child: Child) -> None:
        """The child has ended: nothing of it is to be found again."""

    @abstractmethod
    def capacity(self) -> int:
        """How many streams may run here at a time."""

    @abstractmethod
    async def close(self) -> None:
        """Release what the driver holds; the children run on."""


class PlacedChild(ChildSource):
    """One spec at a placement, for its supervisor."""

    def __init__(self, spec: ChildSpec, placement: Placement) -> None:
        self.key = spec.key
        self.spec = spec
        self._placement = placement

    async def start(self, which: Start) -> Child:
        spec = self.spec if which is Start.FIRST else self.spec.restarted()
        if which is Start.PASSTHROUGH and self.spec.instead is not None:
            spec = self.spec.instead
        return await self._placement.start(spec)

    def forget(self, child: Child) -> None:
        self._placement.forget(child)
