"""The bytes between the worker and the separation process. Pure.

A frame: 4 bytes of magic, 1 byte kind, 4 bytes length, then the payload; little-endian. Audio is
S16LE stereo with the timeline position of its first sample. What does not parse is an error at
once: the other side may be foreign code gone wild.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from dubcast.audio.pcm import BYTES_PER_FRAME, Float, Int16, from_bytes
from dubcast.separation.separator import CELL

_HEAD = struct.Struct("<4sBI")
_MAGIC = b"dSp1"
_LONGEST = 1 << 22  # bytes: 22 s of audio
_POSITION = struct.Struct("<q")
_RESULT = struct.Struct("<qI")


class WireError(ValueError):
    """Bytes that are no frames of ours."""


class Kind(IntEnum):
    """What a frame holds."""

    AUDIO = 1
    BACKGROUND = 2
    NOTICE = 3


@dataclass(frozen=True)
class Audio:
    """Source audio (frames, 2) from timeline position `start`."""

    start: int
    block: Int16


@dataclass(frozen=True)
class Background:
    """The background of exactly these source samples; a share in dB for each 10 ms begun."""

    start: int
    block: Int16
    speech_share: Float


@dataclass(frozen=True)
class Notice:
    """`ready` (name, latency, cpu), `changed` (name, latency, reason), `failed` (reason)."""

    event: str
    name: str = ""
    latency: int = 0
    cpu: float = 0.0
    reason: str = ""


Message = Audio | Background | Notice


def encode(message: Message) -> bytes:
    """One frame."""
    if isinstance(message, Notice):
        return _frame(Kind.NOTICE, json.dumps(vars(message)).encode())
    pcm = np.ascontiguousarray(message.block, dtype="<i2").tobytes()
    if isinstance(message, Audio):
        return _frame(Kind.AUDIO, _POSITION.pack(message.start) + pcm)
    shares = np.ascontiguousarray(message.speech_share, dtype="<f4").tobytes()
    head = _RESULT.pack(message.start, len(message.block))
    return _frame(Kind.BACKGROUND, head + pcm + shares)


def _frame(kind: Kind, payload: bytes) -> bytes:
    return _HEAD.pack(_MAGIC, kind, len(payload)) + payload


class Parser:
    """Cuts bytes into messages."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes. Raises WireError on anything else."""
        self._held += data
        while len(self._held) >= _HEAD.size:
            magic, kind, length = _HEAD.unpack_from(self._held)
            if magic != _MAGIC or length > _LONGEST:
                raise WireError(f"no frame begins with {bytes(self._held[:9])!r}")
            end = _HEAD.size + length
            if len(self._held) < end:
                return
            payload = bytes(self._held[_HEAD.size : end])
            del self._held[:end]
            yield _decode(kind, payload)


def _decode(kind: int, payload: bytes) -> Message:
    try:
        if kind == Kind.NOTICE:
            return Notice(**json.loads(payload))
        if kind == Kind.AUDIO:
            (start,) = _POSITION.unpack_from(payload)
            return Audio(start, from_bytes(payload[_POSITION.size :]))
        if kind == Kind.BACKGROUND:
            return _background(payload)
    except (struct.error, ValueError, TypeError) as error:
        raise WireError(f"a frame of kind {kind} with a bad payload: {error}") from error
    raise WireError(f"a frame of unknown kind {kind}")


def _background(payload: bytes) -> Background:
    start, frames = _RESULT.unpack_from(payload)
    end = _RESULT.size + frames * BYTES_PER_FRAME
    shares = np.frombuffer(payload[end:], dtype="<f4")
    if len(shares) != -(-frames // CELL):
        raise ValueError(f"{len(shares)} shares for {frames} frames")
    return Background(start, from_bytes(payload[_RESULT.size : end]), shares)
