"""Whether what is said is dubbed, and if not, why. Pure.

A call that fails says so at once, seconds before the viewer can hear it. That dubs are on air again
says only a later fragment that went on air with one: what was dubbed before the fault still plays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from dubcast.clock import ns_to_s, s_to_ns
from dubcast.contract.streams import NotDubbing
from dubcast.contract.worker import AsRunEntry, BreakerState, DubbingStatus, Outcome
from dubcast.errors import StsError

# So long after the last word nobody speaks: a fault that may have passed is not told for ever.
_QUIET_NS = s_to_ns(30)

_BREAKER_OPEN = "BREAKER_OPEN"
# An error code, or the reason of a fragment that was decided without a dub. Any other is of a
# service that answers, and fails.
_DETAILS = {
    "UNAVAILABLE": NotDubbing.STS_UNREACHABLE,
    _BREAKER_OPEN: NotDubbing.STS_UNREACHABLE,  # if nothing is known of what opened it
    "UNAUTHORIZED": NotDubbing.STS_REFUSED_KEY,
    "INVALID_INPUT": NotDubbing.LANGUAGE_REFUSED,
    "OVERLOADED": NotDubbing.OVERLOADED,
    "TIMEOUT": NotDubbing.OVERLOADED,
    "deadline": NotDubbing.OVERLOADED,
    "not_sent": NotDubbing.OVERLOADED,
    "queue_full": NotDubbing.OVERLOADED,
    "no_background": NotDubbing.SEPARATION_OFF,
}
# The service answered with a dub, or that there is nothing to dub; a dub without room is left out
# beside another one.
_SERVED = frozenset({Outcome.DUBBED, Outcome.NO_SPEECH, Outcome.LEFT_ALONE, Outcome.SHIFT})
# Somebody has to act: silence heals none of these.
_LASTING = frozenset({NotDubbing.STS_REFUSED_KEY, NotDubbing.LANGUAGE_REFUSED})


@dataclass(frozen=True)
class _Fault:
    """Why there is no dub; the fragments up to `sequence` suffer from it."""

    detail: NotDubbing
    message: str
    sequence: int
    since_ns: int


class DubbingWatch:
    """Hears of every fragment that failed or went on air. `now`: monotonic ns.

    To be told from one thread; `status` may be asked from any.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._fault: _Fault | None = None
        self._served = -1  # the last fragment of which something went on air as it should
        self._heard_ns = now()

    def failed(self, sequence: int, error: StsError) -> None:
        """The call for this fragment failed, beyond its retry."""
        self._heard_ns = self._now()
        self._blame(sequence, error.code, str(error))

    def decided(self, entry: AsRunEntry) -> None:
        """This fragment goes on air as it says, or this clause of it: a fragment is served if one
        of its clauses is."""
        self._heard_ns = self._now()
        fault, sequence = self._fault, entry.sequence_number
        if entry.outcome in _SERVED:
            self._served = max(self._served, sequence)
            # Its own too: a fragment whose call failed may have been joined with the next.
            if fault is not None and sequence >= fault.sequence:
                self._fault = None
        elif entry.ends_fragment and sequence > self._served:
            # What was said of its call, if it was called, has the service's words.
            message = fault.message if fault is not None and fault.sequence == sequence else ""
            self._blame(sequence, entry.reason, message)

    def look(self, breakers: Iterable[BreakerState]) -> None:
        """Time has passed. `breakers`: of the endpoints; one that is closed may be well again."""
        fault, quiet_ns = self._fault, self._now() - self._heard_ns
        if fault is None or fault.detail in _LASTING or quiet_ns < _QUIET_NS:
            return
        if BreakerState.CLOSED in breakers:
            self._fault = None

    def status(self) -> DubbingStatus:
        """As it is told."""
        fault = self._fault
        if fault is None:
            return DubbingStatus()
        since_s = round(ns_to_s(self._now() - fault.since_ns), 3)
        return DubbingStatus(fault=fault.detail, message=fault.message, since_s=since_s)

    def _blame(self, sequence: int, code: str, message: str) -> None:
        before = self._fault
        detail = _DETAILS.get(code, NotDubbing.STS_FAILING)
        if before is None:
            self._fault = _Fault(detail, message, sequence, self._now())
        elif code == _BREAKER_OPEN or sequence < before.sequence:
            # The calls said what the breaker is open for; an earlier fragment is older news.
            self._fault = replace(before, sequence=max(before.sequence, sequence))
        else:
            self._fault = _Fault(detail, message, sequence, before.since_ns)
