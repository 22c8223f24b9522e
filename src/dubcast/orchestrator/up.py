"""All roles on one machine, each a process of its own, for `dubcast up`.

The media server is not the orchestrator's child: killing the orchestrator cuts no stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import sys
from dataclasses import dataclass, field
from typing import Any

import httpx2
from pydantic import SecretStr

from dubcast import config, log
from dubcast.backoff import Backoff, BackoffPolicy
from dubcast.config import DestinationSettings, Settings
from dubcast.errors import DubcastError
from dubcast.mediaserver.process import die_with_parent, terminate

_CANNOT_START = 2
_PROBE_S = 0.2
_logger = log.get("up")


@dataclass(frozen=True)
class Role:
    """One process of `up`: how it is started, and how it is known to be ready."""

    name: str
    args: tuple[str, ...]
    ready_url: str | None = None
    term_s: float = 8.0
    env: dict[str, str] = field(default_factory=dict, repr=False)


class RoleProcess:
    """Keeps one role running: restarted with back-off, never after exit code 2."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.pid: int | None = None
        self.starts = 0
        self.cannot_start = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def run(self) -> None:
        """Until cancelled or `stop`."""
        backoff = Backoff(BackoffPolicy(first_s=0.5, cap_s=15.0, reset_s=20.0), random.Random())
        loop = asyncio.get_running_loop()
        while not self._stopping:
            started = loop.time()
            code = await self._once()
            if self._stopping:
                return
            _logger.error("role.ended", role=self.role.name, code=code)
            if code == _CANNOT_START:
                self.cannot_start.set()
                return
            await asyncio.sleep(backoff.failed(loop.time() - started) / 1e9)

    async def _once(self) -> int:
        argv = [sys.executable, "-m", "dubcast", *self.role.args]
        self._process = await asyncio.create_subprocess_exec(
            *die_with_parent(argv, os.getpid()),
            env=self.role.env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sys.stderr,  # standard output is for the line that says "ready"
            start_new_session=True,
        )
        self.starts += 1
        self.pid = self._process.pid
        _logger.info("role.up", role=self.role.name, pid=self.pid)
        return await self._process.wait()

    async def stop(self) -> None:
        """End it by the ladder; harmless if it never ran."""
        self._stopping = True
        if self._process is not None:
            code = await terminate(self._process, self.role.term_s)
            _logger.info("role.stopped", role=self.role.name, code=code)


def prepare(
    settings: Settings,
    *,
    kind: str,
    destinations: tuple[DestinationSettings, ...] = (),
) -> Settings:
    """The settings that every role gets: one hook secret, one kind of media server."""
    own = settings.orchestrator
    secret = own.hook_secret or SecretStr(secrets.token_urlsafe(32))
    orchestrator = own.model_copy(
        update={"hook_secret": secret, "destinations": (*own.destinations, *destinations)}
    )
    media_server = settings.media_server.model_copy(update={"kind": kind})
    return settings.model_copy(update={"orchestrator": orchestrator, "media_server": media_server})


def roles(settings: Settings, *, with_sts: bool) -> list[Role]:
    """The roles in the order in which they are started; they are stopped in reverse."""
    env = config.child_env(settings)
    host = settings.orchestrator.host
    orchestrator = f"http://{_reachable(host)}:{settings.orchestrator.port}/readyz"
    chosen = [
        Role("media-server", ("media-server",), env=env),
        # Its children get their own time before it ends.
        Role("orchestrator", ("orchestrator",), orchestrator, term_s=12.0, env=env),
    ]
    if with_sts:
        url = settings.sts.url.rstrip("/") + "/readyz"
        chosen.insert(0, Role("sts", ("sts",), url, env=env))
    return chosen


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host


class AllInOne:
    """Every role of one machine."""

    def __init__(self, settings: Settings, *, with_sts: bool) -> None:
        self._settings = settings
        self.processes = [RoleProcess(role) for role in roles(settings, with_sts=with_sts)]

    async def run(self, stop: asyncio.Event, told: Any, ready_timeout_s: float) -> None:
        """Start all, call `told(summary)` when all are ready, run until `stop`.

        Raises DubcastError if a role cannot start or is not ready in time.
        """
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(one.run(), name=one.role.name) for one in self.processes]
            try:
                await self._until_ready(stop, ready_timeout_s)
                if not stop.is_set():
                    told(self.summary())
                await self._until_stopped(stop)
            finally:
                await self._stop()
                for task in running:
                    task.cancel()

    def summary(self) -> dict[str, Any]:
        """Where everything is; no secret."""
        media, own = self._settings.media_server, self._settings.orchestrator
        return {
            "ready": True,
            "publish_server": f"rtmp://{media.host}:{media.rtmp_port}/live",
            "publish_key": "<id>/in",
            "play": f"rtmp://{media.host}:{media.rtmp_port}/live/<id>/out",
            "media_server": media.kind,
            "orchestrator": f"http://{_reachable(own.host)}:{own.port}",
            "sts": self._settings.sts.url,
            "pids": {one.role.name: one.pid for one in self.processes},
        }

    async def _until_ready(self, stop: asyncio.Event, timeout_s: float) -> None:
        waiting = [one for one in self.processes if one.role.ready_url]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        async with httpx2.AsyncClient(timeout=1.0, trust_env=False) as client:
            while waiting and not stop.is_set():
                self._fail_if_one_cannot_start()
                if loop.time() > deadline:
                    names = ", ".join(one.role.name for one in waiting)
                    raise DubcastError(f"not ready within {timeout_s:g} s: {names}")
                waiting = [one for one in waiting if not await _answers(client, one.role)]
                await asyncio.sleep(_PROBE_S)

    async def _until_stopped(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._fail_if_one_cannot_start()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await stop.wait()

    def _fail_if_one_cannot_start(self) -> None:
        for one in self.processes:
            if one.cannot_start.is_set():
                raise DubcastError(f"{one.role.name} cannot start; its lines above say why")

    async def _stop(self) -> None:
        """In reverse: the orchestrator stops its streams while the media server still runs."""
        for one in reversed(self.processes):
            await one.stop()


async def _answers(client: httpx2.AsyncClient, role: Role) -> bool:
    assert role.ready_url is not None
    try:
        reply = await client.get(role.ready_url)
    except httpx2.HTTPError:
        return False
    return bool(reply.status_code == 200)
