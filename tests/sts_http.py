"""The service as an application, for tests of what it says over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from dubcast.contract.sts import StsErrorBody
from dubcast.sts.app import create_app
from dubcast.sts.engine import Engine
from sts_fakes import request, settings

URL = "/api/v1/sts/process"
JSON = {"content-type": "application/json"}


@asynccontextmanager
async def client_of(engine: Engine, **sts_server: Any) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(settings(**sts_server), engine)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://sts") as client:
        client.service = app.state.service  # type: ignore[attr-defined]
        yield client


def body_of(changes: dict[str, Any] | None = None, **audio: Any) -> bytes:
    data = json.loads(request().model_dump_json())
    data.update(changes or {})
    data["audio"].update(audio)
    return json.dumps(data).encode()


async def post(client: httpx2.AsyncClient, body: bytes, **headers: str) -> httpx2.Response:
    return await client.post(URL, content=body, headers={**JSON, **headers})


async def admitted(client: httpx2.AsyncClient, count: int) -> None:
    """Wait until so many requests are inside, and have come as far as they get by themselves."""
    while client.service.admission.pending < count:  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)


def error_of(reply: httpx2.Response, status: int, code: str) -> StsErrorBody:
    assert reply.status_code == status, reply.text
    body = StsErrorBody.model_validate_json(reply.content)
    assert body.error.code == code
    return body
