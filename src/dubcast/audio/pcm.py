"""PCM conventions of dubcast: 48 kHz, stereo, interleaved S16LE at the edges.

Inside the audio core a block is a numpy array of shape (frames, 2): int16 as it came, or
float32 in [-1, 1). Positions are sample indices on the stream's timeline (48,000 a second).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 48_000
CHANNELS = 2
BYTES_PER_FRAME = 4  # S16 stereo

Int16 = npt.NDArray[np.int16]
Float = npt.NDArray[np.float32]

_FULL_SCALE = 32768.0


def from_bytes(data: bytes) -> Int16:
    """Interleaved S16LE stereo bytes as an array of shape (frames, 2)."""
    block: Int16 = np.frombuffer(data, dtype="<i2").reshape(-1, CHANNELS)
    return block


def to_float(block: Int16) -> Float:
    """int16 to float32 in [-1, 1)."""
    return block.astype(np.float32) / np.float32(_FULL_SCALE)


def to_int16(block: Float) -> Int16:
    """float32 to int16, rounded and clipped at full scale."""
    scaled = np.rint(block * np.float32(_FULL_SCALE))
    clipped: Int16 = np.clip(scaled, -32768, 32767).astype(np.int16)
    return clipped


def scale(block: Float, gain: Float) -> None:
    """Multiply a (frames, 2) block by a gain per frame, in place.

    By column: over rows of two, numpy takes ten times as long.
    """
    block[:, 0] *= gain
    block[:, 1] *= gain


def mono(block: Int16) -> Int16:
    """The mean of the channels, shape (frames,)."""
    total: npt.NDArray[np.int32] = block[:, 0].astype(np.int32) + block[:, 1]
    half: Int16 = (total >> 1).astype(np.int16)
    return half


def from_db(decibel: float) -> float:
    """Decibels to a linear amplitude factor."""
    return float(10.0 ** (decibel / 20.0))


def ns_to_samples(ns: int) -> int:
    """Nanoseconds to the nearest sample index."""
    return (ns * RATE + 500_000_000) // 1_000_000_000


def samples_to_ns(samples: int) -> int:
    """A sample index to nanoseconds."""
    return samples * 1_000_000_000 // RATE


def ms_to_samples(ms: float) -> int:
    """Milliseconds to the nearest number of samples."""
    return round(ms * RATE / 1000)


def samples_to_ms(samples: int) -> int:
    """A number of samples to the nearest whole ms."""
    return round(1000 * samples / RATE)


def samples_to_s(samples: int) -> float:
    """A number of samples to seconds."""
    return samples / RATE
