"""Effects of the settings of the media server and of the orchestrator."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from signal import SIGKILL
from typing import Any

import pytest
from effect import Effect, Place

from dubcast.cli import orchestrator as command
from dubcast.clock import s_to_ns
from dubcast.config import Secret, Settings
from dubcast.errors import DubcastError, FetchError
from dubcast.mediaserver import mediamtx_install
from dubcast.mediaserver.auth import AuthRequest, access_of, refusal
from dubcast.mediaserver.choice import create
from dubcast.mediaserver.embedded_server import install_dir
from dubcast.mediaserver.interface import MediaServer, PathSource, control_plane
from dubcast.mediaserver.keys import own_keys
from dubcast.mediaserver.mediamtx import MediaMtx, generate_config
from dubcast.mediaserver.mediamtx_api import api_url
from dubcast.mediaserver.mediamtx_program import program_path
from dubcast.orchestrator import up
from dubcast.orchestrator.children import supervisor_policies
from dubcast.orchestrator.launch import Launcher
from dubcast.orchestrator.orchestrator import Orchestrator
from dubcast.orchestrator.placement import local
from dubcast.processes.supervisor import LifeCycle
from dubcast.testing import hook_orders, virtual_loop

# ---- media server ---------------------------------------------------------------------------


def media_server(settings: Settings) -> MediaServer:
    return create(settings, control_plane(settings, Secret("a-secret")))


def chosen(settings: Settings, _: Place) -> str:
    """The media server that is taken, or why there is none."""
    try:
        return media_server(settings).kind
    except DubcastError as error:
        return str(error)


async def started(settings: Settings, _: Place) -> str:
    """What becomes of a media server's start."""
    try:
        server = media_server(settings)
        await server.start()
        await server.close()
    except DubcastError as error:
        return str(error)
    return "up"


async def listed(settings: Settings, _: Place) -> str:
    """What is heard of a media server that runs."""
    server = media_server(settings)
    try:
        return str(await server.ready_paths())
    except DubcastError as error:
        return str(error)
    finally:
        await server.close()


def published(settings: Settings, _: Place) -> str:
    return media_server(settings).publish_url("live/abc/in")


def mediamtx_config(settings: Settings, _: Place) -> dict[str, Any]:
    plane = control_plane(settings, Secret("a-secret"))
    return generate_config(settings.media_server, plane, (1, 20, 1))


def whep(settings: Settings, _: Place) -> str | None:
    """Where a browser is told to look."""
    plane = control_plane(settings, Secret("a-secret"))
    return MediaMtx(settings.media_server, plane, None).whep_url("live/abc/out")


def asked_for(settings: Settings, _: Place) -> tuple[str, str]:
    """Where the API is asked, and with which key."""
    keys = own_keys(settings.media_server, Secret("a-secret"))
    return api_url(settings.media_server), keys.api.get_secret_value()


def install_place(settings: Settings, _: Place) -> str:
    return str(program_path(settings.media_server))


def asked_to_install(settings: Settings, place: Place) -> list[str]:
    """Which addresses are asked for a release; none of them has one."""
    asked = []

    def download(url: str, *_: Any, **__: Any) -> None:
        asked.append(url)
        raise FetchError("no such file")

    place.patch.setattr(mediamtx_install, "download", download)
    with suppress(FetchError):
        mediamtx_install.install(settings.media_server)
    return asked


def installed(settings: Settings, _: Place) -> str:
    return str(install_dir(settings.media_server))


# ---- orchestrator ---------------------------------------------------------------------------


async def as_run(settings: Settings, place: Place) -> dict[str, Any]:
    """The orchestrator as its command starts it, up to the moment when it would serve."""
    import uvicorn

    seen: dict[str, Any] = {}

    class Placement(local.LocalPlacement):
        async def close(self) -> None:
            seen["room"] = self.capacity()
            await super().close()

    async def serve(own: uvicorn.Server, sockets: Any = None) -> None:
        seen["address"] = [one.getsockname() for one in sockets]
        seen["locks"] = sorted(
            str(one.relative_to(place.folder)) for one in place.folder.rglob("lock")
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "LocalPlacement", Placement)
        patch.setattr(uvicorn.Server, "serve", serve)
        patch.setattr(command, "settle_memory", lambda: None)
        await command._serve(settings, Secret("a-secret"))
    return seen


