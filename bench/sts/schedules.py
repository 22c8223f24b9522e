"""The service's stages in virtual time: its real inboxes, admission and speeds, and no thread.

Fragments go from stage to stage; a stage takes as long for an item as the fragment says. What runs,
and in which order, is decided by the same code as in the service.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dubcast.clock import NS_PER_S
from dubcast.sts.batcher import Inbox, Waiting
from dubcast.sts.capacity import Cost, Place
from dubcast.sts.speed import Speed

_MOST_WAITING = 10_000


@dataclass(frozen=True)
class Visit:
    """What a fragment wants of a stage: an item for each number, seconds that it takes.

    `due_s`: when each is due; none: at the fragment's deadline.
    """

    stage: str
    items_s: tuple[float, ...]
    due_s: tuple[float, ...] = ()


@dataclass(eq=False)
class Fragment:
    """A fragment on its way. `done_s`: when it was done; None: not, or not in time."""

    stream_id: str
    number: int
    visits: Sequence[Visit]
    deadline_s: float
    place: Place = field(default_factory=Place)
    at: int = 0
    left: int = 0
    failed: bool = False
    done_s: float | None = None


@dataclass(frozen=True)
class Item:
    """One item of a fragment for a stage."""

    fragment: Fragment
    takes_s: float
    due_s: float


@dataclass
class Stage:
    """A model: `each` of a batch takes so much of what it takes alone."""

    inbox: Inbox[Item]
    workers: int = 1
    batch_max: int = 1
    each: float = 1.0
    busy: int = 0
    speed: Speed = field(default_factory=Speed)

    @classmethod
    def of(cls, workers: int = 1, batch_max: int = 1, each: float = 1.0) -> Stage:
        """A stage in which nothing waits yet."""
        return cls(Inbox(_MOST_WAITING), workers, batch_max, each)

    def batch_s(self, batch: Sequence[Waiting[Item]]) -> float:
        """How long a batch takes."""
        taken = sorted((one.item.takes_s for one in batch), reverse=True)
        return taken[0] + self.each * sum(taken[1:])


class Schedule:
    """Stages and the events that are to come. Times in seconds of virtual time.

    `watch`: called with each stage's name and batch when it begins, and when it is done.
    """

    def __init__(
        self,
        stages: dict[str, Stage],
        watch: Callable[[str, Sequence[Waiting[Item]], bool], None] = lambda *_: None,
    ) -> None:
        self.now_s = 0.0
        self.stages = stages
        self._watch = watch
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.finished: list[Fragment] = []
        self.on_end: Callable[[Fragment], None] = lambda _: None

    def at(self, when_s: float, event: Callable[[], None]) -> None:
        """Something that happens then."""
        heapq.heappush(self._events, (when_s, next(self._numbers), event))

    def run(self) -> None:
        """Until nothing happens any more."""
        while self._events:
            self.now_s, _, event = heapq.heappop(self._events)
            event()

    def costs(self) -> dict[str, Cost]:
        """What the stages cost, as the engine tells it."""
        return {
            name: Cost(stage.speed.item_s(stage.batch_max) / stage.workers, stage.speed.run_s())
            for name, stage in self.stages.items()
        }

    def submit(self, fragment: Fragment) -> None:
        """A fragment wants its next stage."""
        visit = fragment.visits[fragment.at]
        stage = self.stages[visit.stage]
        fragment.left = len(visit.items_s)
        fragment.place.expect(visit.stage, fragment.left)
        deadline_ns = round(fragment.deadline_s * NS_PER_S)
        dues = visit.due_s or (fragment.deadline_s,) * len(visit.items_s)
        for takes_s, due_s in zip(visit.items_s, dues, strict=True):
            stage.inbox.put(
                Item(fragment, takes_s, due_s),
                fragment.stream_id,
                deadline_ns,
                due_ns=round(due_s * NS_PER_S),
                fragment=fragment.number,
            )
        self._begin(visit.stage)

    def _begin(self, name: str) -> None:
        stage = self.stages[name]
        while stage.busy < stage.workers and stage.inbox.is_ready:
            taken = stage.inbox.take(round(self.now_s * NS_PER_S), stage.batch_max)
            for late in taken.expired:
                self._end(late.item.fragment)
            batch = [one for one in taken.batch if not one.item.fragment.failed]
            if not batch:
                stage.inbox.release(taken.batch)
                continue
            stage.busy += 1
            self._watch(name, batch, False)
            took_s = stage.batch_s(batch)
            self.at(self.now_s + took_s, lambda b=taken.batch, t=took_s: self._done(name, b, t))

    def _done(self, name: str, taken: Sequence[Waiting[Item]], took_s: float) -> None:
        stage = self.stages[name]
        self._watch(name, taken, True)
        batch = [one for one in taken if not one.item.fragment.failed]
        stage.busy -= 1
        stage.inbox.release(taken)
        stage.speed.learn(len(taken), took_s)
        for one in batch:
            self._go_on(name, one.item.fragment)
        self._begin(name)

    def _go_on(self, stage: str, fragment: Fragment) -> None:
        fragment.place.did(stage)
        fragment.left -= 1
        if fragment.left:
            return
        fragment.at += 1
        if fragment.at < len(fragment.visits):
            self.submit(fragment)
            return
        fragment.done_s = self.now_s
        self._end(fragment)

    def _end(self, fragment: Fragment) -> None:
        if not fragment.failed and fragment not in self.finished:
            fragment.failed = fragment.done_s is None
            self.finished.append(fragment)
            self.on_end(fragment)
