"""What the orchestrator asks of whatever runs its children."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Role = Literal["worker", "egress"]
PASSTHROUGH = "passthrough"


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

    def restarted(self) -> ChildSpec:
        """The same child as it is started after the first time."""
        return replace(self, argv=(*self.argv, *self.again), again=())


class Child(ABC):
    """A running child, started here or found running."""

    key: str
    adopted: bool
    mode: str

    @abstractmethod
    async def wait(self) -> int | None:
        """Wait for its end; the exit code, or None where it cannot be known. Safe to cancel."""

    @abstractmethod
    async def status(self) -> dict[str, Any] | None:
        """What it says at /status, or None if it does not answer within a second."""

    @abstractmethod
    def memory_bytes(self) -> int | None:
        """Its resident memory, or None if it cannot be known."""

    @abstractmethod
    def terminate(self) -> None:
        """Ask it to end (SIGTERM). Harmless if it has."""

    @abstractmethod
    def kill(self) -> None:
        """End it (SIGKILL). Harmless if it has ended."""


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
