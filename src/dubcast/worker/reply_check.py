"""What the speech service said, checked before anyone hears it. Pure: bytes in, a dub out.

The contract says what a reply looks like; this says whether it can be a dub of the fragment that
was sent: its id, rate and length, a voice that is neither silent nor clipped, finite figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError

from dubcast.audio.pcm import RATE, Float
from dubcast.contract.sts import MAX_DURATION_MS, StsRequest, StsResponse
from dubcast.errors import StsError

# A dub longer than this times its slot is not a dub of this fragment; short slots count as 1 s.
_LONGEST = 3.0
_SHORTEST_SLOT_MS = 1000
# Natural speech may be far shorter than the noise around it, but not a tenth of the fragment; a
# single word is enough in a long one.
_SHORTEST_FIT = 0.1
_WORD_MS = 400
_SHORTEST_MATCH = 0.5
# Fast speech has 25 characters a second; this much text in so little time was cut off.
_MOST_CHARACTERS_PER_S = 50.0
LONGEST_TEXT = 10_000
_SILENCE = 10 ** (-60 / 20)  # RMS without the mean, so that a direct current is silence too
_FULL_SCALE = 32767
_MOST_CLIPPED = 0.1
# Everything in a reply beside its audio.
_TEXT_BYTES = 128 * 1024
_BASE64_BYTES_PER_MS = RATE * 2 * 2 * 4 / 3 / 1000  # stereo at most


def longest_body(request: StsRequest) -> int:
    """How many bytes a reply to `request` may have; reading stops there."""
    return round(longest_ms(request) * _BASE64_BYTES_PER_MS) + _TEXT_BYTES


def checked(body: bytes, request: StsRequest) -> tuple[StsResponse, Float | None]:
    """The reply and its voice (mono float32 at 48 kHz, in [-1, 1)), None if there was no speech.

    Raises StsError `INVALID_REPLY` if it is not a dub of the fragment that `request` holds.
    """
    try:
        response = StsResponse.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = f"the reply breaks the contract: {first['loc']}: {first['msg']}"
        raise invalid_reply(message) from error
    fault = _fault(response, request)
    if fault:
        raise invalid_reply(fault)
    if response.dubbed_audio is None:
        return response, None
    audio, text = response.dubbed_audio, response.translated_text
    return response, voice_of(audio.pcm_bytes(), audio.channels, text)


def invalid_reply(message: str) -> StsError:
    """The error for a reply that is no dub: the same call would bring the same again."""
    return StsError("INVALID_REPLY", message, retryable=False)


def other_reply(message: str) -> StsError:
    """The error for a reply that does not go on where another broke off: it may be a dub."""
    return StsError("OTHER_REPLY", message, retryable=False)


def _fault(response: StsResponse, request: StsRequest) -> str:
    """What is wrong with a reply apart from its sound, or nothing."""
    audio = response.dubbed_audio
    if response.fragment_id != request.fragment_id:
        return "the reply is for another fragment"
    if not all(math.isfinite(number) for number in _numbers(response)):
        return "the reply holds a number that is not finite"
    if max(len(response.transcript), len(response.translated_text)) > LONGEST_TEXT:
        return f"a text of more than {LONGEST_TEXT} characters"
    if audio is None:
        return ""
    if audio.sample_rate_hz != RATE:
        return f"the dub has {audio.sample_rate_hz} Hz instead of {RATE}"
    shortest, longest = _shortest_ms(response, request), longest_ms(request)
    if not shortest < audio.duration_ms <= longest:
        return f"a dub of {audio.duration_ms} ms where {shortest:.0f} to {longest:.0f} are credible"
    return ""


def _numbers(model: BaseModel) -> Iterator[float]:
    for value in model.__dict__.values():
        if isinstance(value, BaseModel):
            yield from _numbers(value)
        elif isinstance(value, float):
            yield value


def longest_ms(request: StsRequest) -> float:
    """A longer dub is not one of this fragment."""
    slot_ms = request.config.slot_ms or request.fragment_ms
    return min(_LONGEST * max(slot_ms, _SHORTEST_SLOT_MS), MAX_DURATION_MS)


def _shortest_ms(response: StsResponse, request: StsRequest) -> float:
    """How long a dub of this text is at the very least."""
    asked_ms = request.fragment_ms
    if request.config.duration_policy == "match":
        return _SHORTEST_MATCH * asked_ms
    return max(min(_SHORTEST_FIT * asked_ms, _WORD_MS), spoken_ms(response.translated_text))


def spoken_ms(text: str) -> float:
    """How long it takes to say so much, at the very least."""
    return 1000 * len(text) / _MOST_CHARACTERS_PER_S


def voice_of(pcm: bytes, channels: int, text: str) -> Float:
    """S16LE as mono float32 in [-1, 1). Raises StsError if nobody could hear `text` in it."""
    samples: Any = np.frombuffer(pcm, dtype="<i2").reshape(-1, channels)
    clipped = np.count_nonzero(np.abs(samples.astype(np.int32)) >= _FULL_SCALE)
    if clipped > _MOST_CLIPPED * samples.size:
        raise invalid_reply("the dub is clipped throughout")
    voice: Float = samples.mean(axis=1, dtype=np.float32) / np.float32(32768.0)
    if float(voice.std()) < _SILENCE:
        raise invalid_reply(f"the dub of {len(text)} characters is silent")
    return voice
