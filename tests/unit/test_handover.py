"""Where running speech was cut inside a word, the one fragment hands over to the next after that
word, as far as that can still be; in virtual time, up to the samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Int16
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings
from dubcast.contract.stream_reply import Heard
from dubcast.contract.sts import WordTime
from dubcast.contract.worker import Outcome
from dubcast.worker.asrun import entry_of
from dubcast.worker.core import WorkerCore
from dubcast.worker.fragment import Fragment, State
from dubcast.worker.handover import Handover
from dubcast.worker.scheduler import Tracks
from dubcast.worker.work import Announced, SpokenClause, Work
from worker_fakes import LevelVad

CHUNK = 960
LOUD = 8000
BEGINS_S = 1.0
# Speech is cut here, and has gaps between words there.
CUT_S, BEFORE_S, AFTER_S = 4.05, 3.4, 4.35
DUB = 0.1 * 32768 / LOUD
LONGEST_S = 4.0
BEGIN_S = 1.0  # where a stream begins, as positions are counted


def seconds(position: int) -> float:
    return position / RATE - BEGIN_S


@dataclass
class Talk:
    """Eight seconds without a pause, of which four at most are a fragment. Times in s after the
    first sample, or the first sample's arrival."""

    policy: dict[str, Any] = field(default_factory=dict)
    ends_s: float = 9.0
    cut: list[Fragment] = field(default_factory=list)
    aired: list[Fragment] = field(default_factory=list)
    output: list[Int16] = field(default_factory=list)

    def __post_init__(self) -> None:
        calm = {"delay_s": 8, "match_loudness": False, "separation": {"separator": "off"}}
        calm |= {"fragments": {"max_s": LONGEST_S}, "duck_db": 60.0, "ducking": {"enabled": False}}
        settings = StreamSettings.model_validate({**calm, **self.policy})
        self.core = WorkerCore(settings, "run", LevelVad(), 0)
        self.core.set_output(Tracks.SOUND)
        self.trips(0.5)
        self.now, self.fed = 0, 0
        self.until_cut(1)

    def trips(self, seconds: float) -> None:
        """What a round trip is to be reckoned with."""
        self.core._length_limit._base_s, self.core._length_limit._slope = seconds, 0.0

    def step(self) -> None:
        """Time goes on by one chunk of sound."""
        at = np.arange(self.fed, self.fed + CHUNK)
        self.now = self.fed * NS_PER_S // RATE
        self.fed += CHUNK
        level = np.where((at >= BEGINS_S * RATE) & (at < self.ends_s * RATE), LOUD, 0)
        for gap_s, share in ((CUT_S, 0.5), (BEFORE_S, 0.7), (AFTER_S, 0.7)):
            level = np.where(abs(at - gap_s * RATE) < 0.05 * RATE, level * share, level)
        wave = np.where(at % 48 < 24, level, -level).astype(np.int16)
        self.cut += self.core.audio(self.now, np.repeat(wave, 2).tobytes(), self.now)
        batch, _ = self.core.poll(self.now)
        self.aired += batch.decided
        self.output += [block.samples for block in batch.audio]

    def until_cut(self, count: int) -> None:
        while len(self.cut) < count:
            assert self.now < 12 * NS_PER_S
            self.step()

    def until(self, seconds: float) -> None:
        while self.now < seconds * NS_PER_S:
            self.step()

    def send(self, number: int = 0) -> Work:
        work = self.core.dubs.send(self.cut[number])
        assert work is not None
        return work

    def hear(self, until_s: float, number: int = 0, speech_end_s: float | None = None) -> None:
        """The last word of a fragment ends there."""
        begin_s = seconds(self.cut[number].span.start)
        ends_ms = [round(1000 * max(at - begin_s, 0.0)) for at in (until_s - 0.3, until_s)]
        words = tuple(
            WordTime(text=text, start_ms=max(ms - 300, 0), end_ms=ms)
            for text, ms in zip(("last", "words"), ends_ms, strict=True)
        )
        told: dict[str, Any] = {
            "detected_language": "en",
            "transcript": "last words",
            "words": words,
        }
        if speech_end_s is not None:
            told["speech_end_ms"] = round(1000 * (speech_end_s - begin_s))
        self.tell(Heard(fragment_id="f", **told), number)

    def tell(self, progress: Any, number: int = 0) -> None:
        self.core.dubs.took(self.cut[number], progress, 0.5, self.now)

    def dub(self, number: int, seconds: float) -> None:
        self.tell((Announced("dito", "said", 0, 9000),), number)
        voice = np.full(round(seconds * RATE), 0.1, np.float32)
        self.tell(SpokenClause(0, voice, 1.0, 0), number)

    def border_s(self) -> float:
        """Where the first fragment ends."""
        return seconds(self.cut[0].span.stop)

    def level(self, from_s: float, to_s: float) -> float:
        """RMS of the output, as a share of the original's."""
        part = np.concatenate(self.output)[round(from_s * RATE) : round(to_s * RATE)]
        return float(np.sqrt(np.mean(part.astype(np.float64) ** 2))) / LOUD


