"""Where the separated background takes the place of the original."""

from __future__ import annotations

from typing import Any

import numpy as np

from dubcast.audio.bed import DuckedOriginal, StoredBed
from dubcast.audio.fragmenter import PAD, Span
from dubcast.audio.pcm import RATE, ms_to_samples
from dubcast.audio.vad import WINDOW
from dubcast.separation.gate import SpeechGate
from dubcast.worker.background import Background
from dubcast.worker.fragment import Fragment

SPEECH = (2 * RATE, 4 * RATE)
NOWHERE = (0, 0)


def made(
    written: tuple[int, int] = (0, 8 * RATE),
    voice: tuple[int, int] = SPEECH,
    detected: tuple[int, int] | None = None,
) -> Background:
    """A background that is there for `written`; a voice is in `voice`, and detected there too."""
    detected = voice if detected is None else detected
    gate = SpeechGate()
    for at in range(0, 8 * RATE, WINDOW):
        gate.vad(at, WINDOW, 0.9 if detected[0] <= at < detected[1] else 0.0)
    one = Background(StoredBed(10 * RATE, DuckedOriginal(12), 480), gate)
    start, stop = written
    shares = [0.0 if voice[0] <= at < voice[1] else -60.0 for at in range(start, stop, RATE // 100)]
    frames = np.zeros((stop - start, 2), np.int16)
    one.write(start, frames, np.array(shares, np.float32))
    return one


def fragment(**span: Any) -> Fragment:
    first, last = SPEECH
    given = {
        "start": first - PAD,
        "stop": last + PAD,
        "speech_start": first,
        "slot_stop": last + RATE,
        **span,
    }
    return Fragment(0, "run-0", Span(**given))


def test_a_span_is_covered_when_all_of_it_is_there() -> None:
    span = fragment().span
    assert made().covers(span)
    assert not made((0, span.stop - 1)).covers(span)
    assert not made((span.start + 1, 8 * RATE)).covers(span)


def test_around_a_dub_the_voice_is_removed_with_its_edges() -> None:
    removed = made().removed(fragment())
    assert removed is not None
    first, last = removed
    assert SPEECH[0] - PAD - ms_to_samples(70) <= first <= SPEECH[0]
    assert SPEECH[1] + PAD <= last <= SPEECH[1] + RATE


def test_what_rings_on_is_removed_but_never_into_the_next_speech() -> None:
    ringing = (SPEECH[0], SPEECH[1] + RATE // 2)
    far = made(voice=ringing).removed(fragment())
    near = made(voice=ringing).removed(fragment(slot_stop=SPEECH[1] + PAD + 100))
    assert far is not None
    assert near is not None
    assert far[1] > near[1]
    assert near[1] == SPEECH[1] + PAD + 100


def test_where_the_detector_hears_on_after_the_end_what_rings_is_counted_from_the_end() -> None:
    early = SPEECH[1] - RATE // 2
    heard_on = made(voice=(SPEECH[0], early), detected=SPEECH)
    removed = heard_on.removed(fragment())
    assert removed is not None
    assert removed[1] == SPEECH[1] + PAD
    near = made(voice=(SPEECH[0], SPEECH[1] - RATE // 10), detected=SPEECH).removed(fragment())
    assert near is not None
    assert 0 <= SPEECH[1] + ms_to_samples(250) - near[1] <= ms_to_samples(20)


def test_what_borders_on_the_fragment_before_is_removed_from_the_border_on() -> None:
    early = (SPEECH[0] - RATE // 4, SPEECH[1])
    bordering = fragment(start=SPEECH[0])
    removed = made(voice=early).removed(bordering)
    assert removed is not None
    assert removed[0] == SPEECH[0]


def test_nothing_is_removed_where_the_background_is_missing() -> None:
    assert made((0, 3 * RATE)).removed(fragment()) is None
    assert made((SPEECH[0], 8 * RATE)).removed(fragment()) is None


def test_a_dub_is_witness_enough_of_the_speech_that_it_replaces() -> None:
    removed = made(voice=NOWHERE).removed(fragment())
    assert removed is not None
    assert removed[0] == SPEECH[0] - ms_to_samples(150)
    assert removed[1] == SPEECH[1] + ms_to_samples(350)


def test_what_the_separator_alone_hears_is_removed_too() -> None:
    one = made(voice=(SPEECH[0], SPEECH[1] + RATE // 4), detected=NOWHERE)
    removed = one.removed(fragment())
    assert removed is not None
    assert removed[1] > SPEECH[1] + ms_to_samples(500)
