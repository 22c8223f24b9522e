"""The endpoints of the speech service."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError

from dubcast.contract.sts import (
    LanguagePair,
    LanguagesReply,
    StsErrorBody,
    StsRequest,
    StsResponse,
    VoiceInfo,
    VoicesReply,
)
from dubcast.errors import StsError
from dubcast.sts.admission import PROCESS
from dubcast.sts.examples import REQUEST_EXAMPLE, RESPONSE_EXAMPLE
from dubcast.sts.http_errors import Refusal, error_reply
from dubcast.sts.service import Service

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": StsErrorBody, "description": text}
    for status, text in {
        400: "INVALID_INPUT: the body is not JSON, or did not come in time",
        401: "UNAUTHORIZED: no key",
        403: "UNAUTHORIZED: the key is wrong",
        413: "INVALID_INPUT: the body is larger than 16 MiB",
        415: "INVALID_INPUT: the content type is not application/json",
        422: "INVALID_INPUT: a field is wrong, or the language or voice is unknown",
        500: "MODEL_ERROR: a model failed",
        503: "OVERLOADED: come back after Retry-After seconds",
        504: "TIMEOUT: not done within timeout_ms",
    }.items()
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/StsRequest"},
                "example": REQUEST_EXAMPLE,
            }
        },
    }
}
_OK = {
    "model": StsResponse,
    "description": "The dub; status no_speech comes without audio",
    "content": {"application/json": {"example": RESPONSE_EXAMPLE}},
}


def api(service: Service) -> APIRouter:
    """The endpoints that work with fragments."""
    router = APIRouter()

    # The body is parsed here, not by FastAPI: off the event loop, and with errors of our form.
    @router.post(PROCESS, responses={200: _OK, **_ERRORS}, openapi_extra=_BODY, tags=["sts"])
    async def process(request: Request) -> Response:
        """Dub one fragment. `fragment_id` is idempotent: a retry gets the same reply."""
        body = await request.body()
        try:
            fragment = await asyncio.to_thread(_parse, body)
            reply = await service.process(fragment)
        except StsError as error:
            service.count(error.code)
            return error_reply(error, _fragment_id(body))
        service.count(_status(reply))
        return Response(reply, media_type="application/json")

    @router.get("/api/v1/voices", tags=["sts"])
    async def voices() -> VoicesReply:
        """All voices; a request can choose those of its target language."""
        known = service.engine.providers.tts.capabilities.voices
        return VoicesReply(
            voices=[
                VoiceInfo(name=v.name, language=v.language, gender=v.gender, default=v.default)
                for v in known
            ]
        )

    @router.get("/api/v1/languages", tags=["sts"])
    async def languages() -> LanguagesReply:
        """The directions that can be dubbed."""
        pairs = service.offer.pairs
        return LanguagesReply(pairs=[LanguagePair(source=a, target=b) for a, b in pairs])

    return router


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
        """200 if the models are loaded and the service is not draining, else 503."""
        return PlainTextResponse(f"{service.state()}\n", 200 if service.ready else 503)

    @router.get("/ping", response_class=PlainTextResponse)
    async def ping() -> Response:
        """For load balancers: 204 loading, 200 ready, 503 draining or failed."""
        if service.state() == "loading":
            return Response(status_code=204)
        return PlainTextResponse(f"{service.state()}\n", 200 if service.ready else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Prometheus metrics."""
        text = generate_latest(service.metrics.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return router


def _parse(body: bytes) -> StsRequest:
    """The request in a body. Raises StsError that names each wrong field."""
    try:
        return StsRequest.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        if faults[0]["type"] == "json_invalid":
            raise Refusal(400, "INVALID_INPUT", f"not JSON: {faults[0]['msg']}") from error
        lines = (f"{'.'.join(str(p) for p in f['loc']) or 'body'}: {f['msg']}" for f in faults)
        raise StsError("INVALID_INPUT", "; ".join(lines), retryable=False) from error


def _fragment_id(body: bytes) -> str | None:
    """The fragment id of a body that may be wrong in any way, for the error reply."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = data.get("fragment_id") if isinstance(data, dict) else None
    return found[:128] if isinstance(found, str) else None


def _status(reply: bytes) -> str:
    # The status is near the front of the reply; the audio behind it need not be parsed.
    return reply[:400].partition(b'"status":"')[2].partition(b'"')[0].decode()
