"""A queue of samples."""

from __future__ import annotations

import numpy as np

from dubcast.audio.pcm import Float


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
