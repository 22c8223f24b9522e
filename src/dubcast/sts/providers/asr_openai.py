"""Recognition by a service that speaks OpenAI's API of transcriptions, with `verbose_json`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dubcast.config import RemoteAsrSettings
from dubcast.sts.providers.interface import (
    ASR_RATE,
    AsrCapabilities,
    AsrProvider,
    AsrTask,
    Transcript,
    Word,
)
from dubcast.sts.providers.registry import Registration, Setup
from dubcast.sts.providers.remote import Ask, BadReply, Got, Remote, look_for_model
from dubcast.sts.providers.wav import to_wav
from dubcast.sts.providers.word_times import timed
from dubcast.sts.which_language import primary

# Whisper's own rule: a segment that is both is no speech.
_NO_SPEECH, _UNSURE = 0.6, -1.0
_ALONE_S = 30.0


class OpenAiAsr(AsrProvider):
    """Recognizes what is said in the language that is named; it tells no languages."""

    def __init__(self, setup: Setup) -> None:
        self._settings = _settings(setup)
        self.capabilities = _offers(setup)
        self._remote = Remote("asr", "openai", setup, f"model {self._settings.model!r}")

    def load(self) -> None:
        look_for_model(self._remote, self._settings.model)

    def run(self, batch: Sequence[AsrTask]) -> list[Transcript]:
        return self.run_within(batch, _ALONE_S)

    def run_within(self, batch: Sequence[AsrTask], left_s: float) -> list[Transcript]:
        return [self._recognized(task, left_s) for task in batch]

    def close(self) -> None:
        self._remote.close()

    def _recognized(self, task: AsrTask, left_s: float) -> Transcript:
        data: dict[str, Any] = {
            "model": self._settings.model,
            "language": primary(task.language),
            "response_format": "verbose_json",
            "temperature": "0",
        }
        if task.words:
            data["timestamp_granularities[]"] = ["word", "segment"]
        file = ("speech.wav", to_wav(task.samples, ASR_RATE), "audio/wav")
        ask = Ask("POST", "/audio/transcriptions", {"data": data, "files": {"file": file}})
        said = self._remote.call(ask, lambda got: transcript(got, words=task.words), left_s)
        minutes = len(task.samples) / ASR_RATE / 60
        self._remote.spend(minutes * self._settings.price_per_minute)
        return said


def transcript(got: Got, *, words: bool) -> Transcript:
    """What a reply says was said. Raises BadReply."""
    told = got.json()
    text, segments = told.get("text"), told.get("segments") or []
    if not isinstance(text, str):
        raise BadReply("its reply has no text")
    try:
        silent = [_is_no_speech(one) for one in segments]
        logprob = min((float(one.get("avg_logprob", 0.0)) for one in segments), default=0.0)
        pieces = _pieces(told, segments) if words else []
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise BadReply(f"its reply has segments or words that cannot be read: {error!r}") from error
    if silent and all(silent):
        return Transcript("", logprob, dropped="no_speech_prob")
    text = " ".join(text.split())
    return Transcript(text, logprob, words=timed(text, pieces))


def _is_no_speech(segment: Mapping[str, Any]) -> bool:
    no_speech, logprob = segment.get("no_speech_prob", 0.0), segment.get("avg_logprob", 0.0)
    return float(no_speech) > _NO_SPEECH and float(logprob) < _UNSURE


def _pieces(told: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]) -> list[Word]:
    """What has a time: the words, or segments where it tells no words."""
    words = [_word(one, "word") for one in told.get("words") or []]
    return words or [_word(one, "text") for one in segments]


def _word(told: Mapping[str, Any], text: str) -> Word:
    start_s, end_s = float(told["start"]), float(told["end"])
    if not math.isfinite(start_s + end_s):
        raise ValueError(f"from {start_s} to {end_s}")
    start_s = max(start_s, 0.0)
    return Word(str(told[text]), start_s, max(start_s, end_s))


def _settings(setup: Setup) -> RemoteAsrSettings:
    settings = setup.remote
    return settings if isinstance(settings, RemoteAsrSettings) else RemoteAsrSettings()


def _offers(setup: Setup) -> AsrCapabilities:
    settings = _settings(setup)
    return AsrCapabilities(model=settings.model, thread_safe=True, at_once=settings.at_once)


PROVIDER = Registration(create=OpenAiAsr, offers=_offers, remote=True)
