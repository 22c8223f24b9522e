"""A circuit breaker for one endpoint that is called over a network: states and what moves it.

Pure: the monotonic clock and the random numbers are given from outside, so that a step of the
wall clock changes nothing (the libraries found time the open state by the wall clock).

Semantics: failure and slow-call rates over a window of calls as in resilience4j, the ejection
that grows with each failure and the active health check that ends it early as in Envoy's outlier
detection, and exactly one probe in flight.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dubcast.clock import ns_to_s, s_to_ns
from dubcast.config import BreakerSettings
from dubcast.contract.worker import BreakerState

# A bad Retry-After header must not switch a stream's dub off for a day.
LONGEST_HOLD_S = 600.0
# A call that had less time says little about the service: the fragment had waited here.
FAIR_TIME_S = 1.0


class Verdict(StrEnum):
    """What a finished call says about the endpoint."""

    GOOD = "good"
    SLOW = "slow"  # good, but so late that little was missing
    BAD = "bad"  # it failed, or what it said is not a dub
    BUSY = "busy"  # well, but it cannot do this now, and says until when it is to be left
    KEY_REFUSED = "key_refused"  # 401, 403: no further try will help, somebody has to act
    OURS = "ours"  # a bad request of ours, or given up by us: it says nothing


S = BreakerState
_TRANSITIONS: dict[tuple[BreakerState, str], BreakerState] = {
    (S.CLOSED, "trip"): S.OPEN,
    (S.OPEN, "ready"): S.HALF_OPEN,
    (S.HALF_OPEN, "trip"): S.OPEN,
    (S.HALF_OPEN, "recover"): S.CLOSED,
}


@dataclass(frozen=True)
class Ticket:
    """Leave for one call; it must come back with a verdict. `probe`: the one that tries whether the
    endpoint serves again, after its failures or after it was busy."""

    epoch: int
    probe: bool


class Breaker:
    """Decides whether a call may be made. `now`: monotonic ns. Not thread-safe."""

    def __init__(
        self, settings: BreakerSettings, now: Callable[[], int], rng: random.Random
    ) -> None:
        self._settings = settings
        self._now = now
        self._rng = rng
        self.state = S.CLOSED
        self.alert = ""  # why somebody has to act, or nothing
        self.busy = False  # the last that it said of itself: another endpoint is better now
        self._epoch = 0  # changes with the state: what was sent before says nothing any more
        self._window: deque[bool] = deque(maxlen=settings.window)  # True: failed or slow
        self._failed = 0  # in a row
        self._trips = 0  # in a row
        self._open_until = 0
        self._hold_until = 0  # Retry-After: nothing is sent before, whatever the state
        self._probing = False
        self._good_probes = 0
        self._good_pings = 0  # in a row
        self._pings_count = True  # false once a probe that pings allowed has failed
        self._early = False  # the half-open state was entered on the word of pings

    def admit(self) -> Ticket | None:
        """Leave for a call now, or None: the fragment is for another endpoint or the fallback."""
        if self._now() < self._hold_until:
            return None
        if self.state is S.CLOSED:
            return self._ticket(probe=self.busy and not self._probing)
        if self.state is S.OPEN:
            if not self._ready():
                return None
            self._step("ready")
        return None if self._probing else self._ticket(probe=True)

    def report(self, ticket: Ticket, verdict: Verdict, retry_after_s: float | None = None) -> None:
        """The call of `ticket` is over. `retry_after_s`: how long the service asks to be left."""
        if retry_after_s:
            hold = self._now() + s_to_ns(min(retry_after_s, LONGEST_HOLD_S))
            self._hold_until = max(self._hold_until, hold)
        if ticket.epoch != self._epoch:
            return
        if ticket.probe:
            self._probing = False
        if verdict is not Verdict.OURS:
            self._judge(verdict)

    def ping(self, good: bool) -> None:
        """A health ping was answered well, or not; counts while open."""
        self._good_pings = self._good_pings + 1 if good else 0
        if not good:
            self._pings_count = True

    @property
    def retry_in_s(self) -> float:
        """Seconds until a call may pass without the help of pings; 0 if one may now."""
        until = self._hold_until
        if self.state is S.OPEN:
            until = max(until, self._open_until)
        return max(ns_to_s(until - self._now()), 0.0)

    @property
    def shown(self) -> BreakerState:
        """The state as it is told: open only while no call may pass, since nobody may ask again."""
        may_be_tried = self.state is S.OPEN and not self.retry_in_s
        return S.HALF_OPEN if may_be_tried else self.state

    @property
    def held_back(self) -> bool:
        """Whether no call is allowed only because the endpoint, which is well, asked to be left."""
        return self.state is S.CLOSED and self.busy and self._now() < self._hold_until

    def _ticket(self, *, probe: bool) -> Ticket:
        self._probing = self._probing or probe
        return Ticket(self._epoch, probe)

    def _ready(self) -> bool:
        self._early = self._now() < self._open_until
        if not self._early:
            return True
        return self._pings_count and not self.alert and self._good_pings >= self._settings.pings

    def _judge(self, verdict: Verdict) -> None:
        if verdict is Verdict.BUSY:
            # No fault: to stay away for longer than it asks would waste what it can do.
            self.busy = True
            return
        self.busy = self.busy and verdict not in (Verdict.GOOD, Verdict.SLOW)
        if self.state is S.HALF_OPEN:
            self._probed(verdict)
        else:
            self._called(verdict)

    def _called(self, verdict: Verdict) -> None:
        if verdict is Verdict.KEY_REFUSED:
            return self._trip(verdict)
        self._window.append(verdict is not Verdict.GOOD)
        self._failed = self._failed + 1 if verdict is Verdict.BAD else 0
        if self._failed >= self._settings.failures or self._too_many():
            self._trip(verdict)

    def _too_many(self) -> bool:
        calls = len(self._window)
        share = sum(self._window) / calls
        return calls >= self._settings.min_calls and share >= self._settings.failure_ratio

    def _probed(self, verdict: Verdict) -> None:
        if verdict is not Verdict.GOOD:
            # A service that answers pings but no fragments would else be probed all the time.
            self._pings_count = not self._early
            return self._trip(verdict)
        self._good_probes += 1
        if self._good_probes >= self._settings.probes:
            self._recover()

    def _trip(self, verdict: Verdict) -> None:
        settings = self._settings
        self._step("trip")
        if verdict is Verdict.KEY_REFUSED:
            self.alert, open_s = verdict.value, settings.longest_open_s
        else:
            self.alert = ""
            open_s = min(settings.open_s * 2 ** min(self._trips, 16), settings.longest_open_s)
        self._trips += 1
        spread = 1 + settings.jitter * self._rng.uniform(-1, 1)
        self._open_until = self._now() + s_to_ns(open_s * spread)
        self._good_probes = self._good_pings = 0

    def _recover(self) -> None:
        self._step("recover")
        self.alert = ""
        self._window.clear()
        self._failed = self._trips = 0
        self._pings_count = True

    def _step(self, event: str) -> None:
        try:
            self.state = _TRANSITIONS[self.state, event]
        except KeyError:
            raise ValueError(f"breaker: {event} in {self.state}") from None
        self._epoch += 1
        self._probing = False
