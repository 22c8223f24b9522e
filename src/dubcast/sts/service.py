"""The service without HTTP: admission, idempotent replies, pipeline, outcome figures, draining."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

from dubcast import log
from dubcast.contract.sts import FragmentConfig, StsRequest
from dubcast.errors import StsError
from dubcast.sts import glossary as glossaries
from dubcast.sts.admission import Admission
from dubcast.sts.engine import Engine
from dubcast.sts.glossary_file import GlossaryFile
from dubcast.sts.idempotency import IdempotentReplies
from dubcast.sts.offer import Choice, Offer
from dubcast.sts.phrasebook import Phrasebook
from dubcast.sts.pipeline import Pipeline


class Service:
    """One replica of the speech service, on one event loop.

    `phrasebook`: what is translated by it instead of the model; `glossary`: of every stream.
    """

    def __init__(
        self,
        engine: Engine,
        max_pending: int,
        phrasebook: Phrasebook | None = None,
        glossary: GlossaryFile | None = None,
    ) -> None:
        self.engine = engine
        self.metrics = engine.metrics
        self.draining = False
        self.admission = Admission(max_pending, self._refusal)
        self._log = log.get("sts")
        self._pipeline = Pipeline(engine, phrasebook)
        self._replies = IdempotentReplies()
        self._glossary = glossary or GlossaryFile(None)

    @property
    def offer(self) -> Offer:
        """The directions and voices that requests may ask for."""
        return self._pipeline.offer

    @property
    def ready(self) -> bool:
        """Models loaded and not draining."""
        return self.engine.state == "ready" and not self.draining

    def state(self) -> str:
        """`draining`, or the engine's state."""
        return "draining" if self.draining else self.engine.state

    def _refusal(self) -> str | None:
        return None if self.ready else f"the service is {self.state()}"

    async def process(self, request: StsRequest) -> bytes:
        """The JSON reply to one fragment; a retry gets the same one. Raises StsError."""
        choice = self._choose(request.config)
        key = (request.stream_id, request.fragment_id)
        return await self._replies.once(
            key, _fingerprint(request), lambda: self._compute(request, choice)
        )

    def _choose(self, config: FragmentConfig) -> Choice:
        """What is asked for, with the words of the operator and of the stream."""
        choice = self.offer.choose(config)
        entries = (*self._glossary.entries(), *config.glossary)
        words = glossaries.compiled(entries, choice.source.tag, choice.target.tag)
        return replace(choice, glossary=words)

    async def _compute(self, request: StsRequest, choice: Choice) -> bytes:
        bound = self._log.bind(
            streamId=request.stream_id,
            fragmentId=request.fragment_id,
            batchNumber=request.sequence_number,
        )
        started = time.monotonic()
        try:
            response = await self._pipeline.process(request, choice)
        except StsError as error:
            took_ms = round(1000 * (time.monotonic() - started))
            bound.warning(
                "fragment_failed", code=error.code, stage=error.stage, reason=str(error), ms=took_ms
            )
            raise
        bound.info(
            "fragment",
            status=response.status,
            language=response.detected_language,
            leftAlone=response.left_alone,
            noDub=response.no_dub,
            audioMs=request.audio.duration_ms,
            speechMs=response.speech_ms,
            tempo=response.tempo,
            shortened=response.shortened,
            ms=response.processing_time_ms,
            stagesMs=response.stages_ms.model_dump(),
        )
        bound.debug("text", transcript=response.transcript, translation=response.translated_text)
        return response.model_dump_json().encode()

    def count(self, outcome: str) -> None:
        """Count one request by its outcome: a reply's status or an error code, in lower case."""
        self.metrics.requests.labels(outcome.lower()).inc()


def _fingerprint(request: StsRequest) -> bytes:
    """Hash of what determines the reply: the audio and what to make of it."""
    digest = hashlib.sha256(request.audio.data_base64.encode())
    digest.update(f"{request.audio.sample_rate_hz}/{request.audio.channels}".encode())
    digest.update(request.config.model_dump_json().encode())
    if request.config.overlap_ms:
        digest.update(request.context.source_text.encode())
    return digest.digest()
