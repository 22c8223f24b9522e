"""All roles on one machine, each a process of its own, for `dubcast up`.

No role dies with another, nor with `up` itself: what a killed `up` leaves behind plays on, and
the next one finds it by its note and takes it over. The hook secret is kept for the same reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2

from dubcast import config, log
from dubcast.addresses import host_port, reachable
from dubcast.backoff import BackoffPolicy
from dubcast.clock import SystemClock
from dubcast.config import DestinationSettings, Secret, Settings
from dubcast.errors import DubcastError
from dubcast.mediaserver.auth import is_private
from dubcast.processes.child import Child, ChildSource, Start
from dubcast.processes.ladder import climb_async, term_then_kill
from dubcast.processes.lasting import LastingChild, LastingProcess, Notes, noted_ref
from dubcast.processes.supervisor import ChildState, Supervisor, SupervisorPolicy

# A role has no status window: that it runs is all that is watched.
_POLICY = SupervisorPolicy(
    heartbeat_timeout_s=None, backoff=BackoffPolicy(first_s=0.5, cap_s=15.0, reset_s=20.0)
)
_PROBE_S = 0.2
_ORCHESTRATOR_MARGIN_S = 6.0  # beyond what its workers may take to play out
_logger = log.get("up")


@dataclass(frozen=True)
class Role:
    """One process of `up`: how it is started, and how it is known to be ready."""

    name: str
    args: tuple[str, ...]
    ready_url: str | None = None
    term_s: float = 8.0
    env: dict[str, str] = field(default_factory=dict, repr=False)


class RoleSource(ChildSource):
    """Starts one role, and finds the one that an earlier `up` left."""

    def __init__(self, role: Role, notes: Notes) -> None:
        self.key = role.name
        self._role = role
        self._notes = notes

    async def start(self, which: Start) -> Child:
        argv = [sys.executable, "-m", "dubcast", *self._role.args]
        # Standard output is for the line that says "ready".
        popen = LastingProcess(argv, self._role.env, stdout=sys.stderr)
        process = popen.ref
        note = {"pid": process.pid, "started": process.started, "settings": self._digest()}
        self._notes.write(self.key, note)
        return LastingChild(self.key, process, popen)

    def forget(self, child: Child) -> None:
        self._notes.remove(self.key)

    async def take_over(self) -> Child | None:
        """What an earlier `up` left; one that runs with other settings is ended instead."""
        note = dict(self._notes.read()).get(self.key, {})
        process = noted_ref(note)
        if process is None:
            return None
        child = LastingChild(self.key, process, None)
        fits = note.get("settings") == self._digest()
        _logger.info("role.found", role=self.key, pid=child.pid, adopted=fits)
        if fits:
            return child
        await climb_async(term_then_kill(self._role.term_s), child.send, child.wait)
        self.forget(child)
        return None

    def _digest(self) -> str:
        """Of all that makes two roles the same; secrets go in, none can be read out."""
        own = {k: v for k, v in self._role.env.items() if k.startswith(config.ENV_PREFIX)}
        told = json.dumps([sys.executable, self._role.args, own], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


class RoleProcess:
    """One role with its supervisor: restarted with back-off, never after exit code 2."""

    def __init__(self, role: Role, notes: Notes) -> None:
        self.role = role
        self._source = RoleSource(role, notes)
        self._found: Child | None = None
        policy = replace(_POLICY, term_s=role.term_s)
        self._supervisor = Supervisor(self._source, SystemClock(), policy, lambda _: None)

    @property
    def pid(self) -> int | None:
        """Process id of the role, for the summary."""
        return self._supervisor.pid

    @property
    def adopted(self) -> bool:
        """True if an earlier `up` left it."""
        return self._found is not None

    @property
    def cannot_start(self) -> bool:
        """True if it said so; it is not tried again."""
        return self._supervisor.life.state is ChildState.FAILED

    async def take_over(self) -> None:
        """Find what an earlier `up` left, before `run`."""
        self._found = await self._source.take_over()

    async def run(self) -> None:
        """Until cancelled, which ends it by the ladder."""
        await self._supervisor.run(self._found)


def notes_folder(settings: Settings) -> Path:
    """Where the roles of an `up` are noted, one folder per `up` (by its orchestrator's port)."""
    own = settings.orchestrator
    return (own.state_dir or config.state_dir()) / f"up-{own.port}"


def hook_secret(settings: Settings) -> Secret:
    """The secret that is set, else the one that is kept beside the notes, made at the first use.

    Where it cannot be kept (the disk is full), it is one of this `up` alone.
    """
    if settings.orchestrator.hook_secret is not None:
        return settings.orchestrator.hook_secret
    file = notes_folder(settings) / "hook-secret"
    made = secrets.token_urlsafe(32)
    try:
        if not file.exists():
            _keep_private(file, made)
        return Secret(file.read_text(encoding="ascii"))
    except OSError as error:
        _logger.error("hook_secret.not_kept", reason=str(error))
        return Secret(made)


def _keep_private(file: Path, text: str) -> None:
    """Written aside and moved into place: nobody reads half of it, nobody else any of it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = file.with_suffix(".tmp")
    aside.touch(mode=0o600)
    aside.write_text(text, encoding="ascii")
    aside.replace(file)


def prepare(
    settings: Settings,
    *,
    kind: str,
    destinations: tuple[DestinationSettings, ...] = (),
) -> Settings:
    """The settings that every role gets: one hook secret, one kind of media server."""
    own = settings.orchestrator
    orchestrator = own.model_copy(
        update={
            "hook_secret": hook_secret(settings),
            "destinations": (*own.destinations, *destinations),
            "on_stop": "stop",  # when `up` is told to end, nothing is to be left
        }
    )
    media_server = settings.media_server.model_copy(update={"kind": kind})
    return settings.model_copy(update={"orchestrator": orchestrator, "media_server": media_server})


def roles(settings: Settings, *, with_sts: bool) -> list[Role]:
    """The roles in the order in which they are started; they are stopped in reverse."""

    def env(role: str) -> dict[str, str]:
        return config.child_env(config.settings_of(role, settings))

    host = settings.orchestrator.host
    orchestrator = f"http://{host_port(reachable(host), settings.orchestrator.port)}/readyz"
    term_s = settings.worker.drain_s + _ORCHESTRATOR_MARGIN_S
    chosen = [
        Role("media-server", ("media-server",), env=env("media-server")),
        # Its children get their own time before it ends.
        Role(
            *("orchestrator", ("orchestrator",), orchestrator),
            term_s=term_s,
            env=env("orchestrator"),
        ),
    ]
    if with_sts:
        url = settings.sts.url.rstrip("/") + "/readyz"
        chosen.insert(0, Role("sts", ("sts",), url, env=env("sts")))
    return chosen


class AllInOne:
    """Every role of one machine."""

    def __init__(self, settings: Settings, *, with_sts: bool) -> None:
        self._settings = settings
        notes = Notes(notes_folder(settings))
        self.processes = [RoleProcess(role, notes) for role in roles(settings, with_sts=with_sts)]

    async def run(self, stop: asyncio.Event, told: Any, ready_timeout_s: float) -> None:
        """Start all, call `told(summary)` when all are ready, run until `stop`.

        Raises DubcastError if a role cannot start or is not ready in time.
        """
        await asyncio.gather(*(one.take_over() for one in self.processes))
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(one.run(), name=one.role.name) for one in self.processes]
            await asyncio.sleep(0)  # all have begun: whatever comes, each ends what is its own
            try:
                await self._until_ready(stop, ready_timeout_s)
                if not stop.is_set():
                    told(self.summary())
                await self._until_stopped(stop)
            finally:
                # In reverse: the orchestrator stops its streams while the media server still runs.
                for task in reversed(running):
                    task.cancel()
                    await asyncio.wait({task})

    def summary(self) -> dict[str, Any]:
        """Where everything is; no secret."""
        media, own = self._settings.media_server, self._settings.orchestrator
        rtmp = f"rtmp://{host_port(media.host, media.rtmp_port)}/live"
        asked = "" if is_private(media) else "?key=<read key>"
        return {
            "ready": True,
            "publish_server": rtmp,
            "publish_key": "<id>/in",
            "play": f"{rtmp}/<id>/out{asked}",
            "media_server": media.kind,
            "orchestrator": f"http://{host_port(reachable(own.host), own.port)}",
            "sts": self._settings.sts.url,
            "adopted": [one.role.name for one in self.processes if one.adopted],
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
            if one.cannot_start:
                raise DubcastError(f"{one.role.name} cannot start; its lines above say why")


async def _answers(client: httpx2.AsyncClient, role: Role) -> bool:
    assert role.ready_url is not None
    try:
        reply = await client.get(role.ready_url)
    except httpx2.HTTPError:
        return False
    return bool(reply.status_code == 200)
