"""Each clause of a fragment has its own deadline: what is heard when clauses come early, late, not
at all, or the stream breaks; in virtual time, up to the samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Int16, ms_to_samples
from dubcast.audio.stretch import stretch
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings
from dubcast.contract.stream_reply import Done, Heard
from dubcast.contract.sts import LeftAlone, StageTimes, StsMetadata, WordTime
from dubcast.contract.worker import Outcome, SpeechAired
from dubcast.errors import StsError
from dubcast.measure.asrun import fragment_figures
from dubcast.worker.asrun import entry_of
from dubcast.worker.core import WorkerCore
from dubcast.worker.fragment import Fragment, State
from dubcast.worker.scheduler import BLOCK, Tracks
from dubcast.worker.work import Announced, SpokenClause, StreamEnd, Work
from worker_fakes import LevelVad

CHUNK = 960
DELAY_S = 8.0
BEGINS_S, SPEAKS_S = 2.0, 6.0
LOUD = 8000
METADATA = StsMetadata(asr_model="a", translation_model="m", tts_model="t", replica="r")
# Three clauses of 2 s each.
THREE = tuple(
    Announced(f"dito {n}", f"said {n}", 100 + 2000 * n, 2100 + 2000 * n) for n in range(3)
)
BROKEN = StsError("UNAVAILABLE", "scripted", retryable=True)


@dataclass
class Stage:
    """Six seconds of speech, sent when they were cut. Times in s after the fragment was sent.

    `dip_s`: between two words, s after the speech began. `bed`: the separated background is there,
    which is silence.
    """

    policy: dict[str, Any] = field(default_factory=dict)
    dip_s: float = -1.0
    bed: bool = False
    aired: list[Fragment] = field(default_factory=list)
    output: list[tuple[int, Int16]] = field(default_factory=list)

    def __post_init__(self) -> None:
        separation = {"separator": "auto" if self.bed else "off"}
        calm = {"delay_s": DELAY_S, "match_loudness": False, "separation": separation}
        calm |= {"fragments": {"max_s": 8.0}, "duck_db": 60.0, "ducking": {"enabled": False}}
        settings = StreamSettings.model_validate({**calm, **self.policy})
        self.core = WorkerCore(settings, "run", LevelVad(), 0)
        self.core.set_output(Tracks.SOUND)
        self.core._length_limit._base_s, self.core._length_limit._slope = 0.0, 0.0
        self.now, self.fed = 0, 0
        self.fragment = self.cut()
        sent = self.core.dubs.send(self.fragment)
        assert sent is not None
        self.work: Work = sent
        self.sent = self.now
        self.work_start, self.work_stop = self.fragment.span.start, self.fragment.span.stop

    def cut(self) -> Fragment:
        while True:
            found = self.step()
            if found:
                (fragment,) = found
                return fragment

    def step(self) -> list[Fragment]:
        """Time goes on by one chunk of sound."""
        at = self.fed
        self.fed += CHUNK
        self.now = at * NS_PER_S // RATE
        said_s = at / RATE - BEGINS_S
        level = LOUD if 0 <= said_s < SPEAKS_S else 0
        level //= 20 if self.dip_s <= said_s < self.dip_s + 0.06 else 1
        wave = np.where(np.arange(CHUNK) % 48 < 24, level, -level).astype(np.int16)
        found = self.core.audio(self.now, np.repeat(wave, 2).tobytes(), self.now)
        if self.bed:
            shares = np.full(CHUNK // (RATE // 100), -40.0, np.float32)
            self.core.background(at, np.zeros((CHUNK, 2), np.int16), shares)
        batch, _ = self.core.poll(self.now)
        self.aired += batch.decided
        self.output += [(block.start, block.samples) for block in batch.audio]
        return found

    def until(self, seconds: float) -> None:
        while self.now < self.sent + seconds * NS_PER_S:
            self.step()

    def tell(self, progress: Any) -> None:
        waited_s = (self.now - self.sent) / NS_PER_S
        self.core.dubs.took(self.fragment, progress, waited_s, self.now)

    def hear(self, **changes: Any) -> None:
        told = {"fragment_id": "run-0", "detected_language": "en", "transcript": "all of it"}
        self.tell(Heard(**{**told, **changes}))

    def announce(self, clauses: tuple[Announced, ...] = THREE) -> None:
        self.hear()
        self.tell(clauses)

    def speak(self, index: int, seconds: float = 1.9, tempo: float = 1.0) -> None:
        self.tell(SpokenClause(index, np.full(round(seconds * RATE), 0.1, np.float32), tempo, 0))

    def end(self, **changes: Any) -> None:
        told = {"status": "success", "processing_time_ms": 1.0, "stages_ms": StageTimes(asr=7.0)}
        left_alone = changes.pop("left_alone", None)
        done = Done(**{**told, "metadata": METADATA, **changes})
        took_s = (self.now - self.sent) / NS_PER_S
        self.core.dubs.replied(self.fragment, StreamEnd(done, took_s, left_alone), self.now)

    def play_out(self) -> list[Fragment]:
        self.until(DELAY_S + SPEAKS_S + 1)
        return self.aired

    def outcomes(self) -> list[tuple[int, Outcome]]:
        return [(one.part, one.outcome) for one in self.play_out() if one.outcome]

    def level(self, from_s: float, to_s: float) -> float:
        """RMS of the output, as a share of the original's; times in s within the fragment."""
        start = self.fragment.span.start
        first, last = start + round(from_s * RATE), start + round(to_s * RATE)
        whole = np.concatenate([samples for _, samples in self.output])
        at = self.output[0][0]
        part = whole[first - at : last - at].astype(np.float64)
        return float(np.sqrt(np.mean(part**2))) / LOUD