def is_cut(one: Talk) -> bool:
    """Whether it is still cut where the sound was."""
    return one.border_s() == pytest.approx(CUT_S, abs=0.05)


@pytest.mark.parametrize("off_s", [-0.1, 0.1])
def test_it_ends_with_its_words_and_the_next_begins_there(off_s: float) -> None:
    """Their times are right to about so much."""
    one = Talk()
    assert is_cut(one)
    assert one.send().after_ms > 0
    one.hear(AFTER_S + off_s)
    assert one.border_s() == pytest.approx(AFTER_S, abs=0.05)
    one.until_cut(2)
    first, second = one.cut[:2]
    assert second.span.start == second.speech_start == first.span.stop == first.speech_stop
    work = one.send(1)
    begins = second.span.start - work.before_ms * RATE // 1000
    assert work.before_text == "last words"
    heard = one.core._store.read(begins, begins + len(work.audio))
    assert np.array_equal(work.audio, heard.mean(axis=1).round().astype(np.int16))
    one.until(20)
    ended, began = (entry_of(fragment) for fragment in one.aired[:2])
    assert ended.source_end_s == began.source_start_s


@pytest.mark.parametrize("until_s", [CUT_S + 0.15, CUT_S, BEFORE_S])
def test_it_stays_where_it_was_cut_if_that_is_between_words(until_s: float) -> None:
    """The speaker pauses there; or more words follow before the cut, and go with what follows."""
    one = Talk()
    one.send()
    cut = one.cut[0].span.stop
    one.hear(until_s, speech_end_s=CUT_S - 0.2)
    assert one.cut[0].span.stop == cut
    assert seconds(one.cut[0].speech_stop) == pytest.approx(CUT_S - 0.2, abs=0.01)


def test_a_fragment_that_waits_for_these_words_begins_after_them() -> None:
    one = Talk()
    one.send()
    one.until_cut(2)
    assert one.cut[1].span.start == one.cut[0].span.stop
    one.hear(AFTER_S)
    assert one.border_s() == pytest.approx(AFTER_S, abs=0.05)
    assert one.cut[1].span.start == one.cut[1].speech_start == one.cut[0].span.stop


def test_one_that_was_sent_already_begins_where_it_did() -> None:
    one = Talk()
    one.send()
    one.until_cut(2)
    one.send(1)
    one.hear(AFTER_S)
    assert is_cut(one)
    assert one.cut[1].span.start == one.cut[0].span.stop


@pytest.mark.parametrize(("fallback", "moves"), [("original", True), ("silence", False)])
def test_what_covers_the_original_covers_all_of_it(fallback: str, moves: bool) -> None:
    one = Talk({"fallback": fallback})
    one.send()
    one.until(8 + BEGINS_S)
    assert one.cut[0].state is State.OVERDUE
    one.hear(AFTER_S)
    assert is_cut(one) is not moves


