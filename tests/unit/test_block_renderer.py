"""What is decided for a block is what is heard in it."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.audio.bed import DuckedOriginal
from dubcast.audio.fragmenter import Span
from dubcast.audio.mix import Mixer
from dubcast.audio.pcm import RATE, Int16
from dubcast.audio.store import AudioStore
from dubcast.config import StreamSettings
from dubcast.contract.worker import Outcome
from dubcast.worker.block_renderer import BlockRenderer, Replacing
from dubcast.worker.fallback import FallbackPolicy
from dubcast.worker.fragments import FragmentBook
from dubcast.worker.planner import Planner

BLOCK = RATE // 10
SPAN = Span(2 * RATE, 3 * RATE, 2 * RATE, 4 * RATE)


class Stage:
    """Five seconds of a steady original at 3000, and a fragment from 2 to 3 s."""

    def __init__(self, fallback: str = "silence") -> None:
        policy = StreamSettings.model_validate({"fallback": fallback})
        self.store = AudioStore(6 * RATE)
        self.store.write(0, np.full((5 * RATE, 2), 3000, np.int16))
        self.book = FragmentBook(Planner(1.0, 1.25, match=False), lambda: 5 * RATE)
        self.fragment = self.book.add(SPAN, "run")
        self.fragment.step("send")
        replacing = Replacing(FallbackPolicy(policy), lambda fragment: (SPAN.start, SPAN.stop))
        mixer = Mixer(DuckedOriginal(120), 1.0, 1.0, 480, None, -1.0)
        self.renderer = BlockRenderer(self.store, mixer, self.book, replacing)

    def rendered(self) -> Int16:
        """All of it, block by block."""
        blocks = [self.renderer.render(at, at + BLOCK)[0] for at in range(0, 4 * RATE, BLOCK)]
        return np.concatenate(blocks)

    def level(self) -> float:
        """What is heard in the middle of the fragment."""
        return float(np.abs(self.rendered()[round(2.4 * RATE) : round(2.6 * RATE)]).mean())


def test_a_dub_is_heard_and_the_original_under_it_is_removed() -> None:
    one = Stage()
    one.book.replied(one.fragment, np.full(RATE, 0.25, np.float32))
    out = one.rendered()
    assert one.fragment.outcome is Outcome.DUBBED
    assert one.fragment.dub is not None
    assert one.fragment.dub.removed == (SPAN.start, SPAN.stop)
    middle = out[round(2.4 * RATE) : round(2.6 * RATE)]
    assert np.abs(middle - 8192).max() < 100
    assert np.array_equal(out[:RATE], np.full((RATE, 2), 3000))


@pytest.mark.parametrize(("fallback", "heard"), [("silence", 0), ("original", 3000)])
def test_without_a_dub_the_fallback_is_heard(fallback: str, heard: int) -> None:
    one = Stage(fallback)
    assert one.level() == pytest.approx(heard, abs=1)
    assert (one.fragment.outcome, one.fragment.fallback) == (Outcome.LATE, fallback)


@pytest.mark.parametrize("outcome", [Outcome.NO_SPEECH, Outcome.LEFT_ALONE])
def test_where_the_original_is_right_nothing_is_replaced(outcome: Outcome) -> None:
    one = Stage()
    one.book.failed(one.fragment.sequence, outcome, "")
    assert np.array_equal(one.rendered(), np.full((4 * RATE, 2), 3000))
    assert one.fragment.fallback == ""


def test_a_repeated_dub_is_heard_in_place_of_a_missing_one() -> None:
    one = Stage("repeat")
    second = one.book.add(Span(round(3.2 * RATE), 4 * RATE, round(3.2 * RATE), 5 * RATE), "run")
    one.book.replied(one.fragment, np.full(RATE // 2, 0.25, np.float32))
    out = one.rendered()
    assert second.fallback == "repeat"
    repeated = out[round(3.4 * RATE) : round(3.6 * RATE)].astype(np.int32)
    assert repeated.mean() > 8000


def test_each_fragment_is_told_once_for_the_block_that_decides_it() -> None:
    one = Stage()
    told = [
        fragment.id
        for at in range(0, 4 * RATE, BLOCK)
        for fragment in one.renderer.render(at, at + BLOCK)[1]
    ]
    assert told == ["run-0"]


def test_the_original_alone_decides_nothing() -> None:
    one = Stage()
    assert np.array_equal(one.renderer.original(2 * RATE, 3 * RATE), np.full((RATE, 2), 3000))
    assert one.fragment.outcome is None