DUB = 0.1 * 32768 / LOUD


def test_clauses_in_time_are_dubbed_each_at_its_own_onset() -> None:
    one = Stage()
    one.until(0.5)
    one.announce()
    for number in range(3):
        one.speak(number)
    one.end()
    aired = one.play_out()
    assert [(f.part, f.parts, f.outcome) for f in aired] == [
        (number, 3, Outcome.DUBBED) for number in range(3)
    ]
    start = one.fragment.span.start
    begins = [(f.dub.start - start) / RATE for f in aired if f.dub]
    assert begins == pytest.approx([0.1, 2.1, 4.1], abs=0.05)
    assert [f.transcript for f in aired] == ["said 0", "said 1", "said 2"]
    assert [f.translation for f in aired] == ["dito 0", "dito 1", "dito 2"]
    assert [bool(f.stages_ms) for f in aired] == [False, False, True]
    assert one.level(0.3, 1.9) == pytest.approx(DUB, rel=0.02)


def test_the_pause_after_a_clause_is_kept_beyond_the_end_of_its_speech() -> None:
    """At the tempo at which the words alone last as long as what they replace."""
    one = Stage()
    one.announce(THREE[:1])
    voice = np.full(round(5.9 * RATE), 0.1, np.float32)
    one.tell(SpokenClause(0, voice, 1.0, 300))
    task = one.core.dubs.next_stretch()
    assert task is not None
    assert len(task.voice) == len(voice) + ms_to_samples(120)
    speech = one.fragment.speech_stop - one.fragment.speech_start
    assert task.tempo == pytest.approx(len(voice) / speech, abs=1e-3)


def test_clauses_may_come_after_the_first_is_due_each_before_its_own_time() -> None:
    one = Stage()
    one.until(0.3)
    one.announce()
    one.speak(0)
    one.until(2.0)  # the first clause is on air
    one.speak(1)
    one.until(4.0)
    one.speak(2)
    assert one.outcomes() == [(n, Outcome.DUBBED) for n in range(3)]


