"""A streamed reply as it comes: its frames checked, each handed on once. Pure.

It outlives a connection: a retry begins the stream anew, and what was there is not handed on again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

import numpy as np

from dubcast.audio.pcm import RATE
from dubcast.contract.stream_reply import (
    BadFrame,
    Clause,
    Done,
    Failed,
    Frame,
    FrameReader,
    Heard,
    PlannedClause,
    Translated,
)
from dubcast.contract.sts import BYTES_PER_SAMPLE, StsRequest, WordTime
from dubcast.errors import StsError
from dubcast.worker.reply_check import (
    LONGEST_TEXT,
    invalid_reply,
    longest_ms,
    other_reply,
    spoken_ms,
    voice_of,
)
from dubcast.worker.work import Announced, Progress, SpokenClause

MOST_CLAUSES = 32


class ClauseStream:
    """The reply to one fragment, over all its connections. `on_progress` is told what is new."""

    def __init__(self, request: StsRequest, on_progress: Callable[[Progress], None]) -> None:
        self._request = request
        self._on_progress = on_progress
        self._longest_ms = longest_ms(request)
        self.heard: Heard | None = None
        self.clauses: tuple[Announced, ...] = ()
        self.come = 0  # clauses that are here
        self.done: Done | None = None
        self._spoken_ms = 0.0
        self._reader = FrameReader()
        self.connect()

    def connect(self) -> None:
        """A connection begins; what it brings may have come before."""
        most_bytes = round(self._longest_ms * RATE / 1000) * BYTES_PER_SAMPLE
        self._reader = FrameReader(most_bytes)

    def feed(self, data: bytes) -> None:
        """Bytes came. Raises StsError: they are no reply to this fragment, or it says why it
        ends."""
        try:
            for frame, pcm in self._reader.feed(data):
                self._take(frame, pcm)
        except BadFrame as error:
            raise invalid_reply(f"the stream breaks the contract: {error}") from error

    def end(self) -> Done:
        """The bytes are over. Raises StsError if that is in the middle of it."""
        if self.done is None:
            message = f"the reply broke off after {self.come} of {len(self.clauses)} clauses"
            raise StsError("UNAVAILABLE", message, retryable=True)
        return self.done

    def _take(self, frame: Frame, pcm: bytes) -> None:
        match frame:
            case Heard():
                self._hear(frame)
            case Translated():
                self._announce(frame)
            case Clause():
                self._speak(frame, pcm)
            case Done():
                self._finish(frame)
            case Failed():
                told = frame.error
                message = told.message[:500]
                raise StsError(told.code, message, retryable=told.retryable, stage=told.stage)

    def _hear(self, frame: Heard) -> None:
        if frame.fragment_id != self._request.fragment_id:
            raise invalid_reply("the reply is for another fragment")
        if len(frame.transcript) > LONGEST_TEXT:
            raise invalid_reply(f"a text of more than {LONGEST_TEXT} characters")
        if self.heard is None:
            sent_ms = self._request.fragment_ms + self._request.config.after_ms
            self.heard = frame.model_copy(update={"words": in_order(frame.words, sent_ms)})
            self._on_progress(self.heard)

    def _announce(self, frame: Translated) -> None:
        if len(frame.clauses) > MOST_CLAUSES or len(frame.translated_text) > LONGEST_TEXT:
            raise invalid_reply(f"a translation of {len(frame.clauses)} clauses")
        assert self.heard is not None
        clauses = announced(frame.clauses, self.heard, self._request.fragment_ms)
        if not self.clauses:
            self.clauses = clauses
            self._on_progress(clauses)
        elif [one.text for one in clauses] != [one.text for one in self.clauses]:
            raise other_reply("the stream goes on with another translation")

    def _speak(self, frame: Clause, pcm: bytes) -> None:
        if frame.index >= len(self.clauses):
            raise invalid_reply(f"clause {frame.index} of {len(self.clauses)}")
        if frame.index < self.come:
            return
        voice = np.zeros(0, np.float32)
        if pcm:
            self._check(frame, 1000 * len(pcm) / BYTES_PER_SAMPLE / RATE)
            voice = voice_of(pcm, 1, frame.text)
        self.come += 1
        self._on_progress(SpokenClause(frame.index, voice, frame.tempo, frame.pause_ms))

    def _check(self, frame: Clause, length_ms: float) -> None:
        if frame.sample_rate_hz != RATE:
            raise invalid_reply(f"the dub has {frame.sample_rate_hz} Hz instead of {RATE}")
        self._spoken_ms += length_ms
        credible = spoken_ms(frame.text) < length_ms and self._spoken_ms <= self._longest_ms
        if not credible or not math.isfinite(frame.tempo):
            raise invalid_reply(f"a clause of {length_ms:.0f} ms for {len(frame.text)} characters")

    def _finish(self, frame: Done) -> None:
        numbers = [frame.tempo, frame.processing_time_ms, *frame.stages_ms.model_dump().values()]
        if not all(math.isfinite(number) for number in numbers):
            raise invalid_reply("the reply holds a number that is not finite")
        missing = self.come < len(self.clauses)
        if missing or (frame.status == "no_speech") != (self._spoken_ms == 0):
            raise invalid_reply(f"{frame.status} after {self.come} of {len(self.clauses)} clauses")
        self.done = frame


def in_order(words: Sequence[WordTime], sent_ms: int) -> tuple[WordTime, ...]:
    """Words as they can have been said: one after the other, in what was sent. Some services let
    the segments of a transcript overlap, or a word end long after the sound."""
    begins = list(accumulate((min(word.start_ms, sent_ms) for word in words), max))
    spans = zip(words, begins, [*begins, sent_ms][1:], strict=True)
    return tuple(
        word.model_copy(update={"start_ms": start, "end_ms": min(max(word.end_ms, start), last)})
        for word, start, last in spans
    )


def announced(
    clauses: Sequence[PlannedClause], heard: Heard, duration_ms: int
) -> tuple[Announced, ...]:
    """The clauses with their sources, which share the speech without a gap: as they are told if
    that can be, else by the length of their texts."""
    if [one.index for one in clauses] != list(range(len(clauses))):
        raise invalid_reply("clauses out of order")
    spans = _told(clauses, duration_ms) or _by_length(clauses, heard, duration_ms)
    return tuple(
        Announced(one.text, one.source_text or "", *span)
        for one, span in zip(clauses, spans, strict=True)
    )


def _told(clauses: Sequence[PlannedClause], duration_ms: int) -> list[tuple[int, int]] | None:
    spans = [
        (min(one.source_start_ms, duration_ms), min(one.source_end_ms, duration_ms))
        for one in clauses
        if one.source_start_ms is not None and one.source_end_ms is not None
    ]
    forward = all(start <= stop for start, stop in spans)
    joined = all(one[1] == other[0] for one, other in pairwise(spans))
    return spans if len(spans) == len(clauses) and forward and joined else None


def _by_length(
    clauses: Sequence[PlannedClause], heard: Heard, duration_ms: int
) -> list[tuple[int, int]]:
    start = min(heard.speech_start_ms or 0, duration_ms)
    stop = min(heard.speech_end_ms or duration_ms, duration_ms)
    if stop <= start:
        start, stop = 0, duration_ms
    lengths = [max(len(one.text), 1) for one in clauses]
    borders = [start, *(start + (stop - start) * n // sum(lengths) for n in accumulate(lengths))]
    return list(pairwise(borders))
