"""What language a stream speaks: told soon, flipped by no single fragment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.languages.spoken_language import SpokenLanguage

LONGEST_S = 8.0  # of a fragment
Fragment = tuple[str, float, float]


def after(*fragments: Fragment) -> SpokenLanguage:
    spoken = SpokenLanguage()
    for fragment in fragments:
        spoken = spoken.heard(*fragment)
    return spoken


def test_it_is_told_after_two_seconds_of_it() -> None:
    assert after().settled == ""
    assert after(("en", 1.0, 1.9)).settled == ""
    assert after(("en", 1.0, 1.9), ("en", 1.0, 0.1)).settled == "en"


def test_what_is_not_sure_tells_nothing() -> None:
    assert after(("en", 0.49, 60.0)) == SpokenLanguage()
    assert after(("en", 0.5, 4.0)).settled == "en"
    assert after(("en", 1.0, 0.0)) == SpokenLanguage()


ENGLISH = ("en", 0.98, 6.0)


def test_one_sentence_in_another_language_does_not_flip_a_stream() -> None:
    spoken = after(*[ENGLISH] * 5, ("es", 1.0, LONGEST_S))
    assert spoken.settled == "en"
    # Two do, if nothing in the language so far comes between them.
    assert spoken.heard("es", 1.0, LONGEST_S).tag == "es"
    assert spoken.heard(*ENGLISH).heard("es", 1.0, LONGEST_S).tag == "en"


def test_a_stream_that_goes_on_in_another_language_is_followed() -> None:
    spoken = after(*[ENGLISH] * 100)
    fragments = 0
    while spoken.settled != "es":
        spoken = spoken.heard("es", 0.95, 5.0)
        fragments += 1
    assert fragments == 3


@given(
    st.lists(
        st.tuples(st.sampled_from(["en", "es", "fr"]), st.floats(0, 1), st.floats(0, LONGEST_S))
    ),
    st.sampled_from(["es", "fr"]),
    st.floats(0, LONGEST_S),
)
def test_no_single_fragment_flips_what_was_said_for_long(
    before: list[Fragment], tag: str, speech_s: float
) -> None:
    spoken = after(*before, *[ENGLISH] * 5)
    assert spoken.settled == "en"
    assert spoken.heard(tag, 1.0, speech_s).settled == "en"


@pytest.mark.parametrize("count", [1, 5, 500])
def test_a_mistake_in_between_costs_no_more_than_it_lasted(count: int) -> None:
    spoken = after(*[ENGLISH] * count, ("cy", 0.6, 1.0))
    assert spoken.settled == "en"
    assert spoken.held_s == pytest.approx(min(12.0, count * 5.88) - 0.6)
