"""The breaker against a model of its rules, written apart, on a virtual clock.

`make test-deep` (`--hypothesis-profile=deep`) runs 10,000 steps.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dubcast.breaker import Breaker, Ticket, Verdict
from dubcast.config import BreakerSettings
from dubcast.testing.clock import VirtualClock

SETTINGS = BreakerSettings(probes=2)


class Model:
    """The rules, told by the history of calls since the last change."""

    def __init__(self) -> None:
        self.rng = random.Random(7)
        self.state, self.alert, self.change = "closed", "", 0
        self.calls: list[Verdict] = []  # judged since the last change
        self.under_way = self.trips = 0
        self.until = self.hold = 0.0
        self.pings: list[bool] = []
        self.deaf = self.by_ping = self.busy = self.probed = False

    def go(self, state: str) -> None:
        self.state, self.calls, self.under_way, self.probed = state, [], 0, False
        self.change += 1

    def admits(self, now: float) -> bool:
        over = now >= self.until
        pinged = self.pings[-2:] == [True, True] and not self.deaf and not self.alert
        if now < self.hold or (self.state == "open" and not (over or pinged)):
            return False
        if self.state == "open":
            self.by_ping = not over
            self.go("half_open")
        if self.state == "half_open" and self.under_way:
            return False
        self.under_way += 1
        return True

    def probes(self) -> bool:
        """Whether the call that was just admitted tries the endpoint."""
        probe = self.state == "half_open" or (self.busy and not self.probed)
        self.probed = self.probed or probe
        return probe

    def judged(
        self, now: float, verdict: Verdict, current: bool, wait: float, *, probe: bool
    ) -> None:
        self.hold = max(self.hold, now + wait) if wait else self.hold
        if not current:
            return
        self.under_way -= 1
        self.probed = self.probed and not probe
        if verdict in (Verdict.GOOD, Verdict.SLOW, Verdict.BUSY):
            self.busy = verdict is Verdict.BUSY
        if verdict in (Verdict.OURS, Verdict.BUSY):
            return
        self.calls.append(verdict)
        wrong = [call for call in self.calls[-20:] if call is not Verdict.GOOD]
        in_a_row = self.calls[-3:] == [Verdict.BAD] * 3
        half = len(self.calls) >= 5 and 2 * len(wrong) >= len(self.calls[-20:])
        too_many = (in_a_row or half) if self.state == "closed" else wrong
        if verdict is Verdict.KEY_REFUSED or too_many:
            self.open(now, verdict)
        elif self.state == "half_open" and len(self.calls) == 2:
            self.go("closed")
            self.alert, self.trips, self.deaf = "", 0, False

    def open(self, now: float, verdict: Verdict) -> None:
        self.deaf = self.by_ping if self.state == "half_open" else self.deaf
        hard = verdict is Verdict.KEY_REFUSED
        self.alert = "key_refused" if hard else ""
        seconds = 60.0 if hard else [15.0, 30.0, 60.0][min(self.trips, 2)]
        self.trips += 1
        self.until = now + round(seconds * (1 + 0.2 * self.rng.uniform(-1, 1)) * 1e9)
        self.pings = []
        self.go("open")


class BreakerMachine(RuleBasedStateMachine):
    """Calls overlap, end in any order and with any verdict, while time passes and pings answer."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.real = Breaker(SETTINGS, self.clock.monotonic_ns, random.Random(7))
        self.model = Model()
        self.tickets: list[tuple[Ticket, int]] = []

    @rule()
    def call(self) -> None:
        ticket = self.real.admit()
        admitted = self.model.admits(self.clock.monotonic_ns())
        assert (ticket is not None) == admitted
        if ticket is not None:
            assert ticket.probe == self.model.probes()
            self.tickets.append((ticket, self.model.change))

    @precondition(lambda self: self.tickets)
    @rule(
        data=st.data(),
        verdict=st.sampled_from([*Verdict, Verdict.BAD, Verdict.BAD, Verdict.GOOD]),
        wait_s=st.sampled_from([None] * 9 + [20.0]),
    )
    def end(self, data: Any, verdict: Verdict, wait_s: float | None) -> None:
        index = data.draw(st.integers(0, len(self.tickets) - 1))
        ticket, change = self.tickets.pop(index)
        self.real.report(ticket, verdict, wait_s)
        current = change == self.model.change
        now = self.clock.monotonic_ns()
        self.model.judged(now, verdict, current, (wait_s or 0) * 1e9, probe=ticket.probe)

    @rule(good=st.sampled_from([True, True, True, False]))
    def ping(self, good: bool) -> None:
        self.real.ping(good)
        self.model.pings.append(good)
        self.model.deaf = self.model.deaf and good

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 14.0, 25.0, 70.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def agrees(self) -> None:
        told = self.real.state.value, self.real.alert, self.real.busy
        assert told == (self.model.state, self.model.alert, self.model.busy)


TestBreakerAgainstItsModel = BreakerMachine.TestCase