def test_a_clause_that_is_missing_at_its_time_airs_as_original_over_its_own_source_alone() -> None:
    one = Stage()
    one.announce()
    for number in (0, 2):
        one.speak(number)
    assert one.outcomes() == [
        (0, Outcome.DUBBED), (1, Outcome.LATE), (2, Outcome.DUBBED)
    ]  # fmt: skip
    assert one.level(0.3, 1.9) == pytest.approx(DUB, rel=0.02)
    assert one.level(2.2, 4.0) == pytest.approx(1.0, rel=0.02)
    assert one.level(4.3, 5.9) == pytest.approx(DUB, rel=0.02)


def test_the_original_fades_in_and_out_at_the_borders_of_a_missing_clause() -> None:
    one = Stage()
    one.announce()
    for number in (0, 2):
        one.speak(number, 1.9)
    one.play_out()
    for border_s in (2.1, 4.1):
        levels = [one.level(at, at + 0.001) for at in border_s + np.arange(-80, 80) / 1000]
        assert max(abs(np.diff(levels))) < 0.25  # over 5 ms at least, in steps of 1 ms


def test_a_reply_after_the_first_words_are_due_dubs_the_clauses_whose_time_has_not_come() -> None:
    one = Stage()
    late_s = DELAY_S - SPEAKS_S - 0.2  # the fragment's start is on air
    one.until(late_s)
    one.announce()
    for number in range(3):
        one.speak(number)
    one.end()
    assert one.outcomes() == [
        (0, Outcome.LATE), (1, Outcome.DUBBED), (2, Outcome.DUBBED)
    ]  # fmt: skip
    assert one.level(0.3, 2.0) == pytest.approx(1.0, rel=0.02)
    assert one.level(2.3, 5.9) == pytest.approx(DUB, rel=0.1)
    late, *_ = one.aired
    assert (late.reason, late.fallback) == ("deadline", "original")
    assert late.span.stop == one.fragment.span.start + round(2.1 * RATE)


@pytest.mark.parametrize(
    ("fallback", "level"), [("silence", 0.0), ("ducked", 10 ** (-12 / 20)), ("original", 1.0)]
)
def test_what_plays_until_the_first_clause_in_time_is_the_fallback(
    fallback: str, level: float
) -> None:
    one = Stage({"fallback": fallback, "fallback_duck_db": 12})
    one.until(DELAY_S - SPEAKS_S - 0.2)
    one.announce()
    one.speak(1)
    assert one.outcomes() == [(0, Outcome.LATE), (1, Outcome.DUBBED), (2, Outcome.LATE)]
    assert one.level(0.4, 1.9) == pytest.approx(level, abs=0.03)
    assert one.level(2.3, 3.9) == pytest.approx(DUB, rel=0.05)
    assert one.level(4.4, 5.8) == pytest.approx(level, abs=0.03)
    assert [f.fallback for f in one.aired] == [fallback, "", fallback]


def test_where_the_last_dub_is_repeated_no_clause_can_follow() -> None:
    one = Stage({"fallback": "repeat"})
    earlier = np.full(RATE, 0.1, np.float32)
    policy = one.core._scheduler._renderer._replacing.fallback
    from dubcast.audio.mix import Dub

    policy.dubbed(Dub(0, RATE, 0, earlier))
    one.until(DELAY_S - SPEAKS_S - 0.2)
    one.announce()
    one.speak(1)
    assert one.outcomes() == [(0, Outcome.LATE)]
    assert one.aired[0].fallback == "repeat"


def test_a_fragment_that_is_never_answered_is_late_as_a_whole_and_told_once() -> None:
    one = Stage()
    assert one.outcomes() == [(0, Outcome.LATE)]
    (late,) = one.aired
    assert (late.span.start, late.span.stop) == (one.work_start, one.work_stop)
    assert one.level(0.3, 5.9) == pytest.approx(1.0, rel=0.02)


