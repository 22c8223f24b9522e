"""Translates what was said: by the phrasebook where it can, by the model where it cannot.

The glossary's words come out as it wants them, addresses and dates as they are. What of the model's
cannot be right is done again by another way, or not dubbed.

A text in capitals is translated in small letters: models know few words in capitals. A sentence
that began in the fragment before is translated whole, and its end is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

from dubcast.contract.sts import FragmentContext, NoDub
from dubcast.languages.sentences import sentences
from dubcast.languages.spoken_form import unshouted
from dubcast.sts import colloquial
from dubcast.sts.engine import Engine
from dubcast.sts.glossary import Found, Protected
from dubcast.sts.offer import Choice
from dubcast.sts.phrasebook import Partly, Phrasebook
from dubcast.sts.providers.interface import MtTask
from dubcast.sts.sentence_so_far import Begun, begun, rest
from dubcast.sts.stage_calls import StageCalls
from dubcast.sts.translation_guard import Fault, fault, other_ways
from dubcast.sts.verbatim import called, verbatim, without_overlap


@dataclass(frozen=True)
class _Part:
    """Sentences that stand together; `said` is their translation, if the phrasebook has it;
    `begun`: this is the end of a sentence of which so much was said; `partly`: what the phrasebook
    has of the sentence around it."""

    text: str
    said: str | None = None
    protected: Protected | None = None
    begun: Begun | None = None
    partly: Partly | None = None

    @property
    def attempts(self) -> list[str]:
        """What the model is given."""
        if self.protected is not None:
            return self.protected.attempts
        if self.said is not None:
            return []
        return [self.text, *([f"{self.begun.source} {self.text}"] if self.begun else [])]

    @property
    def is_plain(self) -> bool:
        known = (self.said, self.protected, self.begun, self.partly)
        return all(one is None for one in known)


class Translator:
    """Translates a fragment's text. `phrasebook`: none to have all of it from the model."""

    def __init__(self, engine: Engine, phrasebook: Phrasebook | None) -> None:
        self._engine = engine
        self._phrasebook = phrasebook
        self._is_helped = phrasebook is not None and engine.providers.mt.capabilities.bookish
        if self._is_helped:
            colloquial.load()  # now, not while a fragment waits

    async def translate(
        self, calls: StageCalls, text: str, choice: Choice, context: FragmentContext
    ) -> str:
        """The translation of `text`, which follows `context`; empty, and `calls.no_dub` says so,
        if none can be trusted.

        Raises StsError. Cancelling is safe.
        """
        parts = self._parts(text, choice, context)
        self._count(parts)
        # Where each costs, one at a time: most sentences come out right at the first.
        at_first = 1 if self._engine.providers.mt.capabilities.priced else None
        attempts = [part.attempts[:at_first] for part in parts]
        results = iter(await self._ask(calls, [one for own in attempts for one in own], choice))
        said = []
        for part, first in zip(parts, attempts, strict=True):
            own = [next(results) for _ in first]
            settled = await self._settle(calls, part, own, choice)
            if settled is None:
                calls.no_dub = NoDub.UNTRUSTED_TRANSLATION
                return ""
            said.append(part.partly.around(settled) if part.partly else settled)
        return " ".join(said)

    async def _settle(
        self, calls: StageCalls, part: _Part, results: list[str], choice: Choice
    ) -> str | None:
        if part.said is not None:
            return part.said
        protected = part.protected
        if protected is None:
            said = self._end(part, results, choice)
            return said or await self._guarded(calls, part.text, results[0], choice)
        said = self._chosen(part, protected, results, choice)
        for later in protected.attempts[len(results) :]:
            if said is None:
                results += await self._ask(calls, [later], choice)
                said = self._chosen(part, protected, results, choice)
        return said if said is not None else await self._around(calls, protected, choice)

    def _chosen(
        self, part: _Part, protected: Protected, results: list[str], choice: Choice
    ) -> str | None:
        return protected.choose(
            ["" if self._fault(part.text, one, choice) else one for one in results]
        )

    def _end(self, part: _Part, results: list[str], choice: Choice) -> str | None:
        """The end of a sentence by the translation of all of it, if that can be told."""
        if part.begun is None:
            return None
        end = rest(part.begun.said, *results)
        return end if end and self._fault(part.text, end, choice) is None else None

    async def _around(self, calls: StageCalls, protected: Protected, choice: Choice) -> str | None:
        """What stands around the terms of a sentence translated by itself."""
        worded = [one for one in protected.pieces if any(char.isalnum() for char in one)]
        results = await self._ask(calls, worded, choice)
        translated: dict[str, str] = {}
        for piece, result in zip(worded, results, strict=True):
            said = await self._guarded(calls, piece, result, choice)
            if said is None:
                return None
            translated[piece] = said
        return protected.joined([translated.get(one, one) for one in protected.pieces])

    async def _guarded(self, calls: StageCalls, text: str, said: str, choice: Choice) -> str | None:
        """The model's translation if it can be right, else one that came by another way."""
        wrong = self._fault(text, said, choice)
        if wrong is None:
            return said
        mended = await self._mended(calls, text, choice)
        then = "left" if mended is None else "mended"
        self._engine.metrics.guarded.labels(wrong.value, then).inc()
        return mended

    def _fault(self, text: str, said: str, choice: Choice) -> Fault | None:
        trusted = self._engine.providers.mt.capabilities.trusted
        return None if trusted else fault(text, said, choice.source, choice.target)

    async def _mended(self, calls: StageCalls, text: str, choice: Choice) -> str | None:
        """The translation by the first of the other ways whose every piece can be right."""
        for pieces in other_ways(text, choice.source):
            said = [self._by_book(piece, choice) for piece in pieces]
            unknown = [piece for piece, one in zip(pieces, said, strict=True) if one is None]
            results = iter(await self._ask(calls, unknown, choice))
            whole = [one if one is not None else next(results) for one in said]
            joined = " ".join(whole)
            pairs = [*zip(pieces, whole, strict=True), (text, joined)]
            if not any(fault(*pair, choice.source, choice.target) for pair in pairs):
                return joined[0].upper() + joined[1:]
        return None

    def _by_book(self, sentence: str, choice: Choice) -> str | None:
        if self._phrasebook is None:
            return None
        return self._phrasebook.find(sentence, (choice.source.tag, choice.target.tag))

    def _partly(self, sentence: str, choice: Choice) -> Partly | None:
        if self._phrasebook is None:
            return None
        return self._phrasebook.partly(sentence, (choice.source.tag, choice.target.tag))

    async def _ask(self, calls: StageCalls, texts: list[str], choice: Choice) -> list[str]:
        if not texts:
            return []
        pair = choice.source.tag, choice.target.tag
        if not self._is_helped:
            return await calls.run_all(self._engine.mt, [MtTask(text, *pair) for text in texts])
        tasks = [MtTask(colloquial.written(text, *pair), *pair) for text in texts]
        results = await calls.run_all(self._engine.mt, tasks)
        return [colloquial.said(*one, *pair) for one in zip(texts, results, strict=True)]

    def _parts(self, text: str, choice: Choice, context: FragmentContext) -> list[_Part]:
        """The text in order: each sentence of the phrasebook or with terms, the end of one that was
        begun before, and what stands between them whole, since a model translates a sentence
        better beside its neighbours.
        """
        parts: list[_Part] = []
        for sentence in sentences(unshouted(text, choice.source), choice.source):
            part = self._part(sentence, choice)
            if part.is_plain and not parts:
                parts.append(_Part(sentence, begun=self._begun(choice, context)))
            elif part.is_plain and parts[-1].is_plain:
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
        said = self._by_book(sentence, choice)
        if said is not None:
            return _Part(sentence, said)
        partly = self._partly(sentence, choice)
        rest = partly.rest[0].upper() + partly.rest[1:] if partly else sentence
        ends = self._spoken_to(rest, choice)
        return _Part(rest, protected=Protected(rest, ends) if ends else None, partly=partly)

    def _begun(self, choice: Choice, context: FragmentContext) -> Begun | None:
        """The sentence that the fragment goes on with, unless its beginning would be paid again."""
        if self._engine.providers.mt.capabilities.priced:
            return None
        so_far = unshouted(context.source_text, choice.source)
        return begun(so_far, context.target_text, choice.source, choice.target)

    def _spoken_to(self, sentence: str, choice: Choice) -> tuple[Found, ...]:
        """Who is spoken to at the end of a sentence, by name or otherwise."""
        if found := called(sentence):
            return found
        if self._phrasebook is None:
            return ()
        return self._phrasebook.addressed(sentence, (choice.source.tag, choice.target.tag))

    def _count(self, parts: list[_Part]) -> None:
        metrics = self._engine.metrics
        metrics.phrases.inc(sum(part.said is not None or part.partly is not None for part in parts))
        metrics.terms.inc(sum(len(part.protected.terms) for part in parts if part.protected))
