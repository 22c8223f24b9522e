"""What a separator is, and the frame that makes its delay exact.

A separator's core works on aligned samples: what it delivers next belongs to the source sample
after the last one that it delivered, however late and in whatever bursts it comes. `Lagged` turns
that into a stream which lags by exactly `latency` samples, for blocks of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dubcast.audio.pcm import CHANNELS, RATE, Float

CELL = RATE // 100  # a speech share covers 10 ms
SHARE_FLOOR_DB = -80.0


@dataclass(frozen=True)
class Separated:
    """`background`: (frames, 2), as many frames as were fed, `Separator.latency` samples late.

    `speech_share`: one value for each 10 ms cell that ended in `background` (the first cell begins
    with the stream): energy of the speech estimate over that of the mix, dB in [-80, 0].
    """

    background: Float
    speech_share: Float


class Separator(Protocol):
    """Takes speech out of one stream; keeps the state of that stream from block to block."""

    name: str
    latency: int  # samples at 48 kHz; a multiple of CELL

    def process(self, block: Float) -> Separated:
        """`block`: (frames, 2), float32 in [-1, 1), 48 kHz, any number of frames.

        Feed `latency` zeros after the last block to get the end of the stream.
        """

    def reset(self) -> None:
        """Forget the stream: the next block begins another one."""


@dataclass(frozen=True)
class Burst:
    """What a core has ready: aligned background (frames, 2) and speech estimate (samples, 1|2)."""

    background: Float
    speech: Float


class Core(Protocol):
    """The separation itself, on aligned samples."""

    latency: int  # bound: after n samples fed, background and speech reach at least n - latency

    def advance(self, block: Float) -> Burst:
        """Feed (frames, 2); get what is ready, background and speech each at their own pace."""

    def reset(self) -> None:
        """Forget the stream."""


def whole_cells(samples: int) -> int:
    """The next multiple of a 10 ms cell, so that shares lie on the source's own grid."""
    return -(-samples // CELL) * CELL


class Fifo:
    """Samples waiting, in order; shape (frames, channels)."""

    def __init__(self, channels: int, zeros: int = 0) -> None:
        self._held = np.zeros((zeros, channels), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._held)

    def push(self, samples: Float) -> None:
        """Append (frames, channels)."""
        if len(samples):
            self._held = np.concatenate([self._held, samples])

    def pop(self, count: int) -> Float:
        """Take the oldest `count` frames, which must be there."""
        if count > len(self._held):
            raise ValueError(f"{count} frames asked of a queue that holds {len(self._held)}")
        taken, self._held = self._held[:count], self._held[count:]
        return taken


class Energies:
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


class Lagged:
    """A separator out of a core: exact latency, speech shares, and silence for digital silence."""

    def __init__(self, name: str, core: Core, speech_channels: int = 1) -> None:
        self.name = name
        self.latency = whole_cells(core.latency)
        self._core = core
        self._speech_channels = speech_channels
        self._restart()

    def _restart(self) -> None:
        self._ready = Fifo(CHANNELS, zeros=self.latency)
        self._mix = Energies(CHANNELS)
        self._mid = Energies(self._speech_channels)
        self._speech = Energies(self._speech_channels)
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
