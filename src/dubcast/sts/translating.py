"""Translates what was said: by the phrasebook where it can, by the model where it cannot, with the
words that the glossary wants, and with addresses and dates as they are.

A text in capitals is translated in small letters: models know few words in capitals.
"""

from __future__ import annotations

from dataclasses import dataclass

from dubcast.languages.sentences import sentences
from dubcast.languages.spoken_form import unshouted
from dubcast.sts.engine import Engine
from dubcast.sts.glossary import Protected
from dubcast.sts.offer import Choice
from dubcast.sts.phrasebook import Phrasebook
from dubcast.sts.providers.interface import MtTask
from dubcast.sts.stage_calls import StageCalls
from dubcast.sts.verbatim import verbatim, without_overlap


@dataclass(frozen=True)
class _Part:
    """Sentences that stand together; `said` is their translation, if the phrasebook has it."""

    text: str
    said: str | None = None
    protected: Protected | None = None

    @property
    def attempts(self) -> list[str]:
        """What the model is given."""
        if self.protected is not None:
            return self.protected.attempts
        return [] if self.said is not None else [self.text]

    @property
    def is_plain(self) -> bool:
        return self.said is None and self.protected is None


class Translator:
    """Translates a fragment's text. `phrasebook`: none to have all of it from the model."""

    def __init__(self, engine: Engine, phrasebook: Phrasebook | None) -> None:
        self._engine = engine
        self._phrasebook = phrasebook

    async def translate(self, calls: StageCalls, text: str, choice: Choice) -> str:
        """The translation of `text`. Raises StsError. Cancelling is safe."""
        parts = self._parts(text, choice)
        self._count(parts)
        attempts = [attempt for part in parts for attempt in part.attempts]
        results = iter(await self._ask(calls, attempts, choice))
        said = []
        for part in parts:
            own = [next(results) for _ in part.attempts]
            said.append(await self._settle(calls, part, own, choice))
        return " ".join(said)

    async def _settle(
        self, calls: StageCalls, part: _Part, results: list[str], choice: Choice
    ) -> str:
        if part.said is not None:
            return part.said
        protected = part.protected
        if protected is None:
            return results[0]
        said = protected.choose(results)
        if said is not None:
            return said
        pieces = protected.pieces
        worded = [one for one in pieces if any(char.isalnum() for char in one)]
        translated = dict(zip(worded, await self._ask(calls, worded, choice), strict=True))
        return protected.joined([translated.get(one, one) for one in pieces])

    async def _ask(self, calls: StageCalls, texts: list[str], choice: Choice) -> list[str]:
        pair = choice.source.tag, choice.target.tag
        tasks = [MtTask(text, *pair) for text in texts]
        return await calls.run_all(self._engine.mt, tasks) if tasks else []

    def _parts(self, text: str, choice: Choice) -> list[_Part]:
        """The text in order: each sentence of the phrasebook or with terms, and what stands between
        them whole, since a model translates a sentence better beside its neighbours.
        """
        parts: list[_Part] = []
        for sentence in sentences(unshouted(text, choice.source), choice.source):
            part = self._part(sentence, choice)
            if part.is_plain and parts and parts[-1].is_plain:
                parts[-1] = _Part(f"{parts[-1].text} {sentence}")
            else:
                parts.append(part)
        return parts

    def _part(self, sentence: str, choice: Choice) -> _Part:
        terms = without_overlap(
            [
                *choice.glossary.find(sentence),
                *verbatim(sentence, choice.source, choice.target),
            ]
        )
        if terms:
            return _Part(sentence, protected=Protected(sentence, terms))
        if self._phrasebook is None:
            return _Part(sentence)
        pair = choice.source.tag, choice.target.tag
        return _Part(sentence, said=self._phrasebook.find(sentence, pair))

    def _count(self, parts: list[_Part]) -> None:
        metrics = self._engine.metrics
        metrics.phrases.inc(sum(part.said is not None for part in parts))
        metrics.terms.inc(sum(len(part.protected.terms) for part in parts if part.protected))
