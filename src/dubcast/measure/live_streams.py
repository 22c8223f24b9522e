"""Sends what `live_load` plans to a speech service, at its times, and notes what comes back."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace

import httpx2
from pydantic import ValidationError

from dubcast.contract import stream_reply
from dubcast.contract.stream_reply import Failed, Frame, FrameReader, Heard, Translated
from dubcast.contract.sts import FragmentConfig, StsErrorBody, StsRequest, StsResponse
from dubcast.errors import DubcastError
from dubcast.measure import live_load
from dubcast.measure.live_load import Answered, Clause, Level, Programme, Sending

_PROCESS = "/api/v1/sts/process"
# As a worker: what is not answered by then waits no longer.
_MAX_INFLIGHT = 3
_GRACE_S = 5.0
# Where nothing is paced.
_PATIENCE_S = 60.0
_TRIES = 10
_BETWEEN_S = 2.0


@dataclass(frozen=True)
class Target:
    """A speech service, and what is asked of it. `streamed`: its replies come clause by clause."""

    url: str
    key: str | None = field(default=None, repr=False)
    source: str = "en"
    target: str = "pt-BR"
    delay_s: float = 8.0
    streamed: bool = True


@dataclass(frozen=True)
class Capacity:
    """How many streams a service carries, and every number that was tried; `known`: what they
    said."""

    target: Target
    streams: int
    levels: Sequence[Level]
    known: Programme


async def capacity(
    target: Target, cut: Callable[[float], Programme], limit: int, seconds: float
) -> Capacity:
    """The most streams, up to `limit`, that a service carries; `cut` gives what they say in
    fragments of at most so many seconds. Raises DubcastError if it does not dub at all.
    """
    target = await probed(target, cut(live_load.longest_s(streamed=False)))
    known = cut(live_load.longest_s(streamed=target.streamed))
    most, levels = await live_load.most(limit, lambda streams: run(target, known, streams, seconds))
    return Capacity(target, most, levels, known)


async def probed(target: Target, known: Programme) -> Target:
    """The target with what its first reply shows. Raises DubcastError if there is none.

    A service that has done nothing yet is slow once; that is over afterwards.
    """
    async with _client(target) as client:
        sender = _Sender(client, target, known)
        answer = await _patiently(sender, Sending(0, 0, 0, 0.0, 0.0))
    if answer.error is not None:
        why = f"{answer.error}: {sender.message}" if sender.message else answer.error
        raise DubcastError(f"{target.url} does not dub: {why}")
    return replace(target, streamed=sender.streamed)


def _client(target: Target) -> httpx2.AsyncClient:
    headers = {"Authorization": f"Bearer {target.key}"} if target.key else {}
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx2.AsyncClient(
        base_url=target.url, headers=headers, limits=limits, trust_env=False, timeout=None
    )


async def run(target: Target, known: Programme, streams: int, seconds: float) -> Level:
    """So many streams for so many seconds, and until their last answers have come."""
    async with _client(target) as client:
        sender = _Sender(client, target, known)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(sender.send(sending))
                for sending in live_load.sendings(known, streams, seconds)
            ]
    answers = [task.result() for task in tasks]
    return live_load.level(streams, seconds, target.delay_s, answers)


async def one_by_one(target: Target, known: Programme) -> list[Answered]:
    """What came of the fragments of a programme, each sent when the one before was answered, and
    again while it is refused: what counts here is what it costs."""
    async with _client(target) as client:
        sender = _Sender(client, target, known)
        return [
            await _patiently(sender, Sending(0, index, index, 0.0, 0.0))
            for index in range(len(known.pieces))
        ]


async def _patiently(sender: _Sender, sending: Sending) -> Answered:
    answer = await sender.ask(sending, _PATIENCE_S)
    for _ in range(_TRIES - 1):
        if answer.error != "OVERLOADED":
            break
        await asyncio.sleep(_BETWEEN_S)
        answer = await sender.ask(sending, _PATIENCE_S)
    return answer


class _Sender:
    """The streams of one run, which begins when this is made."""

    def __init__(self, client: httpx2.AsyncClient, target: Target, known: Programme) -> None:
        self._client = client
        self._target = target
        self._known = known
        self._run = secrets.token_hex(4)
        self._begun_s = asyncio.get_running_loop().time()
        self._inflight: defaultdict[int, int] = defaultdict(int)
        self.streamed = False  # whether the last reply was
        self.message = ""  # what the last fragment that failed was told

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() - self._begun_s

    async def send(self, sending: Sending) -> Answered:
        """Wait for its time, then ask."""
        await asyncio.sleep(max(0.0, sending.stop_s - self._now_s()))
        sent_s = self._now_s()
        if self._inflight[sending.stream] >= _MAX_INFLIGHT:
            return Answered(sending, sent_s, sent_s, error="TOO_MANY_IN_FLIGHT")
        self._inflight[sending.stream] += 1
        try:
            piece, target = self._known.pieces[sending.index], self._target
            limit_s = live_load.timeout_s(piece, target.delay_s, streamed=target.streamed)
            return await self.ask(sending, limit_s)
        finally:
            self._inflight[sending.stream] -= 1

    async def ask(self, sending: Sending, limit_s: float) -> Answered:
        """Send a fragment now, and take its reply."""
        sent_s = self._now_s()
        request = self._request(sending, limit_s)
        clauses: list[Clause] = []
        error: str | None
        try:
            async with asyncio.timeout(limit_s + _GRACE_S), self._post(request) as reply:
                error = await self._read(reply, clauses)
        except (httpx2.HTTPError, TimeoutError, ValueError) as fault:
            error, self.message = type(fault).__name__, str(fault)
        return Answered(sending, sent_s, self._now_s(), tuple(clauses), error)

    def _post(self, request: StsRequest) -> AbstractAsyncContextManager[httpx2.Response]:
        headers = {
            "Accept": f"{stream_reply.MEDIA_TYPE}, application/json",
            "Content-Type": "application/json",
            "X-Session-Id": request.stream_id,
        }
        content = request.model_dump_json()
        return self._client.stream("POST", _PROCESS, content=content, headers=headers)

    async def _read(self, reply: httpx2.Response, clauses: list[Clause]) -> str | None:
        """Note the clauses as they come; the error's code, if the fragment failed.

        Raises what httpx2 raises, and ValueError for what is no reply.
        """
        if reply.status_code != 200:
            code, self.message = _refusal(reply.status_code, await reply.aread())
            return code
        kind = reply.headers.get("content-type", "")
        self.streamed = kind.startswith(stream_reply.MEDIA_TYPE)
        if not self.streamed:
            body = await reply.aread()
            clauses += _whole(body, self._now_s())
            return None
        reader, frames = FrameReader(), Frames()
        async for data in reply.aiter_bytes():
            for frame, pcm in reader.feed(data):
                clauses += frames.clause(frame, pcm, self._now_s())
        self.message = frames.message
        return frames.error if reader.ended else "BROKEN_OFF"

    def _request(self, sending: Sending, limit_s: float) -> StsRequest:
        piece = self._known.pieces[sending.index]
        return StsRequest(
            fragment_id=f"{self._run}-{sending.stream}-{sending.number}",
            stream_id=f"bench-{self._run}-{sending.stream}",
            sequence_number=sending.number,
            audio=piece.audio,
            config=FragmentConfig(
                source_language=self._target.source,
                target_language=self._target.target,
                duration_policy="fit",
                slot_ms=round(1000 * piece.slot_s),
            ),
            timeout_ms=round(1000 * limit_s),
        )


class Frames:
    """The frames of one streamed reply, as they come."""

    def __init__(self) -> None:
        self.error: str | None = None
        self.message = ""
        self._source_s: dict[int, float] = {}
        self._first_s = 0.0

    def clause(self, frame: Frame, pcm: bytes, came_s: float) -> list[Clause]:
        """The clause that a frame brings, if it brings one that can be heard."""
        if isinstance(frame, Heard):
            self._first_s = (frame.speech_start_ms or 0) / 1000
        elif isinstance(frame, Translated):
            starts = {one.index: one.source_start_ms for one in frame.clauses}
            self._source_s = {i: ms / 1000 for i, ms in starts.items() if ms is not None}
        elif isinstance(frame, Failed):
            self.error, self.message = frame.error.code, frame.error.message
        elif isinstance(frame, stream_reply.Clause) and pcm:
            return [Clause(came_s, self._source_s.get(frame.index, self._first_s))]
        return []


def _refusal(status: int, body: bytes) -> tuple[str, str]:
    """The error's code and message; the status alone where the body is none of ours."""
    try:
        error = StsErrorBody.model_validate_json(body).error
    except ValidationError:
        return f"HTTP {status}", ""
    return error.code, error.message


def _whole(body: bytes, came_s: float) -> tuple[Clause, ...]:
    """The clauses of a reply that came as a whole: all are due with the first one's words.

    Raises ValueError for what is no reply.
    """
    found = StsResponse.model_validate_json(body)
    if found.dubbed_audio is None:
        return ()
    first_s = (found.speech_start_ms or 0) / 1000
    return tuple(Clause(came_s, first_s) for _ in range(max(1, len(found.clauses))))
