"""What publishers send to a real MediaMTX: read where its tracks are whole, and in step."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from test_worker import DELAY_S, media_server, recording, worker

from bench.servers.ingests import offset_ms
from bench.servers.publishers import Ingest, coded, command
from dubcast.contract.ids import ingest_path, output_path
from dubcast.mediaserver.interface import MediaServer, PathSource
from dubcast.testing.media import ClipSpec, build_clip
from rig import child, eventually, mediamtx_found

SECONDS = 24
INGESTS = (
    Ingest("rtsp-tcp", "g711", bframes=True),
    Ingest("rtsp-udp", "opus", bframes=True),
    Ingest("srt", "opus", bframes=True),
    Ingest("srt", "ac3"),
)
pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not mediamtx_found(), reason="no mediamtx binary"),
]


async def aired(server: MediaServer, ingest: Ingest, clip: Path, folder: Path) -> str:
    """Publish, read as the server says, and look at what comes out; the protocol it was read by."""
    place = folder / ingest.name
    place.mkdir()
    output = server.read_url(output_path(ingest.name))
    file = await asyncio.to_thread(coded, ingest, clip, folder, SECONDS)
    with child(command(ingest, file, server.settings)) as publisher:
        source = await eventually(lambda: listed(server, ingest), 20)
        url = server.source_url(source)
        with worker(url, output, place) as one, recording(output, place / "out.flv") as tape:
            await publisher.ended(60)
            await asyncio.sleep(DELAY_S + 1)
            tape.stop()
            assert one.stop() == 0, one.log.read_text()
    plain = await asyncio.to_thread(coded, replace(ingest, audio="aac"), clip, folder, SECONDS)
    off_ms = offset_ms(place, "out", plain)
    assert off_ms is not None
    assert abs(off_ms) <= 10
    return url.partition(":")[0]


async def listed(server: MediaServer, ingest: Ingest) -> PathSource | None:
    return (await server.ready_paths()).get(ingest_path(ingest.name))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_clip(ClipSpec(seconds=SECONDS), tmp_path_factory.mktemp("clips"))


async def test_each_is_read_by_what_loses_nothing_and_stays_in_step(
    clip: Path, tmp_path: Path
) -> None:
    async with media_server("mediamtx") as server:
        ways = await asyncio.gather(*(aired(server, one, clip, tmp_path) for one in INGESTS))
    assert ways == ["rtsp", "rtsp", "srt", "srt"]


async def test_whip(clip: Path, tmp_path: Path) -> None:
    asked = ["gst-inspect-1.0", "nicesink"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("gstreamer1.0-nice is not installed")
    async with media_server("mediamtx") as server:
        assert await aired(server, Ingest("whip", "opus"), clip, tmp_path) == "rtsp"


async def test_what_cannot_be_served_is_known_from_the_tracks(clip: Path, tmp_path: Path) -> None:
    hevc = Ingest("srt", video="hevc")
    async with media_server("mediamtx") as server:
        file = await asyncio.to_thread(coded, hevc, clip, tmp_path, 8)
        with child(command(hevc, file, server.settings)):
            refusal = server.refusal(await eventually(lambda: listed(server, hevc), 20))
    assert refusal is not None
    assert (refusal.reason, "HEVC" in refusal.message) == ("video_codec", True)
