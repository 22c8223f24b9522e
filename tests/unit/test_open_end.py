"""Which words of a fragment that was cut where speech goes on are left for the next one."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.contract.sts import PcmAudio
from dubcast.languages import catalogue
from dubcast.sts import open_end
from dubcast.sts.offer import Choice
from dubcast.sts.providers.interface import Transcript, Voice, Word
from dubcast.sts.understanding import Understood, without_rest

ENGLISH, PORTUGUESE = catalogue.find("en"), catalogue.find("pt-BR")
assert ENGLISH is not None
assert PORTUGUESE is not None


def said(text: str, length_s: float = 5.0) -> tuple[Word, ...]:
    """Words that are equally long, until the end."""
    words = text.split()
    each_s = length_s / len(words)
    return tuple(Word(word, n * each_s, (n + 1) * each_s) for n, word in enumerate(words))


def left(text: str, most_s: float = 3.0, length_s: float = 5.0) -> str | None:
    words = said(text, length_s)
    first = open_end.rest(words, ENGLISH, length_s, most_s)
    return None if first is None else " ".join(word.text for word in words[first:])


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        # The last sentence, though a clause begins later.
        ("That is all for now. But then, we go", "But then, we go"),
        # Of several the last.
        ("One is here. Two is there. Three is", "Three is"),
        ("The weather is quite nice, and we will go", "and we will go"),
        # No end of a sentence, of a clause.
        ("And then there came Mr. Dashwood", "Dashwood"),
        ("It has the extension 1, 2, 3, 4", "4"),
        ("We go to the town that is", "is"),
        # Too little would stay, or too much would be left.
        ("Well. We go to the town that is there", "there"),
        ("Where are you now, since we are going to the town with all of them", "them"),
    ],
)
def test_what_is_left(text: str, rest: str) -> None:
    assert left(text) == rest


def test_no_more_is_left_than_the_next_one_can_take() -> None:
    text = "We go to the town. But then we go"
    assert left(text, 2.0) == "go"
    assert left(text, 2.6) == "But then we go"
    assert left(text, 0.3) is None


def test_a_word_that_ends_before_the_end_is_whole() -> None:
    words = said("We go to the town", 4.7)
    assert open_end.rest(words, ENGLISH, 5.0, 3.0) is None


@pytest.mark.parametrize(("speech_end_s", "kept"), [(4.95, True), (4.99, False), (5.0, False)])
def test_a_word_that_a_gap_follows_is_whole(speech_end_s: float, kept: bool) -> None:
    words = said("We go to the town that is")
    assert (open_end.rest(words, ENGLISH, 5.0, 3.0, speech_end_s) is None) is kept
    # A sentence that has only begun is better said with what follows all the same.
    words = said("We go to the town. But then we go")
    assert open_end.rest(words, ENGLISH, 5.0, 3.0, speech_end_s) == 5


def test_a_word_alone_is_all_there_is() -> None:
    assert left("Goal!") is None


def test_it_is_neither_translated_nor_told() -> None:
    words = said("We go to the town. But then we go")
    text = " ".join(word.text for word in words)
    choice = Choice((ENGLISH,), PORTUGUESE, Voice("v", "pt-BR", "female"))
    whole = Understood(Transcript(text, words=words), choice, (0.1, 4.9), "en")
    audio = PcmAudio.from_pcm(bytes(5 * 16_000 * 2), 16_000, 1)
    one = without_rest(whole, audio, 3.0)
    assert one.said.text == "We go to the town."
    assert one.said.words == words[:5]
    assert one.rest_from_s == pytest.approx(5 * 5 / 9)
    assert one.bounds_s == pytest.approx((0.1, 5 * 5 / 9))
    assert without_rest(whole, audio, 0.3) == whole


@pytest.mark.parametrize(("speech_end_s", "kept"), [(4.9, True), (5.0, False)])
def test_the_detector_says_where_the_speech_ends(speech_end_s: float, kept: bool) -> None:
    words = said("We go to the town that is")
    choice = Choice((ENGLISH,), PORTUGUESE, Voice("v", "pt-BR", "female"))
    text = " ".join(word.text for word in words)
    whole = Understood(Transcript(text, words=words), choice, (0.1, speech_end_s), "en")
    audio = PcmAudio.from_pcm(bytes(5 * 16_000 * 2), 16_000, 1)
    assert (without_rest(whole, audio, 3.0) == whole) is kept


@pytest.mark.parametrize(
    ("gap_s", "expected_s"), [((2.03, 2.09), 2.06), ((1.93, 1.97), 1.95), ((2.3, 2.4), 2.0)]
)
def test_the_border_is_where_it_is_quiet_beside_it(
    gap_s: tuple[float, float], expected_s: float
) -> None:
    rate = 16_000
    sound = np.where(np.arange(4 * rate) % 32 < 16, 4000, -4000).astype(np.int16)
    sound[round(gap_s[0] * rate) : round(gap_s[1] * rate)] //= 50
    assert open_end.between_words(sound, rate, 2.0) == pytest.approx(expected_s, abs=0.011)


def test_at_the_very_end_it_is_where_the_word_begins() -> None:
    assert open_end.between_words(np.zeros(32_000, np.int16), 16_000, 2.0) == 2.0
