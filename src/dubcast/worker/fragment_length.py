"""How long a fragment may be, so that its dub is ready in time. Pure.

The first word of a fragment must leave `delay` after it arrived. Until then the fragment has
to end, travel, be processed as far as its first clause, and be mixed:

    length + round_trip(length) + lead <= delay

A later clause is due later by as much as its source is. So the round trip is until the first
clause, or for another that took longer than that, until it less that time; of a reply in one piece,
until all of it. It is measured on the stream itself, so that deadlines are met on a slow CPU as on
a GPU: a slow service gets shorter fragments, a fast one longer and better translated ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

# Between the decision about a block and its due time: encoder lead, block, crossfades, margin. And
# from a fragment's end until it is asked for: 0.11 s in a live run, 0.16 in one of ten.
MIX_LEAD_S = 0.2 + 0.1 + 0.2 + 0.06 + 0.14
LONGEST_S = 8.0
# Below this a fragment costs more than it saves: recognition and synthesis have a fixed cost each,
# so that a service that is overloaded would be so all the more. A short delay leaves less.
SHORTEST_S = 2.5
_SHORTEST_SHARE = 0.4
# Round trip of a fragment of `length`: base + slope * length. Until it is measured, of a slow CPU:
# for a reply in one piece, all of which has to be spoken, and for the first clause of one.
_WHOLE = (0.6, 0.6)
_CLAUSE = (2.0, 0.2)
_SLOPES = (0.05, 3.0)
# How much the first guess of the slope counts against what is measured (seconds squared).
_PRIOR_WEIGHT = 4.0
_KEPT = 16
# Of so many the slowest is an accident: it would cost more than the clause that it makes late.
_MANY = 8


class FragmentLengthLimit:
    """Keeps the recent round trips and says the longest fragment allowed, in seconds.

    The slope is fitted by least squares, held towards a first guess while all fragments are of
    about one length; the base is nearly the worst of what is left: what comes late goes out as it
    came, which costs more than shorter ones. Both together, since a mere ratio would take the
    fixed cost of short fragments for slowness, and make them shorter still.
    """

    def __init__(
        self, delay_s: float, fixed_s: float | None = None, *, clausewise: bool = False
    ) -> None:
        self._room_s = delay_s - MIX_LEAD_S
        self._shortest_s = min(SHORTEST_S, _SHORTEST_SHARE * self._room_s)
        self._limit_s = fixed_s
        self._trips: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._first_base_s, self._first_slope = _CLAUSE if clausewise else _WHOLE
        self._base_s, self._slope = self._first_base_s, self._first_slope

    def record(self, length_s: float, round_trip_s: float) -> None:
        """A fragment of `length_s` came back after `round_trip_s`."""
        self._trips.append((length_s, round_trip_s))
        self._slope = _slope(self._trips, self._first_slope)
        bases = sorted(trip - self._slope * length for length, trip in self._trips)
        base = bases[-2] if len(bases) >= _MANY else bases[-1]
        # A few fast replies say little about the slow ones.
        known = min(len(self._trips) / 3, 1.0)
        first = self._first_base_s
        self._base_s = base if base > first else _mix(first, base, known)

    def round_trip_s(self, length_s: float) -> float:
        """The round trip to reckon with for a fragment of `length_s`."""
        return max(self._base_s + self._slope * length_s, 0.0)

    @property
    def longest_s(self) -> float:
        """The longest fragment allowed now."""
        fits = (self._room_s - self._base_s) / (1.0 + self._slope)
        longest = min(max(fits, self._shortest_s), LONGEST_S)
        return min(longest, self._limit_s) if self._limit_s else longest


def _slope(trips: Collection[tuple[float, float]], first: float) -> float:
    count = len(trips)
    mean_length = sum(length for length, _ in trips) / count
    mean_trip = sum(trip for _, trip in trips) / count
    spread = sum((length - mean_length) ** 2 for length, _ in trips)
    common = sum((length - mean_length) * (trip - mean_trip) for length, trip in trips)
    slope = (common + _PRIOR_WEIGHT * first) / (spread + _PRIOR_WEIGHT)
    return min(max(slope, _SLOPES[0]), _SLOPES[1])


def _mix(first: float, second: float, share: float) -> float:
    return first + (second - first) * share
