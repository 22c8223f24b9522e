"""What publishers send to a real MediaMTX: read where its tracks are whole, and in step."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from test_worker import DELAY_S, media_server, recording, worker

from bench.servers.ingests import offset_ms
from bench.servers.publishers import Ingest, coded, command
from dubcast.contract.ids import ingest_path, output_path
from dubcast.mediaserver.interface import MediaServer, PathSource
from dubcast.testing.enhanced import enhanced_tags
from dubcast.testing.media import ClipSpec, build_clip, run_ffmpeg
from dubcast.testing.publisher import paced, publish
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


def has_whip() -> bool:
    asked = ["gst-inspect-1.0", "nicesink"]
    return not subprocess.run(asked, capture_output=True, check=False).returncode


async def test_whip(clip: Path, tmp_path: Path) -> None:
    if not has_whip():
        pytest.skip("gstreamer1.0-nice is not installed")
    async with media_server("mediamtx") as server:
        assert await aired(server, Ingest("whip", "opus"), clip, tmp_path) == "rtsp"


REFUSED = {
    Ingest("srt", video="hevc"): "HEVC",
    Ingest("rtmp", video="hevc"): "HEVC",
    Ingest("rtmp", video="av1"): "AV1",
    Ingest("whip", "opus", video="hevc"): "HEVC",
    Ingest("whip", "opus", video="av1"): "AV1",
    Ingest("whip", "opus", video="vp8"): "VP8",
    Ingest("whip", "opus", video="vp9"): "VP9",
}


@pytest.mark.parametrize("ingest", REFUSED, ids=lambda one: one.name)
async def test_what_cannot_be_served_is_known_from_the_tracks(
    ingest: Ingest, clip: Path, tmp_path: Path
) -> None:
    if ingest.protocol == "whip" and not has_whip():
        pytest.skip("gstreamer1.0-nice is not installed")
    file = await asyncio.to_thread(coded, ingest, clip, tmp_path, 4)
    async with media_server("mediamtx") as server, sent(ingest, file, server):
        refusal = server.refusal(await eventually(lambda: listed(server, ingest), 20))
    assert refusal is not None
    assert refusal.reason == "video_codec"
    assert REFUSED[ingest] in refusal.message and "H.264" in refusal.message


@asynccontextmanager
async def sent(ingest: Ingest, file: Path, server: MediaServer) -> AsyncIterator[None]:
    """While the block runs a publisher sends the file."""
    if ingest.protocol != "rtmp":
        with child(command(ingest, file, server.settings)):
            yield
        return
    stream = file
    if ingest.video == "hevc":
        stream = file.with_suffix(".ts")
        await asyncio.to_thread(run_ffmpeg, ["-i", str(file), "-c", "copy", "-an", str(stream)])
    tags = list(enhanced_tags(stream, ingest.video, 33))
    task = asyncio.create_task(publish(server.read_url(ingest_path(ingest.name)), paced(tags)))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=video 0 RTP/AVP 96
a=rtpmap:96 AV1/90000
a=control:trackID=0
"""


async def test_av1_by_rtsp_is_known_from_its_description(tmp_path: Path) -> None:
    """Nothing here packs AV1 for RTP; what is announced is enough."""
    ingest = Ingest("rtsp-tcp", video="av1")
    async with media_server("mediamtx") as server:
        url = f"rtsp://127.0.0.1:{server.settings.rtsp_port}/{ingest_path(ingest.name)}"
        async with announced(url, server.settings.rtsp_port):
            refusal = server.refusal(await eventually(lambda: listed(server, ingest), 10))
    assert refusal is not None
    assert "AV1" in refusal.message


@asynccontextmanager
async def announced(url: str, port: int) -> AsyncIterator[None]:
    """A publisher by RTSP that never sends anything."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    session = ""
    sdp = SDP.replace("\n", "\r\n")
    transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;mode=record"
    for number, (method, target, header, body) in enumerate(
        (
            ("ANNOUNCE", url, "Content-Type: application/sdp", sdp),
            ("SETUP", f"{url}/trackID=0", transport, ""),
            ("RECORD", url, "Range: npt=0-", ""),
        )
    ):
        lines = [f"{method} {target} RTSP/1.0", f"CSeq: {number}", header]
        lines += [f"Session: {session}"] if session else []
        lines += [f"Content-Length: {len(body)}"] if body else []
        writer.write("\r\n".join([*lines, "", body]).encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert "200 OK" in answer, answer
        found = re.search(r"Session: ([^;\r]+)", answer)
        session = found[1] if found else session
    yield
    writer.close()
