"""A running child as its supervisor sees it, and where a supervisor gets it from."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Any

from dubcast.processes.standstill import Activity

PASSTHROUGH = "passthrough"  # the mode of what runs in place of a child that keeps crashing


class Child(ABC):
    """A running child, started here or found running."""

    key: str
    adopted: bool
    mode: str = ""
    pid: int | None = None  # None where it is no process of this machine
    port: int | None = None  # of its status window

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
    def activity(self) -> Activity | None:
        """What the kernel says of it now, or None if it cannot be known."""

    @abstractmethod
    def send(self, number: signal.Signals) -> None:
        """Signal it; SIGKILL takes its own children with it. Harmless if it has ended."""


class Start(StrEnum):
    """Which start of a child it is."""

    FIRST = "first"
    AGAIN = "again"  # it ran before
    PASSTHROUGH = "passthrough"  # it kept crashing: what runs in its place is wanted


class ChildSource(ABC):
    """Starts one child, as often as its supervisor asks; at most one runs at a time."""

    key: str  # unique among all children

    @abstractmethod
    async def start(self, which: Start) -> Child:
        """Start it. Raises DubcastError if it cannot be started at all."""

    @abstractmethod
    def forget(self, child: Child) -> None:
        """The child has ended: nothing of it is to be found again."""