def test_what_has_come_before_a_stream_breaks_is_dubbed() -> None:
    one = Stage()
    one.announce()
    one.speak(0)
    one.core.dubs.call_failed(one.fragment, BROKEN, 0.5, one.now)
    one.core.dubs.over(one.fragment)
    aired = one.play_out()
    assert [(f.part, f.outcome, f.reason) for f in aired] == [
        (0, Outcome.DUBBED, ""),
        (1, Outcome.FAILED, "UNAVAILABLE"),
        (2, Outcome.FAILED, "UNAVAILABLE"),
    ]


def test_a_failure_after_the_first_words_are_due_ends_the_wait() -> None:
    one = Stage()
    one.until(DELAY_S - SPEAKS_S)
    one.core.dubs.call_failed(one.fragment, BROKEN, 2.0, one.now)
    one.until(DELAY_S - SPEAKS_S + 0.2)
    assert [(f.outcome, f.reason) for f in one.aired] == [(Outcome.FAILED, "UNAVAILABLE")]


def test_a_clause_that_cannot_be_spoken_leaves_the_others() -> None:
    one = Stage()
    one.announce()
    one.speak(0)
    one.speak(1, seconds=0)
    one.speak(2)
    assert one.outcomes() == [
        (0, Outcome.DUBBED), (1, Outcome.NO_SPEECH), (2, Outcome.DUBBED)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("left_alone", "outcome"),
    [(None, Outcome.NO_SPEECH), (LeftAlone.TARGET_LANGUAGE, Outcome.LEFT_ALONE)],
)
def test_what_has_no_clauses_is_told_by_its_end(
    left_alone: LeftAlone | None, outcome: Outcome
) -> None:
    one = Stage()
    one.hear(left_alone=left_alone)
    one.end(status="no_speech", left_alone=left_alone)
    assert one.outcomes() == [(0, outcome)]


@pytest.mark.parametrize("left_alone", [None, LeftAlone.TARGET_LANGUAGE])
def test_what_is_right_as_it_is_is_heard_as_soon_as_that_is_known(
    left_alone: LeftAlone | None,
) -> None:
    """Though nothing was known of it when its time came, and silence plays over all of it."""
    one = Stage({"fallback": "silence"})
    one.until(DELAY_S - SPEAKS_S + 0.8)
    one.hear(left_alone=left_alone)
    one.end(status="no_speech", left_alone=left_alone)
    first, rest = one.play_out()
    assert (first.beginning, first.outcome, first.fallback) == (True, Outcome.LATE, "silence")
    assert rest.outcome is (Outcome.LEFT_ALONE if left_alone else Outcome.NO_SPEECH)
    assert (rest.fallback, first.span.stop, rest.span.stop) == ("", rest.span.start, one.work_stop)
    heard_s = (rest.span.start - one.work_start) / RATE
    assert 1.5 < heard_s < 1.8  # 1.15 s were on air
    assert one.level(0.3 - heard_s, -0.05) == pytest.approx(0.0, abs=0.01)
    assert one.level(0.05, 5.9 - heard_s) == pytest.approx(1.0, rel=0.01)


def test_a_clause_in_which_nothing_can_be_said_is_heard_as_it_is_though_all_was_covered() -> None:
    one = Stage({"fallback": "silence"})
    one.until(DELAY_S - SPEAKS_S - 0.2)  # the first clause is on air
    one.announce()
    one.speak(1, seconds=0)
    one.speak(2)
    assert one.outcomes() == [(0, Outcome.LATE), (1, Outcome.NO_SPEECH), (2, Outcome.DUBBED)]
    assert [f.fallback for f in one.aired] == ["silence", "", ""]
    assert one.level(0.3, 1.9) == pytest.approx(0.0, abs=0.01)
    assert one.level(2.3, 3.9) == pytest.approx(1.0, rel=0.01)


