"""Stages that compute nothing: what is measured with them is all but the models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dubcast.sts.engine import Engine, Providers
from dubcast.sts.providers.interface import (
    ASR_RATE,
    AsrCapabilities,
    AsrProvider,
    AsrTask,
    Capabilities,
    FitProvider,
    FitTask,
    Fitted,
    Heard,
    HearProvider,
    MtCapabilities,
    MtProvider,
    MtTask,
    PcmTask,
    Speech,
    Transcript,
    TtsCapabilities,
    TtsProvider,
    TtsTask,
    Voice,
    Word,
)

_TTS_RATE = 24_000
_SOUND = np.zeros(_TTS_RATE * 2, np.float32)
_SAID = "One two three four five."


class StillHear(HearProvider):
    """Hears speech in everything."""

    capabilities = Capabilities("still")

    def run(self, batch: Sequence[PcmTask]) -> list[Heard]:
        return [Heard(np.zeros(ASR_RATE, np.float32), True, (0.0, 1.0)) for _ in batch]


class StillAsr(AsrProvider):
    """Recognizes the same sentence in everything."""

    capabilities = AsrCapabilities("still")

    def run(self, batch: Sequence[AsrTask]) -> list[Transcript]:
        words = tuple(Word(w, i / 5, (i + 1) / 5) for i, w in enumerate(_SAID.split()))
        return [Transcript(_SAID, words=words) for _ in batch]


class StillMt(MtProvider):
    """Leaves every text as it is."""

    capabilities = MtCapabilities("still", pairs=frozenset({("en", "pt-BR")}))

    def run(self, batch: Sequence[MtTask]) -> list[str]:
        return [task.text for task in batch]


class StillTts(TtsProvider):
    """Speaks everything in two seconds."""

    capabilities = TtsCapabilities("still", voices=(Voice("still", "pt-BR", "female"),))

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        return [Speech(_SOUND, _TTS_RATE) for _ in batch]


class StillFit(FitProvider):
    """Makes silence of the length that is asked for."""

    capabilities = Capabilities("still")

    def run(self, batch: Sequence[FitTask]) -> list[Fitted]:
        return [self._fitted(task) for task in batch]

    def _fitted(self, task: FitTask) -> Fitted:
        spans = tuple((0, 1000) for _ in task.clauses)
        return Fitted(bytes(2 * task.channels * task.frames), 2000, 1.0, True, spans)


def still_engine() -> Engine:
    """An engine of them, not yet started."""
    providers = Providers(StillHear(), StillAsr(), StillMt(), StillTts(), StillFit())
    return Engine(providers, inbox_limit=64)
