"""Viewers elsewhere: the read key opens an output by every protocol, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from dubcast.config import Secret, Settings
from dubcast.mediaserver import mediamtx
from dubcast.mediaserver.interface import MediaServer
from dubcast.mediaserver.keys import Purpose, derived
from rig import (
    KEY,
    SECRET,
    child,
    eventually,
    free_ports,
    mediamtx_found,
    publisher,
    running_role,
    server_settings,
)

pytestmark = pytest.mark.skipif(
    not mediamtx_found(), reason="no mediamtx binary on PATH or in media_server.mediamtx_path"
)
READ_KEY = "key-of-viewers"
OUT = "live/abc/out"
ROLES_KEY = derived(Secret(SECRET), Purpose.ROLES).get_secret_value()


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MediaServer]:
    """One that others reach: where a viewer comes from opens nothing. Its output is on air."""
    hls, srt = free_ports(2)
    generate = mediamtx.generate_config

    def with_srt(*given: Any, **named: Any) -> dict[str, Any]:
        return {**generate(*given, **named), "srt": True, "srtAddress": f":{srt}"}

    monkeypatch.setattr(mediamtx, "generate_config", with_srt)
    media = server_settings("mediamtx", bind="0.0.0.0", hls_port=hls)
    settings = Settings.model_validate(
        {
            "media_server": media.model_dump(),
            "orchestrator": {"publish_key": KEY, "read_key": READ_KEY},
        }
    )
    async with running_role(settings) as one:
        one.srt_port = srt  # type: ignore[attr-defined]
        with publisher(f"{one.publish_url(OUT)}?key={ROLES_KEY}"):
            await eventually(one.ready_paths)
            yield one


def url_of(server: MediaServer, protocol: str, key: str) -> str:
    own = server.settings
    query = f"?key={key}" if key else ""
    user = f"viewer:{key}@" if key else ""
    srt_user = f":viewer:{key}" if key else ""
    return {
        "rtmp": f"rtmp://127.0.0.1:{own.rtmp_port}/{OUT}{query}",
        "rtsp": f"rtsp://{user}127.0.0.1:{own.rtsp_port}/{OUT}",
        "rtsp query": f"rtsp://127.0.0.1:{own.rtsp_port}/{OUT}{query}",
        "srt": f"srt://127.0.0.1:{server.srt_port}?streamid=read:{OUT}{srt_user}",  # type: ignore[attr-defined]
        "hls": f"http://127.0.0.1:{own.hls_port}/{OUT}/index.m3u8{query}",
    }[protocol]


@pytest.mark.parametrize("protocol", ["rtmp", "rtsp", "rtsp query", "srt", "hls"])
async def test_the_read_key_opens_an_output(server: MediaServer, protocol: str) -> None:
    assert await plays(url_of(server, protocol, READ_KEY))
    for key in ("", "wrong", KEY):
        assert not await plays(url_of(server, protocol, key))


async def plays(url: str) -> bool:
    """True if a viewer gets pictures and sound."""
    tcp = ["-rtsp_transport", "tcp"] if url.startswith("rtsp") else []
    entries = ["-show_entries", "stream=codec_type", "-of", "csv=p=0"]
    with child(["ffprobe", "-loglevel", "error", *tcp, *entries, url]) as one:
        code = await one.ended(30)
        return code == 0 and set(one.output()[0].split()) == {b"video", b"audio"}


async def test_it_opens_nothing_else(server: MediaServer) -> None:
    for path in ("live/abc/in", OUT, "live/other/out"):
        with publisher(f"{server.publish_url(path)}?key={READ_KEY}") as stranger:
            assert await stranger.ended() != 0
    with publisher(f"{server.publish_url('live/abc/in')}?key={KEY}"):
        await eventually(lambda: has_ingest(server))
        assert not await plays(f"{server.publish_url('live/abc/in')}?key={READ_KEY}")


async def has_ingest(server: MediaServer) -> bool:
    return "live/abc/in" in await server.ready_paths()