def test_clauses_whose_source_is_not_known_well_are_kept_in_order_and_within_the_fragment() -> None:
    one = Stage()
    wild = (5900, 5950, 6000)
    one.announce(tuple(Announced(f"dito {at}", "", at, at + 50) for at in wild))
    for number in range(3):
        one.speak(number, 0.5)
    aired = one.play_out()
    borders = [at for f in aired for at in (f.span.start, f.span.stop)]
    assert borders == sorted(borders)
    assert (borders[0], borders[-1]) == (one.work_start, one.work_stop)
    assert all(f.speech_stop > f.speech_start for f in aired)


def test_a_long_clause_puts_off_the_next_which_need_not_begin_in_time() -> None:
    """Within a sentence nobody hears where a clause should have begun."""
    one = Stage()
    one.announce()
    for number, seconds in enumerate((2.6, 1.5, 1.9)):
        one.speak(number, seconds)
    assert one.core.dubs.next_stretch() is None  # nothing is spoken faster for it
    first, second, _ = one.play_out()
    assert first.dub is not None
    assert second.dub is not None
    assert second.dub.start == pytest.approx(first.dub.stop, abs=0.04 * RATE)


def test_the_longest_fragment_follows_from_the_time_to_the_first_clause() -> None:
    slow, fast = Stage(), Stage()
    for one, every_s in ((fast, 0.0), (slow, 2.0)):
        one.until(0.5)
        one.announce()
        for number in range(3):
            one.until(0.5 + number * every_s)
            one.speak(number)
        one.end()
    assert slow.core.view().longest_fragment_s == fast.core.view().longest_fragment_s


def test_clauses_that_come_slower_than_they_are_said_make_fragments_shorter() -> None:
    slow, fast = Stage(), Stage()
    for one, every_s in ((fast, 1.0), (slow, 2.8)):
        one.announce()
        for number in range(3):
            one.until(0.5 + number * every_s)
            one.speak(number)
        one.end()
    assert slow.core.view().longest_fragment_s < fast.core.view().longest_fragment_s


@pytest.mark.parametrize("told", [0.81, 1.49, 1.55, 1.6])
def test_a_dub_at_any_tempo_that_is_told_can_be_brought_to_another(told: float) -> None:
    """A short one is spoken as slowly as may be; what a service did already comes on top."""
    one = Stage()
    one.core._book.plan._planner._ratio = 0.9  # who speaks is slow
    one.announce()
    for number in range(3):
        one.speak(number, 0.9, tempo=told)
    task = one.core.dubs.next_stretch()
    assert task is not None
    assert len(stretch(task.voice, task.factor)) > len(task.voice)


def test_how_much_was_speech_is_told_of_each_clause() -> None:
    one = Stage()
    one.announce()
    one.speak(0)
    aired = one.play_out()
    assert [f.speech / RATE for f in aired] == pytest.approx([2.0, 2.0, 2.0], abs=0.1)


def test_speech_in_which_no_words_were_recognized_is_told_of_its_clauses() -> None:
    one = Stage()
    one.hear(unheard_ms=((600, 3100), (6500, 99_000)))
    one.tell(THREE)
    for number in range(3):
        one.speak(number)
    aired = one.play_out()
    assert [f.unheard_speech / RATE for f in aired] == pytest.approx([1.5, 1.0, 0.0], abs=0.1)
    assert [entry_of(f).aired_s[SpeechAired.DUBBED] for f in aired] == pytest.approx(
        [0.5, 1.0, 2.0], abs=0.2
    )


def second_clause_late(
    by_s: float, policy: dict[str, Any] | None = None, *, bed: bool = False, dip_s: float = 2.65
) -> Stage:
    one = Stage(policy or {}, dip_s=dip_s, bed=bed)
    one.announce()
    one.speak(0)
    one.speak(2)
    due_s = (one.core.dubs.deadline_ns(one.core._book.parts(0)[1]) - one.sent) / NS_PER_S
    one.until(due_s + by_s)
    one.speak(1, 1.4)
    return one


def test_what_airs_until_a_late_dub_is_the_fallback() -> None:
    one = second_clause_late(0.3, {"fallback": "silence"})
    one.play_out()
    assert one.aired[1].fallback == "silence"
    assert one.level(2.2, 2.5) == pytest.approx(0.0, abs=0.01)
    assert one.level(2.8, 3.8) == pytest.approx(0.1 * 32768 / LOUD, rel=0.05)


