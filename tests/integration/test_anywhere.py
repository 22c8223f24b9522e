"""Server, orchestrator and workers on addresses of their own; the server is somebody else's.

Its config is what `dubcast mediamtx config` prints, and it asks for keys: an address opens nothing.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from dubcast.addresses import host_port
from dubcast.config import load
from dubcast.mediaserver.mediamtx import find_binary
from rig import KEY, SECRET, Child, child, eventually, free_ports, mediamtx_found, publisher

pytestmark = pytest.mark.skipif(
    not mediamtx_found(), reason="no mediamtx binary on PATH or in media_server.mediamtx_path"
)
READ_KEY = "key-of-viewers"
FAR = ("10.97.31.1", "10.97.31.2")  # in a network namespace, and its other end here


@dataclass(frozen=True)
class Place:
    """Addresses of server and orchestrator; `inside` stands before the server's command."""

    server: str
    orchestrator: str
    inside: tuple[str, ...] = ()


@dataclass
class Apart:
    """What runs: where streams and states are."""

    rtmp: str
    orchestrator: str
    up: Child

    async def stream(self) -> dict[str, Any]:
        async with httpx2.AsyncClient(trust_env=False) as client:
            try:
                return dict((await client.get(f"{self.orchestrator}/v1/streams/demo")).json())
            except httpx2.HTTPError:
                return {}

    async def is_live(self) -> bool:
        return (await self.stream()).get("state") == "live"


@contextmanager
def namespace() -> Iterator[tuple[str, ...]]:
    """A network namespace with the first of FAR; skips where none may be made."""
    name = f"dubcast{os.getpid()}"
    near, far = f"dcn{os.getpid() % 10_000}", f"dcf{os.getpid() % 10_000}"
    commands = [
        f"ip netns add {name}",
        f"ip link add {near} type veth peer name {far} netns {name}",
        f"ip addr add {FAR[1]}/30 dev {near}",
        f"ip link set {near} up",
        f"ip -n {name} addr add {FAR[0]}/30 dev {far}",
        f"ip -n {name} link set {far} up",
        f"ip -n {name} link set lo up",
    ]
    try:
        if not all(_done(command) for command in commands):
            pytest.skip("no network namespace may be made here")
        yield ("ip", "netns", "exec", name)
    finally:
        _done(f"ip netns del {name}")


