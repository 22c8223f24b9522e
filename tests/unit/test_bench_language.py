"""The bench of languages: its lines, and what it asks about them."""

from __future__ import annotations

from collections import Counter
from typing import cast

import numpy as np
import pytest

from bench.onair.languages import Recognizer
from bench.speech import festival, language
from bench.speech.language import Clip, choice_for, wrong
from dubcast.audio.pcm import RATE, Float
from dubcast.contract.sts import LeftAlone
from dubcast.languages import catalogue
from dubcast.sts.offer import Choice
from dubcast.sts.providers.interface import Transcript
from dubcast.sts.which_language import Answer


class Ear:
    """Takes a sound for the language whose number its samples hold; what is brief, for Welsh, if
    nothing is known of the stream.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Choice, int, str]] = []

    def understand(self, sound: Float, choice: Choice, *, so_far: str = "") -> Transcript:
        self.asked.append((choice, len(sound), so_far))
        tag = ("en", "es", "de")[int(sound[0])]
        if len(sound) < 2 * RATE and not so_far:
            return Transcript("", answer=Answer("cy", 0.25, LeftAlone.OTHER_LANGUAGE))
        return Transcript("words", answer=Answer(tag, 0.875))


def _clip(tag: str, number: int) -> Clip:
    return Clip(tag, "voice", "text", np.full(3 * RATE, number, np.float32))


def _wrong(clips: list[Clip], longest_s: float | None, *, in_stream: bool) -> list[tuple[str, str]]:
    ear = cast("Recognizer", Ear())
    found = wrong(ear, clips, longest_s=longest_s, in_stream=in_stream)
    return [(one.tag, one.taken_for) for one in found]


def test_ten_lines_are_said_in_each_of_ten_languages_and_more() -> None:
    count = Counter(tag for tag, _ in language.lines())
    assert len(count) >= 10
    assert set(count.values()) == {10}
    assert set(count) == set(language.VOICES)
    assert all(catalogue.find(tag) for tag in count)
    texts = [text for _, text in language.lines()]
    assert len(set(texts)) == len(texts)


def test_without_festival_its_languages_are_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(festival.NotSaidError, match="festvox-ru"):
        festival.say("Да.", "ru")
    assert all(package in festival.how_to_get() for _, _, package in festival.VOICES.values())


def test_a_line_may_be_any_language_but_the_target() -> None:
    german = choice_for("de", ["en", "es", "de"])
    assert ([one.tag for one in german.sources], german.target.tag) == (["es", "de"], "en")
    english = choice_for("en", ["en", "es", "de"])
    assert ([one.tag for one in english.sources], english.target.tag) == (
        ["en", "es", "de"],
        "pt-BR",
    )
    assert not german.named


def test_what_is_taken_for_another_is_wrong() -> None:
    clips = [_clip("en", 0), _clip("es", 1), _clip("de", 1)]
    assert _wrong(clips, None, in_stream=False) == [("de", "es")]


def test_a_beginning_is_asked_about_with_what_was_said_before() -> None:
    clips = [_clip("en", 0), _clip("es", 1)]
    assert _wrong(clips, 1.0, in_stream=False) == [("en", "cy"), ("es", "cy")]
    assert _wrong(clips, 1.0, in_stream=True) == []
