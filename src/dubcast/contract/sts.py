"""The speech service's wire format: `POST /api/v1/sts/process` and its neighbours.

JSON Schema and OpenAPI are generated from these models; both sides use them, so there is no
second description of the payload. Audio is PCM S16LE, interleaved, base64 in the JSON form.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from dubcast.contract.errors import ErrorCode
from dubcast.contract.glossary import GlossaryEntry
from dubcast.contract.ids import StreamId

MAX_BODY_BYTES = 16 * 1024 * 1024
MIN_DURATION_MS = 100
MAX_DURATION_MS = 30_000
DURATION_TOLERANCE_MS = 5
BYTES_PER_SAMPLE = 2

DurationPolicy = Literal["match", "fit"]
Timings = Literal["none", "speech", "words"]

AUTO = "auto"
"""A source language: whichever is spoken of those that can be dubbed into the target."""
MOST_OF_A_LANGUAGE = 35
"""Characters of a language: RFC 5646 asks for room for so many. What a reply was taken for is told
with the next fragment."""
UNDETERMINED = "und"
"""A detected language: none, nobody spoke."""


class LeftAlone(StrEnum):
    """Why words are not dubbed: the original is right."""

    TARGET_LANGUAGE = "target_language"  # they are in the target language already
    OTHER_LANGUAGE = "other_language"  # they are in none that was expected
    SONG = "song"  # they are sung, and songs were to be left


class NoDub(StrEnum):
    """Why words have no dub though they should: the original stays for want of a better."""

    UNTRUSTED_TRANSLATION = "untrusted_translation"  # no translation of them can be right


class RequestModel(BaseModel):
    """What a caller sends: unknown fields are errors, so a mistyped name shows at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ReplyModel(BaseModel):
    """What a server sends: unknown fields are ignored, so an older client reads a newer server."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


def _decoded(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"data_base64 is not valid base64: {error}") from error


def _encoded(pcm: bytes) -> str:
    return base64.b64encode(pcm).decode("ascii")


# Bytes in here, base64 in JSON.
Pcm = Annotated[
    bytes,
    BeforeValidator(_decoded),
    PlainSerializer(_encoded),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]


class PcmAudio(ReplyModel):
    """A piece of PCM S16LE audio, mono or stereo, 8-192 kHz, 0.1-30 s.

    The declared duration must agree with the number of bytes within 5 ms.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    format: Literal["pcm_s16le"] = "pcm_s16le"
    sample_rate_hz: int = Field(
        ge=8_000, le=192_000, validation_alias=AliasChoices("sample_rate_hz", "sampleRate")
    )
    channels: int = Field(ge=1, le=2)
    duration_ms: int = Field(
        ge=MIN_DURATION_MS,
        le=MAX_DURATION_MS,
        validation_alias=AliasChoices("duration_ms", "durationMs"),
    )
    data: Pcm = Field(
        validation_alias=AliasChoices("data_base64", "dataBase64"),
        serialization_alias="data_base64",
        repr=False,
    )

    @model_validator(mode="after")
    def _check_length(self) -> PcmAudio:
        frame_bytes = BYTES_PER_SAMPLE * self.channels
        n = len(self.data)
        if n % frame_bytes:
            raise ValueError(f"{n} bytes are not a whole number of {self.channels}-channel samples")
        actual_ms = 1000 * n / frame_bytes / self.sample_rate_hz
        if abs(actual_ms - self.duration_ms) > DURATION_TOLERANCE_MS:
            raise ValueError(
                f"duration_ms is {self.duration_ms} but the data holds {actual_ms:.0f} ms at "
                f"{self.sample_rate_hz} Hz with {self.channels} channel(s)"
            )
        return self

    def pcm_bytes(self) -> bytes:
        """The raw PCM bytes."""
        return self.data

    @classmethod
    def from_pcm(cls, pcm: bytes, sample_rate_hz: int, channels: int) -> PcmAudio:
        """Wrap raw interleaved S16LE bytes."""
        frames = len(pcm) // (BYTES_PER_SAMPLE * channels)
        return cls(
            sample_rate_hz=sample_rate_hz,
            channels=channels,
            duration_ms=round(1000 * frames / sample_rate_hz),
            data=pcm,
        )