def secret(settings: Settings, _: Place) -> str:
    """What hooks are signed with when all roles are started together."""
    return up.prepare(settings, kind="embedded").orchestrator.hook_secret.get_secret_value()  # type: ignore[union-attr]


def launched(settings: Settings, _: Place) -> list[Any]:
    """The children of a stream: arguments, and what they are told beside them."""
    children = Launcher(settings, media_server(settings)).children("abc", None)
    told = ("DUBCAST__STREAM__VOICE", "DUBCAST__MEDIA_SERVER__ROLES_KEY")
    return [(one.argv, [one.env.get(name) for name in told]) for one in children]


def answered(settings: Settings, _: Place) -> list[Any]:
    """Why publishers and viewers with and without a key are refused."""
    return [
        refusal(
            access_of(settings, Secret("a-secret")),
            AuthRequest(action=action, path=path, ip="10.0.0.1", query=Secret(query)),
        )
        for action, path in (("publish", "live/abc/in"), ("read", "live/abc/out"))
        for query in ("", "key=a-key")
    ]


def looked(settings: Settings, _: Place) -> tuple[int, int]:
    """How often the orchestrator looks in a minute, and how many workers it leaves at its end."""
    loop = virtual_loop.VirtualLoop()
    looks = 0

    class Server(hook_orders._Server):
        async def ready_paths(self) -> dict[str, PathSource]:
            nonlocal looks
            looks += 1
            return await super().ready_paths()

    async def minute() -> tuple[int, int]:
        server = Server(settings, random.Random(1))
        for path in (
            "live/abc/in",
            "live/abc/out",
        ):  # until the output is listed, it looks more often
            server.paths[path] = PathSource(path, "source")
        placement = hook_orders._Placement(loop, random.Random(1))
        launcher = hook_orders._Launcher(settings, server)
        one = Orchestrator(settings, server, placement, launcher=launcher, clock=loop)
        running = asyncio.create_task(one.run())
        await asyncio.sleep(60)
        assert len(placement.running) == 1
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return looks, len(placement.running)

    return virtual_loop.run(minute(), loop)


def child_story(settings: Settings, _: Place) -> dict[str, Any]:
    """When a worker's supervisor loses patience with it, in seconds."""
    policy = supervisor_policies(settings)["worker"]

    def life() -> LifeCycle:
        one = LifeCycle(policy, random.Random(1))
        one.started(0)
        return one

    silent, deaf, large, weak = life(), life(), life(), life()
    deaf.heard(0)
    seconds = range(1, 1000)
    story: dict[str, Any] = {"never answered": _first(seconds, silent.is_hung)}
    for second in seconds:
        deaf.missed(s_to_ns(second))
        if deaf.signal_due(None, s_to_ns(second)) is SIGKILL:
            story["answers no more"] = second
            break
    sizes = range(100, 5000, 100)
    story["too large"] = next((mb for mb in sizes if large.signal_due(mb * 2**20, 0)), None)
    story["told to end"] = _first(seconds, lambda now: large.signal_due(None, now) is SIGKILL)
    crashes = 0
    while not weak.budget.spent and crashes < 20:
        weak.ended(-11, s_to_ns(25 * crashes))
        weak.started(s_to_ns(25 * crashes))
        crashes += 1
    story["crashes"] = crashes
    story["worker again"] = _first(seconds, weak.budget.worker_is_due)
    return story


def _first(seconds: range, true_of: Any) -> int | None:
    return next((second for second in seconds if true_of(s_to_ns(second))), None)