def _done(command: str) -> bool:
    """False too where the program is not there: nothing but this test wants it."""
    try:
        return subprocess.run(command.split(), capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.fixture(params=["two addresses", "IPv6", "a network of its own"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "two addresses":
        yield Place("127.0.0.2", "127.0.0.3")
    elif request.param == "IPv6":
        yield Place("::1", "::1")
    else:
        with namespace() as inside:
            yield Place(*FAR, inside)


def write_settings(place: Place, file: Path) -> dict[str, Any]:
    """Settings of an `up` that attaches; a look of the reconciler comes too late to be of help."""
    rtmp, rtsp, api, metrics, port = free_ports(5)
    tree = {
        "media_server": {
            **{"kind": "mediamtx", "attach": True, "host": place.server},
            **{"rtmp_port": rtmp, "rtsp_port": rtsp, "api_port": api, "metrics_port": metrics},
        },
        "orchestrator": {
            **{"host": place.orchestrator, "port": port, "reconcile_s": 60},
            **{"publish_key": KEY, "read_key": READ_KEY, "hook_secret": SECRET},
            "state_dir": str(file.parent / "state"),
        },
        "stream": {"delay_s": 3, "separation": {"separator": "off"}},
        "worker": {"drain_s": 0, "metrics_host": place.orchestrator},
    }
    file.write_text(yaml.safe_dump(tree))
    return tree


@contextmanager
def somebodys_server(place: Place, settings: Path) -> Iterator[Child]:
    """MediaMTX with the printed file, and with the variables that it names."""
    file = settings.parent / "mediamtx.yml"
    words = ("mediamtx", "config", "-c", str(settings), "--out", str(file))
    subprocess.run([sys.executable, "-m", "dubcast", *words], check=True)
    assert file.stat().st_mode & 0o077 == 0
    lines = [line[4:] for line in file.read_text().splitlines() if line.startswith("#   DUBCAST")]
    assert len(lines) == 3
    # `dubcast-hook`, as pip installs it.
    hook = settings.parent / "dubcast-hook"
    hook.write_text(f'#!/bin/sh\nexec {sys.executable} -m dubcast.mediaserver.hook "$@"\n')
    hook.chmod(0o755)
    path = f"PATH={settings.parent}:{os.environ['PATH']}"
    binary = find_binary(load().settings.media_server)
    with child([*place.inside, "env", path, *lines, str(binary), str(file)]) as one:
        yield one


@asynccontextmanager
async def apart(place: Place, folder: Path) -> AsyncIterator[Apart]:
    settings, ready = folder / "dubcast.yaml", folder / "ready.json"
    tree = write_settings(place, settings)
    rtmp = f"rtmp://{host_port(place.server, tree['media_server']['rtmp_port'])}"
    base = f"http://{host_port(place.orchestrator, tree['orchestrator']['port'])}"
    argv = [sys.executable, "-m", "dubcast", "up", "--no-sts", "-c", str(settings)]
    argv += ["--ready-file", str(ready)]
    with somebodys_server(place, settings), child(argv) as up:
        try:
            await eventually(ready.exists, 40)
            yield Apart(rtmp, base, up)
        finally:
            up.process.terminate()
            await asyncio.to_thread(up.process.wait, 20)


def checked(settings: Path) -> tuple[int, str]:
    """What `dubcast mediamtx check` says, and its exit code."""
    words = ("mediamtx", "check", "-c", str(settings))
    done = subprocess.run(
        [sys.executable, "-m", "dubcast", *words], capture_output=True, text=True, timeout=30
    )
    return done.returncode, done.stdout + done.stderr


async def plays(url: str) -> bool:
    with child(["ffprobe", "-loglevel", "error", "-rw_timeout", "8000000", url]) as one:
        return await one.ended(20) == 0


async def test_a_stream_goes_through_and_keys_open_what_they_are_for(
    place: Place, tmp_path: Path
) -> None:
    async with apart(place, tmp_path) as one:
        assert await asyncio.to_thread(checked, tmp_path / "dubcast.yaml") == (0, "fit\n")
        ingest, output = f"{one.rtmp}/live/demo/in", f"{one.rtmp}/live/demo/out"
        with publisher(f"{ingest}?key=wrong") as stranger:
            assert await stranger.ended() != 0
        with publisher(f"{ingest}?key={KEY}"):
            await eventually(one.is_live, 30)
            assert await plays(f"{output}?key={READ_KEY}")
            assert not await plays(output)
            assert not await plays(f"{output}?key={KEY}")
            assert not await plays(f"{ingest}?key={READ_KEY}")
            with publisher(f"{output}?key={READ_KEY}") as stranger:
                assert await stranger.ended() != 0


async def test_a_stock_server_is_told_what_to_write(tmp_path: Path) -> None:
    settings = tmp_path / "dubcast.yaml"
    tree = write_settings(Place("127.0.0.1", "127.0.0.1"), settings)
    rtmp, rtsp, api = (tree["media_server"][f"{name}_port"] for name in ("rtmp", "rtsp", "api"))
    stock = {"api": True, "apiAddress": f":{api}", "rtmpAddress": f":{rtmp}"}
    stock |= {"rtspAddress": f":{rtsp}", "rtspTransports": ["tcp"], "paths": {"all_others": {}}}
    stock |= dict.fromkeys(("hls", "webrtc", "srt", "moq"), False)
    file = tmp_path / "stock.yml"
    file.write_text(yaml.safe_dump(stock))
    with child([str(find_binary(load().settings.media_server)), str(file)]):
        code, text = await eventually(lambda: told(settings), 20)
    assert code == 1
    written = ("overridePublisher: false", "authMethod: http", "readTimeout: 90s")
    for line in (*written, "    useAbsoluteTimestamp: true"):
        assert f"    {line}\n" in text


def told(settings: Path) -> tuple[int, str] | None:
    code, text = checked(settings)
    return None if "does not answer" in text else (code, text)
