"""Whatever order replies come in, each fragment is decided once, in order, with its own dub."""

from __future__ import annotations

import itertools
import random

import numpy as np

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE
from dubcast.contract.worker import Outcome
from dubcast.worker.fragment import Fragment
from dubcast.worker.fragments import FragmentBook
from dubcast.worker.planner import Planner

FRAGMENTS = 4
ORDERS = 10_000
VOICES = [np.full(RATE // 2, number + 1, np.float32) for number in range(FRAGMENTS)]


def book_and_fragments() -> tuple[FragmentBook, list[Fragment]]:
    book = FragmentBook(Planner(1.5, 1.25, match=False), lambda: 1000 * RATE)
    spans = [Span(i * 2 * RATE, (i * 2 + 1) * RATE, i * 2 * RATE, (i * 2 + 2) * RATE)
             for i in range(FRAGMENTS)]  # fmt: skip
    return book, [book.add(span, "run") for span in spans]


def play(order: random.Random) -> list[Fragment]:
    """Replies and failures late, doubled, reordered and for fragments that never were."""
    book, fragments = book_and_fragments()
    decided: list[Fragment] = []
    events = [(kind, f) for f in fragments for kind in ("reply", "reply", "fail", "decide")]
    order.shuffle(events)
    for fragment in fragments:
        if order.random() < 0.9:
            fragment.step("send")
    for kind, fragment in events:
        voice = VOICES[fragment.sequence]
        if kind == "reply":
            book.replied(fragment, voice)
            assert book.asked(FRAGMENTS + 7) is None
        elif kind == "fail" and order.random() < 0.3:
            book.failed(fragment.sequence, Outcome.FAILED, "scripted")
        elif kind == "decide":
            decided += book.decide_until(fragment.deadline)
    return decided


def test_no_order_plays_a_fragment_twice_or_out_of_turn() -> None:
    outcomes = set()
    for seed in range(ORDERS):
        decided = play(random.Random(seed))
        numbers = [fragment.sequence for fragment in decided]
        assert numbers == list(range(FRAGMENTS))
        dubs = [fragment.dub for fragment in decided if fragment.dub is not None]
        assert all(a.start < b.start for a, b in itertools.pairwise(dubs))
        for fragment in decided:
            outcomes.add(fragment.outcome)
            if fragment.dub is not None:
                assert fragment.dub.samples[0] == fragment.sequence + 1
    assert outcomes == {Outcome.DUBBED, Outcome.LATE, Outcome.FAILED, Outcome.OVERLOAD}
