"""Talks to the speech service: one fragment, one deadline, at most the set number of retries.

This is the only place where a fragment is retried. Replies are checked before anyone hears
them: id, rate, length, and that the audio is what the contract says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import httpx2
import numpy as np
from pydantic import ValidationError

from dubcast.audio.pcm import RATE, Float, Int16
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.contract.sts import (
    FragmentConfig,
    FragmentContext,
    PcmAudio,
    StsErrorBody,
    StsRequest,
    StsResponse,
)
from dubcast.errors import StsError

_MIN_TIMEOUT_S = 0.2
_RETRY_PAUSE_S = 0.2
_RETRYABLE_STATUS = {429, 500, 502, 503, 504}
# A dub longer than this times its slot is not a dub of this fragment.
_LONGEST_REPLY = 3.0
_MAX_REPLY_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class DubReply:
    """A checked reply. `voice`: mono float32 at 48 kHz, or None if there was no speech."""

    response: StsResponse
    voice: Float | None
    round_trip_s: float


class StsClient:
    """Client of one speech service for one stream. `now` is the monotonic clock in ns."""

    def __init__(
        self,
        settings: StsClientSettings,
        stream_id: str,
        policy: StreamSettings,
        now: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._stream_id = stream_id
        self._config = FragmentConfig(
            source_language=policy.source_language,
            target_language=policy.target_language,
            voice_profile=policy.voice,
            duration_policy=policy.duration_policy,
            max_tempo=policy.max_tempo,
        )
        self._now = now
        headers = {"X-Session-Id": stream_id, "Content-Type": "application/json"}
        if settings.api_key is not None:
            headers["Authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
        self._http = httpx2.AsyncClient(base_url=settings.url, headers=headers, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def dub(
        self,
        fragment_id: str,
        sequence: int,
        audio: Int16,
        slot_ms: int,
        context: tuple[str, str],
        deadline_ns: int,
    ) -> DubReply:
        """Have one fragment dubbed. `audio`: mono int16 at 48 kHz. Raises StsError.

        Cancelling is safe: the service drops what nobody waits for at its own deadline.
        """
        started = self._now()
        pcm = PcmAudio.from_pcm(audio.astype("<i2").tobytes(), RATE, 1)
        attempts = 1 + self._settings.retries
        for attempt in range(attempts):
            timeout_s = self._timeout_s(deadline_ns)
            request = StsRequest(
                fragment_id=fragment_id,
                stream_id=self._stream_id,
                sequence_number=sequence,
                audio=pcm,
                config=self._config.model_copy(update={"slot_ms": slot_ms}),
                context=FragmentContext(source_text=context[0], target_text=context[1]),
                timeout_ms=max(int(timeout_s * 1000), 100),
            )
            try:
                response = await self._post(request, timeout_s)
            except StsError as error:
                if not error.retryable or attempt + 1 == attempts:
                    raise
                await self._pause(error, deadline_ns)
                continue
            voice = _voice(response, request)
            return DubReply(response, voice, (self._now() - started) / NS_PER_S)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _timeout_s(self, deadline_ns: int) -> float:
        left = (deadline_ns - self._now()) / NS_PER_S
        if left < _MIN_TIMEOUT_S:
            raise StsError("TIMEOUT", "the fragment's deadline has come", retryable=False)
        return min(left, self._settings.timeout_s)

    async def _pause(self, error: StsError, deadline_ns: int) -> None:
        pause = max(error.retry_after_s or 0.0, _RETRY_PAUSE_S)
        if self._now() + (pause + _MIN_TIMEOUT_S) * NS_PER_S >= deadline_ns:
            raise error
        await asyncio.sleep(pause)

    async def _post(self, request: StsRequest, timeout_s: float) -> StsResponse:
        body = request.model_dump_json().encode()
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._http.post("/api/v1/sts/process", content=body, timeout=None)
        except TimeoutError:
            raise StsError(
                "TIMEOUT", f"no reply within {timeout_s:.1f} s", retryable=False
            ) from None
        except httpx2.HTTPError as error:
            message = f"the speech service cannot be reached: {error or type(error).__name__}"
            raise StsError("UNAVAILABLE", message, retryable=True) from error
        if reply.status_code != 200:
            raise _refusal(reply)
        if len(reply.content) > _MAX_REPLY_BYTES:
            raise StsError("MODEL_ERROR", "the reply is too large", retryable=False)
        try:
            return StsResponse.model_validate_json(reply.content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            message = f"the reply breaks the contract: {first['loc']}: {first['msg']}"
            raise StsError("MODEL_ERROR", message, retryable=False) from error


def _refusal(reply: httpx2.Response) -> StsError:
    retry_after = _seconds(reply.headers.get("Retry-After"))
    try:
        detail = StsErrorBody.model_validate_json(reply.content).error
    except ValidationError:
        retryable = reply.status_code in _RETRYABLE_STATUS
        return StsError(
            "MODEL_ERROR",
            f"HTTP {reply.status_code}",
            retryable=retryable,
            retry_after_s=retry_after,
        )
    return StsError(
        detail.code,
        detail.message,
        retryable=detail.retryable,
        stage=detail.stage,
        retry_after_s=retry_after,
    )


def _seconds(header: str | None) -> float | None:
    try:
        return max(float(header), 0.0) if header is not None else None
    except ValueError:
        return None  # the date form: our own pause serves as well


def _voice(response: StsResponse, request: StsRequest) -> Float | None:
    """The dub as mono float32 at 48 kHz. Raises StsError if it is not a dub of this fragment."""
    if response.fragment_id != request.fragment_id:
        raise StsError("MODEL_ERROR", "the reply is for another fragment", retryable=False)
    audio = response.dubbed_audio
    if audio is None:
        return None
    if audio.sample_rate_hz != RATE:
        message = f"the dub has {audio.sample_rate_hz} Hz instead of {RATE}"
        raise StsError("MODEL_ERROR", message, retryable=False)
    slot_ms = request.config.slot_ms or request.audio.duration_ms
    if audio.duration_ms > _LONGEST_REPLY * max(slot_ms, 1000):
        message = f"a dub of {audio.duration_ms} ms for a slot of {slot_ms} ms"
        raise StsError("MODEL_ERROR", message, retryable=False)
    samples = np.frombuffer(audio.pcm_bytes(), dtype="<i2").reshape(-1, audio.channels)
    voice: Float = samples.mean(axis=1, dtype=np.float32) / np.float32(32768.0)
    return voice
