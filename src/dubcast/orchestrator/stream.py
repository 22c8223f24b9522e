"""One stream as the control plane sees it: a transition table, and what each step asks for. Pure.

Hooks do not come here: they only make the reconciler look sooner. What comes here is what was
observed, so lost, doubled or reordered hooks cannot start a second worker. One thing comes earlier:
that a publisher was let in. A worker gets ready for it, and ends if it is not seen in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dubcast.clock import s_to_ns
from dubcast.contract.streams import StreamReason, StreamState
from dubcast.mediaserver.interface import PathSource


class Event(StrEnum):
    """What was observed."""

    REQUESTED = "requested"  # a publisher was let in: it is listed in a moment, or never
    REQUEST_OVER = "request_over"  # it was not
    PUBLISHER_UP = "publisher_up"  # a publisher is there (again and again while it is)
    PUBLISHER_DOWN = "publisher_down"
    REFUSED = "refused"  # a publisher is there, with what cannot be served
    GRACE_OVER = "grace_over"
    WORKER_LIVE = "worker_live"
    WORKER_DEGRADED = "worker_degraded"
    WORKER_WAITING = "worker_waiting"  # runs, but nothing is on air
    WORKER_LOST = "worker_lost"  # its process ended; the supervisor starts it again
    WORKER_FAILED = "worker_failed"  # it said that it cannot start
    STOPPED = "stopped"  # the worker and the egress are gone


class Action(StrEnum):
    """What the control plane has to do."""

    PREPARE = "prepare"  # the worker alone, which has nothing to read yet
    START = "start"  # the worker, if it does not run yet, and the egress of every destination
    STOP = "stop"  # all of them


class Phase(StrEnum):
    """The states of the table: those that are told, and one that is told as `starting`."""

    IDLE = StreamState.IDLE
    EXPECTED = "expected"  # a publisher was let in, and is not listed yet
    STARTING = StreamState.STARTING
    LIVE = StreamState.LIVE
    DEGRADED = StreamState.DEGRADED
    GRACE = StreamState.GRACE
    STOPPING = StreamState.STOPPING
    FAILED = StreamState.FAILED

    @property
    def told(self) -> StreamState:
        """The state that the stream is said to be in."""
        return StreamState.STARTING if self is Phase.EXPECTED else StreamState(self.value)


S, E = Phase, Event
_NOTHING: tuple[Action, ...] = ()
_Step = tuple[Phase, tuple[Action, ...]]

# Every pair that may happen. One that is not listed is an error in dubcast.
_TABLE: dict[tuple[Phase, Event], _Step] = {
    (S.IDLE, E.REQUESTED): (S.EXPECTED, (Action.PREPARE,)),
    (S.EXPECTED, E.PUBLISHER_UP): (S.STARTING, (Action.START,)),
    (S.EXPECTED, E.REFUSED): (S.FAILED, (Action.STOP,)),
    (S.EXPECTED, E.REQUEST_OVER): (S.STOPPING, (Action.STOP,)),
    (S.IDLE, E.PUBLISHER_UP): (S.STARTING, (Action.START,)),
    (S.IDLE, E.REFUSED): (S.FAILED, _NOTHING),
    (S.STARTING, E.REFUSED): (S.FAILED, (Action.STOP,)),
    (S.LIVE, E.REFUSED): (S.FAILED, (Action.STOP,)),
    (S.DEGRADED, E.REFUSED): (S.FAILED, (Action.STOP,)),
    (S.GRACE, E.REFUSED): (S.FAILED, (Action.STOP,)),
    (S.STARTING, E.PUBLISHER_DOWN): (S.GRACE, _NOTHING),
    (S.STARTING, E.WORKER_LIVE): (S.LIVE, _NOTHING),
    (S.STARTING, E.WORKER_DEGRADED): (S.DEGRADED, _NOTHING),
    (S.LIVE, E.PUBLISHER_DOWN): (S.GRACE, _NOTHING),
    (S.LIVE, E.WORKER_DEGRADED): (S.DEGRADED, _NOTHING),
    (S.LIVE, E.WORKER_WAITING): (S.DEGRADED, _NOTHING),
    (S.LIVE, E.WORKER_LOST): (S.DEGRADED, _NOTHING),
    (S.DEGRADED, E.PUBLISHER_DOWN): (S.GRACE, _NOTHING),
    (S.DEGRADED, E.WORKER_LIVE): (S.LIVE, _NOTHING),
    (S.GRACE, E.PUBLISHER_UP): (S.STARTING, _NOTHING),
    (S.GRACE, E.GRACE_OVER): (S.STOPPING, (Action.STOP,)),
    (S.STOPPING, E.STOPPED): (S.IDLE, _NOTHING),
    (S.FAILED, E.PUBLISHER_DOWN): (S.STOPPING, _NOTHING),
}
# The same state is kept: what is observed again and again, and news that comes late.
_KEEP: dict[Phase, set[Event]] = {
    S.IDLE: {E.PUBLISHER_DOWN, E.STOPPED},
    S.EXPECTED: {
        *(E.REQUESTED, E.PUBLISHER_DOWN, E.WORKER_LIVE, E.WORKER_DEGRADED),
        *(E.WORKER_WAITING, E.WORKER_LOST),
    },
    S.STARTING: {E.REQUESTED, E.PUBLISHER_UP, E.WORKER_WAITING, E.WORKER_LOST},
    S.LIVE: {E.REQUESTED, E.PUBLISHER_UP, E.WORKER_LIVE},
    S.DEGRADED: {
        *(E.REQUESTED, E.PUBLISHER_UP, E.WORKER_DEGRADED),
        *(E.WORKER_WAITING, E.WORKER_LOST),
    },
    S.GRACE: {
        *(E.REQUESTED, E.PUBLISHER_DOWN, E.WORKER_LIVE, E.WORKER_DEGRADED),
        *(E.WORKER_WAITING, E.WORKER_LOST),
    },
    # A publisher that returns now is served as soon as the old processes are gone.
    S.STOPPING: {*E} - {E.STOPPED, E.WORKER_FAILED, E.GRACE_OVER, E.REQUEST_OVER},
    S.FAILED: {*E} - {E.PUBLISHER_DOWN, E.WORKER_FAILED, E.GRACE_OVER, E.REQUEST_OVER},
}


def step(state: Phase, event: Event) -> _Step:
    """The state after `event` and what to do. Raises ValueError for a pair that is not listed."""
    if event is E.WORKER_FAILED and state is not S.IDLE:
        if state in (S.FAILED, S.STOPPING):
            return state, _NOTHING
        return S.FAILED, (Action.STOP,)
    if event in _KEEP[state]:
        return state, _NOTHING
    try:
        return _TABLE[state, event]
    except KeyError:
        raise ValueError(f"stream: {event} in {state}") from None


@dataclass(frozen=True)
class StreamPolicy:
    """What a stream's actor needs to know of the settings."""

    grace_s: float = 60.0
    request_s: float = 5.0  # a publisher that was let in is listed by then, or is not coming


