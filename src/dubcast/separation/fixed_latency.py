"""Makes the delay of a separator exact.

A separator's core works on aligned samples: what it delivers next belongs to the source sample
after the last one that it delivered, however late and in whatever bursts it comes. `FixedLatency`
turns that into a stream which lags by exactly `latency` samples, for blocks of any size.
"""

from __future__ import annotations

import numpy as np

from dubcast.audio.pcm import CHANNELS, Float
from dubcast.separation.fifo import Fifo
from dubcast.separation.separator import CELL, SHARE_FLOOR_DB, Core, Separated


def whole_cells(samples: int) -> int:
    """The next multiple of a 10 ms cell, so that shares lie on the source's own grid."""
    return -(-samples // CELL) * CELL


class CellEnergies:
    """Energy of each 10 ms cell of a stream; `of` looks back at cells by their number."""

    def __init__(self, channels: int) -> None:
        self._open = Fifo(channels)
        self._first = 0
        self._cells = np.zeros(0, dtype=np.float64)

    def push(self, samples: Float) -> None:
        """Append (frames, channels)."""
        self._open.push(samples)
        whole = len(self._open) // CELL
        if whole:
            cells = self._open.pop(whole * CELL).reshape(whole, -1).astype(np.float64)
            self._cells = np.concatenate([self._cells, np.square(cells).mean(axis=1)])

    def of(self, first: int, last: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Mean power of the cells `first` to `last` - 1; cells before the stream are silent."""
        lead = max(min(last, 0) - first, 0)
        known = self._cells[max(first, 0) - self._first : max(last, 0) - self._first]
        return np.concatenate([np.zeros(lead), known])

    def forget(self, before: int) -> None:
        """Drop the cells before number `before`."""
        drop = max(before - self._first, 0)
        self._cells = self._cells[drop:]
        self._first += drop


class FixedLatency:
    """A separator out of a core: exact latency, speech shares, and silence for digital silence."""

    def __init__(self, name: str, core: Core, speech_channels: int = 1) -> None:
        self.name = name
        self.latency = whole_cells(core.latency)
        self._core = core
        self._speech_channels = speech_channels
        self._restart()

    def _restart(self) -> None:
        self._ready = Fifo(CHANNELS, zeros=self.latency)
        self._mix = CellEnergies(CHANNELS)
        self._mid = CellEnergies(self._speech_channels)
        self._speech = CellEnergies(self._speech_channels)
        self._given = 0

    def reset(self) -> None:
        self._core.reset()
        self._restart()

    def process(self, block: Float) -> Separated:
        block = np.ascontiguousarray(block, dtype=np.float32)
        self._mix.push(block)
        mono = self._speech_channels == 1
        self._mid.push(block.mean(axis=1, keepdims=True) if mono else block)
        burst = self._core.advance(block)
        self._ready.push(burst.background)
        self._speech.push(burst.speech)
        background = self._ready.pop(len(block))
        first = self._given
        self._given += len(block)
        return Separated(self._silenced(background, first), self._shares(first))

    def _silenced(self, background: Float, first: int) -> Float:
        """Zeros where the source has whole cells of digital silence: no echo of the windows."""
        if not len(background):
            return background
        lag = self.latency // CELL
        cells = first // CELL, -(-self._given // CELL)
        silent = self._mix.of(cells[0] - lag, cells[1] - lag) == 0
        self._mix.forget(self._given // CELL - lag)
        if not silent.any():
            return background
        skip = first - cells[0] * CELL
        mask = np.repeat(silent, CELL)[skip : skip + len(background)]
        return np.where(mask[:, np.newaxis], np.float32(0), background)

    def _shares(self, first: int) -> Float:
        lag = self.latency // CELL
        cells = first // CELL - lag, self._given // CELL - lag
        speech, mix = self._speech.of(*cells), self._mid.of(*cells)
        self._speech.forget(cells[1])
        self._mid.forget(cells[1])
        # 1e-12 is far below one 16-bit step: silence has no share of speech.
        ratio = speech / np.maximum(mix, 1e-12)
        floor = 10 ** (SHARE_FLOOR_DB / 10)
        return (10 * np.log10(np.clip(ratio, floor, 1.0))).astype(np.float32)
