"""Settings of services elsewhere that take a stage's place (`sts_server.remote`)."""

from __future__ import annotations

from pydantic import Field

from dubcast.config.values import BearerKey, HttpUrl, Section


class RemoteSettings(Section):
    """A service elsewhere: where it is, how it is called, and what it costs."""

    url: HttpUrl | None = Field(
        None, description="base URL; of an OpenAI-compatible one with its /v1 (providers-http.md)"
    )
    api_key: BearerKey | None = Field(None, description="its key; none: not sent")
    timeout_s: float = Field(
        10.0, gt=0, le=60, description="longest wait for a reply, where the deadline leaves more"
    )
    retries: int = Field(1, ge=0, le=5, description="further tries, if the deadline allows")
    at_once: int = Field(8, ge=1, le=64, description="calls under way at a time")


class RemoteAsrSettings(RemoteSettings):
    """The recognition of `sts_server.providers.asr: openai`."""

    model: str = Field("whisper-1", min_length=1, description="as the service names it")
    price_per_minute: float = Field(
        0.0, ge=0, description="of audio, in any currency: for the metrics"
    )


class RemoteMtSettings(RemoteSettings):
    """The translation of `sts_server.providers.mt: openai` or `libretranslate`."""

    model: str = Field(
        "gpt-4o-mini", min_length=1, description="as the service names it; LibreTranslate: unused"
    )
    languages: tuple[str, ...] = Field(
        (),
        description="languages that it translates among; none: all that dubcast knows, of "
        "LibreTranslate they have to be named",
    )
    price_per_1000_characters: float = Field(
        0.0, ge=0, description="of what is translated, in any currency: for the metrics"
    )


class RemoteVoice(Section):
    """A voice of the service."""

    name: str = Field(min_length=1, description="as the service names it")
    languages: tuple[str, ...] = Field(min_length=1, description="what it is to speak (en-GB)")


class RemoteTtsSettings(RemoteSettings):
    """The voices of `sts_server.providers.tts: openai`."""

    model: str = Field("tts-1", min_length=1, description="as the service names it")
    voices: tuple[RemoteVoice, ...] = Field(
        (), description="its voices, each with the languages that it is to speak"
    )
    price_per_minute: float = Field(
        0.0, ge=0, description="of speech, in any currency: for the metrics"
    )
    price_per_1000_characters: float = Field(
        0.0, ge=0, description="of what is spoken, in any currency: for the metrics"
    )


class RemoteStagesSettings(Section):
    """Services elsewhere, for the stages whose provider calls one."""

    asr: RemoteAsrSettings = RemoteAsrSettings()
    mt: RemoteMtSettings = RemoteMtSettings()
    tts: RemoteTtsSettings = RemoteTtsSettings()
