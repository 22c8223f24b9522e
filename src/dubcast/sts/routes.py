"""The endpoints of the speech service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ValidationError

from dubcast.contract import fragment_form, stream_reply
from dubcast.contract.errors import STATUSES
from dubcast.contract.sts import (
    LanguagesReply,
    StsErrorBody,
    StsRequest,
    StsResponse,
    VoicesReply,
)
from dubcast.errors import StsError
from dubcast.sts.admission import PROCESS, content_type
from dubcast.sts.examples import REQUEST_EXAMPLE, RESPONSE_EXAMPLE
from dubcast.sts.http_errors import Refusal, error_reply
from dubcast.sts.inventory import languages_reply, voices_reply
from dubcast.sts.service import Service

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": StsErrorBody, "description": f"{meaning.code}: {meaning.text}"}
    for status, meaning in STATUSES.items()
    if not meaning.foreign
}
# Every value but the first of its kind follows one of these. A fragment has some 30, and its texts
# may hold 4,000 more.
_BEGINNINGS = (b",", b"[", b"{")
_MAX_VALUES = 10_000
_SMALL = 1024 * 1024
# For proxies: nginx would hold a reply back until it is whole.
_AS_IT_COMES = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/StsRequest"},
                "example": REQUEST_EXAMPLE,
            },
            fragment_form.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_OK = {
    "model": StsResponse,
    "description": "The dub; status no_speech comes without audio",
    "content": {
        "application/json": {"example": RESPONSE_EXAMPLE},
        stream_reply.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
    },
}


def api(service: Service) -> APIRouter:
    """The endpoints that work with fragments."""
    router = APIRouter()

    # The body is parsed here, not by FastAPI: with errors of our form, and in either form.
    @router.post(PROCESS, responses={200: _OK, **_ERRORS}, openapi_extra=_BODY, tags=["sts"])
    async def process(request: Request) -> Response:
        """Dub one fragment. `fragment_id` is idempotent: a retry gets the same reply."""
        body = await request.body()
        fragment_id = None
        try:
            fragment = await _parsed(request, body)
            fragment_id = fragment.fragment_id
            if _wants_stream(request, fragment):
                return await _streamed(service.stream(fragment))
            reply = await service.process(fragment)
        except StsError as error:
            service.count(error.code)
            if isinstance(error, Malformed):
                fragment_id = error.fragment_id
            return error_reply(error, fragment_id)
        service.count(_status(reply))
        return Response(reply, media_type="application/json")

    @router.get("/api/v1/voices", tags=["sts"])
    async def voices() -> VoicesReply:
        """All voices; a request can choose those of its target language."""
        return voices_reply(service.offer.voices)

    @router.get("/api/v1/languages", tags=["sts"])
    async def languages() -> LanguagesReply:
        """The directions that can be dubbed, those that lack their translation, and what there is
        for each language.
        """
        return languages_reply(service.offer)

    return router


def _wants_stream(request: Request, fragment: StsRequest) -> bool:
    """Whether the reply is to be streamed. A dub that is to match its fragment is known at the end
    only, so it comes whole."""
    accepted = ",".join(request.headers.getlist("accept")).split(",")
    kinds = set(map(content_type, accepted))
    return stream_reply.MEDIA_TYPE in kinds and fragment.config.duration_policy == "fit"


async def _streamed(frames: AsyncIterator[bytes]) -> Response:
    """The reply once its first frame is there. Raises StsError if none comes."""
    first = await anext(frames)

    async def all_frames() -> AsyncIterator[bytes]:
        yield first
        async for frame in frames:
            yield frame

    return StreamingResponse(all_frames(), headers=_AS_IT_COMES, media_type=stream_reply.MEDIA_TYPE)


def health(service: Service) -> APIRouter:
    """The endpoints for those who watch over the service."""
    router = APIRouter(tags=["health"])

    @router.get("/livez", response_class=PlainTextResponse)
    async def livez() -> str:
        """The process answers."""
        return "ok\n"

    @router.get("/readyz", response_class=PlainTextResponse)
    @router.get("/health", response_class=PlainTextResponse)
    async def readyz() -> Response:
        """200 if the models are loaded and the service is not draining, else 503 and the reason."""
        why = service.engine.waits_for
        text = f"{service.state()}: waits for {why}\n" if why else f"{service.state()}\n"
        return PlainTextResponse(text, 200 if service.ready else 503)

    @router.get("/ping", response_class=PlainTextResponse)
    async def ping() -> Response:
        """For load balancers: 204 loading, 200 ready, 503 draining or failed."""
        if service.state() == "loading":
            return Response(status_code=204)
        return PlainTextResponse(f"{service.state()}\n", 200 if service.ready else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Prometheus metrics."""
        text = await asyncio.to_thread(service.metrics.exposition)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return router


class Malformed(Refusal):
    """The body is no fragment. `fragment_id`: what it calls itself, if that can be read."""

    def __init__(self, status: int, message: str, fragment_id: str | None = None) -> None:
        super().__init__(status, "INVALID_INPUT", message)
        self.fragment_id = fragment_id


class _Named(BaseModel):
    """So much of a body that is wrong otherwise."""

    fragment_id: str


async def _parsed(request: Request, body: bytes) -> StsRequest:
    """The request in a body of either form; the guard lets none but these in. Raises Malformed."""
    kind = content_type(request.headers.get("content-type", ""))
    parse = _parse_form if kind == fragment_form.MEDIA_TYPE else _parse
    # What is small is parsed in less time than a thread takes to begin.
    return parse(body) if len(body) < _SMALL else await asyncio.to_thread(parse, body)


def _parse(body: bytes) -> StsRequest:
    """The request in a body of JSON. Raises Malformed that names each wrong field."""
    _check_values(body)
    try:
        return StsRequest.model_validate_json(body)
    except ValidationError as error:
        raise _malformed(error, body) from error


def _parse_form(body: bytes) -> StsRequest:
    """The request in a body of the binary form. Raises Malformed that names each wrong field."""
    header = b""
    try:
        header = bytes(fragment_form.split(body)[0])
        _check_values(header)
        return fragment_form.decode(body)
    except fragment_form.BadForm as error:
        raise Malformed(400, str(error)) from error
    except ValidationError as error:
        raise _malformed(error, header) from error


def _check_values(text: bytes) -> None:
    # A parser holds the interpreter, in whatever thread: of millions of values for seconds.
    if sum(map(text.count, _BEGINNINGS)) > _MAX_VALUES:
        raise Malformed(422, f"the body holds more than {_MAX_VALUES} values: it is no fragment")


def _malformed(error: ValidationError, text: bytes) -> Malformed:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    if faults[0]["type"] == "json_invalid":
        return Malformed(400, f"not JSON: {faults[0]['msg']}")
    lines = (f"{'.'.join(str(p) for p in f['loc']) or 'body'}: {f['msg']}" for f in faults)
    return Malformed(422, "; ".join(lines), _fragment_id(text))


def _fragment_id(body: bytes) -> str | None:
    try:
        return _Named.model_validate_json(body).fragment_id[:128]
    except ValidationError:
        return None


def _status(reply: bytes) -> str:
    # The status is near the front of the reply; the audio behind it need not be parsed.
    return reply[:400].partition(b'"status":"')[2].partition(b'"')[0].decode()
