"""Speech as services send it: WAV or bare PCM, 16 bits. Pure."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np

from dubcast.sts.providers.interface import Float, Speech

# What bare PCM of an OpenAI-compatible service is in.
PCM_RATE = 24_000
_RATES = range(8_000, 96_001)
# A header that was written before the length was known.
_OPEN_ENDED = (0, 0xFFFFFFFF, 0x7FFFFFFF)
_PCM, _EXTENSIBLE = 1, 0xFFFE


def to_wav(samples: Float, rate_hz: int) -> bytes:
    """Mono samples in [-1, 1) as a WAV file."""
    pcm = (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm.tobytes())
    return out.getvalue()


def speech_of(body: bytes, content_type: str) -> Speech:
    """The speech in a reply. Raises ValueError that says what is wrong with it."""
    if body[:4] == b"RIFF" and body[8:12] == b"WAVE":
        return _of_wav(body)
    kind, _, rest = content_type.lower().partition(";")
    if kind.strip() in ("audio/pcm", "audio/l16"):
        return _speech(body, _rate_of(rest), 1)
    raise ValueError(f"its speech is neither WAV nor PCM but {kind.strip() or 'unnamed'}")


def _of_wav(body: bytes) -> Speech:
    rate_hz = channels = 0
    at = 12
    while at + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, at)
        at += 8
        if name == b"fmt ":
            rate_hz, channels = _form(body[at : at + size])
        if name == b"data":
            if size not in _OPEN_ENDED and at + size > len(body):
                raise ValueError(f"its WAV ends after {len(body) - at} of {size} bytes")
            end = len(body) if size in _OPEN_ENDED else at + size
            return _speech(body[at:end], rate_hz, channels)
        at += size + size % 2
    raise ValueError("its WAV holds no samples")


def _form(header: bytes) -> tuple[int, int]:
    """Rate and channels."""
    if len(header) < 16:
        raise ValueError("its WAV has no whole header")
    kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", header)
    if kind not in (_PCM, _EXTENSIBLE) or bits != 16:
        raise ValueError(f"its WAV is of form {kind} with {bits} bits, not PCM with 16")
    return rate_hz, channels


def _speech(pcm: bytes, rate_hz: int, channels: int) -> Speech:
    if rate_hz not in _RATES or channels not in (1, 2):
        raise ValueError(f"its speech has {rate_hz} Hz and {channels} channels")
    if not pcm or len(pcm) % (2 * channels):
        raise ValueError(f"its speech is {len(pcm)} bytes, which are no whole samples")
    frames = np.frombuffer(pcm, "<i2").reshape(-1, channels).astype(np.float32)
    samples: Float = (frames.mean(axis=1) / 32768).astype(np.float32)
    return Speech(samples, rate_hz)


def _rate_of(parameters: str) -> int:
    for one in parameters.split(";"):
        name, _, value = one.partition("=")
        if name.strip() == "rate" and value.strip().isdecimal():
            return int(value)
    return PCM_RATE
