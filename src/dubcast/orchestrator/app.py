"""The orchestrator's HTTP side: hooks, the media server's questions, state for people."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError

from dubcast import __version__, log
from dubcast.asgi_body import BodyLimit
from dubcast.config import Secret, Settings
from dubcast.contract.hooks import HookEvent, HookReply
from dubcast.contract.ids import stream_id_of_ingest
from dubcast.contract.streams import StreamReason
from dubcast.mediaserver import signature
from dubcast.mediaserver.auth import Access, AuthRequest, Refusal, access_of, is_ours, refusal
from dubcast.orchestrator.orchestrator import Orchestrator

_FULL = Refusal(StreamReason.NO_CAPACITY, "as many streams run here as may")
_MAX_BODY = 64 * 1024
_logger = log.get("orchestrator.http")


def create_app(orchestrator: Orchestrator, settings: Settings, hook_secret: Secret) -> FastAPI:
    """The application; its lifespan runs `orchestrator`."""
    app = FastAPI(
        title="dubcast orchestrator",
        version=__version__,
        lifespan=_lifespan(orchestrator),
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, limit=_MAX_BODY)
    _add_hooks(app, orchestrator, hook_secret)
    _add_auth(app, orchestrator, access_of(settings, hook_secret))
    _add_streams(app, orchestrator)
    _add_health(app, orchestrator)
    return app


def _lifespan(
    orchestrator: Orchestrator,
) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(orchestrator.run(), name="orchestrator")
        running.add_done_callback(_end_process_if_broken)
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    return lifespan


def _end_process_if_broken(task: asyncio.Task[None]) -> None:
    """Without its reconciler the process is of no use: whoever supervises it starts it anew."""
    if not task.cancelled() and task.exception() is not None:
        _logger.error("orchestrator.broken", reason=repr(task.exception()))
        import signal

        signal.raise_signal(signal.SIGTERM)


def _add_hooks(app: FastAPI, orchestrator: Orchestrator, hook_secret: Secret) -> None:
    verifier = signature.Verifier(hook_secret.get_secret_value())

    async def take_hook(request: Request) -> HookReply:
        body = await request.body()
        headers = request.headers
        refused = verifier.refusal(
            headers.get(signature.ID_HEADER, ""),
            headers.get(signature.TIMESTAMP_HEADER, ""),
            headers.get(signature.SIGNATURE_HEADER, ""),
            body,
            int(time.time()),  # wall time: the sender's clock is what it is compared with
        )
        if refused == "duplicate":
            raise HTTPException(409, "this event was taken before")
        if refused:
            _logger.warning("hook.refused", reason=refused)
            raise HTTPException(401, "the signature is not accepted")
        try:
            event = HookEvent.model_validate_json(body)
        except ValidationError as error:
            raise HTTPException(422, "not a hook event") from error
        return HookReply(result="accepted" if orchestrator.hooked(event) else "ignored")

    for kind in ("ready", "not-ready"):
        app.post(f"/v1/mediamtx/events/{kind}", name=kind)(take_hook)


def _add_auth(app: FastAPI, orchestrator: Orchestrator, access: Access) -> None:
    @app.post("/v1/internal/mtx-auth", status_code=204)
    async def mtx_auth(question: AuthRequest, request: Request) -> None:
        """204 allows, 401 refuses. For the media server, which has a key; 403 without it."""
        if not is_ours(request.headers.get("Authorization", ""), access.own.callback):
            raise HTTPException(403, "for the media server, whose config holds the key")
        refused = refusal(access, question)
        stream_id = stream_id_of_ingest(question.path)
        publishes = question.action == "publish" and stream_id is not None
        if refused is None and publishes and not orchestrator.has_room_for(stream_id or ""):
            refused = _FULL
        if refused is not None:
            _logger.warning(
                "auth.refused",
                action=question.action,
                path=question.path,
                reason=refused.reason,
                why=refused.words,
            )
            raise HTTPException(401, refused.words)
        if publishes:
            orchestrator.let_in(question.path, question.protocol, question.query.get_secret_value())


def _add_streams(app: FastAPI, orchestrator: Orchestrator) -> None:
    @app.get("/v1/streams")
    async def streams() -> dict[str, Any]:
        """Every stream with its state, worker and destinations."""
        return {"streams": orchestrator.streams()}

    @app.get("/v1/streams/{stream_id}")
    async def stream(stream_id: str) -> dict[str, Any]:
        """One stream; 404 if it is not known."""
        found = orchestrator.stream(stream_id)
        if found is None:
            raise HTTPException(404, "no such stream")
        return found


def _add_health(app: FastAPI, orchestrator: Orchestrator) -> None:
    @app.get("/livez")
    async def livez() -> dict[str, str]:
        """200 while the process answers."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz(response: Response) -> dict[str, str]:
        """200 while the media server answers."""
        if orchestrator.ready:
            return {"status": "ok"}
        response.status_code = 503
        return {"status": "media_server_away"}

    @app.get("/v1/metrics-targets")
    async def metrics_targets() -> list[dict[str, Any]]:
        """Where each worker and forwarder serves its metrics, for Prometheus' HTTP discovery."""
        return orchestrator.metrics_targets()

    @app.get("/metrics")
    async def metrics() -> Response:
        """Prometheus."""
        body = generate_latest(orchestrator.metrics.registry)
        return Response(body, media_type=CONTENT_TYPE_LATEST)
