"""What happens to one fragment: hear, recognize, translate, speak, fit.

Knows the order of the stages, and nothing of HTTP or of models.
"""

from __future__ import annotations

import asyncio
import os
import platform
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from dubcast.clock import NS_PER_MS
from dubcast.contract.sts import (
    BYTES_PER_SAMPLE,
    PcmAudio,
    StageTimes,
    StsMetadata,
    StsRequest,
    StsResponse,
)
from dubcast.errors import StsError
from dubcast.sts import languages
from dubcast.sts.engine import Engine, StageThread
from dubcast.sts.languages import Voice
from dubcast.sts.providers.base import (
    AsrTask,
    FitTask,
    Fitted,
    Heard,
    MtTask,
    PcmTask,
    Speech,
    TtsTask,
)

Outcome = Literal["success", "no_speech", "partial"]

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Plan:
    """What a request asks for, checked against what the models can do."""

    source: str
    target: str
    voice: Voice


@dataclass
class _Run:
    """One fragment on its way: its deadline, and the time that each stage took."""

    stream_id: str
    started_ns: int
    deadline_ns: int
    stage: str = "resample"
    ms: dict[str, float] = field(default_factory=lambda: {"queue": 0.0})


class Pipeline:
    """Takes fragments through the engine's stages. Made for one event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        providers = engine.providers
        self._metadata = StsMetadata(
            asr_model=providers.asr.capabilities.model,
            translation_model=providers.mt.capabilities.model,
            tts_model=providers.tts.capabilities.model,
            replica=f"{platform.node()}-{os.getpid()}",
        )
        self._voices = providers.tts.capabilities.voices
        self._pairs = providers.mt.capabilities.pairs

    def plan(self, request: StsRequest) -> Plan:
        """Check languages and voice. Raises StsError INVALID_INPUT, which lists the choices."""
        config = request.config
        pair = languages.choose_pair(config.source_language, config.target_language, self._pairs)
        voice = languages.choose_voice(config.voice_profile, pair[1], self._voices)
        return Plan(pair[0], pair[1], voice)

    async def process(self, request: StsRequest, plan: Plan) -> StsResponse:
        """Dub one fragment within its `timeout_ms` from now.

        Raises StsError. Cancelling is safe: what has not begun is not computed.
        """
        clock = self._engine.clock
        now_ns = clock.monotonic_ns()
        run = _Run(request.stream_id, now_ns, now_ns + request.timeout_ms * NS_PER_MS)
        try:
            async with asyncio.timeout(request.timeout_ms / 1000):
                return await self._stages(request, plan, run)
        except TimeoutError:
            message = f"not done within {request.timeout_ms} ms"
            raise StsError("TIMEOUT", message, retryable=True, stage=run.stage) from None

    async def _stages(self, request: StsRequest, plan: Plan, run: _Run) -> StsResponse:
        engine, audio = self._engine, request.audio
        engine.metrics.audio_seconds.inc(audio.duration_ms / 1000)
        pcm = audio.pcm_bytes()
        heard: Heard = await self._step(
            run, engine.hear, PcmTask(pcm, audio.sample_rate_hz, audio.channels)
        )
        if not heard.speech:
            return self._reply(request, plan, run, "no_speech")
        said = await self._step(run, engine.asr, AsrTask(heard.samples, plan.source))
        if not said.text:
            return self._reply(request, plan, run, "no_speech")
        text = await self._step(run, engine.mt, MtTask(said.text, plan.source, plan.target))
        speech = await self._speak(run, text, plan)
        if speech is None:
            return self._reply(request, plan, run, "no_speech", said.text, text)
        fitted = await self._step(run, engine.fit, _fit_task(request, len(pcm), speech))
        status: Outcome = "success" if fitted.fits else "partial"
        return self._reply(request, plan, run, status, said.text, text, fitted)

    async def _speak(self, run: _Run, text: str, plan: Plan) -> Speech | None:
        """The text as speech, or None if nothing in it can be spoken."""
        if not any(char.isalnum() for char in text):
            return None
        speech = await self._step(run, self._engine.tts, TtsTask(text, plan.voice))
        return speech if len(speech.samples) else None

    async def _step(self, run: _Run, stage: StageThread[In, Out], task: In) -> Out:
        run.stage = stage.name
        future = stage.submit(task, run.stream_id, run.deadline_ns)
        done = await asyncio.wrap_future(future)
        run.ms["queue"] += 1000 * done.waited_s
        run.ms[stage.name] = 1000 * done.ran_s
        return done.value

    def _reply(
        self,
        request: StsRequest,
        plan: Plan,
        run: _Run,
        status: Outcome,
        transcript: str = "",
        translated: str = "",
        fitted: Fitted | None = None,
    ) -> StsResponse:
        audio = request.audio
        dub = fitted and PcmAudio.from_pcm(fitted.pcm, audio.sample_rate_hz, audio.channels)
        took_ns = self._engine.clock.monotonic_ns() - run.started_ns
        return StsResponse(
            fragment_id=request.fragment_id,
            status=status,
            dubbed_audio=dub,
            transcript=transcript,
            translated_text=translated,
            detected_language=plan.source,
            speech_ms=fitted.speech_ms if fitted else 0,
            tempo=round(fitted.tempo, 4) if fitted else 1.0,
            processing_time_ms=round(took_ns / NS_PER_MS, 1),
            stages_ms=StageTimes(**{name: round(ms, 1) for name, ms in run.ms.items()}),
            metadata=self._metadata,
        )


def _fit_task(request: StsRequest, pcm_bytes: int, speech: Speech) -> FitTask:
    audio, config = request.audio, request.config
    return FitTask(
        speech=speech,
        policy=config.duration_policy,
        frames=pcm_bytes // (BYTES_PER_SAMPLE * audio.channels),
        slot_ms=config.slot_ms or audio.duration_ms,
        max_tempo=config.max_tempo,
        rate_hz=audio.sample_rate_hz,
        channels=audio.channels,
    )
