"""All fragments of a stream on their way, and the decision about each at its deadline. Pure; times
are stream positions in samples, given from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import Float
from dubcast.contract.worker import Outcome
from dubcast.worker.dub_plan import DubPlan, Stretch
from dubcast.worker.fragment import DECISION_LEAD, PENDING, ClauseSpan, Fragment, State
from dubcast.worker.handover import Handover
from dubcast.worker.planner import Planner
from dubcast.worker.said import Said

# Any other tempo is not one that a service speaks at: the dub then counts as it came. From each of
# these every tempo that is planned can be had by stretching.
_BELIEVED = (0.8, 1.5)


class FragmentBook:
    """All fragments on their way, in order; the one place where their states change.

    A fragment whose clauses are known is as many parts. Not thread-safe: the worker holds its
    lock around every call.
    """

    def __init__(
        self,
        planner: Planner,
        quiet_until: Callable[[], int],
        may_dub: Callable[[Span], bool] = lambda span: True,
        quietest: Callable[[int, int], int] = lambda first, last: (first + last) // 2,
        bridges: Callable[[Span], bool] = lambda span: False,
    ) -> None:
        """`quiet_until`: where speech that is not a fragment yet may begin at the earliest;
        `quietest`: the place between two positions where the original is; `bridges`: whether the
        bed may play over a span while its dub is on its way.
        """
        self._may_dub, self._quietest, self._bridges = may_dub, quietest, bridges
        self._open: dict[tuple[int, int], Fragment] = {}
        self._next = 0
        self._cut_to = 0  # where the last fragment stops
        self._reached = 0  # up to here everything is decided
        self._handover = Handover(quiet_until, quietest)
        self.plan = DubPlan(planner, self._handover.quiet_until, self._open)
        self.said = Said()

    def add(self, span: Span, run_id: str, *, join: bool = False, heard_after: int = 0) -> Fragment:
        """A new fragment, WAITING; `join`: with the one that is held, in the place of that.
        `heard_after`: so much of the running speech that follows is there."""
        held, cut = self.held if join else None, span.stop
        if held is None:
            overlap = max(self._cut_to - span.start, 0)
            span = self._handover.begun(span)
            fragment = Fragment(self._next, f"{run_id}-{self._next}", span, overlap)
            self._next += 1
        else:
            begin = held.span
            span = replace(span, start=begin.start, speech_start=begin.speech_start)
            fragment = Fragment(held.sequence, f"{held.id}.2", span, held.overlap, joined=True)
        fragment.heard_after = heard_after
        self._open[fragment.place] = fragment
        self._cut_to = cut
        self._handover.cut(cut)
        return fragment

    @property
    def last(self) -> Fragment | None:
        """The fragment that was added last, while it is open."""
        return self._open.get((self._next - 1, 0))

    @property
    def held(self) -> Fragment | None:
        """The fragment that waits for the next one, if there is such."""
        last = self.last
        return last if last is not None and last.state is State.HELD else None

    def hold(self, fragment: Fragment, outcome: Outcome, reason: str) -> None:
        """A fragment came to nothing, and waits for the next one; in vain it stays so."""
        fragment.step("hold")
        fragment.outcome, fragment.reason = outcome, reason

    def words_pending(self, fragment: Fragment) -> bool:
        """True if which words are its own depends on those of the one before, which it overlaps or
        goes on from, and they may still come."""
        before = self._open.get((fragment.sequence - 1, 0))
        if before is None or before.state not in (State.WAITING, State.INFLIGHT):
            return False
        return fragment.overlap > 0 or before.heard_after > 0

    def ends_with(self, fragment: Fragment, last: int) -> None:
        """The last word of a fragment that was cut in running speech ends at `last`: if that is
        after the cut the fragment does, too, and the next one begins there."""
        self._handover.ends_with(fragment, last, self._open.get((fragment.sequence + 1, 0)))

    def asked(self, sequence: int, part: int = 0) -> Fragment | None:
        """A part whose dub is awaited from the service; None: it was decided meanwhile."""
        fragment = self._open.get((sequence, part))
        awaited = fragment is not None and fragment.state in (State.INFLIGHT, State.OVERDUE)
        return fragment if awaited else None

    def split(self, sequence: int, clauses: Sequence[ClauseSpan]) -> None:
        """The clauses of a fragment became known: those whose time has not come are parts of
        their own, those before them are what stays of the fragment."""
        fragment = self.asked(sequence)
        if fragment is None or not fragment.awaits_clauses or not clauses:
            return
        first = 0
        if fragment.state is State.OVERDUE:
            starts = [one.start for one in clauses]
            in_time = (i for i, at in enumerate(starts) if i and at - DECISION_LEAD > self._reached)
            first = next(in_time, len(clauses))
        for part in fragment.split(clauses, first):
            self._open[part.place] = part

    def replied(self, fragment: Fragment, voice: Float, tempo: float = 1.0) -> bool:
        """The dub of a part came, spoken at `tempo`; False if it is too late and was dropped."""
        if fragment.state is not State.INFLIGHT:
            return False
        fragment.step("reply")
        fragment.awaits_clauses = False
        fragment.voice = fragment.delivered = voice
        low, high = _BELIEVED
        fragment.tempo = fragment.service_tempo = tempo if low <= tempo <= high else 1.0
        self.plan.learn(fragment)
        self.said.note(fragment)
        return True

    def stretched(self, task: Stretch, voice: Float) -> None:
        """A dub was stretched as asked; dropped if it was decided meanwhile."""
        fragment = task.fragment
        fragment.stretching = False
        if fragment.state is State.READY:
            fragment.voice, fragment.tempo = voice, task.tempo

    def failed(
        self, sequence: int, outcome: Outcome, reason: str, waited_s: float | None = None
    ) -> None:
        """What has not come of a fragment will not be dubbed; what was decided stays decided.

        `waited_s`: how long the service had it in vain.
        """
        for fragment in self.parts(sequence):
            self.part_failed(fragment, outcome, reason, waited_s)

    def part_failed(
        self, fragment: Fragment, outcome: Outcome, reason: str, waited_s: float | None = None
    ) -> None:
        """One part will not be dubbed."""
        if fragment.state not in PENDING:
            return
        fragment.step("fail")
        fragment.outcome, fragment.reason = outcome, reason
        if waited_s is not None:
            fragment.round_trip_ms = waited_s * 1000

    def parts(self, sequence: int) -> list[Fragment]:
        """The open parts of a fragment, in order."""
        return [one for place, one in sorted(self._open.items()) if place[0] == sequence]

    def overdue_until(self, position: int) -> Iterator[Fragment]:
        """What goes on air undubbed at or before `position` while a dub may still come: fragments
        whose clauses are not known, each once, and the beginnings of parts whose dub is not there.
        """
        self._reached = max(self._reached, position)
        for fragment in self._due(position):
            if fragment.state is State.INFLIGHT and fragment.awaits_clauses:
                fragment.step("overdue")
                yield fragment
            elif (aired := fragment.begin_later(self._quietest, self._bridges)) is not None:
                yield aired

    def decide_until(self, position: int) -> Iterator[Fragment]:
        """Decide every part whose deadline is at or before `position`, in order; one that begins
        late follows what aired before it."""
        for fragment in self._due(position):
            self._decide(fragment)
            del self._open[fragment.place]
            if fragment.outcome is not Outcome.DUBBED:
                fragment.begin_undubbed(self._quietest)
            if fragment.aired is not None:
                yield fragment.aired
            yield fragment

    def _due(self, position: int) -> list[Fragment]:
        due = (one for one in self._open.values() if one.deadline <= position)
        return sorted(due, key=lambda one: one.place)

    @property
    def open(self) -> int:
        """Parts not yet decided."""
        return len(self._open)

    def _decide(self, fragment: Fragment) -> None:
        was = fragment.state
        fragment.step("decide")
        if was is State.WAITING:
            fragment.outcome, fragment.reason = Outcome.OVERLOAD, "not_sent"
        elif was in (State.INFLIGHT, State.OVERDUE):
            fragment.outcome, fragment.reason = Outcome.LATE, "deadline"
        elif was is State.READY and not self._may_dub(fragment.span):
            fragment.outcome, fragment.reason = Outcome.SEPARATION, "no_background"
        elif was is State.READY:
            assert fragment.voice is not None
            self.plan.place(fragment, fragment.voice)
        fragment.delivered = None
