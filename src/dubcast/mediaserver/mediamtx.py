"""MediaMTX: run as a child with a generated config, or attached to.

Checked against 1.16 to 1.20: the config names only what the found version knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import yaml

from dubcast import log
from dubcast.addresses import host_port, is_this_machine, reachable
from dubcast.config import (
    HOOK_QUERY_ESCAPED,
    HOOK_SECRET,
    HOOK_URL,
    MediaServerSettings,
    hook_child_env,
)
from dubcast.contract.ids import STREAM_ID_PATTERN, stream_id_of_ingest
from dubcast.errors import ConfigError, MediaServerError, MissingPartError
from dubcast.mediaserver import mediamtx_ingest, mediamtx_log, ways_in
from dubcast.mediaserver.auth import is_private
from dubcast.mediaserver.interface import ControlPlane, MediaServer, PathSource
from dubcast.mediaserver.keys import USER, own_keys, without_keys
from dubcast.mediaserver.mediamtx_api import MediaMtxApi, api_url
from dubcast.mediaserver.mediamtx_check import (
    OLDEST,
    Finding,
    Version,
    Wanted,
    findings,
    parse_version,
)
from dubcast.mediaserver.mediamtx_program import PROGRAM, program_path
from dubcast.mediaserver.silence import SilenceWatch
from dubcast.processes.ladder import end_subprocess
from dubcast.processes.parent_death import die_with_parent

Hook = Callable[[str], str]  # from `available` or `unavailable`: the command of the hook

_QUERY_ESCAPED: Version = (1, 18, 1)
_HAS_MOQ: Version = (1, 19, 0)
_HAS_AVAILABLE: Version = (1, 19, 3)  # runOnReady became a deprecated alias then
_ID = STREAM_ID_PATTERN.strip("^$")
_IN = f"~^live/({_ID})/in$"
_OUT = f"~^live/({_ID})/out(-[A-Za-z0-9-]{{1,16}})?$"
_MEMORY = "/dev/shm"
_START_TIMEOUT_S = 15.0
_WATCH_S = 1.0
_IDENTIFY_S = 10.0  # a connection that neither publishes nor reads
_logger = log.get("mediaserver.mediamtx")


def find_binary(settings: MediaServerSettings) -> Path | None:
    """The binary that is set, or the one on PATH, or the installed one; None if there is none.

    Raises MissingPartError if one is set and does not exist.
    """
    path = settings.mediamtx_path
    if path is not None:
        if not path.is_file():
            raise MissingPartError(f"media_server.mediamtx_path: {path} does not exist")
        return path
    found = shutil.which(PROGRAM)
    if found:
        return Path(found)
    installed = program_path(settings)
    return installed if installed.is_file() else None


def version_of(binary: Path) -> Version:
    """What `mediamtx --version` says. Raises MissingPartError if it does not run."""
    try:
        done = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingPartError(f"{binary} does not run: {error}") from error
    version = parse_version(done.stdout)
    if version is None:
        raise MissingPartError(f"{binary} --version says {done.stdout.strip()[:80]!r}")
    return version


def hook_command(kind: str) -> str:
    """The command line of the hook, quoted as MediaMTX splits it."""
    argv = [sys.executable, "-m", "dubcast.mediaserver.hook", kind]
    if any("$" in part for part in argv):  # MediaMTX would put a variable there
        raise ConfigError(f"the path of the interpreter must not hold a $: {sys.executable}")
    return shlex.join(argv)


def generate_config(
    settings: MediaServerSettings,
    plane: ControlPlane,
    version: Version,
    hook: Hook = hook_command,
) -> dict[str, Any]:
    """The config of a hardened server of this version. Raises ConfigError if it is too old."""
    if version < OLDEST:
        raise ConfigError(
            f"mediamtx {'.'.join(map(str, version))} is too old; "
            f"{'.'.join(map(str, OLDEST))} or newer is needed"
        )
    config: dict[str, Any] = {
        **_general(settings, plane),
        **_access(settings, plane),
        **_control(settings),
        **_previews(settings),
        "playback": False,
        **mediamtx_ingest.protocols(settings),
        "pathDefaults": {"overridePublisher": False},
        # Others are asked about too, and refused with words: unasked, they are refused without.
        "paths": {_IN: _ingest(settings, plane, version, hook), _OUT: {}, "all_others": {}},
    }
    if version >= _HAS_MOQ:
        config["moq"] = False
    return config


def _general(settings: MediaServerSettings, plane: ControlPlane) -> dict[str, Any]:
    """The log, and the one time limit that holds for every connection: that of an output, which is
    silent while its publisher is away. Who must not be silent for so long is watched (`_watch`)."""
    return {
        "logLevel": "info",
        "logDestinations": ["stdout"],
        "logStructured": True,
        "readTimeout": f"{longest_silence_s(settings, plane):g}s",
    }


def longest_silence_s(settings: MediaServerSettings, plane: ControlPlane) -> float:
    """How long a connection may send nothing before the server itself cuts it."""
    return max(settings.silent_s, plane.silent_output_s)


def _access(settings: MediaServerSettings, plane: ControlPlane) -> dict[str, Any]:
    """Everybody is asked about, but for metrics that only this machine reads, and on a server that
    only this machine reaches the worker's and the egress's own doings."""
    exclusions = [{"action": "metrics"}] if is_this_machine(settings.api_host) else []
    if is_private(settings):
        exclusions += [{"action": "read"}, {"action": "publish", "path": _OUT}]
    return {
        "authMethod": "http",
        "authHTTPAddress": _callback_url(settings, plane),
        "authHTTPExclude": exclusions,
    }


def _ingest(
    settings: MediaServerSettings, plane: ControlPlane, version: Version, hook: Hook
) -> dict[str, Any]:
    return {**mediamtx_ingest.of_path(settings), **_hooks(plane, version, hook)}


def _callback_url(settings: MediaServerSettings, plane: ControlPlane) -> str:
    """With our key as user and password: the server's log shows neither."""
    key = own_keys(settings, plane.hook_secret).callback.get_secret_value()
    parts = urlsplit(plane.auth_url)
    return urlunsplit(parts._replace(netloc=f"{USER}:{key}@{parts.netloc}"))


