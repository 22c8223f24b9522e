"""The worker as a process of its own: real RTMP through a real server, real GStreamer, measured
with the probe. The speech service is absent or scripted here; the real one is in test_e2e.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dubcast import flv
from dubcast.config import Settings, child_env
from dubcast.measure.probe import ProbeReport, probe
from dubcast.measure.recorder import RecorderProcess
from dubcast.measure.recording import iter_tags
from dubcast.mediaserver.interface import MediaServer
from dubcast.testing.media import ClipSpec, build_clip
from dubcast.testing.proxy import FaultProxy, Faults
from dubcast.testing.publisher import corrupted, paced, publish
from dubcast.testing.sts_server import Reply, ScriptedSts, success
from rig import (
    Child,
    child,
    eventually,
    free_ports,
    running_server,
    server_settings,
    stub_plane,
)

DELAY_S = 3.0
NO_STS = "http://127.0.0.1:9"
# What a recording loses before it begins: MediaMTX looks at a publisher for seconds before it lets
# readers come, in front of the worker and behind it, and keeps no group of pictures for them.
LEAD_S = {"embedded": 0, "mediamtx": 10}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@asynccontextmanager
async def media_server(kind: str) -> AsyncIterator[MediaServer]:
    with stub_plane() as plane:
        plane.open_to_all = True
        control = plane.control(auth_required=False)
        async with running_server(server_settings(kind), control) as server:
            yield server


class WorkerProcess:
    """`dubcast worker` with settings of the test."""

    def __init__(self, source: str, output: str, log: Path, **settings: Any) -> None:
        self.port = free_ports(1)[0]
        self.log = log
        values = {
            # Separation is a process of its own, and has tests of its own.
            "stream": {
                "delay_s": DELAY_S,
                "separation": {"separator": "off"},
                **settings.pop("stream", {}),
            },
            "worker": {"drain_s": 0, **settings.pop("worker", {})},
            "sts": {"url": NO_STS, "retries": 0, **settings.pop("sts", {})},
            "log": {"format": "json"},
            **settings,
        }
        argv = [sys.executable, "-m", "dubcast", "worker", "--stream-id", "t"]
        argv += ["--input", source, "--output", output, "--status-port", str(self.port)]
        with log.open("w") as file:
            self.process = subprocess.Popen(
                argv, env=child_env(Settings.model_validate(values)), stderr=file
            )

    def status(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=2) as reply:
                result: dict[str, Any] = json.load(reply)
                return result
        except OSError:
            return {"state": "down"}

    async def state(self, wanted: str, timeout_s: float = 15) -> None:
        with contextlib.suppress(AssertionError):
            await eventually(lambda: self.status()["state"] == wanted, timeout_s)
        assert self.status()["state"] == wanted, self.log.read_text()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(8)


@contextlib.contextmanager
def worker(source: str, output: str, folder: Path, **settings: Any) -> Iterator[WorkerProcess]:
    one = WorkerProcess(source, output, folder / "worker.log", **settings)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


@contextlib.contextmanager
def recording(url: str, path: Path) -> Iterator[RecorderProcess]:
    one = RecorderProcess(url, path)
    try:
        yield one
    finally:
        one.stop()


def play(clip: Path, url: str) -> contextlib.AbstractContextManager[Child]:
    """Publish a clip in real time, untouched."""
    argv = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re", "-i", str(clip)]
    return child([*argv, "-c", "copy", "-f", "flv", url])


async def dubbed(server_kind: str, clip: Path, folder: Path, **settings: Any) -> Path:
    """Pass a clip through server, worker and server; the recording of what came out."""
    async with media_server(server_kind) as server:
        source, output = server.read_url("live/t/in"), server.read_url("live/t/out")
        out = folder / "out.flv"
        with worker(source, output, folder, **settings) as one, recording(output, out) as tape:
            await one.state("waiting")
            with play(clip, server.publish_url("live/t/in")) as publisher:
                await publisher.ended(40)
            await asyncio.sleep(DELAY_S + 1.5)
            tape.stop()
            assert one.stop() == 0, one.log.read_text()
        return out


async def test_the_picture_is_bit_exact_and_in_sync(
    server_kind: str, clips: Path, tmp_path: Path
) -> None:
    clip = build_clip(ClipSpec(seconds=9 + LEAD_S[server_kind]), clips)
    report = probe(await dubbed(server_kind, clip, tmp_path), source=clip)
    assert report.comparison is not None
    assert report.comparison.bit_exact
    if server_kind == "embedded":
        assert report.comparison.one_constant
    # MediaMTX counts in another unit, and makes its own DTS: what is shown is right to 1 ms.
    shifts = [run.pts_delta_ms for run in report.comparison.constants]
    assert max(shifts) - min(shifts) <= 1
    assert report.comparison.count >= 9 * 30 - 60
    assert report.sync is not None
    assert report.sync.max_abs_ms is not None
    assert report.sync.max_abs_ms <= 10
    assert len(report.sync.points) >= 6
    for track in (report.video, report.audio):
        assert track is not None
        assert track.timing.gap_max_ms < 1.0  # FLV's whole milliseconds
        assert track.timing.monotone


async def test_with_key_frames_eight_seconds_apart_the_output_begins_once_with_both_tracks(
    clips: Path, tmp_path: Path
) -> None:
    """By what this server keeps: from MediaMTX, which keeps no group of pictures, the sound comes
    up to eight seconds before the first picture."""
    clip = build_clip(ClipSpec(seconds=17, gop=240), clips)
    async with media_server("embedded") as server:
        source, output = server.read_url("live/t/in"), server.read_url("live/t/out")
        with worker(source, output, tmp_path) as one:
            await one.state("waiting")
            with play(clip, server.publish_url("live/t/in")) as publisher:
                await publisher.ended(40)
            assert one.status()["output"]["restarts"] == 0
            assert "track missing" not in one.log.read_text()
            assert one.stop() == 0, one.log.read_text()


SOUNDS = {
    "mono-44k1": ClipSpec(audio_rate=44_100, audio_channels=1),
    "five-one": ClipSpec(audio_channels=6),
    # Without B-frames the sound comes first, and MP3 decodes nothing from its first frame.
    "mp3": ClipSpec(audio_codec="libmp3lame", audio_rate=44_100, bframes=0),
    "pcm": ClipSpec(audio_codec="pcm_s16le", audio_rate=44_100),
    "a-law": ClipSpec(audio_codec="pcm_alaw", audio_rate=8_000, audio_channels=1),
}


async def test_any_audio_in_is_48k_stereo_out_and_in_sync(
    server_kind: str, clips: Path, tmp_path: Path
) -> None:
    async def one(name: str, spec: ClipSpec) -> None:
        folder = tmp_path / name
        folder.mkdir()
        clip = build_clip(replace(spec, seconds=7 + LEAD_S[server_kind]), clips)
        report = probe(await dubbed(server_kind, clip, folder), source=clip)
        assert report.sync is not None, name
        assert report.sync.max_abs_ms is not None, name
        assert report.sync.max_abs_ms <= 10, name
        assert len(report.sync.points) >= 4, name
        assert report.comparison is not None, name
        assert report.comparison.bit_exact, name

    async with asyncio.TaskGroup() as at_once:
        for name, spec in SOUNDS.items():
            at_once.create_task(one(name, spec))


async def test_audio_that_starts_late_is_in_its_place(
    server_kind: str, clips: Path, tmp_path: Path
) -> None:
    clip = build_clip(ClipSpec(seconds=9 + LEAD_S[server_kind], audio_start_offset_s=2.3), clips)
    report = probe(await dubbed(server_kind, clip, tmp_path), source=clip)
    assert report.sync is not None
    assert report.sync.max_abs_ms is not None
    assert report.sync.max_abs_ms <= 10
    assert len(report.sync.points) >= 3
    if server_kind == "embedded":
        assert report.sync.unmatched_flashes >= 1  # those before the sound began
    assert report.comparison is not None
    assert report.comparison.bit_exact


async def test_without_an_audio_track_silence_is_sent_and_the_picture_flows(
    server_kind: str, clips: Path, tmp_path: Path
) -> None:
    clip = build_clip(ClipSpec(seconds=7 + LEAD_S[server_kind], audio=False), clips)
    report = probe(await dubbed(server_kind, clip, tmp_path), source=clip)
    assert report.comparison is not None
    assert report.comparison.bit_exact
    assert report.comparison.count >= 7 * 30 - 60
    assert report.audio is not None
    assert report.audio.timing.gap_max_ms < 1.0


async def test_without_a_video_track_the_output_is_audio_only(
    server_kind: str, clips: Path, tmp_path: Path
) -> None:
    clip = build_clip(ClipSpec(seconds=7 + LEAD_S[server_kind], video=False), clips)
    report = probe(await dubbed(server_kind, clip, tmp_path))
    assert report.video is None
    assert report.audio is not None
    assert report.audio.duration_s > 5
    assert report.audio.timing.gap_max_ms < 1.0


async def pulled(server_kind: str, source: str, server_argv: list[str], folder: Path) -> Path:
    """Pull a source that a program serves; the recording of what came out."""
    async with media_server(server_kind) as server:
        output, out = server.read_url("live/t/out"), folder / "out.flv"
        with (
            child(server_argv),
            worker(source, output, folder) as one,
            recording(output, out) as tape,
        ):
            await one.state("live")
            await asyncio.sleep(9 + LEAD_S[server_kind])
            tape.stop()
            assert one.stop() == 0, one.log.read_text()
        return out


async def pulled_by_rtsp(server_kind: str, clip: Path, folder: Path, sound: str) -> None:
    port = free_ports(1)[0]
    script = Path(__file__).parents[1] / "rtsp_server.py"
    argv = [sys.executable, str(script), str(clip), str(port), sound]
    out = await pulled(server_kind, f"rtsp://127.0.0.1:{port}/live/t/in", argv, folder)
    report = probe(out, source=clip)
    assert report.comparison is not None
    assert report.comparison.bit_exact
    assert report.sync is not None
    # The receiver's clock settles for about two seconds after the start.
    settled = [p.offset_ms for p in report.sync.points if p.t_s > report.sync.points[0].t_s + 3]
    assert len(settled) >= 3
    assert max(abs(offset) for offset in settled) <= 20


async def test_rtsp_over_tcp(server_kind: str, clips: Path, tmp_path: Path) -> None:
    clip = build_clip(ClipSpec(seconds=20 + LEAD_S[server_kind]), clips)
    async with asyncio.TaskGroup() as at_once:
        for sound in ("aac", "pcmu", "opus"):
            folder = tmp_path / sound
            folder.mkdir()
            at_once.create_task(pulled_by_rtsp(server_kind, clip, folder, sound))


async def test_http_flv(clips: Path, tmp_path: Path) -> None:
    clip = build_clip(ClipSpec(seconds=9), clips)
    async with media_server("embedded") as server:
        port = server.settings.http_port
        source, output = f"http://127.0.0.1:{port}/live/t/in.flv", server.read_url("live/t/out")
        out = tmp_path / "out.flv"
        with worker(source, output, tmp_path) as one, recording(output, out) as tape:
            with play(clip, server.publish_url("live/t/in")) as publisher:
                await publisher.ended(40)
            await asyncio.sleep(DELAY_S + 1.5)
            tape.stop()
            assert one.stop() == 0, one.log.read_text()
    report = probe(out, source=clip)
    assert report.comparison is not None
    assert report.comparison.bit_exact
    assert report.sync is not None
    assert report.sync.max_abs_ms is not None
    assert report.sync.max_abs_ms <= 10


async def pulled_by_srt(server_kind: str, clip: Path, folder: Path, *muxer: str) -> ProbeReport:
    url = f"srt://127.0.0.1:{free_ports(1)[0]}"
    argv = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re", "-i", str(clip)]
    argv += ["-c", "copy", *muxer, "-f", "mpegts", f"{url}?mode=listener"]
    report = probe(await pulled(server_kind, url, argv, folder), source=clip)
    found = report.comparison
    assert found is not None
    assert (found.missing, found.extra, found.reordered) == (0, 0, 0)
    # The publisher's own muxer puts the parameter sets into the first access unit.
    assert found.changed <= 1
    assert report.sync is not None
    # The receiver may have joined in the first beep: AAC in LATM says its format now and then.
    whole = report.sync.points[1:]
    assert len(whole) >= 4
    assert max(abs(point.offset_ms) for point in whole) <= 20
    return report


async def test_srt(server_kind: str, clips: Path, tmp_path: Path) -> None:
    await pulled_by_srt(
        server_kind, build_clip(ClipSpec(seconds=20 + LEAD_S[server_kind]), clips), tmp_path
    )


async def test_broadcast_audio_over_srt(server_kind: str, clips: Path, tmp_path: Path) -> None:
    clip = build_clip(ClipSpec(seconds=20 + LEAD_S[server_kind]), clips)
    muxers = {
        "ac3": ("-c:a", "ac3"),
        "eac3": ("-c:a", "eac3"),
        "mp2": ("-c:a", "mp2"),
        "aac-latm": ("-mpegts_flags", "latm"),
    }
    async with asyncio.TaskGroup() as at_once:
        for name, muxer in muxers.items():
            folder = tmp_path / name
            folder.mkdir()
            at_once.create_task(pulled_by_srt(server_kind, clip, folder, *muxer))


async def test_timestamps_that_wrap_in_a_transport_stream(
    server_kind: str, clips: Path, tmp_path: Path
) -> None:
    clip = build_clip(ClipSpec(seconds=20 + LEAD_S[server_kind]), clips)
    wrap_s = (1 << 33) / 90_000
    muxer = ("-output_ts_offset", f"{wrap_s - 5:.3f}")
    report = await pulled_by_srt(server_kind, clip, tmp_path, *muxer)
    for track in (report.video, report.audio):
        assert track is not None
        assert track.duration_s > 5
        assert track.timing.gap_max_ms < 1.0
        assert track.timing.monotone


def spoken_clip(folder: Path) -> Path:
    """A picture with espeak-ng speaking three sentences, two seconds apart."""
    parts = []
    for number, text in enumerate(("the boats are leaving", "bread and cheese", "come back soon")):
        part = folder / f"say-{number}.wav"
        subprocess.run(["espeak-ng", "-v", "en-us", "-w", str(part), text], check=True)
        parts += ["-i", str(part)]
    chain = ";".join(f"[{i + 1}:a]aresample=48000,adelay={1000 + 4000 * i}[s{i}]" for i in range(3))
    chain += ";[s0][s1][s2]amix=inputs=3:normalize=0,apad[a]"
    clip = folder / "spoken.flv"
    argv = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=16", *parts]
    argv += ["-filter_complex", chain, "-map", "0:v", "-map", "[a]", "-t", "16", "-g", "30"]
    argv += ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", str(clip)]
    subprocess.run(argv, check=True)
    return clip


async def test_what_is_not_speech_is_never_sent_to_the_service(
    server_kind: str, tmp_path: Path
) -> None:
    """Silence, an offset, noise at full scale, a tone and a clipped one, five seconds each."""
    parts = ("0", "0.5", "2*random(0)-1", "0.3*sin(2*PI*440*t)", "3*sin(2*PI*220*t)")
    sound = "+".join(f"between(t,{5 * i},{5 * i + 5})*({part})" for i, part in enumerate(parts))
    clip = tmp_path / "no-speech.flv"
    argv = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30"]
    argv += ["-f", "lavfi", "-i", f"aevalsrc='{sound}':s=48000", "-t", "25", "-g", "60"]
    argv += ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", str(clip)]
    subprocess.run(argv, check=True)
    calls: list[str] = []

    def reply(request: dict[str, Any], call: int) -> Reply:
        calls.append(request["fragment_id"])
        return success(request)

    with ScriptedSts(reply) as sts:
        out = await dubbed(server_kind, clip, tmp_path, sts={"url": sts.url})
    assert calls == []
    report = probe(out, source=clip)
    assert report.comparison is not None
    assert report.comparison.bit_exact


async def test_without_the_service_the_original_plays_and_dubbing_begins_when_it_comes(
    server_kind: str, tmp_path: Path
) -> None:
    clip, port = spoken_clip(tmp_path), free_ports(1)[0]
    async with media_server(server_kind) as server:
        source, output = server.read_url("live/t/in"), server.read_url("live/t/out")
        settings = {
            "sts": {"url": f"http://127.0.0.1:{port}"},
            "worker": {"asrun_dir": str(tmp_path)},
        }
        with worker(source, output, tmp_path, **settings) as one:
            await one.state("waiting")
            with play(clip, server.publish_url("live/t/in")):
                await eventually(lambda: one.status()["fragments"].get("failed"), 20)
                assert one.status()["state"] == "live"
                with ScriptedSts(lambda request, call: success(request), port):
                    await eventually(lambda: one.status()["fragments"].get("dubbed"), 20)
            assert one.status()["output"]["restarts"] == 0
            assert one.stop() == 0
        lines = (tmp_path / "t.asrun.jsonl").read_text().splitlines()
        outcomes = [json.loads(line)["outcome"] for line in lines]
    assert outcomes[0] == "failed"
    assert "dubbed" in outcomes


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            ClipSpec(seconds=3, codec="hevc", container="ts"),
            ("video/x-h265", "set the encoder to H.264"),
        ),
        (
            ClipSpec(seconds=3, audio_codec="alac", container="mp4"),
            ("audio/x-alac", "set the encoder to AAC"),
        ),
    ],
    ids=["hevc", "alac"],
)
async def test_a_codec_that_will_not_do_is_refused_with_the_way_out(
    clips: Path, tmp_path: Path, spec: ClipSpec, words: tuple[str, str]
) -> None:
    clip = build_clip(spec, clips)
    with worker(str(clip), "rtmp://127.0.0.1:9/live/t/out", tmp_path) as one:
        await eventually(lambda: one.process.poll() is not None, 10)
        assert one.process.returncode == 2
        text = one.log.read_text()
        assert all(word in text for word in words)


def test_bad_sources_are_refused_before_anything_starts(tmp_path: Path) -> None:
    for source, words in (
        ("ftp://host/x", "scheme 'ftp' is not supported"),
        (str(tmp_path / "missing.flv"), "no such file"),
    ):
        with worker(source, "rtmp://127.0.0.1:9/a/b", tmp_path) as one:
            assert one.process.wait(10) == 2
            assert words in one.log.read_text()


async def test_the_output_comes_back_after_its_server_was_away(
    server_kind: str, clips: Path, tmp_path: Path
) -> None:
    clip = build_clip(ClipSpec(seconds=24), clips)
    async with media_server(server_kind) as ingest:
        target = server_settings(server_kind)
        source = ingest.read_url("live/t/in")
        output = f"rtmp://127.0.0.1:{target.rtmp_port}/live/t/out"
        with (
            stub_plane() as plane,
            worker(source, output, tmp_path) as one,
            play(clip, ingest.publish_url("live/t/in")),
        ):
            plane.open_to_all = True
            control = plane.control(auth_required=False)
            async with running_server(target, control):
                await one.state("live")
            await one.state("output_lost")
            async with running_server(target, control):
                out = tmp_path / "second.flv"
                with recording(output, out) as tape:
                    await one.state("live")
                    await asyncio.sleep(5)
                    tape.stop()
            assert one.stop() == 0
        report = probe(out, source=clip)
        assert report.comparison is not None
        assert report.comparison.bit_exact
        assert report.sync is not None
        assert report.sync.max_abs_ms is not None
        assert report.sync.max_abs_ms <= 10


async def test_tags_that_are_damaged_throughout_are_dropped_and_the_stream_goes_on(
    clips: Path, tmp_path: Path
) -> None:
    """MediaMTX passes no damage on: it cuts the publisher off."""
    tags = iter_tags(build_clip(ClipSpec(seconds=15), clips))
    sounds = corrupted(paced(tags), 0.05, 1, flv.AUDIO, first=0)
    items = corrupted(sounds, 0.05, 2, flv.VIDEO, first=0)
    async with media_server("embedded") as server:
        source, output = server.read_url("live/t/in"), server.read_url("live/t/out")
        out = tmp_path / "out.flv"
        with worker(source, output, tmp_path) as one, recording(output, out) as tape:
            await one.state("waiting")
            await publish(server.publish_url("live/t/in"), items)
            assert one.status()["state"] in {"live", "input_lost"}
            assert one.status()["input"]["sessions"] == 1  # no need to read it again
            await asyncio.sleep(DELAY_S + 1.5)
            tape.stop()
            assert one.stop() == 0, one.log.read_text()
    report = probe(out)
    assert report.video is not None
    assert report.video.duration_s > 12
    assert report.video.timing.gap_max_ms < 2_500
    assert report.video.timing.monotone
    assert report.sync is not None
    assert report.sync.median_ms is not None
    assert abs(report.sync.median_ms) <= 20


async def test_a_network_that_stalls_for_less_than_the_delay_is_not_noticed(
    server_kind: str, clips: Path, tmp_path: Path
) -> None:
    clip = build_clip(ClipSpec(seconds=15 + LEAD_S[server_kind]), clips)
    async with media_server(server_kind) as server:
        source, output = server.read_url("live/t/in"), server.read_url("live/t/out")
        way = FaultProxy(("127.0.0.1", server.settings.rtmp_port))
        out = tmp_path / "out.flv"
        async with way:
            long = {"delay_s": 6.0}
            with (
                worker(source, output, tmp_path, stream=long) as one,
                recording(output, out) as tape,
            ):
                await one.state("waiting")
                with play(clip, f"rtmp://127.0.0.1:{way.port}/live/t/in") as publisher:
                    await asyncio.sleep(6 + LEAD_S[server_kind])
                    way.faults = Faults(hang=True)
                    await asyncio.sleep(4.5)
                    way.faults = Faults()
                    await publisher.ended(40)
                await asyncio.sleep(7.5)
                tape.stop()
                assert one.status()["input"]["sessions"] == 1
                assert one.stop() == 0, one.log.read_text()
    report = probe(out, source=clip)
    assert report.comparison is not None
    assert report.comparison.bit_exact
    assert report.comparison.count >= 15 * 30 - 60
    for track in (report.video, report.audio):
        assert track is not None
        assert track.timing.gap_max_ms < 1.0
    assert report.sync is not None
    assert report.sync.max_abs_ms is not None
    assert report.sync.max_abs_ms <= 10


async def test_a_publisher_that_returns_finds_the_same_worker(
    server_kind: str, clips: Path, tmp_path: Path
) -> None:
    clip = build_clip(ClipSpec(seconds=6 + LEAD_S[server_kind], gop=30), clips)
    async with media_server(server_kind) as server:
        source, output = server.read_url("live/t/in"), server.read_url("live/t/out")
        out = tmp_path / "out.flv"
        with worker(source, output, tmp_path) as one, recording(output, out) as tape:
            for _ in range(2):
                with play(clip, server.publish_url("live/t/in")) as publisher:
                    await publisher.ended(30)
                await one.state("input_lost")
                await asyncio.sleep(1)
            await asyncio.sleep(DELAY_S + 1)
            tape.stop()
            assert one.status()["input"]["sessions"] == 2
            assert one.status()["output"]["restarts"] == 0
            assert one.stop() == 0
        report = probe(out)
    assert report.video is not None
    assert report.video.timing.monotone
    assert report.video.timing.count >= 2 * (6 * 30 - 60)
    assert report.sync is not None
    assert report.sync.max_abs_ms is not None
    assert report.sync.max_abs_ms <= 10
