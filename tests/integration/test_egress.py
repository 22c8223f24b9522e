"""The forwarder between two real servers."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from dubcast import flv
from dubcast.backoff import BackoffPolicy
from dubcast.clock import NS_PER_S
from dubcast.config import Secret, Settings, child_env
from dubcast.contract.streams import EgressStatus
from dubcast.egress.forwarder import Forwarder
from dubcast.egress.machine import EgressPolicy
from dubcast.egress.outgoing import Target
from dubcast.measure import arrivals
from dubcast.measure.recorder import RecorderProcess
from dubcast.measure.recording import iter_tags
from dubcast.mediaserver.interface import ControlPlane, MediaServer
from dubcast.rtmp.address import parse
from rig import (
    Child,
    child,
    eventually,
    first_timestamps,
    free_ports,
    publisher,
    read_argv,
    running_server,
    server_settings,
)

OUT = "live/abc/out"
OPEN = ControlPlane(None, Secret(""), "http://127.0.0.1:9/", auth_required=False)
FAST = EgressPolicy(
    stall_s=3,
    connect_s=6,
    backoff=BackoffPolicy(first_s=0.5, floor_s=0.1, cap_s=1.0),
    refused=BackoffPolicy(first_s=0.5, floor_s=0.5, cap_s=1.0),
)


@pytest.fixture
async def source(server_kind: str) -> AsyncIterator[MediaServer]:
    async with running_server(server_settings(server_kind), OPEN) as one:
        yield one


@pytest.fixture
def media(source: MediaServer) -> Iterator[Child]:
    with publisher(source.publish_url(OUT), seconds=90) as one:
        yield one


@asynccontextmanager
async def forwarding(source: MediaServer, url: str) -> AsyncIterator[Forwarder]:
    target = Target(parse(url))
    one = Forwarder(
        *("abc", "there", parse(source.read_url(OUT)), target), secrets=(url,), policy=FAST
    )
    task = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        one.stop()
        async with asyncio.timeout(6):
            assert await task == 0


async def state(one: Forwarder, wanted: str, timeout_s: float = 10) -> EgressStatus:
    await eventually(lambda: one.status().state == wanted, timeout_s)
    return one.status()


def server_pid(server: MediaServer) -> int:
    return server._process.pid  # type: ignore[attr-defined,no-any-return]


async def test_it_is_live_and_both_tracks_arrive(
    server_kind: str, source: MediaServer, media: Child, tmp_path: Path
) -> None:
    async with running_server(server_settings(server_kind), OPEN) as there:
        async with forwarding(source, there.publish_url(OUT)) as one:
            await state(one, "live")
            await eventually(lambda: _is_ready(there))
            file = tmp_path / "a.flv"
            with child(read_argv(there.read_url(OUT), file, 2)) as reader:
                assert await reader.ended() == 0
            assert set(first_timestamps(file)) >= {"audio", "video"}
        await eventually(lambda: _gone(there))


async def test_an_audio_only_stream_is_forwarded(
    server_kind: str, source: MediaServer, tmp_path: Path
) -> None:
    url = source.publish_url(OUT)
    sound = ["ffmpeg", "-loglevel", "error", "-nostdin", "-re", "-f", "lavfi"]
    sound += ["-i", "sine=sample_rate=48000", "-t", "60", "-c:a", "aac", "-f", "flv", url]
    async with (
        running_server(server_settings(server_kind), OPEN) as there,
        forwarding(source, there.publish_url(OUT)) as one,
    ):
        with child(sound):
            await state(one, "live")
            await eventually(lambda: _is_ready(there))
            file = tmp_path / "a.flv"
            with child(read_argv(there.read_url(OUT), file, 2)) as reader:
                assert await reader.ended() == 0
        assert set(first_timestamps(file)) == {"audio"}


async def _gone(server: MediaServer) -> bool:
    return await server.ready_paths() == {}


async def test_a_destination_killed_and_back_is_live_again(
    server_kind: str, source: MediaServer, media: Child
) -> None:
    settings = server_settings(server_kind)
    async with (
        running_server(settings, OPEN) as there,
        forwarding(source, there.publish_url(OUT)) as one,
    ):
        await state(one, "live")
        os.kill(server_pid(there), signal.SIGKILL)
        await state(one, "retrying", 3)
        assert one.status().reason in {"lost", "unreachable"}
        async with running_server(settings, OPEN) as again:
            await eventually(lambda: _is_ready(again), 6)
            assert (await state(one, "live")).connects == 2
            metrics = one.metrics.registry
            labels = {"stream": "abc", "destination": "there"}
            assert metrics.get_sample_value("dubcast_egress_reconnects_total", labels) == 1


async def _is_ready(server: MediaServer) -> bool:
    return OUT in await server.ready_paths()


async def test_a_frozen_destination_is_stalled_then_live_again(
    server_kind: str, source: MediaServer
) -> None:
    # Enough bits that the kernel's buffers are full soon.
    argv = [
        *("ffmpeg", "-loglevel", "error", "-nostdin", "-re", "-f", "lavfi"),
        *("-i", "testsrc2=size=640x360:rate=25,noise=alls=60:allf=t"),
        *("-re", "-f", "lavfi", "-i", "sine=sample_rate=48000"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25"),
        *("-b:v", "12M", "-minrate", "12M", "-maxrate", "12M", "-bufsize", "1M"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "flv", source.publish_url(OUT)),
    ]
    with child(argv):
        async with (
            running_server(server_settings(server_kind), OPEN) as there,
            forwarding(source, there.publish_url(OUT)) as one,
        ):
            await state(one, "live")
            os.kill(server_pid(there), signal.SIGSTOP)
            try:
                await eventually(lambda: one.machine.last_failure == "stalled", 20)
            finally:
                os.kill(server_pid(there), signal.SIGCONT)
            assert (await state(one, "live", 15)).connects == 2


# MediaMTX refuses by closing the connection.
WORDS = {"embedded": "already has a publisher", "mediamtx": "is the key right"}


async def test_a_destination_that_says_no_is_refused_until_it_says_yes(
    server_kind: str, source: MediaServer, media: Child
) -> None:
    async with running_server(server_settings(server_kind), OPEN) as there:
        with publisher(there.publish_url(OUT)) as rival:  # the path is taken
            await eventually(lambda: _is_ready(there))
            async with forwarding(source, there.publish_url(OUT)) as one:
                refused = await state(one, "refused")
                assert WORDS[server_kind] in refused.last_error
                rival.close()
                await state(one, "live")


async def test_nothing_listens_there(source: MediaServer, media: Child) -> None:
    (port,) = free_ports(1)
    await eventually(lambda: _is_ready(source))
    async with forwarding(source, f"rtmp://127.0.0.1:{port}/app/canary-key") as one:
        status = await state(one, "retrying")
        assert status.reason == "unreachable"
        await eventually(lambda: one.status().tries >= 3)
        assert "canary-key" not in one.status().model_dump_json()


async def test_a_destination_that_takes_the_connection_and_says_nothing(
    source: MediaServer, media: Child
) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"rtmp://127.0.0.1:{mute.getsockname()[1]}/app/key"
        async with forwarding(source, url) as one:
            await state(one, "retrying", 15)


async def test_no_input_yet_then_live(server_kind: str, source: MediaServer) -> None:
    async with (
        running_server(server_settings(server_kind), OPEN) as there,
        forwarding(source, there.publish_url(OUT)) as one,
    ):
        # Some servers let a reader wait, others send it away until there is something.
        waits = {("connecting", ""), ("connecting", "input_not_ready")}
        waits |= {("retrying", "input_not_ready")}
        await asyncio.sleep(1)
        assert (one.status().state, one.status().reason) in waits
        with publisher(source.publish_url(OUT)) as first:
            await state(one, "live")
            first.close()
            await eventually(lambda: one.status().reason == "input_not_ready")
        with publisher(source.publish_url(OUT)):
            assert (await state(one, "live")).connects == 2


async def test_audio_that_comes_a_second_after_video_is_not_lost(
    server_kind: str, source: MediaServer, tmp_path: Path
) -> None:
    async with (
        running_server(server_settings(server_kind), OPEN) as there,
        forwarding(source, there.publish_url(OUT)) as one,
    ):
        await asyncio.sleep(0.5)  # it waits already, so it sees the start
        with publisher(source.publish_url(OUT), audio_early_s=-1.0):
            await state(one, "live")
            await eventually(lambda: _is_ready(there))
            file = tmp_path / "a.flv"
            with child(read_argv(there.read_url(OUT), file, 3)) as reader:
                assert await reader.ended() == 0
            assert set(first_timestamps(file)) >= {"audio", "video"}
        assert one.status().connects == 1


def arrived(file: Path) -> dict[tuple[int, bytes], tuple[int, float]]:
    """Kind and body of each tag of a recording -> its timestamp (ms) and its arrival (s)."""
    times = arrivals.load(file)
    assert times is not None
    return {
        (tag.kind, tag.body): (tag.dts_ms, at_ns / NS_PER_S)
        for tag, at_ns in zip(iter_tags(file), times.tolist(), strict=True)
        # Small bodies repeat (silence, a still picture): only telling ones are compared.
        if len(tag.body) > 60
    }


async def measure(
    source: MediaServer, there: MediaServer, folder: Path, seconds: float
) -> dict[int, Any]:
    """Per track: time shifts (ms, a set) and delays (ms, sorted) from one server to the other."""
    tapes = [
        RecorderProcess(server.read_url(OUT), folder / f"{name}.flv")
        for name, server in (("before", source), ("after", there))
    ]
    for tape in tapes:
        assert await asyncio.to_thread(tape.wait_for_data, 10)
    await asyncio.sleep(seconds)
    before, after = (arrived(tape.stop()) for tape in tapes)
    found: dict[int, Any] = {}
    started = min(arrival for _, arrival in after.values()) + 1.5  # beyond the first burst
    for (kind, body), (stamp, arrival) in after.items():
        if (kind, body) in before and arrival > started:
            shift, delays = found.setdefault(kind, (set(), []))
            was_stamp, was_arrival = before[kind, body]
            shift.add(was_stamp - stamp)
            delays.append((arrival - was_arrival) * 1000)
    return {kind: (shift, sorted(delays)) for kind, (shift, delays) in found.items()}


@pytest.fixture
def noise(source: MediaServer) -> Iterator[Child]:
    """No two frames of it are the same."""
    with publisher(source.publish_url(OUT), seconds=90, noise=True) as one:
        yield one


async def test_no_delay_stays_and_audio_keeps_its_place_after_a_reconnect(
    server_kind: str, source: MediaServer, noise: Child, tmp_path: Path
) -> None:
    settings = server_settings(server_kind)
    frames = {flv.VIDEO: 25, flv.AUDIO: 48_000 / 1024}
    async with forwarding(source, f"rtmp://127.0.0.1:{settings.rtmp_port}/{OUT}") as one:
        for number in ("first", "after a reconnect"):
            folder = tmp_path / number
            folder.mkdir()
            async with running_server(settings, OPEN) as there:
                await eventually(lambda: _is_ready(there), 10)
                await asyncio.sleep(1.5)
                found = await measure(source, there, folder, 6)
            video, audio = found[flv.VIDEO], found[flv.AUDIO]
            # One constant for both tracks: the A/V offset is untouched, to the millisecond.
            assert video[0] == audio[0], (video[0], audio[0])
            assert len(video[0]) == 1
            for kind, (_, delays) in found.items():
                assert len(delays) > 3 * frames[kind]
                assert delays[len(delays) // 2] < 60
                assert delays[-1] < 250
        assert one.status().connects == 2


def role(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dubcast", "egress", *arguments],
        env=child_env(settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


def settings_with(url: str) -> Settings:
    return Settings.model_validate(
        {"orchestrator": {"destinations": [{"name": "one", "url": url}]}}
    )


COMMON = ("--stream-id", "abc", "--once")


def test_a_destination_that_is_not_in_the_settings_is_bad_config() -> None:
    done = role(Settings(), *COMMON, "--input", "rtmp://x/y", "--destination", "one")
    assert done.returncode == 10
    assert "no destination 'one'" in done.stderr


def one_try(source: MediaServer, settings: Settings) -> int:
    url = source.read_url(OUT)
    return role(settings, *COMMON, "--input", url, "--destination", "one").returncode


async def test_exit_codes_of_one_try(source: MediaServer) -> None:
    (closed,) = free_ports(1)
    away = settings_with(f"rtmp://127.0.0.1:{closed}/app/key")
    no_input = role(away, *COMMON, "--input", away_url(closed), "--destination", "one")
    assert no_input.returncode == 20
    with publisher(source.publish_url(OUT)):
        await eventually(lambda: _is_ready(source))
        assert await asyncio.to_thread(one_try, source, away) == 40


async def test_the_exit_code_of_a_try_that_is_refused(
    server_kind: str, source: MediaServer, media: Child
) -> None:
    await eventually(lambda: _is_ready(source))
    async with running_server(server_settings(server_kind), OPEN) as there:
        no_path = settings_with(f"rtmp://127.0.0.1:{there.settings.rtmp_port}/app/key")
        assert await asyncio.to_thread(one_try, source, no_path) == 30


def away_url(port: int) -> str:
    return f"rtmp://127.0.0.1:{port}/{OUT}"


async def test_the_role_stops_on_sigterm_and_leaves_its_destination_in_order(
    server_kind: str, source: MediaServer, media: Child
) -> None:
    async with running_server(server_settings(server_kind), OPEN) as there:
        settings = settings_with(there.publish_url(OUT))
        arguments = ["--stream-id", "abc", "--input", source.read_url(OUT), "--destination", "one"]
        process = subprocess.Popen(
            [sys.executable, "-m", "dubcast", "egress", *arguments],
            env=child_env(settings),
            stderr=subprocess.DEVNULL,
        )
        try:
            await eventually(lambda: _is_ready(there), 15)
            here = psutil.Process(process.pid)
            assert here.children(recursive=True) == []
            assert not any(there.publish_url(OUT) in word for word in here.cmdline())
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 6) == 0
            await eventually(lambda: _gone(there), 3)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()
