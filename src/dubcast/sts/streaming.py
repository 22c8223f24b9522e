"""A reply in a stream: what was heard, what it is translated to, and each clause when it is spoken.

The first clause is what counts: it is made short, and is spoken before any clause that is due
later, of whatever stream.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from dubcast.clock import NS_PER_S
from dubcast.contract import stream_reply as wire
from dubcast.contract.sts import StsRequest
from dubcast.sts import clauses
from dubcast.sts.clauses import Clause
from dubcast.sts.engine import Engine
from dubcast.sts.offer import Choice
from dubcast.sts.providers.interface import Fitted
from dubcast.sts.source_spans import SourceSpan, source_spans
from dubcast.sts.speaking import Passage, Speaker, is_speakable
from dubcast.sts.stage_calls import StageCalls
from dubcast.sts.translating import Translator
from dubcast.sts.understanding import Understood, to_ms, understand

Tell = Callable[[bytes], None]


@dataclass(frozen=True)
class Script:
    """What is spoken, clause by clause, and what each translates."""

    text: str
    clauses: tuple[Clause, ...]
    sources: tuple[SourceSpan | None, ...]
    shortened: bool


@dataclass
class Progress:
    """How far a fragment has come: what is here was told, and is not done again.

    `spoken_s`: the length of each clause that was spoken; `first_clause_ms`: how long it took.
    """

    understood: Understood | None = None
    script: Script | None = None
    spoken_s: list[float] = field(default_factory=list)
    first_clause_ms: float | None = None

    def outcome(self, request: StsRequest) -> dict[str, Any]:
        """What its last frame says of it. Once all has been spoken."""
        if self.understood is None or self.script is None or not any(self.spoken_s):
            return {"status": "no_speech"}
        choice, said = self.understood.choice, self.understood.said.text
        passage = Passage(request, self.understood.bounds_s, said, choice)
        pauses_s = [clause.pause_s for clause in self.script.clauses]
        return {
            "status": "success" if passage.fits(self.spoken_s, pauses_s) else "partial",
            "speech_ms": to_ms(sum(self.spoken_s) + sum(pauses_s[:-1])),
            "shortened": self.script.shortened,
        }


class Streamer:
    """Takes a fragment through the stages, and tells each frame as soon as it is known."""

    def __init__(self, engine: Engine, translator: Translator, speaker: Speaker) -> None:
        self._engine = engine
        self._translator = translator
        self._speaker = speaker

    async def stream(
        self,
        calls: StageCalls,
        request: StsRequest,
        choice: Choice,
        progress: Progress,
        tell: Tell,
    ) -> None:
        """All frames but the last. Goes on from `progress`. Raises StsError.

        Cancelling is safe: what was told is in `progress`.
        """
        if progress.understood is None:
            progress.understood = await self._understand(calls, request, choice)
            tell(wire.encode(_heard(request, progress.understood)))
        understood = progress.understood
        text, choice = understood.said.text, understood.choice
        if not text:
            return
        passage = Passage(request, understood.bounds_s, text, choice)
        if progress.script is None:
            translation = await self._translator.translate(calls, text, choice, request.context)
            if not is_speakable(translation):
                return
            progress.script = self._script(passage, understood, translation)
            tell(wire.encode(_translated(progress.script)))
        await self._speak(calls, passage, progress, progress.script, tell)

    async def _understand(
        self, calls: StageCalls, request: StsRequest, choice: Choice
    ) -> Understood:
        self._engine.metrics.audio_seconds.inc(request.fragment_ms / 1000)
        config = request.config
        words = config.timings != "none" or config.overlap_ms > 0 or config.after_ms > 0
        return await understand(self._engine, calls, request, choice, words=words)

    def _script(self, passage: Passage, understood: Understood, translation: str) -> Script:
        text = self._speaker.expected_to_fit(passage, translation)
        choice = understood.choice
        pieces = clauses.split(text, choice.target, soon=True)
        sources = source_spans(
            [piece.text for piece in pieces],
            choice.target,
            understood.said.words,
            choice.source,
            understood.bounds_s,
        )
        return Script(text, tuple(pieces), tuple(sources), text != translation)

    async def _speak(
        self, calls: StageCalls, passage: Passage, progress: Progress, script: Script, tell: Tell
    ) -> None:
        """The clauses that have not been spoken yet."""
        due_ns = _due_ns(script, calls.deadline_ns)
        begin = len(progress.spoken_s)
        left = script.clauses[begin:]
        async with aclosing(
            self._speaker.speak_each(calls, passage, left, due_ns[begin:])
        ) as spoken:
            async for fitted in spoken:
                index = len(progress.spoken_s)
                progress.spoken_s.append(fitted.speech_ms / 1000 if fitted else 0.0)
                if index == 0:
                    progress.first_clause_ms = round(calls.took_ms(), 1)
                    self._engine.metrics.first_clause_seconds.observe(calls.took_ms() / 1000)
                tell(_clause(index, script.clauses[index], fitted, passage.request))
        pauses_s = sum(clause.pause_s for clause in script.clauses[:-1])
        self._speaker.learn(passage, script.text, sum(progress.spoken_s) + pauses_s)


def _due_ns(script: Script, deadline_ns: int) -> list[int | None]:
    """When each clause is due: the last one at the deadline, the others as their sources lie."""
    last = script.sources[-1]
    if last is None:
        return [None] * len(script.clauses)
    return [
        None if one is None else deadline_ns - round((last.start_s - one.start_s) * NS_PER_S)
        for one in script.sources
    ]


def _heard(request: StsRequest, understood: Understood) -> wire.Heard:
    start_ms, end_ms = understood.bounds_ms
    return wire.Heard(
        fragment_id=request.fragment_id,
        transcript=understood.said.text,
        detected_language=understood.language,
        language_probability=understood.share,
        left_alone=understood.left_alone,
        song_odds=understood.song_odds,
        speech_start_ms=start_ms,
        speech_end_ms=end_ms,
        words=understood.words if request.config.timings == "words" else (),
        unheard_ms=understood.unheard_ms[: wire.MOST_UNHEARD],
    )


def _translated(script: Script) -> wire.Translated:
    pairs = zip(script.clauses, script.sources, strict=True)
    return wire.Translated(
        translated_text=script.text,
        clauses=tuple(
            wire.PlannedClause(
                index=i,
                text=clause.text,
                source_text=source and source.text,
                source_start_ms=to_ms(source.start_s) if source else None,
                source_end_ms=to_ms(source.end_s) if source else None,
            )
            for i, (clause, source) in enumerate(pairs)
        ),
    )


def _clause(index: int, clause: Clause, fitted: Fitted | None, request: StsRequest) -> bytes:
    frame = wire.Clause(
        index=index,
        text=clause.text,
        natural_ms=fitted.speech_ms if fitted else 0,
        pause_ms=to_ms(clause.pause_s),
        sample_rate_hz=request.audio.sample_rate_hz,
    )
    return wire.encode(frame, fitted.pcm if fitted else b"")
