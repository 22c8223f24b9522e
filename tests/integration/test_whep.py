"""A browser at an output of a real MediaMTX: Opus beside AAC, and other readers as before."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from test_worker import WorkerProcess, media_server, play, worker

from dubcast.contract.ids import ingest_path, output_path
from dubcast.flv import AUDIO, audio_packet
from dubcast.measure.recording import iter_tags
from dubcast.mediaserver.interface import MediaServer
from dubcast.testing.media import ClipSpec, build_clip
from rig import child, eventually, mediamtx_found, read_argv

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(not mediamtx_found(), reason="no mediamtx binary"),
]
VIEWER = Path(__file__).parents[1] / "whep_viewer.py"
OUT = output_path("abc")


@pytest.fixture(scope="module", autouse=True)
def _nice() -> None:
    asked = ["gst-inspect-1.0", "nicesink"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("gstreamer1.0-nice is not installed")


@asynccontextmanager
async def on_air(folder: Path, bframes: int) -> AsyncIterator[tuple[MediaServer, WorkerProcess]]:
    clip = await asyncio.to_thread(build_clip, ClipSpec(seconds=40, bframes=bframes), folder)
    async with media_server("mediamtx") as server:
        source = server.read_url(ingest_path("abc"))
        with play(clip, source):
            await eventually(server.ready_paths, 20)
            whep = {"whep": True}
            with worker(source, server.read_url(OUT), folder, media_server=whep) as one:
                await eventually(lambda: listed(server), 25)
                yield server, one


async def listed(server: MediaServer) -> bool:
    return OUT in await server.ready_paths()


async def looked_at(server: MediaServer, seconds: float) -> dict[str, int]:
    """What a viewer gets in so long."""
    url = f"http://127.0.0.1:{server.settings.ingest.webrtc_port}/{OUT}/whep"
    argv = [sys.executable, str(VIEWER), url, str(seconds)]
    done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


async def test_it_is_seen_and_heard_and_others_read_what_they_did(tmp_path: Path) -> None:
    async with on_air(tmp_path, 0) as (server, one):
        tracks = (await server.ready_paths())[OUT].tracks
        assert tracks == ("H264", "MPEG-4 Audio", "Opus")
        plain, both = tmp_path / "plain.flv", tmp_path / "both.mkv"
        srt = f"srt://127.0.0.1:{server.settings.ingest.srt_port}?streamid=read:{OUT}"
        argv = [*read_argv(srt, both, 6)[:-3], "-map", "0", str(both)]
        with child(read_argv(server.read_url(OUT), plain, 4)) as rtmp, child(argv) as ts:
            seen = await looked_at(server, 6)
            assert (await rtmp.ended(30), await ts.ended(30)) == (0, 0)
        assert not one.status()["output"]["b_frames"]
    assert seen["video"] > 100 and seen["audio"] > 200
    sounds = [audio_packet(tag) for tag in iter_tags(plain) if tag.kind == AUDIO]
    assert {sound.codec for sound in sounds if sound} == {"aac"}
    # ffmpeg leaves out the priming that browsers play, so that for it Opus is 6.5 ms early.
    assert abs(apart_ms(both) - 6.5) <= 1


def apart_ms(file: Path) -> float:
    """By how much the AAC of a recording is later than its Opus."""
    first, second = (decoded(file, track) for track in (0, 1))
    length = min(len(first), len(second)) - 48_000
    one, two = (np.fft.rfft(x[24_000 : 24_000 + length], 2 * length) for x in (first, second))
    at = int(np.argmax(np.fft.irfft(one * np.conj(two))))
    return (at if at < length else at - 2 * length) / 48


def decoded(file: Path, track: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    argv = ["ffmpeg", "-v", "error", "-i", str(file), "-map", f"0:a:{track}", "-ac", "1"]
    argv += ["-af", "aresample=48000:async=1:first_pts=0", "-f", "s16le", "-"]
    done = subprocess.run(argv, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.int16).astype(np.float64)


async def test_b_frames_are_told_and_cut_the_viewer(tmp_path: Path) -> None:
    async with on_air(tmp_path, 2) as (server, one):
        seen = await looked_at(server, 4)
        assert one.status()["output"]["b_frames"]
    assert seen.get("video", 0) < 50
