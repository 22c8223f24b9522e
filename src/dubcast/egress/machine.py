"""What the forwarder decides: when to begin a try, when to end it, what state that is. Pure.

Events and times (ns) in, actions out; no clock, no connection. Two tables: what people see
(`EgressState`), and where the try is (`_Phase`). A try is one connection to the media server and
one to the destination.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from dubcast.backoff import Backoff, BackoffPolicy
from dubcast.clock import ns_to_s, s_to_ns
from dubcast.contract.streams import EgressFailure, EgressState


class Action(StrEnum):
    """What the edge has to do."""

    BEGIN = "begin"  # a try
    END = "end"  # the try, in order
    CUT = "cut"  # the try, at once
    FINISH = "finish"


class _Phase(StrEnum):
    WAITING = "waiting"  # no try runs; `_due` says when to begin one
    RUNNING = "running"
    ENDING = "ending"  # asked to end; `_due` says when it is cut
    DONE = "done"


_BACKOFF = BackoffPolicy(first_s=1.0, floor_s=0.5, cap_s=30.0, reset_s=10.0)
# A destination that says no is asked again soon once (it may still hold our last connection),
# then at most 8 times a minute.
_REFUSED = BackoffPolicy(first_s=1.0, floor_s=12.0, cap_s=30.0, reset_s=10.0)

# Our own stream is not there yet: asked for on this machine, so it may be asked for often. It can
# be read for a second before its first picture: who comes within that misses none.
_INPUT = BackoffPolicy(first_s=0.5, floor_s=0.25, cap_s=0.5, reset_s=10.0)


@dataclass(frozen=True)
class EgressPolicy:
    """Times of a forwarder, in seconds."""

    stall_s: float = 6.0  # something is on its way, and the peer takes nothing of it
    # Nothing is on its way: the publisher may be gone and return, and destinations are kept for it.
    idle_s: float = 75.0
    connect_s: float = 20.0  # from start to the first media taken
    # Whoever takes media for so long is live. Platforms take a connection with a wrong key, or
    # before the event, and close it at the first data: that is a refusal.
    settle_s: float = 2.0
    end_s: float = 2.0  # for a try to end in order
    backoff: BackoffPolicy = _BACKOFF
    refused: BackoffPolicy = _REFUSED
    input: BackoffPolicy = _INPUT
    patience_s: float | None = None  # ends when the input has been away for so long; None: never


def passthrough_policy(patience_s: float | None) -> EgressPolicy:
    """For publishing to the own media server: it is near, so whatever fails is tried soon."""
    return EgressPolicy(backoff=_INPUT, refused=_INPUT, stall_s=5.0, patience_s=patience_s)


@dataclass
class _Session:
    """One try."""

    moved_ns: int  # when the destination last took something
    clear_ns: int = 0  # when nothing was on its way to it last
    taken: int = 0
    first_ns: int | None = None  # when it took something first
    live_ns: int | None = None


class EgressMachine:
    """Decides for one destination. Every method takes the time and returns actions in order."""

    def __init__(self, policy: EgressPolicy, rng: random.Random) -> None:
        self._policy = policy
        self._retry = Backoff(policy.backoff, rng)
        self._special = {
            EgressFailure.REFUSED: Backoff(policy.refused, rng),
            EgressFailure.CERTIFICATE: Backoff(policy.refused, rng),
            EgressFailure.INPUT_NOT_READY: Backoff(policy.input, rng),
        }
        self._phase = _Phase.WAITING
        self._due: int | None = None
        self._session: _Session | None = None
        self._stopping = False
        self._input_gone_ns: int | None = None
        self.state = EgressState.CONNECTING
        self.reason: EgressFailure | Literal[""] = ""  # why the last try ended
        self.since_ns = 0
        self.connects = 0  # times it became live
        self.tries = 0
        self.last_failure: EgressFailure | None = None

    def start(self, now_ns: int) -> list[Action]:
        """Begin with the first try."""
        return self._begin(now_ns)

    def progressed(self, now_ns: int, taken: int) -> list[Action]:
        """The destination has taken `taken` bytes in this session so far."""
        session = self._session
        if session is None or self._phase is not _Phase.RUNNING:
            return []
        if taken <= session.taken:
            return []
        session.taken = taken
        session.moved_ns = now_ns
        self._input_gone_ns = None
        if session.first_ns is None:
            session.first_ns = now_ns
        return []

    def under_way(self, now_ns: int, count: int) -> None:
        """So many bytes are on their way to the destination, and not yet taken."""
        if self._session is not None and count == 0:
            self._session.clear_ns = now_ns

    def paced(self, now_ns: int, slow: bool) -> None:
        """Whether a live destination keeps up with the stream."""
        if self.state in (EgressState.LIVE, EgressState.SLOW):
            self._enter(EgressState.SLOW if slow else EgressState.LIVE, "", now_ns)

    def exited(self, now_ns: int, failure: EgressFailure) -> list[Action]:
        """The try has ended; `failure` is why, as far as its own words tell."""
        session = self._session
        if session is None:
            return []
        self._session = None
        if self._stopping:
            return self._finish(now_ns)
        if self.state is EgressState.STALLED:
            failure = EgressFailure.STALLED
        elif session.live_ns is not None and failure is EgressFailure.UNREACHABLE:
            failure = EgressFailure.LOST
        elif session.live_ns is None and failure is EgressFailure.LOST:
            failure = EgressFailure.REFUSED
        self.last_failure = failure
        if failure is not EgressFailure.INPUT_NOT_READY:
            self._input_gone_ns = None
        elif self._input_gone_ns is None:
            self._input_gone_ns = now_ns
        healthy_s = ns_to_s(now_ns - session.live_ns) if session.live_ns is not None else 0.0
        self._phase = _Phase.WAITING
        if healthy_s >= self._policy.backoff.reset_s:
            for one in self._special.values():
                one.failures = 0
        self._due = now_ns + self._special.get(failure, self._retry).failed(healthy_s)
        refused = failure in (EgressFailure.REFUSED, EgressFailure.CERTIFICATE)
        self._enter(EgressState.REFUSED if refused else EgressState.RETRYING, failure, now_ns)
        return []

    def tick(self, now_ns: int) -> list[Action]:
        """Time has passed: whatever is due by now."""
        handler: dict[_Phase, Callable[[int], list[Action]]] = {
            _Phase.WAITING: self._tick_waiting,
            _Phase.RUNNING: self._tick_running,
            _Phase.ENDING: self._tick_ending,
        }
        return handler[self._phase](now_ns) if self._phase in handler else []

    def stop(self, now_ns: int) -> list[Action]:
        """Stop in order; twice is harmless."""
        if self._stopping:
            return []
        self._stopping = True
        if self._phase is _Phase.WAITING:
            return self._finish(now_ns)
        if self._phase is _Phase.RUNNING:
            return self._end(now_ns)
        return []

    def _tick_waiting(self, now_ns: int) -> list[Action]:
        if self._is_orphan(now_ns):
            return self._finish(now_ns)
        return self._begin(now_ns) if self._due is not None and now_ns >= self._due else []

    def _is_orphan(self, now_ns: int) -> bool:
        """True if nobody can be left who would stop it."""
        patience_s, gone_ns = self._policy.patience_s, self._input_gone_ns
        if patience_s is None or gone_ns is None:
            return False
        return now_ns - gone_ns >= s_to_ns(patience_s)

    def _tick_running(self, now_ns: int) -> list[Action]:
        session = self._session
        assert session is not None
        if self._settled(session, now_ns):
            session.live_ns = now_ns
            self.connects += 1
            self._enter(EgressState.LIVE, "", now_ns)
        limit_s = self._policy.connect_s if session.first_ns is None else self._policy.stall_s
        # Before the first media nothing on its way means that something is missing.
        kept = now_ns - session.moved_ns < s_to_ns(self._policy.idle_s)
        idle = kept and session.first_ns is not None
        since_ns = max(session.moved_ns, session.clear_ns if idle else 0)
        if now_ns - since_ns < s_to_ns(limit_s):
            return []
        if session.live_ns is not None:
            self._enter(EgressState.STALLED, EgressFailure.STALLED, now_ns)
        return self._end(now_ns)

    def _settled(self, session: _Session, now_ns: int) -> bool:
        first_ns = session.first_ns
        if first_ns is None or session.live_ns is not None:
            return False
        return now_ns - first_ns >= s_to_ns(self._policy.settle_s)

    def _tick_ending(self, now_ns: int) -> list[Action]:
        if self._due is None or now_ns < self._due:
            return []
        self._due = None
        return [Action.CUT]

    def _begin(self, now_ns: int) -> list[Action]:
        self._phase, self._due = _Phase.RUNNING, None
        self._session = _Session(moved_ns=now_ns)
        self.tries += 1
        # A refused destination stays "refused" until it takes something: no flicker.
        if self.state is not EgressState.REFUSED:
            self._enter(EgressState.CONNECTING, self.last_failure or "", now_ns)
        return [Action.BEGIN]

    def _end(self, now_ns: int) -> list[Action]:
        self._phase, self._due = _Phase.ENDING, now_ns + s_to_ns(self._policy.end_s)
        return [Action.END]

    def _finish(self, now_ns: int) -> list[Action]:
        self._phase, self._due = _Phase.DONE, None
        self._enter(EgressState.STOPPED, "", now_ns)
        return [Action.FINISH]

    def _enter(self, state: EgressState, reason: EgressFailure | Literal[""], now_ns: int) -> None:
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason, self.since_ns = state, reason, now_ns
