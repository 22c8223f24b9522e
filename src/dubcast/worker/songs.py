"""How surely what came just before was sung: who sang a moment ago probably still sings. Pure;
positions in samples of the stream.
"""

from __future__ import annotations

from dubcast.audio.pcm import RATE

# So long after it a song is still just before: a line or two of it, or a few bars without words.
_LASTS = 10 * RATE
_KEPT = 16  # more are never on their way at a time


class Songs:
    """How surely each of the last fragments was sung, by sequence number, as far as that was told.
    Not thread-safe.
    """

    def __init__(self) -> None:
        self._told: dict[int, tuple[int, float]] = {}  # where it stops, its odds

    def heard(self, sequence: int, stop: int, odds: float | None) -> None:
        """A fragment that ends at `stop` was heard; its log odds, None if nothing can be told."""
        if odds is None:
            return
        self._told[sequence] = stop, odds
        if len(self._told) > _KEPT:
            del self._told[min(self._told)]

    def before(self, sequence: int, start: int) -> float:
        """The log odds of the nearest fragment before that tells; 0 if that was long ago."""
        nearest = max((number for number in self._told if number < sequence), default=-1)
        stop, odds = self._told.get(nearest, (0, 0.0))
        return odds if start - stop <= _LASTS else 0.0
