"""Joins the small blocks of a decoder to larger ones. Pure.

A decoder hands out 21 ms at a time. What the worker does with a block costs the same for 21 as
for 85 ms, and nothing behind it needs to know sooner: the delay is seconds.
"""

from __future__ import annotations

from dubcast.audio.pcm import RATE, samples_to_ns

_ENOUGH = RATE // 15
# FLV rounds timestamps to a millisecond: blocks that follow each other may be that far off.
_JITTER_NS = 2_000_000
_BYTES_PER_FRAME = 4


class PcmBatch:
    """Blocks of stereo S16LE at 48 kHz that follow each other, as one."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._pts = 0
        self._frames = 0

    def add(self, pts: int, pcm: bytes) -> list[tuple[int, bytes]]:
        """Take a block that begins at `pts` in ns; returns what is complete, as (PTS, PCM)."""
        done = []
        if self._parts and abs(pts - self._pts - samples_to_ns(self._frames)) > _JITTER_NS:
            done = self.flush()
        if not self._parts:
            self._pts = pts
        self._parts.append(pcm)
        self._frames += len(pcm) // _BYTES_PER_FRAME
        return [*done, *self.flush()] if self._frames >= _ENOUGH else done

    def flush(self) -> list[tuple[int, bytes]]:
        """What waits, if anything."""
        parts, self._parts, self._frames = self._parts, [], 0
        return [(self._pts, b"".join(parts))] if parts else []
