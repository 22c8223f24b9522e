"""Synthesis by a service that speaks OpenAI's API of speech."""

from __future__ import annotations

from collections.abc import Sequence

from dubcast.config import RemoteTtsSettings
from dubcast.contract.sts import MAX_DURATION_MS
from dubcast.errors import ConfigError
from dubcast.languages import catalogue
from dubcast.sts.duration import trim
from dubcast.sts.providers.interface import Speech, TtsCapabilities, TtsProvider, TtsTask, Voice
from dubcast.sts.providers.registry import Registration, Setup
from dubcast.sts.providers.remote import Ask, BadReply, Got, Remote, look_for_model
from dubcast.sts.providers.wav import speech_of
from dubcast.sts.which_language import primary

_ALONE_S = 30.0
# The longest slot of the contract.
_LONGEST_S = 2 * MAX_DURATION_MS / 1000


class OpenAiTts(TtsProvider):
    """Speaks with the voices that the settings name."""

    def __init__(self, setup: Setup) -> None:
        self._settings = _settings(setup)
        self.capabilities = _offers(setup)
        self._remote = Remote("tts", "openai", setup, f"model {self._settings.model!r}")

    def load(self) -> None:
        look_for_model(self._remote, self._settings.model)

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        return self.run_within(batch, _ALONE_S)

    def run_within(self, batch: Sequence[TtsTask], left_s: float) -> list[Speech]:
        return [self._spoken(task, left_s) for task in batch]

    def close(self) -> None:
        self._remote.close()

    def _spoken(self, task: TtsTask, left_s: float) -> Speech:
        body = {
            "model": self._settings.model,
            "input": task.text,
            "voice": task.voice.name,
            "response_format": "wav",
        }
        speech = self._remote.call(Ask("POST", "/audio/speech", {"json": body}), spoken, left_s)
        minutes = len(speech.samples) / speech.rate_hz / 60
        prices = self._settings
        self._remote.spend(
            minutes * prices.price_per_minute
            + len(task.text) / 1000 * prices.price_per_1000_characters
        )
        return Speech(trim(speech.samples, speech.rate_hz), speech.rate_hz)


def spoken(got: Got) -> Speech:
    """The speech in a reply. Raises BadReply."""
    try:
        speech = speech_of(got.body, got.content_type)
    except ValueError as error:
        raise BadReply(str(error)) from error
    lasts_s = len(speech.samples) / speech.rate_hz
    if lasts_s > _LONGEST_S:
        raise BadReply(f"its speech lasts {lasts_s:.0f} s, which no fragment has room for")
    return speech


def _settings(setup: Setup) -> RemoteTtsSettings:
    settings = setup.remote
    return settings if isinstance(settings, RemoteTtsSettings) else RemoteTtsSettings()


def _offers(setup: Setup) -> TtsCapabilities:
    settings = _settings(setup)
    if not settings.voices:
        raise ConfigError(
            "sts_server.remote.tts.voices is empty: name the service's voices, as "
            "[{name: alloy, languages: [en, pt-BR]}]"
        )
    voices = [
        Voice(voice.name, _variety(tag), "unknown", engine="openai")
        for voice in settings.voices
        for tag in voice.languages
    ]
    return TtsCapabilities(
        model=settings.model,
        thread_safe=True,
        at_once=settings.at_once,
        voices=tuple(voices),
    )


def _variety(tag: str) -> str:
    if catalogue.find(primary(tag)) is None:
        known = ", ".join(language.tag for language in catalogue.known())
        raise ConfigError(
            f"sts_server.remote.tts.voices: the language {tag!r} is not known; there are: {known}"
        )
    return tag


PROVIDER = Registration(create=OpenAiTts, offers=_offers, remote=True)