def _control(settings: MediaServerSettings) -> dict[str, Any]:
    """The API, which can run commands as this user: it asks for a key, from wherever it is asked,
    and no page in a browser may ask it. Metrics beside it."""
    return {
        "api": True,
        "apiAddress": host_port(settings.api_host, settings.api_port),
        "apiAllowOrigins": [],
        "metrics": True,
        "metricsAddress": host_port(settings.api_host, settings.metrics_port),
        "metricsAllowOrigins": [],
        "pprof": False,
    }


def _previews(settings: MediaServerSettings) -> dict[str, Any]:
    """HLS, to look at what is on air; made only while somebody looks."""
    if settings.hls_port is None:
        return {"hls": False}
    return {
        "hls": True,
        "hlsAddress": host_port(settings.bind, settings.hls_port),
        "hlsVariant": "lowLatency",
        "hlsAlwaysRemux": False,
    }


def _hooks(plane: ControlPlane, version: Version, hook: Hook) -> dict[str, str]:
    if plane.hook_url is None:
        return {}
    names = ("runOnReady", "runOnNotReady")
    if version >= _HAS_AVAILABLE:
        names = ("runOnAvailable", "runOnUnavailable")
    return {names[0]: hook("available"), names[1]: hook("unavailable")}


class MediaMtx(MediaServer):
    """MediaMTX, the production server."""

    kind = "mediamtx"
    lists_late: ClassVar[Mapping[str, str]] = {"rtmp": "rtmpConn"}  # after 2 s of what is sent

    def __init__(
        self, settings: MediaServerSettings, plane: ControlPlane, binary: Path | None
    ) -> None:
        super().__init__(settings, plane)
        self._binary = binary
        self._process: asyncio.subprocess.Process | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._api = MediaMtxApi(api_url(settings), own_keys(settings, plane.hook_secret).api)
        self._queries: dict[str, str] = {}  # source id -> its query, which never changes

    async def start(self) -> None:
        if self.settings.attach:
            await self._attach()
        else:
            await self._launch()
        self._keep(self._watch(), "silence")

    def _keep(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_say_if_broken)
        self._tasks.append(task)

    async def _attach(self) -> None:
        """Look whether somebody else's server is fit for us, and say what to write there."""
        # It may ask the orchestrator about us, which may still be starting.
        await self._until_answered()
        for one in await self.unfit():
            if one.fatal:
                raise MediaServerError(f"{self._api.url}: {one.what}; write there:\n{one.write}")
            _logger.warning("media_server.unfit", what=one.what, write=one.write)
        _logger.info("media_server.attached", kind=self.kind, api=self._api.url)

    async def unfit(self) -> list[Finding]:
        """What is to be mended at an attached server. Raises MediaServerError if it is away."""
        return findings(await self._api.found(), wanted(self.settings, self.plane))

    async def _launch(self) -> None:
        if self._binary is None:
            raise MissingPartError("no mediamtx binary is known")
        version = await asyncio.to_thread(version_of, self._binary)
        config = generate_config(self.settings, self.plane, version)
        file = self._write_config(yaml.safe_dump(config, sort_keys=False))
        self._process = await asyncio.create_subprocess_exec(
            *die_with_parent([str(self._binary), str(file)], os.getpid()),
            env=hook_child_env(**hook_variables(self.plane, version)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._keep(mediamtx_log.relay(self._process.stdout), "mediamtx log")
        try:
            await self._until_answered()
        except BaseException:  # cancelled too: no child is left behind, and it goes on up
            await self.stop()
            raise
        _logger.info("media_server.up", kind=self.kind, version=".".join(map(str, version)))

    def _write_config(self, text: str) -> Path:
        """The config as a file: in memory where the disk is full. Raises MediaServerError."""
        reason: OSError | None = None
        for place in (None, _MEMORY):
            folder = None
            try:
                folder = tempfile.TemporaryDirectory(prefix="dubcast-mediamtx-", dir=place)
                file = Path(folder.name) / "mediamtx.yml"  # the folder is ours alone (0700)
                file.write_text(text, encoding="utf-8")
            except OSError as error:
                reason = error
                if folder is not None:
                    folder.cleanup()
            else:
                self._folder = folder
                return file
        raise MediaServerError(f"the config of mediamtx cannot be written: {reason}") from reason

    async def _until_answered(self) -> None:
        """Ask until the API answers. Raises MediaServerError with why it does not."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _START_TIMEOUT_S
        while True:
            process = self._process
            if process is not None and process.returncode is not None:
                raise MediaServerError(
                    f"mediamtx ended with code {process.returncode}; its log says why "
                    f"(is port {self.settings.rtmp_port} in use?)"
                )
            try:
                await self.ready_paths()
            except MediaServerError:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(0.05)
            else:
                return

    async def wait(self) -> int:
        if self._process is None:
            await asyncio.Event().wait()  # attached: it is not ours to end
            raise AssertionError("unreachable")
        return await self._process.wait()

    async def stop(self) -> None:
        try:
            if self._process is not None:
                await end_subprocess(self._process, term_s=4.0)
            tasks, self._tasks = self._tasks, []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:  # cancelled too: the config holds keys
            if self._folder is not None:
                self._folder.cleanup()

    async def ready_paths(self) -> dict[str, PathSource]:
        found: dict[str, PathSource] = {}
        for item in await self._published():
            kind, source_id = str(item["source"]["type"]), str(item["source"]["id"])
            query = await self._query(kind, source_id)
            tracks = tuple(map(str, item.get("tracks") or ()))
            found[item["name"]] = PathSource(item["name"], source_id, kind, query, tracks)
        known = {source.source_id for source in found.values()}
        self._queries = {key: value for key, value in self._queries.items() if key in known}
        return found

    def source_url(self, source: PathSource) -> str:
        has_srt = self.settings.attach or "srt" in self.settings.ingest.protocols
        way = ways_in.way_in(source.source_type, source.tracks, has_srt=has_srt)
        return mediamtx_ingest.read_url(self.settings, way, source.path)

    async def kick(self, path: str) -> bool:
        source = (await self.ready_paths()).get(path)
        return source is not None and await self._api.kick(source.source_type, source.source_id)

    async def close(self) -> None:
        await self._api.close()

    def metrics_address(self) -> str:
        own, attached = reachable(self.settings.api_host), self.settings.host
        host = attached if self.settings.attach else own
        return host_port(host, self.settings.metrics_port)

    async def _published(self) -> list[dict[str, Any]]:
        """The paths that have a publisher, as the API has them."""
        listed = await self._api.pages("/v3/paths/list")
        return [
            item
            for item in listed
            if item.get("source") and item.get("available", item.get("ready"))
        ]

    async def _query(self, kind: str, source_id: str) -> str:
        """What the publisher asked for, without its key; the list of paths does not hold it."""
        if source_id not in self._queries:
            found = await self._api.source(kind, source_id)
            if found is None:
                return ""  # gone meanwhile, or its kind is not known
            self._queries[source_id] = without_keys(str(found.get("query", "")))
        return self._queries[source_id]

    async def _watch(self) -> None:
        """Cut those who are silent for longer than they may be."""
        publishers, strangers = SilenceWatch(self.settings.silent_s), SilenceWatch(_IDENTIFY_S)
        while True:
            await asyncio.sleep(_WATCH_S)
            with contextlib.suppress(MediaServerError):  # away: nobody is silent, it is
                await self._cut_publishers(publishers)
                await self._cut_strangers(strangers)

    async def _cut_publishers(self, watch: SilenceWatch) -> None:
        """Those of what comes in: an output is silent while its publisher is away."""
        items = {item["name"]: item for item in await self._published()}
        counts = {
            name: (item["source"]["id"], item.get("inboundBytes", item.get("bytesReceived")))
            for name, item in items.items()
            if stream_id_of_ingest(name) is not None
        }
        for name in watch.look(counts, time.monotonic_ns()):
            _logger.warning("publisher.silent", path=name, cut_after_s=self.settings.silent_s)
            source = items[name]["source"]
            await self._api.kick(source["type"], source["id"])

    async def _cut_strangers(self, watch: SilenceWatch) -> None:
        """Connections that neither publish nor read."""
        listed = await self._api.pages("/v3/rtmpconns/list")
        counts = {item["id"]: 0 for item in listed if item.get("state") == "idle"}
        for one in watch.look(counts, time.monotonic_ns()):
            await self._api.kick("rtmpConn", one)


def _say_if_broken(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _logger.error("task.broken", task=task.get_name(), reason=repr(task.exception()))


def wanted(settings: MediaServerSettings, plane: ControlPlane) -> Wanted:
    """What somebody else's server has to be like."""
    return Wanted(
        auth_url=plane.auth_url,
        hook="dubcast-hook",
        rtmp_port=settings.rtmp_port,
        rtsp_port=settings.rtsp_port,
        whep=settings.whep,
        longest_silence_s=longest_silence_s(settings, plane),
    )


def hook_variables(plane: ControlPlane, version: Version) -> dict[str, str]:
    """What the server's hooks need; in its environment, so that no process list shows it."""
    return {
        HOOK_URL: plane.hook_url or "",
        HOOK_SECRET: plane.hook_secret.get_secret_value(),
        HOOK_QUERY_ESCAPED: "1" if version >= _QUERY_ESCAPED else "0",
    }
