"""What happens to one fragment: hear, recognize, translate, speak, fit.

Knows the order of the stages, and nothing of HTTP or of models. A reply is made whole, or streamed:
what is known as soon as it is, each clause when it is spoken.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Literal

from dubcast.clock import NS_PER_MS
from dubcast.contract.stream_reply import Done, encode
from dubcast.contract.sts import (
    ClauseTime,
    PcmAudio,
    StageTimes,
    StsMetadata,
    StsRequest,
    StsResponse,
)
from dubcast.sts.capacity import Place
from dubcast.sts.engine import Engine
from dubcast.sts.offer import Choice, Offer
from dubcast.sts.phrasebook import Phrasebook
from dubcast.sts.speaking import Dub, Passage, Speaker
from dubcast.sts.stage_calls import StageCalls
from dubcast.sts.streaming import Progress, Streamer
from dubcast.sts.translating import Translator
from dubcast.sts.understanding import Understood, understand

Outcome = Literal["success", "no_speech", "partial"]


@dataclass(frozen=True)
class _Result:
    """What came of a fragment."""

    status: Outcome
    understood: Understood
    translation: str = ""
    dub: Dub | None = None


class Pipeline:
    """Takes fragments through the engine's stages. Made for one event loop."""

    def __init__(self, engine: Engine, phrasebook: Phrasebook | None = None) -> None:
        self._engine = engine
        self._translator = Translator(engine, phrasebook)
        self._speaker = Speaker(engine)
        self._streamer = Streamer(engine, self._translator, self._speaker)
        self._numbers = count(1)
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

    async def process(self, request: StsRequest, choice: Choice, place: Place) -> StsResponse:
        """Dub one fragment within its `timeout_ms` from now.

        Raises StsError. Cancelling is safe: what has not begun is not computed.
        """
        calls = self._calls(request, place)
        async with calls.within():
            result = await self._stages(request, choice, calls)
        return self._reply(request, calls, result)

    async def stream(
        self,
        request: StsRequest,
        choice: Choice,
        place: Place,
        progress: Progress,
        tell: Callable[[bytes], None],
    ) -> Done:
        """Dub one fragment within its `timeout_ms` from now, each frame told as soon as it is
        known; the last one is what is returned. What `progress` has is not done again.

        Raises StsError. Cancelling is safe.
        """
        calls = self._calls(request, place)
        async with calls.within():
            await self._streamer.stream(calls, request, choice, progress, tell)
        done = Done(
            **progress.outcome(request),
            no_dub=calls.no_dub,
            processing_time_ms=round(calls.took_ms(), 1),
            stages_ms=_stage_times(calls),
            metadata=self._metadata,
        )
        tell(encode(done))
        return done

    def _calls(self, request: StsRequest, place: Place) -> StageCalls:
        clock, fragment = self._engine.clock, next(self._numbers)
        now_ns = clock.monotonic_ns()
        deadline_ns = now_ns + request.timeout_ms * NS_PER_MS
        return StageCalls(request.stream_id, clock, now_ns, deadline_ns, fragment, place)

    async def _stages(self, request: StsRequest, choice: Choice, calls: StageCalls) -> _Result:
        self._engine.metrics.audio_seconds.inc(request.fragment_ms / 1000)
        config = request.config
        words = config.timings == "words" or config.overlap_ms > 0 or config.after_ms > 0
        understood = await understand(self._engine, calls, request, choice, words=words)
        text, choice = understood.said.text, understood.choice
        if not text:
            return _Result("no_speech", understood)
        translation = await self._translator.translate(calls, text, choice, request.context)
        passage = Passage(request, understood.bounds_s, text, choice)
        dub = await self._speaker.speak(calls, passage, translation)
        if dub is None:
            return _Result("no_speech", understood, translation)
        return _Result("success" if dub.fitted.fits else "partial", understood, dub.text, dub)

    def _reply(self, request: StsRequest, calls: StageCalls, result: _Result) -> StsResponse:
        audio, dub, understood = request.audio, result.dub, result.understood
        timed, (start_ms, end_ms) = request.config.timings, understood.bounds_ms
        return StsResponse(
            fragment_id=request.fragment_id,
            status=result.status,
            left_alone=understood.left_alone,
            song_odds=understood.song_odds,
            no_dub=calls.no_dub,
            dubbed_audio=dub
            and PcmAudio.from_pcm(dub.fitted.pcm, audio.sample_rate_hz, audio.channels),
            transcript=understood.said.text,
            translated_text=result.translation,
            detected_language=understood.language,
            language_probability=understood.share,
            speech_ms=dub.fitted.speech_ms if dub else 0,
            tempo=round(dub.fitted.tempo, 4) if dub else 1.0,
            speech_start_ms=start_ms,
            speech_end_ms=end_ms,
            words=understood.words if timed == "words" else (),
            clauses=_clauses(dub) if dub and timed != "none" else (),
            shortened=dub.shortened if dub else False,
            processing_time_ms=round(calls.took_ms(), 1),
            stages_ms=_stage_times(calls),
            metadata=self._metadata,
        )


def _stage_times(calls: StageCalls) -> StageTimes:
    return StageTimes(**{name: round(ms, 1) for name, ms in calls.ms.items()})


def _clauses(dub: Dub) -> tuple[ClauseTime, ...]:
    return tuple(
        ClauseTime(text=clause.text, start_ms=start, end_ms=end, source_text=clause.source)
        for clause, (start, end) in zip(dub.clauses, dub.fitted.clauses_ms, strict=True)
    )
