"""The bench's own use of the models: an ear, and a voice that speaks what the dub spoke.

They run before and after the stream, never while it is on air.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from bench.mix.words import Window
from dubcast.audio.pcm import RATE, Float
from dubcast.config import Settings, cache_dir
from dubcast.measure import speech_models, synth
from dubcast.measure.material import Speak
from dubcast.models.store import ModelStore
from dubcast.sts.build import offered
from dubcast.sts.providers.asr_whisper import WhisperAsr
from dubcast.sts.providers.interface import ASR_RATE, AsrTask
from dubcast.sts.providers.mel import log_mel

_THREADS = 2
_MODEL = "whisper-base"
_MEL_S = 10


class Ear:
    """Whisper on given windows of a sound: in a forced language, or in what it takes it for."""

    def __init__(self, settings: Settings) -> None:
        from ctranslate2.models import Whisper

        folder = ModelStore(settings.models).path(_MODEL)
        self._asr = WhisperAsr(folder, _MODEL, "cpu", _THREADS)
        self._asr.load()
        # A second copy to guess among all languages: the service's provider weighs a few.
        self._guess = Whisper(str(folder), compute_type="int8", intra_threads=_THREADS)

    def close(self) -> None:
        self._asr.close()
        del self._guess

    def forced(self, sound: Float, windows: Sequence[Window], language: str) -> list[str]:
        """What is understood in each window when the language is given."""
        return [self._text(_cut(sound, window), language) for window in windows]

    def auto(
        self, sound: Float, windows: Sequence[Window], forced: Sequence[str], language: str
    ) -> tuple[list[str], list[str]]:
        """(texts, languages) when Whisper guesses the language; `forced` are the texts of
        `language`, which need not be made again.
        """
        texts, languages = [], []
        for window, known in zip(windows, forced, strict=True):
            clip = _cut(sound, window)
            guessed = self._language(clip)
            languages.append(guessed)
            texts.append(known if guessed == language else self._text(clip, guessed))
        return texts, languages

    def _text(self, clip: Float, language: str) -> str:
        return self._asr.run([AsrTask(clip, language)])[0].text

    def _language(self, clip: Float) -> str:
        from ctranslate2 import StorageView

        mel = log_mel(clip, _MEL_S, self._guess.n_mels)[None]
        best = self._guess.detect_language(StorageView.from_array(mel))[0][0]
        return str(best[0]).strip("<|>")


def _cut(sound: Float, window: Window) -> Float:
    """A window as Whisper takes it: mono at 16 kHz."""
    import soxr

    part = sound[max(0, round(window.start_s * RATE)) : round(window.end_s * RATE)].mean(axis=1)
    return np.asarray(soxr.resample(part, RATE, ASR_RATE), dtype=np.float32)


class Voice:
    """Speaks the target language as the service does; what it spoke is kept on disk."""

    def __init__(self, speak: Speak, name: str) -> None:
        self._speak = speak
        self._name = name
        self._folder = cache_dir() / "bench" / "voice"

    def say(self, text: str) -> Float:
        """The text at its natural tempo: mono, 48 kHz."""
        key = hashlib.sha256(f"1 {self._name} {text}".encode()).hexdigest()[:20]
        path = self._folder / f"{key}.npy"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            samples, rate = self._speak(text, self._name)
            spoken = synth.resampled(np.asarray(samples, dtype=np.float32), rate)
            partial = path.with_suffix(".part.npy")
            np.save(partial, spoken)
            partial.replace(path)
        return np.asarray(np.load(path), dtype=np.float32)


@contextmanager
def dub_voice(settings: Settings) -> Iterator[Voice]:
    """The voice that the stream's policy names."""
    policy, offer = settings.stream, offered(settings)
    _, target = offer.direction(policy.source_language, policy.target_language)
    chosen = offer.voice(policy.voice, target)
    with speech_models.narrator(settings) as speak:
        yield Voice(speak, chosen.name)
