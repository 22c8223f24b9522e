"""What happens to one fragment: hear, recognize, translate, speak, fit.

Knows the order of the stages, and nothing of HTTP or of models.
"""

from __future__ import annotations

import asyncio
import os
import platform
from dataclasses import dataclass, replace
from typing import Literal

from dubcast.clock import NS_PER_MS
from dubcast.contract.sts import (
    UNDETERMINED,
    ClauseTime,
    PcmAudio,
    StageTimes,
    StsMetadata,
    StsRequest,
    StsResponse,
    WordTime,
)
from dubcast.errors import StsError
from dubcast.sts import overlap
from dubcast.sts.engine import Engine
from dubcast.sts.offer import Choice, Offer
from dubcast.sts.phrasebook import Phrasebook
from dubcast.sts.providers.interface import ASR_RATE, AsrTask, Heard, PcmTask, Transcript
from dubcast.sts.songs import without_song
from dubcast.sts.speaking import Dub, Speaker
from dubcast.sts.stage_calls import StageCalls
from dubcast.sts.translating import Translator
from dubcast.sts.which_language import Question

Outcome = Literal["success", "no_speech", "partial"]


@dataclass(frozen=True)
class _Understood:
    """What was heard of a fragment; `choice`: the request's, with its source as it was heard."""

    heard: Heard
    said: Transcript
    choice: Choice
    language: str = UNDETERMINED
    probability: float | None = None


@dataclass(frozen=True)
class _Result:
    """What came of a fragment."""

    status: Outcome
    understood: _Understood
    translation: str = ""
    dub: Dub | None = None


class Pipeline:
    """Takes fragments through the engine's stages. Made for one event loop."""

    def __init__(self, engine: Engine, phrasebook: Phrasebook | None = None) -> None:
        self._engine = engine
        self._translator = Translator(engine, phrasebook)
        self._speaker = Speaker(engine)
        providers = engine.providers
        self._metadata = StsMetadata(
            asr_model=providers.asr.capabilities.model,
            translation_model=providers.mt.capabilities.model,
            tts_model=providers.tts.capabilities.model,
            replica=f"{platform.node()}-{os.getpid()}",
        )
        self.offer = Offer.of(
            providers.asr.capabilities, providers.mt.capabilities, providers.tts.capabilities
        )

    async def process(self, request: StsRequest, choice: Choice) -> StsResponse:
        """Dub one fragment within its `timeout_ms` from now.

        Raises StsError. Cancelling is safe: what has not begun is not computed.
        """
        clock = self._engine.clock
        now_ns = clock.monotonic_ns()
        calls = StageCalls(
            request.stream_id, clock, now_ns, now_ns + request.timeout_ms * NS_PER_MS
        )
        try:
            async with asyncio.timeout(request.timeout_ms / 1000):
                result = await self._stages(request, choice, calls)
        except TimeoutError:
            message = f"not done within {request.timeout_ms} ms"
            raise StsError("TIMEOUT", message, retryable=True, stage=calls.stage) from None
        return self._reply(request, calls, result)

    async def _stages(self, request: StsRequest, choice: Choice, calls: StageCalls) -> _Result:
        self._engine.metrics.audio_seconds.inc(request.audio.duration_ms / 1000)
        understood = await self._understand(request, choice, calls)
        text, choice = understood.said.text, understood.choice
        if not text:
            return _Result("no_speech", understood)
        translation = await self._translator.translate(calls, text, choice)
        dub = await self._speaker.speak(calls, request, understood.heard, text, translation, choice)
        if dub is None:
            return _Result("no_speech", understood, translation)
        return _Result("success" if dub.fitted.fits else "partial", understood, dub.text, dub)

    async def _understand(
        self, request: StsRequest, choice: Choice, calls: StageCalls
    ) -> _Understood:
        audio, config = request.audio, request.config
        bounds = config.timings != "none"
        pcm, rate_hz, channels = audio.pcm_bytes(), audio.sample_rate_hz, audio.channels
        task = PcmTask(pcm, rate_hz, channels, bounds, tune=config.leave_songs)
        heard = await calls.run(self._engine.hear, task)
        if not heard.speech:
            return _Understood(heard, Transcript(""), choice)
        words = config.timings == "words" or config.overlap_ms > 0
        said = await calls.run(self._engine.asr, asr_task(heard, choice, words=words))
        said = without_song(said, heard, choice.source.tag)
        answer = said.answer
        if not said.text and not (answer and answer.left_alone):
            return _Understood(heard, said, choice)
        once = without_repeated(said, request.context.source_text, config.overlap_ms / 1000)
        if answer is None:
            return _Understood(heard, once, choice, choice.source.tag)
        return _Understood(
            heard, once, choice.heard(answer.language), answer.language, answer.probability
        )

    def _reply(self, request: StsRequest, calls: StageCalls, result: _Result) -> StsResponse:
        audio, dub, understood = request.audio, result.dub, result.understood
        timed, said, bounds_s = request.config.timings, understood.said, understood.heard.bounds_s
        took_ns = self._engine.clock.monotonic_ns() - calls.started_ns
        return StsResponse(
            fragment_id=request.fragment_id,
            status=result.status,
            left_alone=said.answer.left_alone if said.answer else None,
            dubbed_audio=dub
            and PcmAudio.from_pcm(dub.fitted.pcm, audio.sample_rate_hz, audio.channels),
            transcript=said.text,
            translated_text=result.translation,
            detected_language=understood.language,
            language_probability=_share(understood.probability),
            speech_ms=dub.fitted.speech_ms if dub else 0,
            tempo=round(dub.fitted.tempo, 4) if dub else 1.0,
            speech_start_ms=round(1000 * bounds_s[0]) if bounds_s else None,
            speech_end_ms=round(1000 * bounds_s[1]) if bounds_s else None,
            words=_words(said) if timed == "words" else (),
            clauses=_clauses(dub) if dub and timed != "none" else (),
            shortened=dub.shortened if dub else False,
            processing_time_ms=round(took_ns / NS_PER_MS, 1),
            stages_ms=StageTimes(**{name: round(ms, 1) for name, ms in calls.ms.items()}),
            metadata=self._metadata,
        )


def asr_task(heard: Heard, choice: Choice, *, words: bool = False) -> AsrTask:
    """What the recognition is asked: what is said, and in which language."""
    start_s, stop_s = heard.bounds_s or (0.0, len(heard.samples) / ASR_RATE)
    sources = tuple(one.tag for one in choice.sources)
    question = Question(sources, choice.target.tag, stop_s - start_s, choice.named)
    return AsrTask(heard.samples, choice.source.tag, words, question)


def without_repeated(said: Transcript, previous: str, overlap_s: float) -> Transcript:
    """The transcript without the words that the chunk before has said already."""
    count = overlap.repeated_words(previous, said.words, overlap_s)
    if count == 0:
        return said
    words = said.words[count:]
    return replace(said, text=" ".join(word.text for word in words), words=words)


def _words(said: Transcript) -> tuple[WordTime, ...]:
    return tuple(
        WordTime(text=word.text, start_ms=_ms(word.start_s), end_ms=_ms(word.end_s))
        for word in said.words
    )


def _clauses(dub: Dub) -> tuple[ClauseTime, ...]:
    return tuple(
        ClauseTime(text=clause.text, start_ms=start, end_ms=end, source_text=clause.source)
        for clause, (start, end) in zip(dub.clauses, dub.fitted.clauses_ms, strict=True)
    )


def _share(probability: float | None) -> float | None:
    return None if probability is None else round(min(max(probability, 0.0), 1.0), 4)


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
