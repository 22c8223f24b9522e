"""The speech service as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dubcast import __version__, log
from dubcast.config import Settings
from dubcast.contract.sts import StsRequest
from dubcast.errors import StsError
from dubcast.sts import phrasebook
from dubcast.sts.admission import Guard
from dubcast.sts.engine import Engine
from dubcast.sts.glossary_file import GlossaryFile
from dubcast.sts.http_errors import INTERNAL, Refusal, error_reply
from dubcast.sts.routes import api, health
from dubcast.sts.service import Service


def create_app(settings: Settings, engine: Engine) -> FastAPI:
    """The application around an engine; it starts the engine, and stops it at the end.

    `app.state.service` is the `Service`, for the server that drains it. Raises ConfigError if the
    glossary is wrong.
    """
    server = settings.sts_server
    phrases = phrasebook.built_in() if server.phrasebook else None
    service = Service(engine, server.max_pending, phrases, GlossaryFile(server.glossary))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        engine.start()  # returns at once: the socket is bound while the models load
        yield
        engine.stop()

    app = FastAPI(title="dubcast speech service", version=__version__, lifespan=lifespan)
    app.state.service = service
    app.include_router(api(service))
    app.include_router(health(service))
    app.add_exception_handler(HTTPException, _http_error)
    key = server.api_key
    app.add_middleware(
        Guard,
        admission=service.admission,
        api_key=key.get_secret_value() if key is not None else None,
        on_refusal=lambda error: service.count(error.code),
    )
    app.add_middleware(Border, service=service)
    _describe_request(app)
    return app


async def _http_error(_: Request, error: Exception) -> Response:
    """Unknown paths and methods, in the form of every other error."""
    assert isinstance(error, HTTPException)
    return error_reply(Refusal(error.status_code, "INVALID_INPUT", str(error.detail)))


class Border:
    """ASGI middleware: a fault of ours is one failed request, and tells no internals."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        self._log = log.get("app")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        # Border of a request: nothing below may end the connection without a reply.
        except Exception as error:  # noqa: BLE001
            self._log.error("internal_error", path=scope["path"], exc_info=error)
            self._service.count("MODEL_ERROR")
            if not started:
                reply = error_reply(StsError("MODEL_ERROR", INTERNAL, retryable=True))
                await reply(scope, receive, send)


def _describe_request(app: FastAPI) -> None:
    """Put the request's schema in the OpenAPI document: FastAPI does not parse it, so it does
    not know it."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            _, schema = models_json_schema(
                [(StsRequest, "validation")], ref_template="#/components/schemas/{model}"
            )
            document["components"]["schemas"].update(schema["$defs"])
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