class Stream:
    """The actor's core: state, reason, since when, and the fencing token of its publisher.

    `detail` says more exactly what the reason is, `message` says it to people; both may be empty.
    """

    def __init__(self, stream_id: str, policy: StreamPolicy, now_ns: int) -> None:
        self.stream_id = stream_id
        self._policy = policy
        self._phase = S.IDLE
        self.reason: str = StreamReason.NEW
        self.detail = ""
        self.message = ""
        self.since_ns = now_ns
        self.source: PathSource | None = None
        self.requested_by: PathSource | None = None  # for whom a worker was prepared last
        self.sessions = 0  # publishers seen, by source id
        self._grace_ends: int | None = None
        self._request_ends: int | None = None  # until then who was let in may yet be listed
        self._has_children = False  # started and not yet gone; none are started beside them

    @property
    def state(self) -> StreamState:
        """What the stream is doing, as it is told."""
        return self._phase.told

    def requested(self, source: PathSource, now_ns: int) -> tuple[Action, ...]:
        """`source` was let in: a stream of which nothing runs gets ready for it."""
        actions = self._apply(E.REQUESTED, StreamReason.PUBLISHER_EXPECTED, now_ns)
        if Action.PREPARE in actions:
            self.requested_by = source
        if self._phase is S.EXPECTED:
            self._request_ends = now_ns + s_to_ns(self._policy.request_s)
        return actions

    def observed(self, source: PathSource | None, now_ns: int) -> tuple[Action, ...]:
        """The media server's word: who publishes, or None."""
        if source is not None:
            self._seen(source, now_ns)
            returned = self._phase is S.GRACE
            reason = StreamReason.PUBLISHER_BACK if returned else StreamReason.PUBLISHER_UP
            return self._apply(E.PUBLISHER_UP, reason, now_ns)
        self.source = None
        if self._request_ends is not None:  # not there yet is not gone
            return self.tick(now_ns)
        return self._down(now_ns) + self.tick(now_ns)

    def refused(
        self, source: PathSource, reason: str, message: str, now_ns: int
    ) -> tuple[Action, ...]:
        """The media server's word: `source` publishes what cannot be served."""
        self._seen(source, now_ns)
        before = self._phase
        actions = self._apply(E.REFUSED, reason, now_ns)
        if self._phase is not before:
            self.message = message
        return actions

    def _seen(self, source: PathSource, now_ns: int) -> None:
        """Another publisher than before is a new session, and not blamed for what the last one
        sent; the one that was expected is, for what its worker said."""
        if self.source is None or source.source_id != self.source.source_id:
            self.sessions += 1
            if self._phase is S.FAILED and self._request_ends is None:
                self._down(now_ns)
        self.source, self._request_ends = source, None

    def _down(self, now_ns: int) -> tuple[Action, ...]:
        actions = self._apply(E.PUBLISHER_DOWN, StreamReason.PUBLISHER_GONE, now_ns)
        if self._phase is S.STOPPING and not self._has_children:
            self._apply(E.STOPPED, StreamReason.STOPPED, now_ns)
        return actions

    def tick(self, now_ns: int) -> tuple[Action, ...]:
        """Time has passed: the end of the grace period, or of the wait for who was let in."""
        if self._request_ends is not None and now_ns >= self._request_ends:
            self._request_ends = None
            if self._phase is S.EXPECTED:
                return self._apply(E.REQUEST_OVER, StreamReason.PUBLISHER_GONE, now_ns)
        if self._phase is S.GRACE and self._grace_ends is not None and now_ns >= self._grace_ends:
            return self._apply(E.GRACE_OVER, StreamReason.PUBLISHER_GONE, now_ns)
        return ()

    def worker(
        self, event: Event, reason: str, now_ns: int, *, detail: str = "", message: str = ""
    ) -> tuple[Action, ...]:
        """News of the worker: one of the WORKER events."""
        before = self._phase
        actions = self._apply(event, reason, now_ns)
        if self._phase is not before or (self._phase is S.DEGRADED and reason):
            self.detail, self.message = detail, message
        return actions

    def stopped(self, now_ns: int) -> None:
        """The worker and the egress are gone."""
        self._has_children = False
        if self._phase is S.STOPPING:
            self._apply(E.STOPPED, StreamReason.STOPPED, now_ns)

    def adopted(self, now_ns: int) -> None:
        """Its processes were found running: as if they had been started just now."""
        if self._phase is S.IDLE:
            self._has_children = True
            self._enter(S.GRACE, StreamReason.ADOPTED, now_ns)

    def _apply(self, event: Event, reason: str, now_ns: int) -> tuple[Action, ...]:
        state, actions = step(self._phase, event)
        if Action.START in actions or Action.PREPARE in actions:
            self._has_children = True
        if state is not self._phase:
            self._enter(state, reason, now_ns)
        elif state is S.DEGRADED and reason and event not in (E.PUBLISHER_UP, E.REQUESTED):
            self.reason = reason
        return actions

    def _enter(self, state: Phase, reason: str, now_ns: int) -> None:
        self._phase, self.reason, self.since_ns = state, reason, now_ns
        self.detail = self.message = ""
        self._grace_ends = now_ns + s_to_ns(self._policy.grace_s) if state is S.GRACE else None
