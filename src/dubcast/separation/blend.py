"""The mean of two separators that err differently, brought to the same delay."""

from __future__ import annotations

import numpy as np

from dubcast.audio.pcm import CHANNELS, Float
from dubcast.separation.fifo import Fifo
from dubcast.separation.separator import CELL, SHARE_FLOOR_DB, Separated, Separator


class Blend:
    """Half of each background. The speech share is that of `speech`, which spares singing."""

    def __init__(self, name: str, music: Separator, speech: Separator) -> None:
        self.name = name
        self._parts = music, speech
        self.latency = max(music.latency, speech.latency)
        self._restart()

    def _restart(self) -> None:
        self._late = [Fifo(CHANNELS, self.latency - part.latency) for part in self._parts]
        missing = (self.latency - self._parts[1].latency) // CELL
        self._shares = np.full(missing, SHARE_FLOOR_DB, dtype=np.float32)

    def reset(self) -> None:
        for part in self._parts:
            part.reset()
        self._restart()

    def process(self, block: Float) -> Separated:
        results = [part.process(block) for part in self._parts]
        for late, result in zip(self._late, results, strict=True):
            late.push(result.background)
        music, speech = (late.pop(len(block)) for late in self._late)
        self._shares = np.concatenate([self._shares, results[1].speech_share])
        due = len(results[1].speech_share)
        shares, self._shares = self._shares[:due], self._shares[due:]
        return Separated((music + speech) * np.float32(0.5), shares)
