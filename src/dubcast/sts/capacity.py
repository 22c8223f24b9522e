"""What the service can still do in time: which fragments it takes on. Pure.

A fragment is taken on if it can be done by its deadline, by what each stage takes for one and what
already waits, without making another late that was taken on before. Streams go in the order in
which they came on air: where those before it need the service whole, one is refused; the one that
fits in part has what they leave. None holds more than its share while others are on air.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from dubcast.clock import NS_PER_S
from dubcast.errors import StsError
from dubcast.sts.on_air import OnAir

# How many equal shares of the time to its deadline a stream may hold: fragments come unevenly.
_SHARES = 2.0
# How much of the slowest stage's time the streams may need before a new one has to be content with
# what they leave; and, since what is reckoned is rough, one that is on air.
_NEW, _ON_AIR = 1.0, 1.15
# Such a one is taken on if it could be done in so much of its time: the others' next are not late.
_LEFT_OVER = 0.5
_FORGET = 0.98
_LONGEST_RETRY_S = 10
# Until fragments have shown it: clauses in a second of audio.
_CLAUSES_PER_S = 0.35


@dataclass(frozen=True)
class Cost:
    """What an item costs a stage, in seconds: of its time where it is busy, and until it is done.

    `item_s` is less than `run_s` where several are done together.
    """

    item_s: float
    run_s: float


Costs = Mapping[str, Cost]


@dataclass(eq=False)
class Place:
    """A fragment that was taken on, and how many items it still has for each stage."""

    stream_id: str = ""
    audio_s: float = 0.0
    deadline_ns: int = 0
    left: dict[str, float] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    def expect(self, stage: str, count: int) -> None:
        """It is known now that there are so many items for a stage."""
        before = self.left.get(stage, 0.0) if stage in self.asked else 0.0
        self.left[stage] = before + count
        self.asked[stage] = self.asked.get(stage, 0) + count

    def did(self, stage: str) -> None:
        """A stage is done with one of them."""
        self.left[stage] = max(0.0, self.left.get(stage, 0.0) - 1)

    def work_s(self, costs: Costs, stage: str) -> float:
        """How much of a stage's time is still needed."""
        return self.left.get(stage, 0.0) * costs[stage].item_s

    def alone_s(self, costs: Costs) -> float:
        """How long it still takes if nothing else is to be done."""
        return sum(self.left.get(stage, 0.0) * cost.run_s for stage, cost in costs.items())


class Load:
    """The fragments that were taken on and are not done. Costs are of the moment."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._on_air = OnAir()
        self._audio_s = 1.0
        self._items = {"resample": 0.2, "asr": 0.2, "mt": 0.2, "tts": _CLAUSES_PER_S, "fit": 0.2}

    def __len__(self) -> int:
        return len(self._places)

    @contextmanager
    def place(
        self, stream_id: str, audio_s: float, deadline_ns: int, now_ns: int, costs: Costs
    ) -> Iterator[Place]:
        """A place for a fragment, while it is worked on. Raises as `enter`."""
        place, complete = self.enter(stream_id, audio_s, deadline_ns, now_ns, costs), False
        try:
            yield place
            complete = True
        finally:
            self.leave(place, complete=complete)

    def enter(
        self, stream_id: str, audio_s: float, deadline_ns: int, now_ns: int, costs: Costs
    ) -> Place:
        """Take a fragment on. Raises StsError OVERLOADED, with when to come back."""
        now_s = now_ns / NS_PER_S
        self._on_air.forget(now_s)
        expected = {stage: audio_s * n / self._audio_s for stage, n in self._items.items()}
        place, taken = Place(stream_id, audio_s, deadline_ns, expected), False
        try:
            self._check_turn(place, now_ns, costs)
            self._check_share(place, now_ns, costs)
            self._check_time(place, now_ns, costs)
            taken = True
        finally:
            self._on_air.sent(stream_id, audio_s, now_s, taken=taken)
        self._places.append(place)
        return place

    def leave(self, place: Place, *, complete: bool) -> None:
        """A fragment is done, or given up. Only of what is `complete` is something learned."""
        self._places.remove(place)
        if complete:
            self._audio_s = self._audio_s * _FORGET + place.audio_s
            for stage in self._items:
                before = self._items[stage] * _FORGET
                self._items[stage] = before + place.asked.get(stage, 0)

    # -- the three reasons to refuse -----------------------------------------------------

    def _check_turn(self, place: Place, now_ns: int, costs: Costs) -> None:
        """The streams before it go first; the one that fits in part has what they leave."""
        before, own = self._on_air.rates(place.stream_id, now_ns / NS_PER_S)
        cost = self._cost_of_a_second(costs)
        most = _ON_AIR if place.stream_id in self._on_air else _NEW
        if before == 0.0 or cost * (before + own) <= most:
            return
        if cost * before >= _NEW:
            raise _refusal("the streams that were on air before need all there is", math.inf)
        late = _late_s([*self._places, place], now_ns, costs)
        over_s = late[place] + (1 - _LEFT_OVER) * _left_s(place, now_ns)
        if over_s > 0:
            raise _refusal("the streams that were on air before leave no more than a part", over_s)

    def _check_share(self, place: Place, now_ns: int, costs: Costs) -> None:
        own = [one for one in self._places if one.stream_id == place.stream_id]
        streams = self._on_air.speaking(now_ns / NS_PER_S)
        if not own or streams < 2:
            return
        held_s = max(sum(one.work_s(costs, stage) for one in (*own, place)) for stage in costs)
        over_s = held_s - _SHARES * _left_s(place, now_ns) / streams
        if over_s > 0:
            raise _refusal("other streams need their share; this one has more than its own", over_s)

    def _check_time(self, place: Place, now_ns: int, costs: Costs) -> None:
        if not self._places:
            return  # it is done as fast as can be, and nobody else suffers
        before = _late_s(self._places, now_ns, costs)
        after = _late_s([*self._places, place], now_ns, costs)
        late_s = max(late for one, late in after.items() if one is place or before[one] <= 0.0)
        if late_s > 0:
            # Once nothing waits, nothing is refused for its time.
            empty_s = max(sum(one.work_s(costs, stage) for one in self._places) for stage in costs)
            wait_s = min(late_s, empty_s)
            raise _refusal("it could not be done in time, for what waits before it", wait_s)

    def _cost_of_a_second(self, costs: Costs) -> float:
        """How much of the slowest stage's time a second of audio takes."""
        return max(cost.item_s * self._items[name] for name, cost in costs.items()) / self._audio_s


def _late_s(places: Iterable[Place], now_ns: int, costs: Costs) -> dict[Place, float]:
    """By how much each fragment would miss its deadline; <= 0: it would not.

    The stages are busy in parallel, so that a fragment waits for the one that has most to do of
    what is due before it.
    """
    busy_s = dict.fromkeys(costs, 0.0)
    late = {}
    for place in sorted(places, key=lambda one: one.deadline_ns):
        done_s = max(busy_s.values()) + place.alone_s(costs)
        late[place] = done_s - _left_s(place, now_ns)
        for stage in busy_s:
            busy_s[stage] += place.work_s(costs, stage)
    return late


def _left_s(place: Place, now_ns: int) -> float:
    return (place.deadline_ns - now_ns) / NS_PER_S


def _refusal(reason: str, wait_s: float) -> StsError:
    after_s = min(max(1, wait_s), _LONGEST_RETRY_S)
    return StsError("OVERLOADED", f"refused: {reason}", retryable=True, retry_after_s=after_s)
