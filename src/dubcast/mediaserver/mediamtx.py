"""MediaMTX: run as a child with a generated config, or attached to.

Checked against 1.16 to 1.20: the config names only what the found version knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import yaml

from dubcast import log
from dubcast.addresses import host_port, is_this_machine
from dubcast.config import (
    HOOK_QUERY_ESCAPED,
    HOOK_SECRET,
    HOOK_URL,
    MediaServerSettings,
    hook_child_env,
)
from dubcast.contract.ids import STREAM_ID_PATTERN
from dubcast.errors import ConfigError, MediaServerError, MissingPartError
from dubcast.mediaserver import mediamtx_ingest, ways_in
from dubcast.mediaserver.interface import ControlPlane, MediaServer, PathSource, api_error
from dubcast.processes.ladder import end_subprocess
from dubcast.processes.parent_death import die_with_parent

Version = tuple[int, int, int]

_OLDEST: Version = (1, 16, 0)
_QUERY_ESCAPED: Version = (1, 18, 1)
_HAS_MOQ: Version = (1, 19, 0)
_HAS_AVAILABLE: Version = (1, 19, 3)  # runOnReady became a deprecated alias then
_ID = STREAM_ID_PATTERN.strip("^$")
_IN = f"~^live/({_ID})/in$"
_OUT = f"~^live/({_ID})/out(-[A-Za-z0-9-]{{1,16}})?$"
_MEMORY = "/dev/shm"
_API_HOST = "127.0.0.1"
_START_TIMEOUT_S = 15.0
_PAGE = 100
_COLLECTIONS = {  # type of a source -> its collection in the API
    "rtmpConn": "rtmpconns",
    "rtmpsConn": "rtmpsconns",
    "rtspSession": "rtspsessions",
    "rtspsSession": "rtspssessions",
    "srtConn": "srtconns",
    "webRTCSession": "webrtcsessions",
}
_logger = log.get("mediaserver.mediamtx")


def find_binary(path: Path | None) -> Path | None:
    """The binary that is set, or the one on PATH; None if there is neither.

    Raises MissingPartError if one is set and does not exist.
    """
    if path is not None:
        if not path.is_file():
            raise MissingPartError(f"media_server.mediamtx_path: {path} does not exist")
        return path
    found = shutil.which("mediamtx")
    return Path(found) if found else None


def version_of(binary: Path) -> Version:
    """What `mediamtx --version` says. Raises MissingPartError if it does not run."""
    try:
        done = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingPartError(f"{binary} does not run: {error}") from error
    match = re.search(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout)
    if match is None:
        raise MissingPartError(f"{binary} --version says {done.stdout.strip()[:80]!r}")
    return int(match[1]), int(match[2]), int(match[3])


def hook_command(kind: str) -> str:
    """The command line of the hook, quoted as MediaMTX splits it."""
    argv = [sys.executable, "-m", "dubcast.mediaserver.hook", kind]
    if any("$" in part for part in argv):  # MediaMTX would put a variable there
        raise ConfigError(f"the path of the interpreter must not hold a $: {sys.executable}")
    return shlex.join(argv)


def generate_config(
    settings: MediaServerSettings, plane: ControlPlane, version: Version
) -> dict[str, Any]:
    """The config of a hardened server of this version. Raises ConfigError if it is too old."""
    if version < _OLDEST:
        raise ConfigError(
            f"mediamtx {'.'.join(map(str, version))} is too old; "
            f"{'.'.join(map(str, _OLDEST))} or newer is needed"
        )
    config: dict[str, Any] = {
        "logLevel": "info",
        "logDestinations": ["stdout"],
        "logStructured": True,
        "readTimeout": f"{settings.silent_s:g}s",
        "authMethod": "http",
        "authHTTPAddress": plane.auth_url,
        "authHTTPExclude": _auth_exclusions(settings),
        "api": True,
        "apiAddress": host_port(_API_HOST, settings.api_port),
        "apiAllowOrigins": [],
        "metrics": False,
        "pprof": False,
        "playback": False,
        "hls": False,
        **mediamtx_ingest.protocols(settings),
        "pathDefaults": {"overridePublisher": False},
        # Others are asked about too, and refused with words: unasked, they are refused without.
        "paths": {_IN: _ingest(settings, plane, version), _OUT: {}, "all_others": {}},
    }
    if version >= _HAS_MOQ:
        config["moq"] = False
    return config


def _auth_exclusions(settings: MediaServerSettings) -> list[dict[str, str]]:
    """What is not asked about: the API (it would ask itself), and on a server that only this
    machine reaches the worker's and the egress's own doings, so that they go on when the
    orchestrator is away."""
    exclusions = [{"action": "api"}, {"action": "metrics"}]
    if is_this_machine(settings.bind):
        exclusions += [{"action": "read"}, {"action": "publish", "path": _OUT}]
    return exclusions


def _ingest(settings: MediaServerSettings, plane: ControlPlane, version: Version) -> dict[str, Any]:
    return {**mediamtx_ingest.of_path(settings), **_hooks(plane, version)}


def _hooks(plane: ControlPlane, version: Version) -> dict[str, str]:
    if plane.hook_url is None:
        return {}
    names = ("runOnReady", "runOnNotReady")
    if version >= _HAS_AVAILABLE:
        names = ("runOnAvailable", "runOnUnavailable")
    return {names[0]: hook_command("available"), names[1]: hook_command("unavailable")}


class MediaMtx(MediaServer):
    """MediaMTX, the production server."""

    kind = "mediamtx"

    def __init__(
        self, settings: MediaServerSettings, plane: ControlPlane, binary: Path | None
    ) -> None:
        super().__init__(settings, plane)
        self._binary = binary
        self._process: asyncio.subprocess.Process | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        # Of a server of ours the API is on loopback, wherever its streams are.
        host = settings.host if settings.attach else _API_HOST
        base = f"http://{host_port(host, settings.api_port)}"
        self._api = httpx2.AsyncClient(base_url=base, timeout=2.0, trust_env=False)
        self._queries: dict[str, str] = {}  # source id -> its query, which never changes

    async def start(self) -> None:
        if self.settings.attach:
            await self.ready_paths()
            return
        if self._binary is None:
            raise MissingPartError("no mediamtx binary is known")
        version = await asyncio.to_thread(version_of, self._binary)
        config = generate_config(self.settings, self.plane, version)
        file = self._write_config(yaml.safe_dump(config, sort_keys=False))
        self._process = await asyncio.create_subprocess_exec(
            *die_with_parent([str(self._binary), str(file)], os.getpid()),
            env=_environment(self.plane, version),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,
        )
        try:
            await self._wait_until_up(self._process)
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

    async def _wait_until_up(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _START_TIMEOUT_S
        while loop.time() < deadline:
            if process.returncode is not None:
                raise MediaServerError(
                    f"mediamtx ended with code {process.returncode}; its log says why "
                    f"(is port {self.settings.rtmp_port} in use?)"
                )
            with contextlib.suppress(MediaServerError):
                await self.ready_paths()
                return
            await asyncio.sleep(0.1)
        raise MediaServerError("mediamtx does not start in time")

    async def wait(self) -> int:
        if self._process is None:
            await asyncio.Event().wait()  # attached: it is not ours to end
            raise AssertionError("unreachable")
        return await self._process.wait()

    async def stop(self) -> None:
        try:
            if self._process is not None:
                await end_subprocess(self._process, term_s=4.0)
        finally:  # cancelled too: the config holds keys
            if self._folder is not None:
                self._folder.cleanup()

    async def ready_paths(self) -> dict[str, PathSource]:
        found: dict[str, PathSource] = {}
        for item in await self._pages("/v3/paths/list"):
            source = item.get("source")
            if source and item.get("available", item.get("ready")):
                kind, source_id = str(source["type"]), str(source["id"])
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
        collection = _COLLECTIONS.get(source.source_type) if source else None
        if source is None or collection is None:
            return False
        reply = await self._call("POST", f"/v3/{collection}/kick/{quote(source.source_id)}")
        return reply.status_code == 200

    async def close(self) -> None:
        with contextlib.suppress(httpx2.HTTPError):
            await self._api.aclose()

    async def _pages(self, url: str) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        items: list[dict[str, Any]] = []
        page, pages = 0, 1
        while page < pages:
            reply = await self._call("GET", url, page=page, itemsPerPage=_PAGE)
            try:
                body = reply.raise_for_status().json()
                items += body["items"]
                pages = int(body["pageCount"])
            except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
                raise api_error(error, "mediamtx") from error
            page += 1
        return items

    async def _query(self, kind: str, source_id: str) -> str:
        """The query that the publisher gave; the list of paths does not hold it."""
        if source_id not in self._queries:
            collection = _COLLECTIONS.get(kind)
            if collection is None:
                return ""
            reply = await self._call("GET", f"/v3/{collection}/get/{quote(source_id)}")
            if reply.status_code != 200:
                return ""  # gone meanwhile
            try:
                self._queries[source_id] = str(reply.json().get("query", ""))
            except ValueError as error:
                raise api_error(error, "mediamtx") from error
        return self._queries[source_id]

    async def _call(self, method: str, url: str, **params: int) -> httpx2.Response:
        try:
            return await self._api.request(method, url, params=params or None)
        except httpx2.HTTPError as error:
            raise api_error(error, "mediamtx") from error


def _environment(plane: ControlPlane, version: Version) -> dict[str, str]:
    """What the server's hooks need; in its environment, so that no process list shows it."""
    return hook_child_env(
        **{
            HOOK_URL: plane.hook_url or "",
            HOOK_SECRET: plane.hook_secret.get_secret_value(),
            HOOK_QUERY_ESCAPED: "1" if version >= _QUERY_ESCAPED else "0",
        }
    )