def test_what_aired_until_a_late_dub_is_told_though_there_is_something_better_now() -> None:
    one = Stage({"fallback": "background", "fallback_order": ["ducked"]}, bed=True)
    one.bed = False
    one.core._bed._spans.clear()  # what came of the background so far is gone
    one.announce()
    one.speak(0)
    one.speak(2)
    (part,) = [part for part in one.core._book.parts(0) if part.part == 1]
    begun = part.span.start
    due_s = (one.core.dubs.deadline_ns(part) - one.sent) / NS_PER_S
    one.until(due_s + 0.25)
    one.core._bed.write(begun - RATE, np.zeros((3 * RATE, 2), np.int16))
    one.speak(1, 1.4)
    aired = one.play_out()
    assert [(f.part, f.outcome, f.fallback) for f in aired[1:3]] == [
        (1, Outcome.LATE, "ducked"),
        (1, Outcome.DUBBED, ""),
    ]


def test_a_dub_that_is_a_little_late_begins_late_and_the_original_airs_until_then() -> None:
    one = second_clause_late(0.3)
    dubbed = Outcome.DUBBED
    assert one.outcomes() == [(0, dubbed), (1, Outcome.LATE), (1, dubbed), (2, dubbed)]
    _, aired, late, _ = one.aired
    assert (aired.reason, aired.transcript, late.transcript) == ("deadline", "", "said 1")
    assert aired.span.stop == late.span.start
    assert 2.65 < (late.span.start - one.fragment.span.start) / RATE - 0.1 < 2.72  # between words
    assert aired.beginning
    assert not entry_of(aired).ends_fragment
    assert late.dub is not None
    assert late.dub.start == late.span.start
    assert one.level(2.2, 2.5) == pytest.approx(1.0, rel=0.02)
    assert one.level(2.8, 3.8) == pytest.approx(0.1 * 32768 / LOUD, rel=0.05)


@pytest.mark.parametrize(
    ("by_s", "bed", "counted"),
    [
        (0.3, False, {Outcome.DUBBED: 3}),
        (0.23, True, {Outcome.DUBBED: 3}),
        (1.6, True, {Outcome.DUBBED: 2, Outcome.LATE: 1}),
        (1.3, False, {Outcome.DUBBED: 2, Outcome.LATE: 1}),
    ],
)
def test_each_clause_is_counted_once_however_it_begins(
    by_s: float, bed: bool, counted: dict[Outcome, int]
) -> None:
    one = second_clause_late(by_s, bed=bed)
    entries = [entry_of(fragment) for fragment in one.play_out()]
    assert one.core.view().outcomes == counted
    told = fragment_figures(entries)
    assert (told["fragments_speech"], told["fragments_dubbed"]) == (3, counted[Outcome.DUBBED])
    spoken_s = sum(sum(entry.aired_s.values()) for entry in entries)
    assert spoken_s == pytest.approx(SPEAKS_S, abs=0.1)  # in one of the records, each of it


@pytest.mark.parametrize("bed", [True, False])
def test_how_late_a_dub_begins_is_told_by_where_its_speech_began(bed: bool) -> None:
    one = second_clause_late(0.3, bed=bed)
    _, beginning, late, _ = (entry_of(fragment) for fragment in one.play_out())
    assert late.dub_start_s is not None
    late_s = late.dub_start_s - beginning.source_start_s
    assert late_s > 0.29
    assert late.lag_s == late.placed_shift_s == pytest.approx(late_s, abs=1e-3)
    assert beginning.lag_s is None


def test_what_aired_as_it_came_while_a_dub_was_awaited_in_vain_is_told_with_the_rest() -> None:
    late = entry_of(second_clause_late(1.3).play_out()[1])
    assert (late.beginning, late.begins_late_s, late.outcome) == (False, 0.0, Outcome.LATE)


