"""Whatever order replies come in, each fragment is decided once, in order, with its own dub."""

from __future__ import annotations

import itertools
import random

import numpy as np

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE
from dubcast.contract.worker import Outcome
from dubcast.worker.fragment import ClauseSpan, Fragment
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


CLAUSES = 3


def sent(order: random.Random) -> FragmentBook:
    book, fragments = book_and_fragments()
    for fragment in fragments:
        if order.random() < 0.95:
            fragment.step("send")
            fragment.awaits_clauses = order.random() < 0.9
    return book


def happens(book: FragmentBook, order: random.Random, said: dict[int, int]) -> None:
    """One of the things that a stream may bring for one of the fragments, in the stream's order."""
    sequence = order.randrange(FRAGMENTS)
    told = said.get(sequence, -1)
    if order.random() < 0.04:
        book.failed(sequence, Outcome.FAILED, "scripted")
    elif told < 0:
        start = sequence * 2 * RATE
        starts = [start + n * RATE // CLAUSES for n in range(CLAUSES)]
        book.split(sequence, [ClauseSpan(at, f"{sequence}.{n}") for n, at in enumerate(starts)])
        said[sequence] = 0
    elif told < CLAUSES:
        part = book.asked(sequence, told)
        if part is not None and part.parts == CLAUSES:
            book.replied(part, np.full(RATE // 4, 10 * sequence + told + 1, np.float32))
        said[sequence] = told + 1


def test_no_order_of_clauses_plays_a_sample_twice_or_a_clause_out_of_turn() -> None:
    """Late, missing, broken off: each sample of each fragment is decided once, in order, and each
    clause has its own dub."""
    outcomes, overdue = set(), 0
    for seed in range(400):
        order, said = random.Random(seed), dict[int, int]()
        book = sent(order)
        decided: list[Fragment] = []
        for position in range(-RATE, 8 * RATE, RATE // 10):
            while order.random() < 0.25:
                happens(book, order, said)
            overdue += len(list(book.overdue_until(position)))
            decided += book.decide_until(position)
        assert book.open == 0
        spans = [(one.span.start, one.span.stop) for one in decided]
        places = [one.place for one in decided]
        assert places == sorted(places)
        assert sum(stop - start for start, stop in spans) == FRAGMENTS * RATE
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
        for one in decided:
            outcomes.add(one.outcome)
            if one.dub is not None:
                assert one.dub.samples[0] == 10 * one.sequence + one.part + 1
    assert outcomes == {Outcome.DUBBED, Outcome.LATE, Outcome.FAILED, Outcome.OVERLOAD}
    assert overdue > 200
