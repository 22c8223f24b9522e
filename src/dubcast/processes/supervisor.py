"""Keeps one child alive: start timeout, heartbeat, memory limit, restart with back-off, a budget
of crashes after which something simpler runs instead, and the ladder to its end.

`LifeCycle` decides and is pure; `Supervisor` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dubcast import log
from dubcast.backoff import Backoff, BackoffPolicy
from dubcast.clock import Clock, ns_to_s, s_to_ns
from dubcast.errors import DubcastError
from dubcast.processes.child import PASSTHROUGH, Child, ChildSource, Start
from dubcast.processes.ladder import KILL, Climb, Rung, climb_async, term_then_kill
from dubcast.processes.restart_budget import BudgetPolicy, RestartBudget
from dubcast.processes.standstill import Activity, Standstill

_BACKOFF = BackoffPolicy(first_s=1.0, cap_s=30.0, reset_s=30.0)
_NO_BUDGET = BudgetPolicy(crashes=0)
# One poll that fails may be this process's own fault, having been stopped or starved itself.
_MISSES = 3
_logger = log.get("supervisor")


class ChildState(StrEnum):
    """A child as its supervisor sees it."""

    STARTING = "starting"  # runs, has not answered yet
    RUNNING = "running"  # answers
    WAITING = "waiting"  # ended; a new one starts when the back-off is over
    FAILED = "failed"  # said that it cannot start; not tried again
    STOPPED = "stopped"


class Fate(StrEnum):
    """Why a child is being ended, or has ended; the reason that people are told."""

    CRASHED = "crashed"  # of its own accord, whatever its exit code
    HUNG = "hung"  # did not answer for too long, or was stopped by a signal
    MEMORY = "memory"  # grew beyond its limit
    QUIET_OVER = "quiet_over"  # the passthrough makes room for the worker
    REPLACED = "replaced"  # it is to be started with other arguments


@dataclass(frozen=True)
class SupervisorPolicy:
    """Times of a supervisor, in seconds; `memory_bytes` None: not watched."""

    start_timeout_s: float = 30.0
    heartbeat_timeout_s: float | None = 4.0  # None: it has no status window, and is not asked
    poll_s: float = 0.5
    stopped_s: float = 0.75  # it is killed when a signal has stopped it for so long
    stopped_poll_s: float = 0.25  # between looks at one that was seen stopped
    term_s: float = 5.0
    memory_bytes: int | None = None
    backoff: BackoffPolicy = _BACKOFF
    budget: BudgetPolicy = _NO_BUDGET
    # Exit codes that say "starting again changes nothing": bad settings, or a missing part.
    cannot_start: frozenset[int] = frozenset({2})


class LifeCycle:
    """What a supervisor decides. Times in ns, no clock."""

    def __init__(self, policy: SupervisorPolicy, rng: random.Random) -> None:
        self._policy = policy
        self._backoff = Backoff(policy.backoff, rng)
        self.budget = RestartBudget(policy.budget)
        self.state = ChildState.WAITING
        self.restarts = -1  # the first start is none
        self.exit_code: int | None = None
        self.fate: Fate | None = None  # of the last one that ended
        self._asked: Fate | None = None  # why this one was told to end
        self._climb: Climb | None = None  # to its end, once it is told
        self._started_ns = 0
        self._heard_ns: int | None = None
        self._missed = 0
        self._standstill = Standstill()

    def started(self, now_ns: int) -> None:
        self.state = ChildState.STARTING
        self.restarts += 1
        self._standstill = Standstill()
        self._started_ns, self._heard_ns = now_ns, None
        self._asked, self._climb, self._missed = None, None, 0
        if self._policy.heartbeat_timeout_s is None:
            self.heard(now_ns)  # that it runs is all that can be known

    def heard(self, now_ns: int) -> None:
        """It answered."""
        self._heard_ns = now_ns
        self._missed = 0
        self.state = ChildState.RUNNING

    def looked(self, seen: Activity | None, now_ns: int) -> None:
        """What the kernel says of it. One that is stopped would never see a SIGTERM."""
        stopped_ns = self._standstill.look(seen, now_ns)
        if self._asked is None and stopped_ns >= s_to_ns(self._policy.stopped_s):
            self._end(Fate.HUNG, KILL, now_ns)

    def missed(self, now_ns: int) -> None:
        """It did not answer. One that hangs is to be killed at once: SIGTERM would wait for a
        process that is stuck."""
        self._missed += 1
        if self._asked is None and self.is_hung(now_ns):
            self._end(Fate.HUNG, KILL, now_ns)

    def is_hung(self, now_ns: int) -> bool:
        """True if it should have answered by now."""
        patience_s = self._policy.heartbeat_timeout_s
        if patience_s is None:
            return False
        if self._heard_ns is None:
            return now_ns - self._started_ns > s_to_ns(self._policy.start_timeout_s)
        late = now_ns - self._heard_ns > s_to_ns(patience_s)
        return late and self._missed >= _MISSES

    def signal_due(self, memory_bytes: int | None, now_ns: int) -> signal.Signals | None:
        """The signal that it is to get now, if any: each one of the ladder once."""
        if self._asked is None:
            limit = self._policy.memory_bytes
            gentle = term_then_kill(self._policy.term_s)
            if limit is not None and memory_bytes is not None and memory_bytes > limit:
                self._end(Fate.MEMORY, gentle, now_ns)
            elif self.budget.worker_is_due(now_ns):
                self._end(Fate.QUIET_OVER, gentle, now_ns)
        return self._climb.due(now_ns) if self._climb is not None else None

    def replace(self, now_ns: int, *, as_first: bool = False) -> None:
        """It is to end, and to be started again at once; `as_first`: as if it had never run."""
        if as_first:
            self.restarts = -1
        if self._asked is None:
            self._end(Fate.REPLACED, term_then_kill(self._policy.term_s), now_ns)

    def _end(self, why: Fate, rungs: tuple[Rung, ...], now_ns: int) -> None:
        self._asked, self._climb = why, Climb(rungs, now_ns)

    def ended(self, code: int | None, now_ns: int) -> int | None:
        """It ended: the wait in ns before the next start, or None if there is to be none."""
        self.exit_code = code
        self.fate = self._asked or Fate.CRASHED
        if code in self._policy.cannot_start and self._asked is None:
            self.state = ChildState.FAILED
            return None
        self.state = ChildState.WAITING
        if self.fate is Fate.QUIET_OVER:
            self.budget.begin_trial(now_ns)
            return 0
        if self.fate is Fate.REPLACED:
            return 0
        was_spent = self.budget.spent
        self.budget.crashed(now_ns)
        if self.budget.spent and not was_spent:
            return 0  # another program: what failed says nothing about it
        answered = self._heard_ns is not None
        healthy_s = ns_to_s(now_ns - self._started_ns) if answered else 0.0
        return self._backoff.failed(healthy_s)


class Supervisor:
    """Runs one child until it is stopped. `changed` is called after each piece of news."""

    def __init__(
        self,
        source: ChildSource,
        clock: Clock,
        policy: SupervisorPolicy,
        changed: Callable[[Supervisor], None],
    ) -> None:
        self.life = LifeCycle(policy, random.Random())
        self.status: dict[str, Any] | None = None
        self.last_status: dict[str, Any] = {}  # of the one that ended
        self._source = source
        self._clock = clock
        self._policy = policy
        self._changed = changed
        self._child: Child | None = None
        self._released = False

    @property
    def key(self) -> str:
        """The child's, unique among all."""
        return self._source.key

    @property
    def pid(self) -> int | None:
        """Process id of the running child, for the status."""
        return self._child.pid if self._child is not None else None

    @property
    def port(self) -> int | None:
        """Port of its status window, for the status."""
        return self._child.port if self._child is not None else None

    @property
    def passthrough(self) -> bool:
        """True while something simpler runs in the child's place."""
        return self.life.budget.spent

    def release(self) -> None:
        """When `run` is cancelled, leave the child running for the next one to adopt."""
        self._released = True

    async def run(self, adopted: Child | None = None) -> None:
        """Keep the child alive until cancelled, then end it by the ladder. `adopted`: it was found
        running, and is taken over."""
        try:
            while await self._one_life(adopted):
                adopted = None
        finally:
            if self._child is not None and not self._released:
                await self._end(self._child)

    async def _one_life(self, adopted: Child | None) -> bool:
        """One start to one end; False if there is to be no other."""
        child = await self._adopted_or_started(adopted)
        if child is None:
            return False
        self._child = child
        self.life.started(self._clock.monotonic_ns())
        _logger.info(
            "child.up", child=child.key, pid=self.pid, adopted=child.adopted, mode=child.mode
        )
        code = await self._watch(child)
        self._child = None
        self._source.forget(child)
        self.last_status, self.status = self.status or {}, None
        wait_ns = self.life.ended(code, self._clock.monotonic_ns())
        self._tell_end(child, code)
        if wait_ns is None:
            return False
        await asyncio.sleep(ns_to_s(wait_ns))
        return True

    async def _adopted_or_started(self, adopted: Child | None) -> Child | None:
        """The one that was found running, or a new one; None if none can be started."""
        if adopted is not None:
            if adopted.mode == PASSTHROUGH:
                self.life.budget.begin_passthrough(self._clock.monotonic_ns())
            return adopted
        try:
            return await self._source.start(self._which())
        except DubcastError as error:
            _logger.error("child.cannot_start", child=self.key, reason=str(error))
            self.life.state = ChildState.FAILED
            self._changed(self)
            return None

    def _which(self) -> Start:
        if self.passthrough:
            return Start.PASSTHROUGH
        return Start.AGAIN if self.life.restarts >= 0 else Start.FIRST

    def _tell_end(self, child: Child, code: int | None) -> None:
        _logger.warning(
            "child.ended",
            child=child.key,
            code=code,
            state=self.life.state.value,
            reason=self.life.fate,
            passthrough=self.passthrough,
        )
        self._changed(self)

    async def _watch(self, child: Child) -> int | None:
        """Wait for the child's end, asking it how it is meanwhile; one that hangs is killed."""
        ending = asyncio.ensure_future(child.wait())
        # Without a status window there is nothing to ask.
        every_s = self._policy.poll_s if self._policy.heartbeat_timeout_s is not None else None
        try:
            while not ending.done():
                await asyncio.wait({ending}, timeout=every_s)
                if not ending.done():
                    every_s = await self._beat(child)
            return ending.result()
        finally:
            ending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ending

    async def _beat(self, child: Child) -> float:
        """One look at it, and what follows from it; seconds until the next."""
        seen = child.activity()
        self.life.looked(seen, self._clock.monotonic_ns())
        stopped = seen is not None and seen.stopped  # it cannot answer: no time is lost in waiting
        status = None if stopped else await child.status()
        now_ns = self._clock.monotonic_ns()
        if status is not None and not self._is_stuck(status):
            self.status = status
            self.life.heard(now_ns)
            self._changed(self)
        else:
            self.life.missed(now_ns)
        memory = child.memory_bytes() if self._policy.memory_bytes is not None else None
        number = self.life.signal_due(memory, now_ns)
        if number is not None:
            self._send(child, number)
        return self._policy.stopped_poll_s if stopped else self._policy.poll_s

    def _is_stuck(self, status: dict[str, Any]) -> bool:
        """True if it answers, but says that its own work stands still."""
        stuck_s, patience_s = status.get("stuck_s", 0.0), self._policy.heartbeat_timeout_s
        if patience_s is None or not isinstance(stuck_s, int | float):
            return False
        return stuck_s > patience_s

    def _send(self, child: Child, number: signal.Signals) -> None:
        told = _logger.error if number is signal.SIGKILL else _logger.info
        told("child.signalled", child=child.key, signal=number.name, state=self.life.state.value)
        child.send(number)

    async def _end(self, child: Child) -> None:
        """End it by the ladder."""
        rungs = term_then_kill(self._policy.term_s)
        await climb_async(rungs, lambda number: self._send(child, number), child.wait)
        self._child = None
        self._source.forget(child)
        self.life.state = ChildState.STOPPED
