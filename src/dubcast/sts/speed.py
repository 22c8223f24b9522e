"""How fast a stage is, learned from its own runs. Pure.

A batch takes longer than one item and less than as many. What one item costs a stage that is
always busy is its share of a full batch, not of those that form while there is little to do.
"""

from __future__ import annotations

_FORGET = 0.97
# Batches are expected to become at most so much larger than they have been so far.
_GROWTH = 2.0


class Speed:
    """Learns `seconds = start + size * each`, forgetting what is long ago."""

    def __init__(self) -> None:
        self._weight = self._size = self._seconds = self._squares = self._products = 0.0

    def learn(self, size: int, seconds: float) -> None:
        """A run of `size` items took `seconds`."""
        new = (1.0, size, seconds, size * size, size * seconds)
        old = (self._weight, self._size, self._seconds, self._squares, self._products)
        self._weight, self._size, self._seconds, self._squares, self._products = (
            before * _FORGET + now for before, now in zip(old, new, strict=True)
        )

    def run_s(self) -> float:
        """How long a run takes, in seconds; 0 as long as there was none."""
        return self._seconds / self._weight if self._weight else 0.0

    def item_s(self, most: int) -> float:
        """What one item costs where batches of up to `most` form, in seconds; 0 if not known."""
        if not self._weight:
            return 0.0
        size, run_s = self._size / self._weight, self.run_s()
        spread = self._squares / self._weight - size * size
        each = run_s / size
        if spread > 1e-6:
            slope = (self._products / self._weight - size * run_s) / spread
            each = min(max(slope, 0.0), each)
        start = run_s - each * size
        return start / min(most, max(1.0, _GROWTH * size)) + each