def test_without_what_follows_nothing_was_left_to_the_next() -> None:
    one = Talk()
    one.cut[0].heard_after = 0
    assert one.send().after_ms == 0
    one.hear(AFTER_S)
    assert is_cut(one)


@pytest.mark.parametrize("waits", [True, False])
def test_something_is_left_of_what_follows(waits: bool) -> None:
    one = Talk(ends_s=5.0)
    one.send()
    if waits:
        one.until_cut(2)
    one.hear(5.2)
    one.cut += one.core.input_ended()
    assert one.border_s() > 4.9
    assert one.cut[1].span.stop - one.cut[1].span.start >= round(0.1 * RATE)


def test_its_last_clause_may_begin_after_the_cut() -> None:
    one = Talk()
    one.send()
    one.hear(AFTER_S)
    after = round(1000 * (CUT_S + 0.1 - seconds(one.cut[0].span.start)))
    one.tell((Announced("um", "one", 0, after), Announced("dois", "two", after, after)))
    first, second = one.core._book.parts(0)
    assert seconds(first.span.stop) == pytest.approx(CUT_S + 0.1, abs=0.02)
    assert seconds(second.span.stop) == pytest.approx(AFTER_S, abs=0.05)


def test_a_dub_has_room_until_what_follows_begins() -> None:
    """Also while that is not cut yet."""
    rooms = []
    for until_s in (CUT_S, AFTER_S):
        one = Talk()
        one.send()
        one.hear(until_s)
        rooms.append(one.core._book.plan.slot(one.cut[0]))
    assert rooms[1] - rooms[0] == pytest.approx((AFTER_S - CUT_S) * RATE, abs=0.05 * RATE)


def test_the_original_takes_over_between_two_words() -> None:
    one = Talk()
    one.send()
    one.hear(AFTER_S)
    one.dub(0, one.border_s() - seconds(one.cut[0].speech_start) - 0.05)
    one.until(20)
    assert [fragment.outcome for fragment in one.aired[:2]] == [Outcome.DUBBED, Outcome.OVERLOAD]
    assert one.level(CUT_S - 0.1, AFTER_S - 0.1) == pytest.approx(DUB, rel=0.05)
    assert one.level(AFTER_S + 0.1, AFTER_S + 0.2) == pytest.approx(1.0, rel=0.02)


def test_a_dub_takes_over_between_two_words() -> None:
    one = Talk()
    one.send()
    one.hear(AFTER_S)
    one.until_cut(2)
    one.send(1)
    one.dub(1, 2.0)
    one.until(20)
    assert [fragment.outcome for fragment in one.aired[:2]] == [Outcome.LATE, Outcome.DUBBED]
    assert one.level(CUT_S + 0.1, AFTER_S - 0.1) == pytest.approx(1.0, rel=0.02)
    assert one.level(AFTER_S + 0.15, AFTER_S + 0.5) == pytest.approx(DUB, rel=0.05)


def test_a_dub_is_not_hurried_for_what_begins_later() -> None:
    """What follows is not cut yet, and begins at the border all the same."""
    one = Talk()
    one.send()
    one.hear(AFTER_S)
    one.dub(0, one.border_s() - seconds(one.cut[0].speech_start))
    task = one.core.dubs.next_stretch()
    assert task is None or task.tempo < 1.02


def test_a_word_that_ends_at_the_cut_was_not_cut() -> None:
    """However quiet it is somewhere after it."""
    one = Talk()
    first, cut = one.cut[0], one.cut[0].span.stop
    handover = Handover(lambda: cut, lambda first, last: last)
    handover.cut(cut)
    handover.ends_with(first, cut + round(0.05 * RATE), None)
    assert first.span.stop == handover.quiet_until() == cut
