"""Keeps one child alive: start timeout, heartbeat, restart with back-off, a ladder to its end.

`LifeCycle` decides and is pure; `Supervisor` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dubcast import log
from dubcast.backoff import Backoff, BackoffPolicy
from dubcast.clock import Clock, ns_to_s, s_to_ns
from dubcast.errors import DubcastError
from dubcast.orchestrator.placement.base import Child, ChildSpec, Placement

# Exit codes that say "starting again changes nothing": bad settings, or a missing part.
CANNOT_START = {"worker": frozenset({2}), "egress": frozenset({2, 10})}
_BACKOFF = BackoffPolicy(first_s=1.0, cap_s=30.0, reset_s=30.0)
_logger = log.get("supervisor")


class ChildState(StrEnum):
    """A child as its supervisor sees it."""

    STARTING = "starting"  # runs, has not answered yet
    RUNNING = "running"  # answers
    WAITING = "waiting"  # ended; a new one starts when the back-off is over
    FAILED = "failed"  # said that it cannot start; not tried again
    STOPPED = "stopped"


@dataclass(frozen=True)
class SupervisorPolicy:
    """Times of a supervisor, in seconds."""

    start_timeout_s: float = 30.0
    heartbeat_timeout_s: float = 5.0
    poll_s: float = 0.5
    term_s: float = 5.0
    backoff: BackoffPolicy = _BACKOFF


class LifeCycle:
    """What a supervisor decides. Times in ns, no clock."""

    def __init__(self, role: str, policy: SupervisorPolicy, rng: random.Random) -> None:
        self._cannot_start = CANNOT_START[role]
        self._policy = policy
        self._backoff = Backoff(policy.backoff, rng)
        self.state = ChildState.WAITING
        self.restarts = -1  # the first start is none
        self.exit_code: int | None = None
        self._started_ns = 0
        self._heard_ns: int | None = None

    def started(self, now_ns: int) -> None:
        self.state = ChildState.STARTING
        self.restarts += 1
        self._started_ns, self._heard_ns = now_ns, None

    def heard(self, now_ns: int) -> None:
        """It answered."""
        self._heard_ns = now_ns
        self.state = ChildState.RUNNING

    def is_hung(self, now_ns: int) -> bool:
        """True if it should have answered by now."""
        if self._heard_ns is None:
            return now_ns - self._started_ns > s_to_ns(self._policy.start_timeout_s)
        return now_ns - self._heard_ns > s_to_ns(self._policy.heartbeat_timeout_s)

    def ended(self, code: int | None, now_ns: int) -> int | None:
        """It ended: the wait in ns before the next start, or None if there is to be none."""
        self.exit_code = code
        if code in self._cannot_start:
            self.state = ChildState.FAILED
            return None
        self.state = ChildState.WAITING
        answered = self._heard_ns is not None
        healthy_s = ns_to_s(now_ns - self._started_ns) if answered else 0.0
        return self._backoff.failed(healthy_s)


class Supervisor:
    """Runs one child until it is stopped. `changed` is called after each piece of news."""

    def __init__(
        self,
        spec: ChildSpec,
        placement: Placement,
        clock: Clock,
        policy: SupervisorPolicy,
        changed: Callable[[Supervisor], None],
        adopted: Child | None = None,
    ) -> None:
        self.spec = spec
        self.life = LifeCycle(spec.role, policy, random.Random())
        self.status: dict[str, Any] | None = None
        self._placement = placement
        self._clock = clock
        self._policy = policy
        self._changed = changed
        self._adopted = adopted
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the running child, for the status."""
        return getattr(self._child, "pid", None)

    @property
    def port(self) -> int | None:
        """Port of its status window, for the status."""
        return getattr(self._child, "port", None)

    async def run(self) -> None:
        """Keep the child alive until cancelled, then end it by the ladder. Never raises."""
        try:
            while await self._one_life():
                pass
        finally:
            if self._child is not None:
                await self._end(self._child)

    async def _one_life(self) -> bool:
        """One start to one end; False if there is to be no other."""
        try:
            child = self._adopted or await self._placement.start(self.spec)
        except DubcastError as error:
            _logger.error("child.cannot_start", child=self.spec.key, reason=str(error))
            self.life.state = ChildState.FAILED
            self._changed(self)
            return False
        self._adopted = None
        self._child = child
        self.life.started(self._clock.monotonic_ns())
        _logger.info("child.up", child=child.key, pid=self.pid, adopted=child.adopted)
        code = await self._watch(child)
        self._child = None
        self._placement.forget(child)
        self.status = None
        wait_ns = self.life.ended(code, self._clock.monotonic_ns())
        _logger.warning("child.ended", child=child.key, code=code, state=self.life.state.value)
        self._changed(self)
        if wait_ns is None:
            return False
        await asyncio.sleep(ns_to_s(wait_ns))
        return True

    async def _watch(self, child: Child) -> int | None:
        """Poll the child until it has ended; one that hangs is killed."""
        ending = asyncio.ensure_future(child.wait())
        try:
            while not ending.done():
                await asyncio.wait({ending}, timeout=self._policy.poll_s)
                if not ending.done():
                    await self._beat(child)
            return ending.result()
        finally:
            ending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ending

    async def _beat(self, child: Child) -> None:
        status = await child.status()
        now_ns = self._clock.monotonic_ns()
        if status is not None:
            self.status = status
            self.life.heard(now_ns)
            self._changed(self)
        elif self.life.is_hung(now_ns):
            _logger.error("child.hung", child=child.key, state=self.life.state.value)
            child.kill()  # SIGTERM would wait for a process that is stopped or stuck

    async def _end(self, child: Child) -> None:
        """SIGTERM, wait, SIGKILL."""
        child.terminate()
        ending = asyncio.ensure_future(child.wait())
        done, _ = await asyncio.wait({ending}, timeout=self._policy.term_s)
        if not done:
            _logger.warning("child.killed", child=child.key)
            child.kill()
        await ending
        self._child = None
        self._placement.forget(child)
        self.life.state = ChildState.STOPPED
