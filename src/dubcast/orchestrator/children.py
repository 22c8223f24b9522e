"""The children of streams as they run: each has a supervisor, in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from dubcast import log
from dubcast.backoff import BackoffPolicy
from dubcast.clock import Clock
from dubcast.config import Settings
from dubcast.orchestrator.placement.driver import ChildSpec, PlacedChild, Placement
from dubcast.processes.child import Child
from dubcast.processes.ladder import climb_async, term_then_kill
from dubcast.processes.restart_budget import BudgetPolicy
from dubcast.processes.supervisor import ChildState, Supervisor, SupervisorPolicy

_logger = log.get("orchestrator")
_TERM_MARGIN_S = 3.0  # beyond what a worker may take to play out
# A worker is missed by viewers at once, and its crashes are bounded by the budget.
_WORKER_BACKOFF = BackoffPolicy(first_s=0.2, cap_s=30.0, reset_s=30.0)
_UNWANTED_TERM_S = 5.0
_EGRESS_CANNOT_START = frozenset({2, 10})


class StreamChild:
    """One child of a stream: what it is, who keeps it alive, and the task that does so."""

    def __init__(self, placed: PlacedChild, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self._placed = placed
        self.task: asyncio.Task[None] | None = None  # None: it will not run again
        self.restarts_metered = 0  # how many of its restarts the metrics have

    @property
    def spec(self) -> ChildSpec:
        """What runs, or is started the next time."""
        return self._placed.spec

    def become(self, spec: ChildSpec, now_ns: int | None, *, as_first: bool = False) -> None:
        """Run as `spec` says: from its next start on, or at once if `now_ns` is given; `as_first`:
        as if it had never run."""
        self._placed.spec = spec
        if now_ns is not None:
            self.supervisor.life.replace(now_ns, as_first=as_first)


class ChildTasks:
    """Runs the supervisors of all streams, once it was given the task group for them."""

    def __init__(
        self, placement: Placement, clock: Clock, policies: Mapping[str, SupervisorPolicy]
    ) -> None:
        self.group: asyncio.TaskGroup | None = None
        self._placement = placement
        self._clock = clock
        self._policies = policies

    def start(
        self,
        spec: ChildSpec,
        adopted: Child | None,
        news: Callable[[StreamChild], None],
        ended: Callable[[StreamChild], None],
    ) -> StreamChild:
        """Start a child, or take over the one that was found running.

        `news` is called whenever its supervisor has heard something of it, `ended` once, when it
        will not run again; both from the event loop.
        """
        source = PlacedChild(spec, self._placement)
        supervisor = Supervisor(
            source, self._clock, self._policies[spec.role], lambda _: news(child)
        )
        child = StreamChild(source, supervisor)
        assert self.group is not None
        child.task = self.group.create_task(self._whole_life(child, adopted, ended), name=spec.key)
        return child

    def end_unwanted(self, child: Child) -> None:
        """End one that was found running and is not to be adopted; it is forgotten when it has
        ended, so that what is cut short here is done by the next orchestrator."""
        assert self.group is not None
        self.group.create_task(self._end_unwanted(child), name=child.key)

    async def _end_unwanted(self, child: Child) -> None:
        await climb_async(term_then_kill(_UNWANTED_TERM_S), child.send, child.wait)
        self._placement.forget(child)

    async def _whole_life(
        self, child: StreamChild, adopted: Child | None, ended: Callable[[StreamChild], None]
    ) -> None:
        """What breaks here must not end the other streams."""
        try:
            await child.supervisor.run(adopted)
        except Exception as error:  # noqa: BLE001 - task border: one child's fault stays its own
            _logger.error("supervisor.broken", child=child.spec.key, reason=repr(error))
            child.supervisor.life.state = ChildState.FAILED
        finally:
            child.task = None
            ended(child)


def supervisor_policies(settings: Settings) -> dict[str, SupervisorPolicy]:
    """Role -> the times and limits of its supervisors."""
    own = settings.orchestrator
    egress = SupervisorPolicy(
        start_timeout_s=own.start_timeout_s,
        heartbeat_timeout_s=own.heartbeat_timeout_s,
        cannot_start=_EGRESS_CANNOT_START,
    )
    limit_mb = own.worker_memory_mb
    worker = SupervisorPolicy(
        start_timeout_s=own.start_timeout_s,
        heartbeat_timeout_s=own.heartbeat_timeout_s,
        term_s=settings.worker.drain_s + _TERM_MARGIN_S,
        memory_bytes=limit_mb * 1024 * 1024 if limit_mb else None,
        backoff=_WORKER_BACKOFF,
        budget=BudgetPolicy(own.crash_budget, own.crash_window_s, own.quiet_s),
    )
    return {"worker": worker, "egress": egress}
