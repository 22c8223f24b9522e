"""Where dubs go and how fast they are, over whole programmes in virtual time."""

from __future__ import annotations

import itertools
import random
import statistics
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE, ms_to_samples
from dubcast.audio.vad import WINDOW as DETECTED
from dubcast.contract.worker import Outcome
from dubcast.worker.fragment import Fragment
from dubcast.worker.fragments import FragmentBook
from dubcast.worker.planner import COMFORT, SLOW, SLOWEST, UNHURRIED, Planner, Utterance, band

DELAY_S = 7.5  # from a position's arrival to the decision about it
ROUND_TRIP_S = 2.0
PAUSE_S = 0.3  # silence that ends a fragment
FASTEST = 1.25
BOUND_S = 1.5
WINDOW = (-0.05, 0.4)


@dataclass(frozen=True)
class Said:
    """One utterance of a programme, in seconds: its start, length, and its dub's natural length."""

    start: float
    seconds: float
    dub: float


@dataclass
class Programme:
    """Plays utterances through a book as a worker would, in virtual time. Voices have a length
    and no memory behind it, stretching takes no time."""

    said: list[Said]
    match: bool = False
    now: float = 0.0
    decided: list[Fragment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.book = FragmentBook(Planner(BOUND_S, FASTEST, match=self.match), self.quiet_until)

    def quiet_until(self) -> int:
        """What the worker's voice detector knows: the open speech, or silence until now."""
        cut = len(self.decided) + self.book.open
        if cut < len(self.said) and self.said[cut].start < self.now:
            return round(self.said[cut].start * RATE)
        return round(self.now * RATE)

    def run(self) -> list[Fragment]:
        events = [(one.start + one.seconds + PAUSE_S, 0, i) for i, one in enumerate(self.said)]
        events += [(at + ROUND_TRIP_S, 1, i) for at, _, i in events]
        events += [(one.start - 0.1 + DELAY_S, 2, i) for i, one in enumerate(self.said)]
        fragments: dict[int, Fragment] = {}
        for self.now, what, i in sorted(events):
            one = self.said[i]
            if what == 0:
                start = round(one.start * RATE)
                stop = start + round(one.seconds * RATE)
                fragments[i] = self.book.add(Span(start, stop, start, stop), "run")
                fragments[i].step("send")
                assert self.book.plan.slot(fragments[i]) >= stop - start
            elif what == 1:
                self.reply(fragments[i], one.dub)
            else:
                self.decided += self.book.decide_until(fragments[i].deadline)
        return self.decided

    def reply(self, fragment: Fragment, seconds: float) -> None:
        self.book.replied(fragment, silence(seconds))
        while (task := self.book.plan.next_stretch()) is not None:
            assert 0.5 < task.factor < 2
            self.book.stretched(task, silence(len(task.voice) / RATE / task.factor))


def silence(seconds: float) -> np.ndarray:
    return np.broadcast_to(np.float32(0), round(seconds * RATE))


def programme(
    rng: random.Random,
    seconds: float,
    ratio: tuple[float, float],
    pauses: tuple[float, float],
    lengths: tuple[float, float] = (2.5, 4.0),
) -> list[Said]:
    """Random speech; `ratio`: mean and deviation of dub to source length."""
    said: list[Said] = []
    at = 1.0
    while at < seconds:
        length = rng.uniform(*lengths)
        said.append(Said(at, length, length * max(rng.gauss(*ratio), 0.5)))
        at += length + rng.uniform(*pauses)
    return said


@dataclass(frozen=True)
class Figures:
    in_window: float  # share of dubs that begin in time
    easy: float  # share of dubbed time at 0.95-1.15
    hurried: float  # share of it that is faster
    dubbed: float  # share of fragments
    backlog: list[float]


def figures(decided: list[Fragment]) -> Figures:
    dubs = [one for one in decided if one.dub is not None]
    lags = [(one.dub.start - one.speech_start) / RATE for one in dubs if one.dub]
    times = [len(one.dub.samples) / RATE for one in dubs if one.dub]
    tempi = [one.tempo for one in dubs]
    easy = [t for tempo, t in zip(tempi, times, strict=True) if UNHURRIED <= tempo <= COMFORT]
    fast = [t for tempo, t in zip(tempi, times, strict=True) if tempo > COMFORT]
    return Figures(
        statistics.mean(WINDOW[0] <= lag <= WINDOW[1] for lag in lags),
        sum(easy) / sum(times),
        sum(fast) / sum(times),
        len(dubs) / len(decided),
        [(one.backlog or 0) / RATE for one in dubs],
    )


SPORT = {"ratio": (1.14, 0.12), "pauses": (0.15, 0.6)}


@given(
    seed=st.integers(0, 2**32),
    mean=st.floats(0.8, 1.5),
    deviation=st.floats(0, 0.4),
    longest_pause=st.floats(0.1, 4.0),
    lengths=st.tuples(st.floats(0.5, 2.0), st.floats(2.0, 4.5)),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_said_the_rules_are_kept(
    seed: int,
    mean: float,
    deviation: float,
    longest_pause: float,
    lengths: tuple[float, float],
) -> None:
    said = programme(random.Random(seed), 60, (mean, deviation), (0.0, longest_pause), lengths)
    decided = Programme(said).run()
    assert [one.sequence for one in decided] == list(range(len(said)))
    dubs = [one for one in decided if one.dub is not None]
    assert all(a.dub.stop <= b.dub.start for a, b in itertools.pairwise(dubs) if a.dub and b.dub)
    for one in dubs:
        assert one.dub is not None
        assert one.shift is not None
        assert one.backlog is not None
        assert one.dub.start - one.speech_start == DETECTED + one.shift
        assert 0 <= one.shift <= BOUND_S * RATE
        assert one.backlog <= BOUND_S * RATE
        assert SLOWEST - 1e-9 <= one.tempo <= FASTEST + 1e-9
    assert all(one.outcome in (Outcome.DUBBED, Outcome.SHIFT) for one in decided)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_talk_with_pauses_is_always_in_time_and_unhurried(seed: int) -> None:
    said = programme(random.Random(seed), 180, (1.06, 0.12), (0.3, 1.5))
    got = figures(Programme(said).run())
    assert got.dubbed == 1.0
    assert got.hurried <= 0.05
    assert got.easy >= 0.8
    assert got.in_window >= 0.95


def test_three_minutes_of_fast_sport() -> None:
    """The bars of the issue, all at once, in each of 40 programmes."""
    runs = [
        figures(Programme(programme(random.Random(seed), 180, **SPORT)).run()) for seed in range(40)
    ]
    assert all(run.easy >= 0.9 for run in runs)
    assert all(run.dubbed == 1.0 for run in runs)
    assert all(run.in_window >= 0.9 for run in runs)
    assert statistics.mean(run.in_window for run in runs) >= 0.98
    assert all(max(run.backlog) <= BOUND_S for run in runs)
    early = statistics.mean(b for run in runs for b in run.backlog[:15])
    late = statistics.mean(b for run in runs for b in run.backlog[-16:-1])
    assert abs(late - early) < 0.05


@pytest.mark.parametrize(("ratio", "least"), [(1.05, 1.0), (1.2, 0.99), (1.3, 0.9)])
def test_the_denser_the_speech_the_more_is_left_out_and_never_much(
    ratio: float, least: float
) -> None:
    said = [programme(random.Random(seed), 180, (ratio, 0.12), (0.15, 0.6)) for seed in range(10)]
    runs = [figures(Programme(one).run()) for one in said]
    assert statistics.mean(run.dubbed for run in runs) >= least


def test_the_tempo_changes_little_from_one_to_the_next() -> None:
    """Looking ahead makes it smoother than planning each dub for itself."""
    changes = []
    for seed in range(20):
        decided = Programme(programme(random.Random(seed), 180, **SPORT)).run()
        tempi = [one.tempo for one in decided]
        changes += [abs(a - b) for a, b in itertools.pairwise(tempi)]
    assert statistics.mean(changes) < 0.075


def seconds(value: float) -> int:
    return round(value * RATE)


def said(onset: float, speech: float, natural: float | None = None) -> Utterance:
    return Utterance(seconds(onset), seconds(speech), None if natural is None else seconds(natural))


def test_a_dub_that_has_room_is_spoken_at_its_own_pace() -> None:
    one = Planner(BOUND_S, FASTEST, match=False)
    assert one.tempo([said(10, 3, 3.2)], 0, seconds(20)) == 1.0


def inner(onset: float, speech: float, natural: float | None = None) -> Utterance:
    return replace(said(onset, speech, natural), inner=True)


def planner(ratio: float) -> Planner:
    """One that knows its speaker: `ratio` of dubs to what they replace."""
    one = Planner(BOUND_S, FASTEST, match=False)
    for _ in range(99):
        one.learn(said(0, 3, 3 * ratio))
    return one


@pytest.mark.parametrize(
    ("ratio", "tempi"),
    [
        (1.1, {2.94: 0.98, 2.7: UNHURRIED, 2.1: UNHURRIED, 2.05: SLOW}),
        (1.0, {2.94: 0.98, 2.7: UNHURRIED, 2.64: 0.88, 2.3: SLOW - 0.05}),
        (0.9, {2.94: 0.98, 2.7: UNHURRIED, 2.64: 0.88, 2.1: SLOWEST}),
    ],
)
def test_a_short_dub_is_slowed_towards_what_it_replaces(
    ratio: float, tempi: dict[float, float]
) -> None:
    """A little; more where a hole would be left, and of a slow speaker a pause is one: the slower
    he is, the slower the dub."""
    one = planner(ratio)
    found = [one.tempo([said(10, 3, natural)], 0, seconds(20)) for natural in tempi]
    assert found == pytest.approx([*tempi.values()], abs=1e-4)


def test_the_breath_after_a_dub_fills_no_hole() -> None:
    breath = seconds(0.12)
    line = [replace(said(10, 3, 2.76), breath=breath), said(14, 3)]
    assert planner(0.9).tempo(line, 0, seconds(20)) == pytest.approx(0.88, abs=1e-4)


def test_what_begins_late_is_not_slowed_beyond_the_end_of_its_speech() -> None:
    one = planner(0.9)
    tempi = [one.tempo([said(10, 3, 2.6)], seconds(10 + late), seconds(20)) for late in (0.3, 0.5)]
    assert tempi == pytest.approx([2.6 / 2.7, 1.0], abs=1e-4)


def test_slowing_down_makes_nothing_late() -> None:
    """In running speech the breath after a dub must be over too when the next begins."""
    one, breath = planner(0.9), seconds(0.12)
    line = [replace(said(10, 3, 2.7), breath=breath), said(13, 3)]
    tempo = one.tempo(line, 0, seconds(20))
    assert tempo == pytest.approx(2.7 / 2.97, abs=1e-4)
    assert one.after(line[0], 0, tempo) == pytest.approx(seconds(13), abs=1)


@pytest.mark.parametrize(
    ("first", "second", "tempo"),
    [
        (1.8, 1.8, UNHURRIED),
        (2.3, 1.2, 3.5 / 3.97),  # the second, alone, would leave a hole
        (1.7, 2.5, 1.7 / 1.97),  # the second begins with its own words
        (2.1, 2.1, 1.0),
    ],
)
def test_the_clauses_of_a_fragment_share_its_time(
    first: float, second: float, tempo: float
) -> None:
    line = [said(10, 2, first), inner(12, 2, second), said(15, 3)]
    assert planner(0.9).tempo(line, 0, seconds(20)) == pytest.approx(tempo, abs=1e-4)


def test_the_backlog_is_used_before_anything_is_spoken_faster_than_is_easy() -> None:
    one = Planner(BOUND_S, FASTEST, match=False)
    line = [said(10, 3, 4.6), said(13.2, 3)]
    assert one.tempo(line, 0, seconds(20)) == COMFORT
    assert one.place(line, seconds(4.6 / COMFORT), seconds(20)).backlog == seconds(0.83)


def test_hurrying_for_the_sake_of_the_onset_is_for_a_small_share_of_the_time() -> None:
    one = Planner(BOUND_S, FASTEST, match=False)
    line = [said(10, 3, 4.2), said(13.2, 3)]
    tempo = one.tempo(line, 0, seconds(20))
    assert COMFORT < tempo < FASTEST
    placing = one.place(line, round(seconds(4.2) / tempo), seconds(20))
    assert placing.backlog / RATE <= WINDOW[1]
    assert one.tempo([said(20, 3, 4.2), said(23.2, 3)], 0, seconds(30)) == COMFORT
    for i in range(3):  # what is easy earns it again
        one.place([said(20 + 4 * i, 3.5, 3.5)], seconds(3.5), seconds(40))
    assert one.tempo([said(40, 3, 4.2), said(43.2, 3)], 0, seconds(50)) > COMFORT


@given(
    pauses=st.lists(st.floats(0, 1.5), min_size=1, max_size=5),
    ratios=st.lists(st.floats(0.7, 1.6), min_size=5, max_size=5),
    inner=st.lists(st.booleans(), min_size=5, max_size=5),
    late_s=st.floats(0, 1.5),
)
def test_nothing_is_spoken_faster_only_to_wait(
    pauses: list[float], ratios: list[float], inner: list[bool], late_s: float
) -> None:
    at, line = 10.0, []
    for pause, ratio, goes_on in zip(pauses, ratios, inner, strict=False):
        line.append(replace(said(at, 2, 2 * ratio), inner=bool(line) and goes_on))
        at += 2 + pause
    one, free = Planner(BOUND_S, FASTEST, match=False), seconds(10 + late_s)
    tempo = one.tempo(line, free, seconds(at))
    following = line[1].onset if len(line) > 1 else seconds(at)
    assert tempo <= 1.0 or one.after(line[0], free, tempo) >= following - 1


def test_a_clause_is_not_hurried_where_the_next_has_to_wait_for_its_words() -> None:
    """What follows the fragment is in time only if its last clause is spoken faster."""
    one = Planner(BOUND_S, FASTEST, match=False)
    line = [said(10, 3.3, 3.1), inner(13.3, 1.3, 2.0), said(14.6, 3)]
    assert one.tempo(line, 0, seconds(20)) == UNHURRIED
    assert COMFORT < one.tempo(line[1:], seconds(13.3), seconds(20)) <= FASTEST


def test_what_cannot_begin_soon_is_hurried_for_if_it_can_begin_in_time_at_all() -> None:
    # At the highest tempo the next dub begins at 11.63 s.
    lines = [[said(10, 1.2, 2.0), said(11.63 - late_s, 3)] for late_s in (0.3, 0.33, 0.365, 0.37)]
    tempi = [Planner(BOUND_S, FASTEST, match=False).tempo(one, 0, seconds(20)) for one in lines]
    assert tempi == pytest.approx([FASTEST, 1.223, FASTEST, COMFORT], abs=1e-3)


def test_what_would_pass_the_bound_is_spoken_just_fast_enough() -> None:
    one = Planner(BOUND_S, FASTEST, match=False)
    line = [said(10, 3, 5.6), said(13.2, 3)]
    tempo = one.tempo(line, 0, seconds(20))
    assert COMFORT < tempo < FASTEST
    placing = one.place(line, round(seconds(5.6) / tempo), seconds(20))
    assert placing.backlog == pytest.approx(BOUND_S * RATE, abs=ms_to_samples(1))


def test_a_much_shorter_one_is_left_out_rather_than_the_long_one_before() -> None:
    line = [said(10, 4, 7.5), said(14.1, 0.8), said(15.5, 3)]
    kept = Planner(BOUND_S, FASTEST, match=False).place(line, seconds(6), seconds(20))
    assert (kept.start, kept.backlog) == (seconds(10), seconds(0.53))
    line[1] = said(14.1, 3)
    left_out = Planner(BOUND_S, FASTEST, match=False).place(line, seconds(6), seconds(20))
    assert (left_out.start, left_out.reason) == (None, "dub_too_long")


def test_what_comes_next_counts_before_its_dub_is_there() -> None:
    """From a history of long dubs it is known that the next will need time too."""
    slow, quick = (Planner(BOUND_S, FASTEST, match=False) for _ in range(2))
    for _ in range(30):
        slow.learn(said(0, 3, 3.9))
        quick.learn(said(0, 3, 2.4))
    line = [said(10, 3, 3.7), said(13.3, 3), said(16.4, 3)]
    assert slow.tempo(line, 0, seconds(19.5)) > quick.tempo(line, 0, seconds(19.5))


def test_matched_dubs_follow_each_other_exactly_and_chunks_overlap() -> None:
    one = Planner(BOUND_S, FASTEST, match=True)
    overlap = seconds(0.15)
    for i in range(50):
        at = said(10 + i * 1.85, 2, 2)
        placing = one.place([at, said(10 + (i + 1) * 1.85, 2)], seconds(2), 0, overlap)
        assert (placing.start, placing.shift, placing.backlog) == (at.onset, 0, 0)


def test_a_limit_of_1_means_that_nothing_is_spoken_faster() -> None:
    one = Planner(BOUND_S, 1.0, match=False)
    assert one.tempo([said(10, 3, 5), said(13.2, 3)], 0, seconds(20)) == 1.0


def test_every_tempo_has_its_band() -> None:
    expected = {
        0.9: "under 0.95",
        0.95: "0.95-1.00",
        1.0: "0.95-1.00",
        1.001: "1.00-1.05",
        1.15: "1.10-1.15",
        1.1501: "1.10-1.15",  # a rounded length
        1.152: "1.15-1.20",
        1.25: "1.20-1.25",
        1.3: "over 1.25",
    }
    assert {tempo: band(tempo) for tempo in expected} == expected
