"""What the speech service's answers do to a fragment: the core alone writes it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Float
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings
from dubcast.contract.sts import LeftAlone
from dubcast.contract.worker import Outcome
from dubcast.errors import StsError
from dubcast.worker.core import WorkerCore
from dubcast.worker.fragment import Fragment, State
from dubcast.worker.scheduler import Tracks
from dubcast.worker.work import Work
from worker_fakes import LevelVad, dub_reply

CHUNK = 960
DELAY_S = 8
POLICY = StreamSettings.model_validate(
    {"delay_s": DELAY_S, "match_loudness": False, "separation": {"separator": "off"}}
)


@dataclass
class Stage:
    """Two seconds of speech, cut and sent; `now` is when it was cut."""

    policy: StreamSettings = POLICY
    now: int = 0
    aired: list[Fragment] = field(default_factory=list)
    sent: bool = True  # else nothing has come yet

    def __post_init__(self) -> None:
        self.core = WorkerCore(self.policy, "run", LevelVad(), 0)
        self.core.set_output(Tracks.SOUND)
        if not self.sent:
            return
        self.fragment = self.play(range(300))[0]
        sent = self.core.dubs.send(self.fragment)
        assert sent is not None
        self.work: Work = sent

    def play(self, chunks: range) -> list[Fragment]:
        cut = []
        for number in chunks:
            at = number * CHUNK
            self.now = at * NS_PER_S // RATE
            level = 8000 if RATE <= at < 3 * RATE else 0
            wave = np.where(np.arange(CHUNK) % 48 < 24, level, -level).astype(np.int16)
            cut += self.core.audio(self.now, np.repeat(wave, 2).tobytes(), self.now)
        return cut

    def later(self, seconds: float) -> None:
        self.now += round(seconds * NS_PER_S)
        batch, _ = self.core.poll(self.now)
        self.aired += batch.decided


def voice(seconds: float = 1.5, level: float = 0.2) -> Float:
    return np.where(np.arange(round(seconds * RATE)) % 96 < 48, level, -level).astype(np.float32)


def test_a_reply_fills_in_the_fragment_and_its_dub_goes_on_air() -> None:
    one = Stage()
    reply = dub_reply(
        *(voice(), 0.75), transcript="hello", translated_text="olá", tempo=1.05,
        speech_start_ms=None, speech_end_ms=None,
    )  # fmt: skip
    assert one.core.dubs.replied(one.fragment, reply, one.now)
    fragment = one.fragment
    assert fragment.state is State.READY
    assert (fragment.transcript, fragment.translation) == ("hello", "olá")
    assert (fragment.tempo, fragment.round_trip_ms) == (1.05, 750)
    assert fragment.margin_ms is not None
    assert fragment.margin_ms == round((one.work.deadline_ns - one.now) / 1e6, 1)
    one.later(DELAY_S + 2)
    assert [(f.id, f.outcome) for f in one.aired] == [("run-0", Outcome.DUBBED)]
    assert one.core.view().outcomes == {Outcome.DUBBED: 1}


@pytest.mark.parametrize("sure", [False, True])
def test_where_the_service_heard_speech_is_believed_unless_the_detector_is_sure_before(
    sure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    probability = LevelVad.probability
    if not sure:
        monkeypatch.setattr(LevelVad, "probability", lambda *a: min(probability(*a), 0.7))
    one = Stage()
    before, heard = one.fragment.speech_start, one.fragment.span.start + round(0.7 * RATE)
    one.core.dubs.replied(one.fragment, dub_reply(voice(), speech_start_ms=700), one.now)
    assert one.fragment.speech_start == (before if sure else heard)
    assert before < heard


def test_a_reply_without_words_is_no_dub() -> None:
    one = Stage()
    longest_s = one.core.view().longest_fragment_s
    assert not one.core.dubs.replied(one.fragment, dub_reply(None, 9.0), one.now)
    assert (one.fragment.state, one.fragment.outcome) == (State.FAILED, Outcome.NO_SPEECH)
    # It skipped translation and speech: its time says nothing about how long a dub takes.
    assert one.core.view().longest_fragment_s == longest_s


def test_what_the_service_leaves_alone_is_told_with_the_reason_and_its_language() -> None:
    one = Stage()
    reply = dub_reply(None, left_alone=LeftAlone.TARGET_LANGUAGE, detected_language="pt-BR")
    assert not one.core.dubs.replied(one.fragment, reply, one.now)
    one.later(DELAY_S + 2)
    (aired,) = one.aired
    assert (aired.outcome, aired.reason) == (Outcome.LEFT_ALONE, "target_language")
    assert (aired.language, aired.fallback, aired.dub) == ("pt-BR", "", None)


def test_a_slow_reply_makes_the_next_fragments_shorter_and_a_lost_one_more_so() -> None:
    replied, given_up = Stage(), Stage()
    replied.core.dubs.replied(replied.fragment, dub_reply(voice(), 3.0), replied.now)
    late = StsError("TIMEOUT", "scripted", retryable=False)
    given_up.core.dubs.call_failed(given_up.fragment, late, 3.0, given_up.now)
    longest_s = [one.core.view().longest_fragment_s for one in (given_up, replied, Stage())]
    assert longest_s == sorted(set(longest_s))


def test_a_service_that_has_too_much_to_do_is_not_taken_for_a_fast_one() -> None:
    """What is given up early, for it was sent late, would have taken longer."""
    one = Stage()
    limit = one.core._length_limit
    for number in range(16):
        limit.record(3.0 + number % 2 * 0.5, 5.0)
    reckoned_s, longest_s = limit.round_trip_s(2.0), limit.longest_s
    call, late = one.core.dubs._calls[0], StsError("TIMEOUT", "scripted", retryable=False)
    for _ in range(16):
        one.core.dubs._calls[0] = call
        one.core.dubs.call_failed(one.fragment, late, 0.3, one.now)
    assert limit.round_trip_s(2.0) >= reckoned_s - 0.01
    assert limit.longest_s <= longest_s + 0.01


@pytest.mark.parametrize(
    ("code", "outcome"), [("TIMEOUT", Outcome.LATE), ("UNAVAILABLE", Outcome.FAILED)]
)
def test_a_call_that_failed_says_why_and_how_long_it_took(code: str, outcome: Outcome) -> None:
    one = Stage()
    one.core.dubs.call_failed(
        one.fragment, StsError(code, "scripted", retryable=False), 0.25, one.now
    )
    fragment = one.fragment
    assert (fragment.state, fragment.outcome, fragment.reason) == (State.FAILED, outcome, code)
    assert fragment.round_trip_ms == 250


def test_what_comes_after_the_decision_leaves_the_fragment_as_it_was_reported() -> None:
    one = Stage()
    one.later(DELAY_S)
    (fragment,) = one.aired
    assert fragment.outcome is Outcome.LATE
    reply = dub_reply(voice(), 9.0, transcript="hello", tempo=1.2, speech_start_ms=700)
    before = vars(fragment).copy()
    assert not one.core.dubs.replied(fragment, reply, one.now)
    one.core.dubs.call_failed(
        fragment, StsError("UNAVAILABLE", "scripted", retryable=False), 9.0, one.now
    )
    assert vars(fragment) == before


def test_a_dub_is_brought_to_the_loudness_of_what_it_replaces() -> None:
    one = Stage(POLICY.model_copy(update={"match_loudness": True}))
    assert one.core.dubs.replied(one.fragment, dub_reply(voice(level=0.1)), one.now)
    fragment = one.fragment
    assert fragment.voice is not None
    assert fragment.speech_lufs is not None
    assert fragment.dub_lufs == pytest.approx(fragment.speech_lufs, abs=0.5)
    untouched = Stage()
    untouched.core.dubs.replied(untouched.fragment, dub_reply(voice(level=0.1)), untouched.now)
    assert untouched.fragment.voice is not None
    assert np.abs(fragment.voice).max() > 1.2 * np.abs(untouched.fragment.voice).max()
    assert untouched.fragment.dub_lufs is None


def test_work_is_a_frozen_value_with_all_that_a_call_needs() -> None:
    one = Stage()
    span = one.fragment.span
    assert (one.work.fragment_id, one.work.sequence) == ("run-0", 0)
    assert len(one.work.audio) == span.stop - span.start
    with pytest.raises(FrozenInstanceError):
        one.work.slot_ms = 1  # type: ignore[misc]
    assert one.core.dubs.send(one.fragment) is None  # once


STALLS_S = 2.5  # here the sound stops coming, in the middle of the speech, which begins at 1 s


@pytest.mark.parametrize("policy", [{}, {"fragments": {"max_s": 3.0}}])
def test_speech_that_a_stall_cuts_off_is_cut_in_time_for_its_dub(policy: dict[str, Any]) -> None:
    one = Stage(StreamSettings.model_validate({**POLICY.model_dump(), **policy}), sent=False)
    one.play(range(round(STALLS_S * RATE) // CHUNK))
    cut: list[Fragment] = []
    longest_s = one.core.view().longest_fragment_s
    while not cut and one.now < 20 * NS_PER_S:
        one.now += NS_PER_S // 40
        cut += one.core.poll(one.now)[0].cut
    (fragment,) = cut
    assert one.now / NS_PER_S == pytest.approx(1.0 + longest_s, abs=0.2)
    spoken_s = (fragment.span.stop - fragment.speech_start) / RATE
    assert spoken_s == pytest.approx(STALLS_S - 1.0, abs=0.15)
    assert one.core.dubs.deadline_ns(fragment) > one.now + NS_PER_S
    assert one.core.dubs.send(fragment) is not None
    one.now += NS_PER_S
    assert one.core.poll(one.now)[0].cut == []  # once


def test_a_stall_that_is_short_cuts_nothing() -> None:
    one = Stage(sent=False)
    assert one.play(range(100)) == []
    one.now += NS_PER_S
    assert one.core.poll(one.now)[0].cut == []
    (fragment,) = one.play(range(100, 300))
    assert fragment.span.stop > 3 * RATE
