"""The service without HTTP: admission, idempotent replies, pipeline, outcome figures, draining."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeAlias

from dubcast import log
from dubcast.clock import NS_PER_MS
from dubcast.contract.stream_reply import Done, Failed, encode
from dubcast.contract.sts import FragmentConfig, StsRequest, StsResponse
from dubcast.errors import StsError
from dubcast.sts import glossary as glossaries
from dubcast.sts.admission import Admission
from dubcast.sts.capacity import Load, Place
from dubcast.sts.engine import Engine
from dubcast.sts.glossary_file import GlossaryFile
from dubcast.sts.http_errors import INTERNAL, detail
from dubcast.sts.idempotency import IdempotentReplies, Reply
from dubcast.sts.offer import Choice, Offer
from dubcast.sts.phrasebook import Phrasebook
from dubcast.sts.pipeline import Pipeline
from dubcast.sts.streaming import Progress

Compute: TypeAlias = Callable[[Reply[Progress]], Awaitable[None]]


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
        self._replies = IdempotentReplies(Progress)
        self._load = Load()
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

        async def compute(reply: Reply[Progress]) -> None:
            with self._taken_on(request) as place:
                response = await self._pipeline.process(request, choice, place)
            self._log_whole(request, response)
            reply.add(response.model_dump_json().encode())

        return await self._reply(request, b"whole", compute).whole()

    async def stream(self, request: StsRequest) -> AsyncIterator[bytes]:
        """The frames of a streamed reply, each as soon as it is known; a retry gets those that are
        there and the others as they come.

        Raises StsError if it fails before the first one; later, that is told in a frame.
        """
        choice = self._choose(request.config)

        async def compute(reply: Reply[Progress]) -> None:
            with self._taken_on(request) as place:
                done = await self._pipeline.stream(
                    request, choice, place, reply.progress, reply.add
                )
            self._log_streamed(request, reply.progress, done)

        reply, begun = self._reply(request, b"stream", compute), False
        try:
            async for part in reply.follow():
                begun = True
                yield part
        except StsError as error:
            if not begun:
                raise
            self.count(error.code)
            yield encode(Failed(error=detail(error)))
        else:
            self.count(reply.progress.outcome(request)["status"])

    def _choose(self, config: FragmentConfig) -> Choice:
        """What is asked for, with the words of the operator and of the stream."""
        choice = self.offer.choose(config)
        entries = (*self._glossary.entries(), *config.glossary)
        words = glossaries.compiled(entries, choice.source.tag, choice.target.tag)
        return replace(choice, glossary=words)

    def _reply(self, request: StsRequest, form: bytes, compute: Compute) -> Reply[Progress]:
        key = (request.stream_id, request.fragment_id)
        return self._replies.reply(key, form + fingerprint(request), compute)

    @contextmanager
    def _taken_on(self, request: StsRequest) -> Iterator[Place]:
        """A place for a fragment, for as long as it is worked on. Raises StsError OVERLOADED if it
        cannot be done in time, MODEL_ERROR for a fault of ours; logs what fails."""
        clock, started_ns = self.engine.clock, self.engine.clock.monotonic_ns()
        try:
            with self._load.place(
                request.stream_id,
                request.fragment_ms / 1000,
                started_ns + request.timeout_ms * NS_PER_MS,
                started_ns,
                self.engine.costs(),
            ) as place:
                yield place
        except StsError as error:
            took_ms = (clock.monotonic_ns() - started_ns) / NS_PER_MS
            self._bound(request).warning(
                "fragment_failed",
                code=error.code,
                stage=error.stage,
                reason=str(error),
                ms=round(took_ms),
            )
            raise
        # Border of a fragment: its caller may have a part of the reply, or be gone.
        except Exception as error:
            self._bound(request).error("internal_error", exc_info=error)
            raise StsError("MODEL_ERROR", INTERNAL, retryable=True) from error

    def _log_whole(self, request: StsRequest, response: StsResponse) -> None:
        self._bound(request).info(
            "fragment",
            status=response.status,
            language=response.detected_language,
            leftAlone=response.left_alone,
            noDub=response.no_dub,
            audioMs=request.fragment_ms,
            speechMs=response.speech_ms,
            tempo=response.tempo,
            shortened=response.shortened,
            ms=response.processing_time_ms,
            stagesMs=response.stages_ms.model_dump(),
        )
        self._bound(request).debug(
            "text", transcript=response.transcript, translation=response.translated_text
        )

    def _log_streamed(self, request: StsRequest, progress: Progress, done: Done) -> None:
        understood, script = progress.understood, progress.script
        self._bound(request).info(
            "fragment",
            status=done.status,
            language=understood.language if understood else None,
            leftAlone=understood.left_alone if understood else None,
            audioMs=request.fragment_ms,
            speechMs=done.speech_ms,
            clauses=len(progress.spoken_s),
            firstClauseMs=progress.first_clause_ms,
            shortened=done.shortened,
            ms=done.processing_time_ms,
            stagesMs=done.stages_ms.model_dump(),
        )
        self._bound(request).debug(
            "text",
            transcript=understood.said.text if understood else "",
            translation=script.text if script else "",
        )

    def _bound(self, request: StsRequest) -> Any:
        return self._log.bind(
            streamId=request.stream_id,
            fragmentId=request.fragment_id,
            batchNumber=request.sequence_number,
        )

    def count(self, outcome: str) -> None:
        """Count one request by its outcome: a reply's status or an error code, in lower case."""
        self.metrics.requests.labels(outcome.lower()).inc()


def fingerprint(request: StsRequest) -> bytes:
    """Hash of what determines the reply: the audio and what to make of it."""
    digest = hashlib.sha256(request.audio.data)
    digest.update(f"{request.audio.sample_rate_hz}/{request.audio.channels}".encode())
    digest.update(request.config.model_dump_json().encode())
    digest.update(request.context.model_dump_json().encode())
    return digest.digest()
