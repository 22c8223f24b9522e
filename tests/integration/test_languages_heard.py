"""Every language that has a voice here, with real parts: said by it, and read back by Whisper.

Bars leave slack for the recognizer's own errors, which are many in Hindi (another sentence of it
has 18); phonemes of another language, or a table that is wrong, fall far below them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import numpy as np
import pytest
import soxr
from sacrebleu.metrics import CHRF

from dubcast.config import Settings
from dubcast.errors import MissingPartError
from dubcast.languages import catalogue
from dubcast.languages.spoken_form import spoken_form
from dubcast.models.store import ModelStore
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import ASR_RATE, AsrProvider, AsrTask, TtsProvider, TtsTask
from dubcast.sts.providers.phonemes import Espeak
from dubcast.sts.providers.registry import Setup
from dubcast.sts.providers.tts_piper import MODEL as PIPER
from dubcast.sts.which_language import Question

pytestmark = [
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng"),
    pytest.mark.timeout(300),
]

# A voice of every variety that Kokoro speaks, a line with something to be said in words, and the
# likeness (chrF) that what is read back must have.
LINES = {
    "af_heart": ("en", "The 2 trains leave at 3:30 p.m. from platform 9.", 60),
    "bf_emma": ("en", "The mayor opened the new bridge, and 20 people came to see it.", 60),
    "ef_dora": ("es", "A las 9:30 llegaron 21 personas y se quedaron toda la tarde.", 60),
    "em_alex": ("es", "El precio del pan ha subido un 5 % este año.", 60),
    "ff_siwis": ("fr", "Les 12 enfants jouaient dans le jardin, et leur mère lisait.", 60),
    "if_sara": ("it", "Alle 9:30 sono arrivate 20 persone e sono rimaste qui.", 60),
    "im_nicola": ("it", "Il prezzo del pane è salito del 5% quest'anno.", 60),
    "pf_dora": ("pt-BR", "O time fez 3 gols no segundo tempo e a torcida cantou.", 60),
    "hf_alpha": ("hi", "आज रात हमारे साथ होने के लिए आप सबका बहुत धन्यवाद।", 35),
    "hm_omega": ("hi", "हमारी टीम ने दूसरे हाफ में बहुत अच्छा खेला।", 35),
}


@pytest.fixture(scope="module")
def ear() -> Iterator[AsrProvider]:
    yield from _loaded(AsrProvider, "whisper")


@pytest.fixture(scope="module")
def kokoro() -> Iterator[TtsProvider]:
    yield from _loaded(TtsProvider, "kokoro")


def _loaded(kind: type, name: str, model: str | None = None) -> Iterator:  # type: ignore[type-arg]
    store = ModelStore(Settings().models)
    try:
        provider = registry.create(kind, name, Setup(store, model, threads=2))
    except MissingPartError as error:
        pytest.skip(str(error))
    provider.load()
    yield provider
    provider.close()


def _said(tts: TtsProvider, name: str, tag: str, text: str) -> np.ndarray:
    """What a voice says of a text, at 16 kHz with silence around it."""
    language = catalogue.find(tag)
    assert language is not None
    (voice,) = (one for one in tts.capabilities.voices if one.name == name)
    speech = tts.run([TtsTask(spoken_form(text, language), voice)])[0]
    heard = soxr.resample(speech.samples, speech.rate_hz, ASR_RATE)
    return np.pad(heard, ASR_RATE // 10).astype(np.float32)


def _likeness(heard: str, text: str, tag: str) -> float:
    """chrF of what was heard, both in words; of Hindi in sounds, since Whisper writes it down in
    the letters of Urdu.
    """
    language = catalogue.find(tag)
    assert language is not None
    heard, text = (spoken_form(one, language).lower().strip(" .,!?।") for one in (heard, text))
    if tag == "hi":
        arabic = any("\u0600" <= char < "\u0700" for char in heard)
        heard, text = _sounds(heard, "ur" if arabic else "hi"), _sounds(text, "hi")
    return float(CHRF().sentence_score(heard, [text]).score)


def _sounds(text: str, voice: str) -> str:
    """Phonemes without stress, length and breath."""
    return re.sub("[ˈˌːʰ^]", "", Espeak().ipa(text, voice))


@pytest.mark.parametrize("name", LINES)
def test_a_voice_is_understood_and_taken_for_its_language(
    ear: AsrProvider, kokoro: TtsProvider, name: str
) -> None:
    tag, text, least = LINES[name]
    samples = _said(kokoro, name, tag, text)
    may_be = ("en", "es", "fr", "it", "pt-BR", "hi", "de")
    question = Question(may_be, "nl", len(samples) / ASR_RATE, named=False)
    transcript = ear.run([AsrTask(samples, tag, question=question)])[0]
    assert transcript.answer is not None
    assert (transcript.answer.language, transcript.answer.left_alone) == (tag, None)
    assert _likeness(transcript.text, text, tag) >= least, transcript.text


def test_every_language_that_kokoro_speaks_is_heard_here(kokoro: TtsProvider) -> None:
    spoken = {voice.language for voice in kokoro.capabilities.voices}
    heard = {one.language for one in kokoro.capabilities.voices if one.name in LINES}
    assert heard == spoken


def test_a_piper_voice_is_understood(ear: AsrProvider) -> None:
    for piper in _loaded(TtsProvider, "piper", PIPER):
        text = "The children were playing in the garden, and their mother was reading a book."
        samples = _said(piper, "en_US-joe-medium", "en", text)
        heard = ear.run([AsrTask(samples, "en")])[0].text
        assert _likeness(heard, text, "en") >= 85, heard
