"""What plays of a fragment that has no dub."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dubcast.audio.fragmenter import Span
from dubcast.audio.mix import Cover, Dub
from dubcast.audio.pcm import RATE, from_db
from dubcast.config import SeparationSettings, StreamSettings
from dubcast.worker.fallback import Choice, FallbackPolicy, HasBackground, Mode, may_dub

SPAN = Span(start=10 * RATE, stop=13 * RATE, speech_start=10 * RATE + 100, slot_stop=14 * RATE)
LATER = Span(start=20 * RATE, stop=23 * RATE, speech_start=20 * RATE, slot_stop=24 * RATE)


def chooser(background: HasBackground | None = None, **settings: Any) -> FallbackPolicy:
    return FallbackPolicy(StreamSettings.model_validate(settings), background)


def dub(start: int = 5 * RATE, seconds: float = 2.0) -> Dub:
    samples = np.full(round(seconds * RATE), 0.2, np.float32)
    return Dub(start, start + len(samples), start, samples)


def test_the_original_plays_by_default_and_needs_nothing() -> None:
    assert chooser().choose(SPAN) == Choice(Mode.ORIGINAL)


@pytest.mark.parametrize(
    ("mode", "level"), [("ducked", from_db(-12)), ("silence", 0.0), ("background", None)]
)
def test_a_mode_covers_the_span(mode: str, level: float | None) -> None:
    choice = chooser(lambda span: True, fallback=mode).choose(SPAN)
    assert choice == Choice(Mode(mode), Cover(SPAN.start, SPAN.stop, level))


def test_the_level_of_the_ducked_original_can_be_set() -> None:
    choice = chooser(fallback="ducked", fallback_duck_db=20).choose(SPAN)
    assert choice.cover == Cover(SPAN.start, SPAN.stop, from_db(-20))


@pytest.mark.parametrize("background", [None, lambda span: False])
def test_without_a_background_the_order_decides(background: HasBackground | None) -> None:
    def mode(**settings: Any) -> str:
        return chooser(background, fallback="background", **settings).choose(SPAN).mode.value

    assert mode() == "ducked"
    assert mode(fallback_order=("repeat", "silence", "ducked")) == "silence"
    assert mode(fallback_order=()) == "original"


def test_the_background_is_asked_for_span_by_span() -> None:
    one = chooser(lambda span: span.start > 15 * RATE, fallback="background")
    assert [one.choose(span).mode for span in (SPAN, LATER)] == [Mode.DUCKED, Mode.BACKGROUND]


def test_the_last_dub_is_repeated_once_within_the_span() -> None:
    one = chooser(fallback="repeat", fallback_order=("silence",))
    assert one.choose(SPAN).mode is Mode.SILENCE
    one.dubbed(dub(seconds=2.0))
    choice = one.choose(SPAN)
    assert choice.mode is Mode.REPEAT
    assert choice.dub is not None
    assert (choice.dub.source_start, choice.dub.source_stop) == (SPAN.start, SPAN.stop)
    assert choice.dub.start == SPAN.speech_start
    assert len(choice.dub.samples) == 2 * RATE
    assert one.choose(LATER).mode is Mode.SILENCE
    one.dubbed(dub(start=24 * RATE))
    assert one.choose(Span(30 * RATE, 33 * RATE, 30 * RATE, 33 * RATE)).mode is Mode.REPEAT


def test_a_repeat_is_never_longer_than_the_span_and_does_not_speak_over_the_dub_before() -> None:
    one = chooser(fallback="repeat")
    one.dubbed(dub(start=7 * RATE, seconds=4.0))
    choice = one.choose(SPAN)
    assert choice.dub is not None
    assert choice.dub.start == 11 * RATE
    assert choice.dub.stop == SPAN.stop
    one.dubbed(dub(start=18 * RATE, seconds=4.9))
    assert one.choose(LATER).mode is Mode.DUCKED


def test_a_failed_separation_skips_the_dub_only_if_asked_to() -> None:
    missing: HasBackground = lambda span: False  # noqa: E731
    duck, skip = SeparationSettings(), SeparationSettings(on_failure="skip")
    assert may_dub(duck, missing)(SPAN)
    assert not may_dub(skip, missing)(SPAN)
    assert may_dub(skip, lambda span: True)(SPAN)
    assert may_dub(skip, None)(SPAN)
