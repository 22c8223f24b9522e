"""Speaks a translation in the time that it has: shorten if it must be, clause by clause, fit.

The order of means is: nothing; shorter pauses; faster, up to the limit; fewer words. Since speech
is dear, words are left out before it, by what the voice is expected to take. For a streamed reply
that is all: each clause is handed over at its natural length.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from dubcast.contract.sts import MAX_DURATION_MS, StsRequest
from dubcast.errors import StsError
from dubcast.languages import catalogue
from dubcast.languages.sentences import sentences
from dubcast.languages.spoken_form import spoken_form
from dubcast.sts import clauses, duration
from dubcast.sts.clauses import Clause
from dubcast.sts.duration import Room
from dubcast.sts.engine import Engine
from dubcast.sts.offer import Choice
from dubcast.sts.pace import Pace
from dubcast.sts.providers.interface import FitTask, Fitted, Speech, TtsTask
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


@dataclass(frozen=True)
class Passage:
    """What is to be spoken for a fragment: `said` is what its speaker said, in seconds `bounds_s`
    of it, if that is known."""

    request: StsRequest
    bounds_s: tuple[float, float] | None
    said: str
    choice: Choice

    def said_as(self, text: str) -> str:
        """What a voice is given for a text: figures, abbreviations and the glossary in words."""
        return spoken_form(self.choice.glossary.said(text), self.choice.target)

    @property
    def source_sentences(self) -> list[str]:
        """The sentences of what was said."""
        return sentences(self.said, self.choice.source)

    @property
    def room_s(self) -> float:
        """The longest that the dub may sound."""
        config, fragment_ms = self.request.config, self.request.fragment_ms
        slot_s = (config.slot_ms or fragment_ms) / 1000
        fragment_s = fragment_ms / 1000
        _, room = duration.room(config.duration_policy, fragment_s, slot_s, self.bounds_s)
        return room.most_s

    def fit_task(self, pieces: Sequence[Clause], speech: Sequence[Speech]) -> FitTask:
        """All of it, brought to its time."""
        audio, config = self.request.audio, self.request.config
        return FitTask(
            clauses=tuple(speech),
            pauses_s=tuple(piece.pause_s for piece in pieces),
            policy=config.duration_policy,
            frames=self.request.fragment_frames,
            slot_ms=config.slot_ms or self.request.fragment_ms,
            max_tempo=config.max_tempo,
            rate_hz=audio.sample_rate_hz,
            channels=audio.channels,
            bounds_s=self.bounds_s,
        )

    def natural_task(self, speech: Speech) -> FitTask:
        """A clause in the form that was asked for, as long as it is."""
        rate_hz = self.request.audio.sample_rate_hz
        return FitTask(
            clauses=(speech,),
            pauses_s=(0.0,),
            policy="fit",
            frames=len(speech.samples) * rate_hz // speech.rate_hz,
            slot_ms=MAX_DURATION_MS,
            max_tempo=1.0,
            rate_hz=rate_hz,
            channels=1,
        )

    def fits(self, clauses_s: Sequence[float], pauses_s: Sequence[float]) -> bool:
        """Whether clauses of such lengths fit, with a pause after each but the last."""
        room = Room(self.room_s, self.room_s)
        tempo = self.request.config.max_tempo
        return duration.plan(sum(clauses_s), pauses_s[:-1], room, 1.0, tempo).fits


@dataclass
class _Job:
    """A passage that is being spoken whole: what has been spoken of it, and how long it was."""

    passage: Passage
    speech: dict[str, Speech] = field(default_factory=dict)
    spoken_s: float = 0.0


class Speaker:
    """Synthesizes and fits. Learns how fast the voices speak. Made for one event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pace = Pace()
        for language in catalogue.known():
            spoken_form("1", language)  # patterns are made now, not while a fragment waits

    async def speak(self, calls: StageCalls, passage: Passage, text: str) -> Dub | None:
        """`text`, the translation of what was said, spoken in the room that the request gives, or
        None if nothing in it can be spoken. Raises StsError. Cancelling is safe.
        """
        if not is_speakable(text):
            return None
        job = _Job(passage)
        room_s = passage.room_s * passage.request.config.max_tempo
        first = self.expected_to_fit(passage, text)
        dub = await self._attempt(calls, job, first, shortened=first != text)
        if dub is None or dub.fitted.fits:
            return dub
        most = len(first) * _RETRY_AIM * room_s / job.spoken_s
        second = shorten(first, passage.choice.target, most)
        if second == first or calls.left_ms() < _RETRY_MARGIN * calls.ms[self._engine.tts.name]:
            return dub
        return await self._second_attempt(calls, job, second) or dub

    def expected_to_fit(self, passage: Passage, text: str) -> str:
        """The text, with words left out if it is expected not to fit at the highest tempo."""
        room_s = passage.room_s * passage.request.config.max_tempo
        voice, language = passage.choice.voice.name, passage.choice.target
        takes_s = self._pace.predict_s(passage.said_as(text), voice, language)
        return shorten(text, language, len(text) * room_s / takes_s) if takes_s > room_s else text

    async def speak_each(
        self,
        calls: StageCalls,
        passage: Passage,
        pieces: Sequence[Clause],
        due_ns: Sequence[int | None],
    ) -> AsyncGenerator[Fitted | None, None]:
        """Each clause at its natural length, as soon as it is spoken; None for one in which nothing
        can be. `due_ns`: when each is wanted. Raises StsError. Cancelling is safe.
        """
        texts = [piece.text for piece in pieces]
        once = list(dict.fromkeys(texts))
        tasks = [TtsTask(passage.said_as(one), passage.choice.voice) for one in once]
        dues = [due_ns[texts.index(one)] for one in once]
        async with calls.begun(self._engine.tts, tasks, dues) as futures:
            spoken = dict(zip(once, futures, strict=True))
            for text in texts:
                speech = await calls.result(self._engine.tts, spoken[text])
                if len(speech.samples):
                    fitted = await calls.run(self._engine.fit, passage.natural_task(speech))
                    yield fitted
                else:
                    yield None

    def learn(self, passage: Passage, text: str, seconds: float) -> None:
        """A text took the passage's voice so long."""
        self._pace.learn(passage.said_as(text), passage.choice.voice.name, seconds)

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
        passage = job.passage
        source = () if shortened else passage.source_sentences
        pieces = clauses.split(text, passage.choice.target, source)
        await self._synthesize(calls, job, pieces)
        pieces = [piece for piece in pieces if len(job.speech[piece.text].samples)]
        if not pieces:
            return None
        speech = [job.speech[piece.text] for piece in pieces]
        fitted = await calls.run(self._engine.fit, passage.fit_task(pieces, speech))
        job.spoken_s = fitted.speech_ms / 1000
        self.learn(passage, text, job.spoken_s)
        return Dub(text, tuple(pieces), fitted, shortened)

    async def _synthesize(self, calls: StageCalls, job: _Job, pieces: list[Clause]) -> None:
        """Speak the clauses that have not been spoken yet."""
        fresh = list({piece.text: None for piece in pieces if piece.text not in job.speech})
        tasks = [TtsTask(job.passage.said_as(one), job.passage.choice.voice) for one in fresh]
        job.speech.update(zip(fresh, await calls.run_all(self._engine.tts, tasks), strict=True))


def is_speakable(text: str) -> bool:
    """Whether there is a word or a figure in a text."""
    return any(char.isalnum() for char in text)
