"""Runs the service: binds at once, loads models in the background, drains on SIGTERM."""

from __future__ import annotations

import asyncio
import os
from types import FrameType

import uvicorn

from dubcast import log
from dubcast.config import Settings
from dubcast.errors import DubcastError, MissingPartError
from dubcast.listening import listen
from dubcast.sts.app import create_app
from dubcast.sts.build import build_engine
from dubcast.sts.engine import Engine
from dubcast.sts.offer import Offer
from dubcast.sts.service import Service

# After the drain nothing is left but idle connections.
_CLOSE_S = 2
# What names a stage's models, where they are not dubcast's own.
_NAMING = {"asr": ("asr_model",), "mt": ("mt_model",), "tts": ("tts_model", "piper_voices")}


def serve(settings: Settings, *, shared: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished within `drain_s`.

    `shared`: as one of several processes on the same port.

    Raises MissingPartError if a model or program is missing, or the translation of the languages
    that the settings name; ConfigError if the address cannot be bound, DubcastError if a model
    cannot be loaded.
    """
    os.nice(settings.sts_server.nice)
    engine = build_engine(settings)
    app = create_app(settings, engine)
    _look_at_translations(settings, app.state.service.offer)
    listener = listen(settings.sts_server.host, settings.sts_server.port, shared=shared)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=_CLOSE_S
    )
    server = DrainingServer(config, app.state.service, settings.sts_server.drain_s)
    host, port = listener.getsockname()[:2]
    log.get("server").info("listening", host=host, port=port)
    with listener:
        server.run(sockets=[listener])
    _raise_failure(settings, engine)


def _look_at_translations(settings: Settings, offer: Offer) -> None:
    """Raise MissingPartError if what a stream of the settings asks for is not installed, and tell
    which cannot be dubbed at all, and what is to be known of licences. What a default names is
    nobody's wish.
    """
    for where, policy in settings.policies().items():
        source, target = policy.source_language, policy.target_language
        if not {"source_language", "target_language", "voice"} & policy.model_fields_set:
            continue
        if lacking := offer.lacking(source, target):
            raise MissingPartError(f"no translation from {source} to {target}: run `{lacking}`")
        if refused := offer.refusal(source, target, policy.voice):
            log.get("server").warning("stream_cannot_be_dubbed", setting=where, reason=refused)
    for caution in sorted(set(offer.cautions.values())):
        log.get("server").warning("translation_licence", model=caution)


def _raise_failure(settings: Settings, engine: Engine) -> None:
    """Raise what a model could not be loaded for; a library's words do not name where it lies."""
    stage = engine.failed
    if stage is None or stage.failure is None:
        return
    if isinstance(stage.failure, DubcastError):
        raise stage.failure
    told = f"a model cannot be loaded: {stage.failure} (stage {stage.name}: "
    own = {name: getattr(settings.sts_server, name) for name in _NAMING.get(stage.name, ())}
    if named := [f"sts_server.{name} = {value}" for name, value in own.items() if value]:
        raise MissingPartError(f"{told}{', '.join(named)})") from stage.failure
    raise DubcastError(f"{told}`dubcast models verify` looks at its files)") from stage.failure


class DrainingServer(uvicorn.Server):
    """On the first signal: not ready, requests under way are finished, then the end, exit code 0.

    A second signal ends at once. uvicorn alone would close the socket first, so that a load
    balancer could not see that the replica is going, and would die by the signal afterwards.
    """

    def __init__(self, config: uvicorn.Config, service: Service, drain_s: float) -> None:
        super().__init__(config)
        self._service = service
        self._drain_s = drain_s
        self._log = log.get("server")
        self._drain_until: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._service.draining:
            self.should_exit = self.force_exit = True
        self._service.draining = True

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second; True ends the server."""
        loop = asyncio.get_running_loop()
        if self._service.engine.state == "failed":
            self.should_exit = True
        if self._service.draining:
            if self._drain_until is None:
                self._drain_until = loop.time() + self._drain_s
                self._log.info("draining", pending=self._service.admission.pending)
            pending = self._service.admission.pending
            if pending == 0 or loop.time() >= self._drain_until:
                self._log.info("drained", cut=pending)
                self.should_exit = True
        return await super().on_tick(counter)
