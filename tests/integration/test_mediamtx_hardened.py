"""A generated MediaMTX lets nobody but dubcast change or read what it does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import yaml

from bench.servers.injections import accepted, basic, config_of, injections, mark_of, sent
from dubcast.config import Secret
from dubcast.errors import MediaServerError
from dubcast.mediaserver import mediamtx
from dubcast.mediaserver.interface import MediaServer
from dubcast.mediaserver.keys import Purpose, derived
from rig import (
    API_KEY,
    KEY,
    SECRET,
    StubPlane,
    build_server,
    child,
    eventually,
    free_ports,
    mediamtx_found,
    publisher,
    running_server,
    server_settings,
    stub_plane,
)

pytestmark = pytest.mark.skipif(
    not mediamtx_found(), reason="no mediamtx binary on PATH or in media_server.mediamtx_path"
)
OTHER_KEYS = (
    KEY,
    SECRET,
    *(derived(Secret(SECRET), one).get_secret_value() for one in (Purpose.CALLBACK, Purpose.ROLES)),
)


@pytest.fixture
def plane() -> Iterator[StubPlane]:
    with stub_plane() as one:
        yield one


@pytest.fixture
async def server(plane: StubPlane) -> AsyncIterator[MediaServer]:
    async with running_server(server_settings("mediamtx"), plane.control()) as one:
        yield one


def api_of(server: MediaServer) -> tuple[str, int]:
    return "127.0.0.1", server.settings.api_port


async def test_no_call_changes_the_config_or_runs_a_program(
    server: MediaServer, tmp_path: Path
) -> None:
    calls = injections(tmp_path, OTHER_KEYS)
    assert len(calls) >= 20
    before = config_of(api_of(server), basic("dubcast", API_KEY))
    assert before.startswith("200 ")
    statuses = await asyncio.to_thread(sent, api_of(server), calls)
    assert accepted(tmp_path, statuses) == []
    assert config_of(api_of(server), basic("dubcast", API_KEY)) == before
    assert list(tmp_path.iterdir()) == []


async def test_on_an_open_server_the_same_calls_do(
    plane: StubPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What shows that the test above would see it."""
    access = mediamtx._access

    def open_to_all(*given: Any) -> dict[str, Any]:
        return {**access(*given), "authHTTPExclude": [{"action": "api"}]}

    monkeypatch.setattr(mediamtx, "_access", open_to_all)
    async with running_server(server_settings("mediamtx"), plane.control()) as server:
        calls = [one for one in injections(tmp_path, ()) if one.method == "POST"]
        statuses = await asyncio.to_thread(sent, api_of(server), calls)
        assert {"plain", "text from a page"} <= set(accepted(tmp_path, statuses))
        await eventually(mark_of(tmp_path, "text from a page").exists)


async def test_the_api_and_metrics_tell_no_key(server: MediaServer) -> None:
    url = server.publish_url("live/abc/in") + f"?key={KEY}&lang=es"
    with publisher(url):
        await eventually(server.ready_paths)
        source = (await server.ready_paths())["live/abc/in"]
        assert source.query == "lang=es"
        async with httpx2.AsyncClient(trust_env=False) as anybody:
            base = f"http://127.0.0.1:{server.settings.api_port}/v3"
            listed = await anybody.get(f"{base}/rtmpconns/list")
            assert (listed.status_code, KEY in listed.text) == (401, False)
            metrics = await anybody.get(f"http://127.0.0.1:{server.settings.metrics_port}/metrics")
        assert metrics.status_code == 200
        assert 'paths{name="live/abc/in"' in metrics.text
        assert KEY not in metrics.text


async def test_who_has_another_secret_is_told_so(server: MediaServer, plane: StubPlane) -> None:
    settings = server.settings.model_copy(update={"api_key": None})
    stranger = build_server(settings, plane.control().__class__(None, Secret("another"), "", True))
    with pytest.raises(MediaServerError, match="hook_secret must be the same"):
        await stranger.ready_paths()
    await stranger.close()


async def test_a_connection_that_says_nothing_is_cut(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the server's own limit is that of an output: 90 s here."""
    await server.stop()
    monkeypatch.setattr(mediamtx, "_IDENTIFY_S", 1.0)
    await server.start()
    address = ("127.0.0.1", server.settings.rtmp_port)
    with (
        socket.create_connection(address, timeout=8) as raw,
        contextlib.suppress(ConnectionResetError),
    ):
        assert await asyncio.to_thread(raw.recv, 1) == b""


async def test_an_output_may_be_silent_for_longer_than_a_publisher(plane: StubPlane) -> None:
    import signal

    settings = server_settings("mediamtx", silent_s=1)
    async with running_server(settings, plane.control()) as server:
        with publisher(server.publish_url("live/abc/out")) as one:
            await eventually(server.ready_paths)
            before = await server.ready_paths()
            one.signal(signal.SIGSTOP)
            await asyncio.sleep(4)
            assert await server.ready_paths() == before


async def test_a_killed_server_is_started_again_by_its_role_at_once(tmp_path: Path) -> None:
    settings = tmp_path / "dubcast.yaml"
    media = server_settings("mediamtx").model_dump(mode="json", exclude_none=True)
    own = {"state_dir": str(tmp_path), "port": free_ports(1)[0]}
    settings.write_text(yaml.safe_dump({"media_server": media, "orchestrator": own}))
    with child([sys.executable, "-m", "dubcast", "media-server", "-c", str(settings)]) as role:
        api = f"http://127.0.0.1:{media['api_port']}/v3/info"
        await answers(api)
        await asyncio.sleep(6)  # one that does not last is no server
        (server,) = psutil.Process(role.process.pid).children()
        server.kill()
        await eventually(lambda: not server.is_running(), 5)
        await answers(api)
        assert role.running


async def answers(url: str) -> None:
    """Without a key: that it asks for one is an answer."""

    async def status() -> bool:
        async with httpx2.AsyncClient(trust_env=False) as client:
            try:
                return (await client.get(url)).status_code == 401
            except httpx2.HTTPError:
                return False

    await eventually(status, 20)