class FragmentConfig(RequestModel):
    """What to make of a fragment."""

    source_language: str = Field(
        default="en",
        description="What is spoken; auto: any that can be dubbed into the target.",
        validation_alias=AliasChoices("source_language", "sourceLanguage"),
    )
    target_language: str = Field(
        default="pt-BR", validation_alias=AliasChoices("target_language", "targetLanguage")
    )
    voice_profile: str = Field(
        default="default", validation_alias=AliasChoices("voice_profile", "voiceProfile")
    )
    duration_policy: DurationPolicy = Field(
        default="match",
        description="match: the dub is exactly as long as the fragment; "
        "fit: natural length, at most slot_ms.",
        validation_alias=AliasChoices("duration_policy", "durationPolicy"),
    )
    max_tempo: float = Field(
        default=1.25, ge=1.0, le=2.0, validation_alias=AliasChoices("max_tempo", "maxTempo")
    )
    slot_ms: int | None = Field(
        default=None,
        ge=MIN_DURATION_MS,
        le=2 * MAX_DURATION_MS,
        description="Room for the dub; the fragment's own duration when absent.",
        validation_alias=AliasChoices("slot_ms", "slotMs"),
    )
    timings: Timings = Field(
        default="speech",
        description="Times in the reply: none; speech: where the source's speech begins and ends; "
        "words: each word's too, for an eighth more recognition time.",
    )
    overlap_ms: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="How much of the fragment's start was in the one before: words in there that "
        "context.source_text ends with are not said again.",
        validation_alias=AliasChoices("overlap_ms", "overlapMs"),
    )
    before_ms: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="So much at the beginning of the audio was said before the fragment: it helps "
        "to understand it, and is not dubbed. Times are those of the fragment.",
        validation_alias=AliasChoices("before_ms", "beforeMs"),
    )
    after_ms: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="So much at the end of the audio comes after the fragment.",
        validation_alias=AliasChoices("after_ms", "afterMs"),
    )

    glossary: tuple[GlossaryEntry, ...] = Field(
        default=(),
        max_length=500,
        description="Terms of this stream; they win over the service's own of the same spelling.",
    )

    leave_songs: bool = Field(
        default=False,
        description="What is sung is left alone.",
        validation_alias=AliasChoices("leave_songs", "leaveSongs"),
    )

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what older servers do not know, unless it is used: they refuse it."""
        fields: dict[str, Any] = handler(self)
        later: dict[str, list[Any]] = {
            "timings": ["speech"],
            "overlap_ms": [0],
            "before_ms": [0],
            "after_ms": [0],
            "glossary": [(), []],
            "leave_songs": [False],
        }
        return {name: one for name, one in fields.items() if one not in later.get(name, [])}


class FragmentContext(RequestModel):
    """The stream's recent past, so that any replica can serve any fragment."""

    source_text: str = Field(default="", max_length=2000)
    target_text: str = Field(default="", max_length=2000)
    language: str = Field(
        default="",
        max_length=MOST_OF_A_LANGUAGE,
        description="With source_language auto: the language that the stream has spoken so far, "
        "which a word or two are taken for sooner than for another.",
    )
    before_text: str = Field(
        default="",
        max_length=2000,
        description="With config.before_ms: what was said in it, word for word.",
    )
    song_odds: FiniteFloat = Field(
        default=0.0,
        description="With leave_songs: how surely what came just before is sung, as its reply "
        "said; this is taken for a song the sooner or the later.",
    )

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what older servers do not know, unless it is used: they refuse it."""
        fields: dict[str, Any] = handler(self)
        later = ("language", "song_odds", "before_text")
        return {name: one for name, one in fields.items() if one or name not in later}


FragmentId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:-]+$")]


class StsRequest(RequestModel):
    """One fragment to dub. `fragment_id` is idempotent: a retry carries the same one."""

    fragment_id: FragmentId
    stream_id: StreamId
    sequence_number: int = Field(ge=0)
    audio: PcmAudio
    config: FragmentConfig = FragmentConfig()
    context: FragmentContext = FragmentContext()
    timeout_ms: int = Field(default=8_000, ge=100, le=60_000)

    @property
    def fragment_ms(self) -> int:
        """How long the fragment is, without what lies around it in the audio."""
        return self.audio.duration_ms - self.config.before_ms - self.config.after_ms

    @property
    def fragment_frames(self) -> int:
        """How many samples of each channel it has."""
        frames = len(self.audio.data) // (BYTES_PER_SAMPLE * self.audio.channels)
        around_ms = self.config.before_ms + self.config.after_ms
        return frames - around_ms * self.audio.sample_rate_hz // 1000

    @model_validator(mode="after")
    def _check_fragment(self) -> StsRequest:
        if self.fragment_ms < MIN_DURATION_MS:
            around = f"before_ms {self.config.before_ms} and after_ms {self.config.after_ms}"
            raise ValueError(
                f"{around} leave {self.fragment_ms} ms of the audio's {self.audio.duration_ms}: "
                f"a fragment has {MIN_DURATION_MS} at least"
            )
        return self


class StageTimes(ReplyModel):
    """Milliseconds spent per stage."""

    queue: float = 0.0
    resample: float = 0.0
    asr: float = 0.0
    mt: float = 0.0
    tts: float = 0.0
    fit: float = 0.0


class StsMetadata(ReplyModel):
    """Which models and which replica made the reply."""

    asr_model: str
    translation_model: str
    tts_model: str
    replica: str


class WordTime(ReplyModel):
    """A word of the transcript, and when it was said in the fragment."""

    text: str
    start_ms: int = Field(ge=0)
    end_ms: int = Field(ge=0)


class ClauseTime(ReplyModel):
    """A clause of the translation, and when it sounds in the dub; its source where known."""

    text: str
    start_ms: int = Field(ge=0)
    end_ms: int = Field(ge=0)
    source_text: str | None = None


class StsResponse(ReplyModel):
    """The reply to a fragment.

    `no_speech` and an empty transcript come without audio. `partial`: the dub does not fit the
    slot at the highest tempo allowed and is longer (it is never cut). `speech_ms` is the natural
    length of the synthesized speech, `tempo` what it was spoken at without its pauses (> 1:
    faster). `speech_start_ms` and `speech_end_ms`: where the fragment's own speech begins and
    ends, absent if not asked for. With policy `match` the dub's speech begins there too; with
    `fit` the dub begins with its speech. `shortened`: words were left out so that it fits;
    `translated_text` is what is spoken. `left_alone`: of `no_speech`, there are words and the
    original is right: they are in the target language, in one that was not expected, or sung.
    `no_dub`: of `no_speech`, there are words that should be dubbed, and why they cannot be.
    `detected_language`: what the fragment was taken for (`und`: nobody spoke); how sure the
    recognizer is of that, `language_probability`, is absent if it cannot tell languages, and the
    source was believed. `song_odds`: with `leave_songs`, how surely it is sung, as log odds
    (natural; 0 is even); absent if that cannot be told.
    """

    fragment_id: FragmentId
    status: Literal["success", "no_speech", "partial"]
    left_alone: LeftAlone | None = None
    no_dub: NoDub | None = None
    dubbed_audio: PcmAudio | None = None
    transcript: str = ""
    translated_text: str = ""
    detected_language: str = Field(max_length=MOST_OF_A_LANGUAGE)
    language_probability: float | None = Field(default=None, ge=0, le=1)
    song_odds: FiniteFloat | None = None
    speech_ms: int = Field(default=0, ge=0)
    tempo: float = Field(default=1.0, gt=0)
    speech_start_ms: int | None = Field(default=None, ge=0)
    speech_end_ms: int | None = Field(default=None, ge=0)
    words: tuple[WordTime, ...] = ()
    clauses: tuple[ClauseTime, ...] = ()
    shortened: bool = False
    processing_time_ms: float = Field(ge=0)
    stages_ms: StageTimes
    metadata: StsMetadata

    @model_validator(mode="after")
    def _check_audio(self) -> StsResponse:
        if (self.status == "no_speech") != (self.dubbed_audio is None):
            raise ValueError(f"status {self.status} and the presence of dubbed_audio disagree")
        if self.left_alone and self.status != "no_speech":
            raise ValueError(f"status {self.status} and left_alone disagree")
        if self.no_dub and self.status != "no_speech":
            raise ValueError(f"status {self.status} and no_dub disagree")
        return self


class ErrorDetail(ReplyModel):
    """Why a fragment was refused or failed."""

    code: ErrorCode
    message: str
    retryable: bool
    stage: str | None = None


class StsErrorBody(ReplyModel):
    """The body of every non-2xx reply."""

    fragment_id: str | None = None
    status: Literal["error"] = "error"
    error: ErrorDetail


class VoiceInfo(ReplyModel):
    """A voice that the service can speak with."""

    name: str
    language: str
    gender: Literal["female", "male", "unknown"]
    default: bool = False
    engine: str = Field(default="", description="what speaks with it")


class VoicesReply(ReplyModel):
    """`GET /api/v1/voices`."""

    voices: list[VoiceInfo]


class LanguagePair(ReplyModel):
    """A direction that the service can dub. `source` may be `auto`: it tells what is spoken."""

    source: str
    target: str


class LanguageInfo(ReplyModel):
    """A language that is known. `voices`: how many speak it, by what speaks with them; what it can
    be dubbed from and into are tags.
    """

    tag: str
    name: str
    voices: dict[str, int] = {}
    dubbed_from: list[str] = []
    dubbed_into: list[str] = []


class MissingPair(LanguagePair):
    """A direction that the service could dub; `command` gets the translation that it lacks."""

    command: str


class LanguagesReply(ReplyModel):
    """`GET /api/v1/languages`. `missing`: directions whose translation is not installed."""

    pairs: list[LanguagePair]
    languages: list[LanguageInfo] = []
    missing: list[MissingPair] = []