@pytest.mark.parametrize("policy", [{}, {"fallback": "ducked"}])
def test_over_the_bed_a_late_dub_begins_as_soon_as_it_is_there(policy: dict[str, Any]) -> None:
    one = second_clause_late(0.23, policy, bed=True)
    dubbed = Outcome.DUBBED
    assert one.outcomes() == [(0, dubbed), (1, Outcome.LATE), (1, dubbed), (2, dubbed)]
    _, aired, late, _ = one.aired
    assert (aired.reason, aired.fallback) == ("deadline", "background")
    assert 0.2 <= (late.span.start - aired.span.start) / RATE <= 0.31
    # No scrap of the original: the dub, then the bed, then the dub.
    assert max(one.level(at, at + 0.01) for at in np.arange(1.8, 3.7, 0.01)) < 1.1 * DUB
    assert one.level(2.15, 2.3) == pytest.approx(0.0, abs=0.01)
    assert one.level(2.5, 3.7) == pytest.approx(DUB, rel=0.05)


def test_a_dub_that_never_comes_has_the_bed_for_a_second_and_then_the_original() -> None:
    one = second_clause_late(1.6, bed=True, dip_s=3.12)
    assert one.outcomes() == [
        (0, Outcome.DUBBED), (1, Outcome.LATE), (1, Outcome.LATE), (2, Outcome.DUBBED)
    ]  # fmt: skip
    _, aired, late, _ = one.aired
    assert [aired.fallback, late.fallback] == ["background", "original"]
    assert aired.span.stop == late.span.start
    assert (late.span.start - aired.span.start) / RATE == pytest.approx(1.15, abs=0.03)
    assert one.level(2.2, 3.1) == pytest.approx(0.0, abs=0.01)
    assert one.level(3.4, 3.9) == pytest.approx(1.0, rel=0.02)


def test_who_wants_silence_has_that_while_a_dub_is_late() -> None:
    one = second_clause_late(0.3, {"fallback": "silence"}, bed=True)
    one.play_out()
    assert one.aired[1].fallback == "silence"


def test_a_dub_is_brought_to_its_tempo_over_the_bed() -> None:
    one = second_clause_late(0.23, bed=True)
    (part,) = [part for part in one.core._book.parts(0) if part.part == 1]
    begun = part.span.start
    part.stretching = True
    one.until((one.now - one.sent) / NS_PER_S + 0.25)
    assert part.state is State.READY
    assert part.span.start - begun >= 2 * BLOCK
    part.stretching = False
    assert [f.outcome for f in one.play_out()].count(Outcome.DUBBED) == 3


def test_after_an_overdue_beginning_a_late_clause_is_bridged_and_told_so() -> None:
    one = Stage(bed=True, dip_s=5.22)
    one.until(DELAY_S - SPEAKS_S - 0.2)  # the fragment's start is on air
    one.announce()
    one.speak(1)
    one.end()
    aired = one.play_out()
    assert [(f.part, f.outcome, f.fallback) for f in aired] == [
        (0, Outcome.LATE, "original"),
        (1, Outcome.DUBBED, ""),
        (2, Outcome.LATE, "background"),
        (2, Outcome.LATE, "original"),
    ]
    assert one.level(4.3, 5.0) == pytest.approx(0.0, abs=0.01)


def test_what_is_later_than_a_second_is_late_as_a_whole() -> None:
    one = second_clause_late(1.3)
    assert one.outcomes() == [(0, Outcome.DUBBED), (1, Outcome.LATE), (2, Outcome.DUBBED)]
    _, late, _ = one.aired
    assert late.span.stop - late.span.start == pytest.approx(2 * RATE, abs=10)
    assert one.level(2.2, 3.9) == pytest.approx(1.0, rel=0.02)


