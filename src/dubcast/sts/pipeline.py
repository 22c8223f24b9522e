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
from dubcast.sts.providers.interface import AsrTask, Heard, PcmTask, Transcript
from dubcast.sts.speaking import Dub, Speaker
from dubcast.sts.stage_calls import StageCalls
from dubcast.sts.translating import Translator

Outcome = Literal["success", "no_speech", "partial"]


@dataclass(frozen=True)
class _Result:
    """What came of a fragment."""

    status: Outcome
    heard: Heard
    said: Transcript
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
        self.offer = Offer(providers.mt.capabilities.pairs, providers.tts.capabilities.voices)

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
        return self._reply(request, choice, calls, result)

    async def _stages(self, request: StsRequest, choice: Choice, calls: StageCalls) -> _Result:
        engine, audio, config = self._engine, request.audio, request.config
        engine.metrics.audio_seconds.inc(audio.duration_ms / 1000)
        bounds = config.timings != "none"
        task = PcmTask(audio.pcm_bytes(), audio.sample_rate_hz, audio.channels, bounds)
        heard = await calls.run(engine.hear, task)
        if not heard.speech:
            return _Result("no_speech", heard, Transcript(""))
        words = config.timings == "words" or config.overlap_ms > 0
        said = await calls.run(engine.asr, AsrTask(heard.samples, choice.source.tag, words))
        said = without_repeated(said, request.context.source_text, config.overlap_ms / 1000)
        if not said.text:
            return _Result("no_speech", heard, said)
        text = await self._translator.translate(calls, said.text, choice)
        dub = await self._speaker.speak(calls, request, heard, said.text, text, choice)
        if dub is None:
            return _Result("no_speech", heard, said, text)
        return _Result("success" if dub.fitted.fits else "partial", heard, said, dub.text, dub)

    def _reply(
        self, request: StsRequest, choice: Choice, calls: StageCalls, result: _Result
    ) -> StsResponse:
        audio, dub = request.audio, result.dub
        timed = request.config.timings
        bounds_s = result.heard.bounds_s
        took_ns = self._engine.clock.monotonic_ns() - calls.started_ns
        return StsResponse(
            fragment_id=request.fragment_id,
            status=result.status,
            dubbed_audio=dub
            and PcmAudio.from_pcm(dub.fitted.pcm, audio.sample_rate_hz, audio.channels),
            transcript=result.said.text,
            translated_text=result.translation,
            detected_language=choice.source.tag,
            speech_ms=dub.fitted.speech_ms if dub else 0,
            tempo=round(dub.fitted.tempo, 4) if dub else 1.0,
            speech_start_ms=round(1000 * bounds_s[0]) if bounds_s else None,
            speech_end_ms=round(1000 * bounds_s[1]) if bounds_s else None,
            words=_words(result.said) if timed == "words" else (),
            clauses=_clauses(dub) if dub and timed != "none" else (),
            shortened=dub.shortened if dub else False,
            processing_time_ms=round(took_ns / NS_PER_MS, 1),
            stages_ms=StageTimes(**{name: round(ms, 1) for name, ms in calls.ms.items()}),
            metadata=self._metadata,
        )


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


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
