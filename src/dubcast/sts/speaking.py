"""Speaks a translation in the time that it has: shorten if it must be, clause by clause, fit.

The order of means is: nothing; shorter pauses; faster, up to the limit; fewer words. Since speech
is dear, words are left out before it, by what the voice is expected to take.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from dubcast.contract.sts import BYTES_PER_SAMPLE, StsRequest
from dubcast.errors import StsError
from dubcast.languages import catalogue
from dubcast.languages.sentences import sentences
from dubcast.languages.spoken_form import spoken_form
from dubcast.sts import clauses, duration
from dubcast.sts.clauses import Clause
from dubcast.sts.engine import Engine
from dubcast.sts.offer import Choice
from dubcast.sts.pace import Pace
from dubcast.sts.providers.interface import FitTask, Fitted, Heard, Speech, TtsTask
from dubcast.sts.shorten import shorten
from dubcast.sts.stage_calls import StageCalls

# A second try is made if there is this much more time than the first one took.
_RETRY_MARGIN = 1.5
# A prediction that was wrong once is wrong again: aim a little below the room.
_RETRY_AIM = 0.95
# Kept free for building the reply.
_REPLY_S = 0.1


@dataclass(frozen=True)
class Dub:
    """What is spoken, fitted; `clauses` as they were spoken."""

    text: str
    clauses: tuple[Clause, ...]
    fitted: Fitted
    shortened: bool


class Speaker:
    """Synthesizes and fits. Learns how fast the voices speak. Made for one event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pace = Pace()
        for language in catalogue.known():
            spoken_form("1", language)  # patterns are made now, not while a fragment waits

    async def speak(
        self,
        calls: StageCalls,
        request: StsRequest,
        heard: Heard,
        said: str,
        text: str,
        choice: Choice,
    ) -> Dub | None:
        """`text`, the translation of `said`, spoken in the room that the request gives, or None if
        nothing in it can be spoken. Raises StsError. Cancelling is safe.
        """
        if not any(char.isalnum() for char in text):
            return None
        job = _Job(request, heard, said, choice, {})
        voice, language = choice.voice.name, choice.target
        room_s = job.room_s * request.config.max_tempo
        first, said_as = text, job.said_as(text)
        takes_s = self._pace.predict_s(said_as, voice, language)
        if takes_s > room_s:
            first = shorten(text, language, len(text) * room_s / takes_s)
        dub = await self._attempt(calls, job, first, shortened=first != text)
        if dub is None or dub.fitted.fits:
            return dub
        second = shorten(first, language, len(first) * _RETRY_AIM * room_s / job.spoken_s)
        if second == first or calls.left_ms() < _RETRY_MARGIN * calls.ms[self._engine.tts.name]:
            return dub
        return await self._second_attempt(calls, job, second) or dub

    async def _second_attempt(self, calls: StageCalls, job: _Job, text: str) -> Dub | None:
        """A second try, or None if it fails or is late: the first one is still good."""
        try:
            async with asyncio.timeout(max(0.0, calls.left_ms() / 1000 - _REPLY_S)):
                return await self._attempt(calls, job, text, shortened=True)
        except (TimeoutError, StsError):
            return None

    async def _attempt(
        self, calls: StageCalls, job: _Job, text: str, *, shortened: bool
    ) -> Dub | None:
        pieces = clauses.split(text, job.choice.target, () if shortened else job.source_sentences)
        await self._synthesize(calls, job, pieces)
        pieces = [piece for piece in pieces if len(job.speech[piece.text].samples)]
        if not pieces:
            return None
        fitted = await calls.run(self._engine.fit, job.fit_task(pieces))
        job.spoken_s = fitted.speech_ms / 1000
        self._pace.learn(job.said_as(text), job.choice.voice.name, job.spoken_s)
        return Dub(text, tuple(pieces), fitted, shortened)

    async def _synthesize(self, calls: StageCalls, job: _Job, pieces: list[Clause]) -> None:
        """Speak the clauses that have not been spoken yet."""
        fresh = list({piece.text: None for piece in pieces if piece.text not in job.speech})
        tasks = [TtsTask(job.said_as(one), job.choice.voice) for one in fresh]
        job.speech.update(zip(fresh, await calls.run_all(self._engine.tts, tasks), strict=True))


@dataclass
class _Job:
    request: StsRequest
    heard: Heard
    said: str
    choice: Choice
    speech: dict[str, Speech]
    spoken_s: float = 0.0

    def said_as(self, text: str) -> str:
        """What a voice is given for a text: figures, abbreviations and the glossary in words."""
        return spoken_form(self.choice.glossary.said(text), self.choice.target)

    @property
    def source_sentences(self) -> list[str]:
        return sentences(self.said, self.choice.source)

    @property
    def room_s(self) -> float:
        """The longest that the dub may sound."""
        config, audio = self.request.config, self.request.audio
        slot_s = (config.slot_ms or audio.duration_ms) / 1000
        fragment_s = audio.duration_ms / 1000
        _, room = duration.room(config.duration_policy, fragment_s, slot_s, self.heard.bounds_s)
        return room.most_s

    def fit_task(self, pieces: list[Clause]) -> FitTask:
        audio, config = self.request.audio, self.request.config
        return FitTask(
            clauses=tuple(self.speech[piece.text] for piece in pieces),
            pauses_s=tuple(piece.pause_s for piece in pieces),
            policy=config.duration_policy,
            frames=len(audio.pcm_bytes()) // (BYTES_PER_SAMPLE * audio.channels),
            slot_ms=config.slot_ms or audio.duration_ms,
            max_tempo=config.max_tempo,
            rate_hz=audio.sample_rate_hz,
            channels=audio.channels,
            bounds_s=self.heard.bounds_s,
        )
