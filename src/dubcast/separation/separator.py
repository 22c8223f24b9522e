"""What a separator is, and the core that most of them are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dubcast.audio.pcm import RATE, Float

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