MEDIAMTX = {"media_server.kind": "mediamtx"}
NOT_INSTALLED = {**MEDIAMTX, "media_server.mediamtx_dir": "{chosen}"}
EMBEDDED = {"media_server.kind": "embedded"}
STATE = {"orchestrator.state_dir": "{state}"}
AS_RUN = {**STATE, **EMBEDDED}
TO_THIRD = [{"name": "third", "url": "rtmp://h/app/key"}]
RTMPS = {
    "media_server.ingest.protocols": ["rtmps"],
    "media_server.ingest.certificate": "/a.pem",
    "media_server.ingest.certificate_key": "/a.key",
}
INGEST = {
    "protocols": Effect(["srt"], mediamtx_config),
    "rtmps_port": Effect(1937, mediamtx_config, RTMPS),
    "rtp_port": Effect(8002, mediamtx_config),
    "srt_port": Effect(8891, mediamtx_config),
    "srt_passphrase": Effect("a-long-enough-key", mediamtx_config),
    "webrtc_port": Effect(8890, mediamtx_config),
    "webrtc_bind": Effect("127.0.0.2", mediamtx_config),
    "webrtc_udp_port": Effect(8190, mediamtx_config),
    "webrtc_origins": Effect(["https://studio.example"], mediamtx_config),
    "webrtc_hosts": Effect(["live.example"], mediamtx_config),
    "certificate": Effect("/b.pem", mediamtx_config, RTMPS),
    "certificate_key": Effect("/b.key", mediamtx_config, RTMPS),
}
EFFECTS = {
    "media_server.kind": Effect("embedded", chosen, {"media_server.attach": True}),
    "media_server.attach": Effect(True, chosen, NOT_INSTALLED),
    "media_server.mediamtx_dir": Effect("{other_state}", install_place),
    "media_server.mediamtx_releases": Effect("{first}/mirror", asked_to_install, NOT_INSTALLED),
    "media_server.mediamtx_path": Effect("{mediamtx}", started, MEDIAMTX),
    "media_server.host": Effect("127.0.0.2", published, EMBEDDED),
    "media_server.bind": Effect("0.0.0.0", mediamtx_config),
    "media_server.rtmp_port": Effect(1936, mediamtx_config),
    "media_server.rtsp_port": Effect(8555, mediamtx_config),
    "media_server.api_port": Effect(9996, mediamtx_config),
    "media_server.api_host": Effect("127.0.0.2", mediamtx_config),
    "media_server.api_url": Effect("http://media.lan:9997", asked_for),
    "media_server.api_key": Effect("a-key", asked_for),
    "media_server.roles_key": Effect(
        "a-key", launched, {**EMBEDDED, "media_server.bind": "0.0.0.0"}
    ),
    "media_server.metrics_port": Effect(9999, mediamtx_config),
    "media_server.hls_port": Effect(8888, mediamtx_config),
    "media_server.whep": Effect(True, whep),
    "media_server.silent_s": Effect(200.0, mediamtx_config),
    **{f"media_server.ingest.{key}": one for key, one in INGEST.items()},
    "media_server.http_port": Effect(
        "{paths}", listed, {**EMBEDDED, "media_server.http_port": "{refusing}"}
    ),
    "media_server.embedded_dir": Effect("{chosen}", installed),
    "orchestrator.host": Effect("127.0.0.2", as_run, AS_RUN),
    "orchestrator.port": Effect(8081, as_run, AS_RUN),
    "orchestrator.max_streams": Effect(3, as_run, AS_RUN),
    "orchestrator.state_dir": Effect("{other_state}", as_run, AS_RUN),
    "orchestrator.hook_secret": Effect("a-key", secret, STATE),
    "orchestrator.grace_s": Effect(10.0, launched, EMBEDDED),
    "orchestrator.streams": Effect({"abc": {"policy": {"voice": "pm_alex"}}}, launched, EMBEDDED),
    "orchestrator.destinations": Effect(TO_THIRD, launched, EMBEDDED),
    "orchestrator.open_ingest": Effect(False, answered),
    "orchestrator.publish_key": Effect("a-key", answered),
    "orchestrator.read_key": Effect("a-key", answered),
    "orchestrator.url": Effect("https://control.lan", mediamtx_config),
    "orchestrator.reconcile_s": Effect(5.0, looked),
    "orchestrator.on_stop": Effect("leave", looked),
    "orchestrator.start_timeout_s": Effect(7.0, child_story),
    "orchestrator.heartbeat_timeout_s": Effect(9.0, child_story),
    "orchestrator.worker_memory_mb": Effect(900, child_story),
    "orchestrator.crash_budget": Effect(2, child_story),
    "orchestrator.crash_window_s": Effect(20.0, child_story),
    "orchestrator.quiet_s": Effect(100.0, child_story),
    "worker.drain_s": Effect(5.0, child_story),
}
