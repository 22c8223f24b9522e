"""Translates what was said: by the phrasebook where it can, by the model where it cannot."""

from __future__ import annotations

from dataclasses import dataclass

from dubcast.languages.sentences import sentences
from dubcast.sts.engine import Engine
from dubcast.sts.offer import Choice
from dubcast.sts.phrasebook import Phrasebook
from dubcast.sts.providers.interface import MtTask
from dubcast.sts.stage_calls import StageCalls


@dataclass(frozen=True)
class _Part:
    """Sentences that stand together; `said` is their translation, if the phrasebook has it."""

    text: str
    said: str | None = None


class Translator:
    """Translates a fragment's text. `phrasebook`: none to have all of it from the model."""

    def __init__(self, engine: Engine, phrasebook: Phrasebook | None) -> None:
        self._engine = engine
        self._phrasebook = phrasebook

    async def translate(self, calls: StageCalls, text: str, choice: Choice) -> str:
        """The translation of `text`. Raises StsError. Cancelling is safe."""
        parts = self._parts(text, choice)
        self._engine.metrics.phrases.inc(sum(part.said is not None for part in parts))
        pair = choice.source.tag, choice.target.tag
        tasks = [MtTask(part.text, *pair) for part in parts if part.said is None]
        translated = iter(await calls.run_all(self._engine.mt, tasks) if tasks else ())
        return " ".join(part.said or next(translated) for part in parts)

    def _parts(self, text: str, choice: Choice) -> list[_Part]:
        """The text in order: each sentence of the phrasebook, and what stands between them whole,
        since a model translates a sentence better beside its neighbours.
        """
        if self._phrasebook is None:
            return [_Part(text)]
        pair = choice.source.tag, choice.target.tag
        parts: list[_Part] = []
        for sentence in sentences(text, choice.source):
            said = self._phrasebook.find(sentence, pair)
            if said is None and parts and parts[-1].said is None:
                parts[-1] = _Part(f"{parts[-1].text} {sentence}")
            else:
                parts.append(_Part(sentence, said))
        return parts
