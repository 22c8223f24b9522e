"""The models that measuring uses: the narrator's voice, a translator for the reference, an ear.

They run in the measuring process before and after the stream, never while it is on air.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from dubcast.audio.fragmenter import Span, SpeechFragmenter
from dubcast.audio.pcm import RATE, Float, Int16, ms_to_samples
from dubcast.audio.vad import SileroVad, VadStream
from dubcast.config import ModelsSettings, Settings
from dubcast.measure.material import Speak
from dubcast.models.store import ModelStore
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import (
    ASR_RATE,
    AsrProvider,
    AsrTask,
    MtProvider,
    MtTask,
    TtsProvider,
    TtsTask,
)
from dubcast.sts.providers.registry import Setup
from dubcast.sts.synthesis import AskedEngine

# The same whatever the service is set to: a figure must not move with what it measures.
_VOICE, _TRANSLATION, _EAR = "kokoro", "fxtranslate", "whisper"
_ENGINE: AskedEngine = "onnxruntime"
_THREADS = 2
_LONGEST_S = 7.0
_PAUSE_MS = 250
_SHORTEST_S = 1.0
_THRESHOLD = 0.5


@contextmanager
def narrator(settings: Settings) -> Iterator[Speak]:
    """Speaks a text with a named voice. Raises MissingPartError without the models."""
    setup = Setup(ModelStore(settings.models), threads=_THREADS, engine=_ENGINE)
    tts = registry.create(TtsProvider, _VOICE, setup)
    by_name = {voice.name: voice for voice in tts.capabilities.voices}
    tts.load()

    def speak(text: str, voice: str) -> tuple[Float, int]:
        speech = tts.run([TtsTask(text, by_name[voice])])[0]
        return speech.samples, speech.rate_hz

    try:
        yield speak
    finally:
        tts.close()
        gc.collect()


def reference_translation(texts: Sequence[str], source: str, target: str) -> list[str]:
    """Each known sentence translated on its own by the same engine."""
    mt = registry.create(MtProvider, _TRANSLATION, Setup(ModelStore(ModelsSettings())))
    mt.load()
    try:
        return mt.run([MtTask(text, source, target) for text in texts])
    finally:
        mt.close()


def understood(settings: Settings, samples: Int16, language: str) -> list[str]:
    """What Whisper understands of a recording (int16 stereo at 48 kHz), by its own pauses.

    It does not know where the dubs are: speech is found anew in the recording.
    """
    import soxr

    asr = registry.create(AsrProvider, _EAR, Setup(ModelStore(settings.models), threads=_THREADS))
    asr.load()
    texts = []
    try:
        for start, stop in speech_spans(samples):
            mono = samples[start:stop].astype(np.float32).mean(axis=1) / np.float32(32768)
            at_16k = soxr.resample(mono, RATE, ASR_RATE).astype(np.float32)
            texts.append(asr.run([AsrTask(at_16k, language)])[0].text)
    finally:
        asr.close()
    return [text for text in texts if text]


def speech_spans(samples: Int16, longest_s: float = _LONGEST_S) -> list[tuple[int, int]]:
    """Where there is speech in stereo: (start, stop) in samples, cut at pauses of 0.25 s."""
    vad = VadStream(SileroVad())
    fragmenter = SpeechFragmenter(_THRESHOLD, ms_to_samples(_PAUSE_MS), round(_SHORTEST_S * RATE))
    longest = round(longest_s * RATE)
    block = RATE // 10
    spans: list[Span] = []
    for start in range(0, len(samples), block):
        spans += fragmenter.feed(vad.feed(start, samples[start : start + block]), longest)
    return [(span.start, span.stop) for span in [*spans, *fragmenter.flush()]]


def chrf(heard_texts: Sequence[str], reference: Sequence[str]) -> float:
    """Document-level chrF (0-100) of what was heard against the reference (sacrebleu)."""
    from sacrebleu.metrics.chrf import CHRF

    return float(CHRF().corpus_score([" ".join(heard_texts)], [[" ".join(reference)]]).score)
