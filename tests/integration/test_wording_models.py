"""What people have written, through the real translation and the real phonemes."""

from __future__ import annotations

import shutil

import pytest

from bench.speech import said
from dubcast.config import Settings
from dubcast.languages import catalogue
from dubcast.languages.spoken_form import spoken_form
from dubcast.sts.providers.phonemes import Espeak


def test_terms_survive_the_translation() -> None:
    share, wrong = said.glossary_right(said.cases()[::4], Settings())
    assert share == 1.0, wrong


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
@pytest.mark.parametrize(
    ("variety", "written", "as_written"),
    [
        ("pt-BR", "R$ 12,50", "doze reais e cinquenta centavos"),
        ("pt-BR", "Dr. Silva, 15h30", "doutor Silva, quinze e trinta"),
        ("en-US", "$12.50", "twelve dollars and fifty cents"),
        ("en-GB", "3-1", "three to one"),
    ],
)
def test_the_voice_says_words(variety: str, written: str, as_written: str) -> None:
    spoken, language = catalogue.variety(variety), catalogue.find(variety)
    assert spoken is not None
    assert language is not None
    espeak = Espeak()
    assert espeak.phonemes(spoken_form(written, language), spoken) == espeak.phonemes(
        as_written, spoken
    )
    assert espeak.phonemes(written, spoken) != espeak.phonemes(as_written, spoken)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
def test_letters_are_said_by_their_names() -> None:
    english, american = catalogue.find("en"), catalogue.variety("en-US")
    assert english is not None
    assert american is not None
    # A letter that stands alone would be an article: "A I" is said as "a eye".
    sounds = Espeak().phonemes(spoken_form("AI", english), american)
    assert sounds == "ˈAˈI"