# Where the second of three clauses is said: ms of the fragment, of each word.
SPOKEN_WORDS = {
    "a long word after a short one": ((2100, 2300), (2300, 3050), (3050, 4100)),
    "a word that is longer than a step": ((2100, 3000), (3000, 4100)),
    "short words": ((2100, 2250), (2250, 2500), (2500, 2700), (2700, 3000), (3000, 4100)),
    "a word that is longer than all of it": ((2100, 4100),),
    "words that end too soon and too late": ((2100, 2180), (2180, 3400), (3400, 4100)),
    "a word that ends within a later one": ((2100, 5000), (2400, 4100)),
}


@pytest.mark.parametrize(
    ("words", "begins_s"),
    [
        ("a long word after a short one", (2.25, 2.45)),
        ("a word that is longer than a step", (2.85, 3.1)),
        ("short words", (2.35, 2.65)),
        ("a word that is longer than all of it", (2.4, 2.8)),
        ("words that end too soon and too late", (2.4, 2.8)),
        ("a word that ends within a later one", (2.4, 2.8)),
    ],
)
def test_a_late_dub_begins_between_two_words_if_these_are_known(
    words: str, begins_s: tuple[float, float]
) -> None:
    one = Stage()
    told = tuple(WordTime(text="w", start_ms=a, end_ms=b) for a, b in SPOKEN_WORDS[words])
    one.tell(Heard(fragment_id="f", detected_language="en", transcript="w", words=told))
    one.tell(THREE)
    one.speak(0)
    one.speak(2)
    due_s = (one.core.dubs.deadline_ns(one.core._book.parts(0)[1]) - one.sent) / NS_PER_S
    one.until(due_s + 0.1)
    one.speak(1, 1.0)
    assert [part for part, _ in one.outcomes()] == [0, 1, 1, 2]
    begins = (one.aired[2].span.start - one.fragment.span.start) / RATE
    assert begins_s[0] <= begins <= begins_s[1]


def test_the_service_has_a_second_more_for_what_may_begin_late() -> None:
    one = Stage()
    whole = Stage({"duration_policy": "match"})
    assert one.work.last_due_ns - one.work.deadline_ns == pytest.approx(6.1e9, abs=0.3e9)
    assert whole.work.last_due_ns == whole.work.deadline_ns
    assert one.work.of_use_until_ns(2000) == one.work.deadline_ns + 3 * NS_PER_S


def test_a_clause_whose_time_has_passed_is_not_played_over_what_follows() -> None:
    one = Stage()
    one.until(DELAY_S - SPEAKS_S + 1.9)  # the second clause is on air, too
    one.announce()
    for number in range(3):
        one.speak(number)
    assert one.outcomes() == [(0, Outcome.LATE), (2, Outcome.DUBBED)]
    late, dubbed = one.aired
    assert late.span.stop == dubbed.span.start
    assert late.translation == "dito 0 dito 1"
    assert one.level(0.3, 4.0) == pytest.approx(1.0, rel=0.02)


def test_more_clauses_than_have_room_are_kept_within_the_fragment() -> None:
    one = Stage()
    length_ms = round(1000 * (one.work_stop - one.work_start) / RATE)
    one.hear(speech_start_ms=length_ms - 150)
    one.tell(tuple(Announced(f"dito {n}", f"said {n}", length_ms, length_ms) for n in range(12)))
    for number in range(12):
        one.speak(number, 0.1)
    spans = [fragment.span for fragment in one.play_out()]
    assert len(spans) == 12
    assert all(one.start < one.stop for one in spans)
    assert spans[-1].stop == one.work_stop


def test_a_first_clause_that_cannot_be_spoken_does_not_excuse_those_that_came_too_late() -> None:
    one = Stage()
    one.until(DELAY_S - SPEAKS_S + 1.9)  # the second clause is on air, too
    one.announce()
    one.tell(SpokenClause(0, np.zeros(0, np.float32), 1.0, 0))
    for number in (1, 2):
        one.speak(number)
    assert one.outcomes() == [(0, Outcome.LATE), (2, Outcome.DUBBED)]
