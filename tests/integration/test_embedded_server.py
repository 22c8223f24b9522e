"""The embedded server: one test for each behaviour that its wrapper changes."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from dubcast.config import MediaServerSettings, Secret
from dubcast.errors import MissingPartError
from dubcast.mediaserver import embedded_server
from dubcast.mediaserver.interface import ControlPlane, MediaServer
from dubcast.testing.media import ClipSpec, build_clip
from rig import (
    KEY,
    Child,
    StubPlane,
    child,
    eventually,
    first_timestamps,
    growing,
    gst_launch,
    publish_argv,
    publisher,
    read_argv,
    running_server,
    server_settings,
    stub_plane,
)

IN = "live/abc/in"
OUT = "live/abc/out"


@pytest.fixture
def plane() -> Iterator[StubPlane]:
    with stub_plane() as one:
        yield one


@pytest.fixture
async def server(plane: StubPlane) -> AsyncIterator[MediaServer]:
    async with running_server(server_settings("embedded", silent_s=2), plane.control()) as one:
        yield one


async def up(server: MediaServer, path: str) -> None:
    await eventually(lambda: _is_ready(server, path))


async def _is_ready(server: MediaServer, path: str) -> bool:
    return path in await server.ready_paths()


async def test_1_rtmp2src_gets_media_on_stream_1(server: MediaServer, tmp_path: Path) -> None:
    with publisher(server.publish_url(OUT)):
        await up(server, OUT)
        file = tmp_path / "a.flv"
        source = ["rtmp2src", f"location={server.read_url(OUT)}", "num-buffers=60"]
        with gst_launch(*source, "!", "filesink", f"location={file}") as reader:
            assert await reader.ended(8) == 0
        assert set(first_timestamps(file)) >= {"audio", "video"}


async def test_2_a_nested_name_as_obs_gives_it(server: MediaServer) -> None:
    """Server rtmp://host/live and key abc/in?key=...: the slash is in the name, not in the app."""
    url = server.publish_url(IN)
    form = ["-rtmp_app", "live", "-rtmp_playpath", f"abc/in?key={KEY}"]
    argv = publish_argv(url)
    with child([*argv[:-1], *form, url]):
        await up(server, IN)


async def test_2_a_nested_name_as_gstreamer_gives_it(server: MediaServer, tmp_path: Path) -> None:
    """All in one location: the slash is in the app."""
    # ffmpeg encodes: GStreamer's encoder of H.264 that everyone has is GPL.
    clip = build_clip(ClipSpec(seconds=10, audio=False), tmp_path)
    location = f"location={server.publish_url(IN)}?key={KEY}"
    picture = ["filesrc", f"location={clip}", "!", "flvdemux", "!", "h264parse", "!"]
    with gst_launch(*picture, "flvmux", "streamable=true", "!", "rtmp2sink", location, "sync=true"):
        await up(server, IN)


async def test_3_a_publisher_that_returns_starts_a_fresh_timeline(
    server: MediaServer, tmp_path: Path
) -> None:
    """Stock: each track went on from its own last timestamp, 1 s apart here for ever."""
    with publisher(server.publish_url(OUT), audio_early_s=1.0):
        await up(server, OUT)
        await asyncio.sleep(2)
    await eventually(lambda: _is_gone(server, OUT))
    with publisher(server.publish_url(OUT)):
        await up(server, OUT)
        file = tmp_path / "a.flv"
        url = f"http://127.0.0.1:{server.settings.http_port}/{OUT}.flv"
        with child(read_argv(url, file, 2)) as reader:
            assert await reader.ended() == 0
    first = first_timestamps(file)
    assert abs(first["audio"] - first["video"]) < 0.2


async def _is_gone(server: MediaServer, path: str) -> bool:
    return not await _is_ready(server, path)


async def test_4_readers_get_the_end_at_once(server: MediaServer, tmp_path: Path) -> None:
    with publisher(server.publish_url(OUT)) as one:
        await up(server, OUT)
        with child(read_argv(server.read_url(OUT), tmp_path / "a.flv", 60)) as reader:
            await growing(tmp_path / "a.flv")
            assert reader.running
            one.close()
            await reader.ended(1.5)


def _handshaken(port: int) -> socket.socket:
    """A raw RTMP connection after its handshake."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=5)
    raw.sendall(b"\x03" + bytes(1536))
    received = b""
    while len(received) < 1 + 2 * 1536:
        received += raw.recv(4096)
    raw.sendall(received[1:1537])
    return raw


def _message(kind: int, payload: bytes, chunk_stream: int = 3) -> bytes:
    head = struct.pack(
        ">B3s3sBI", chunk_stream, b"\0\0\0", len(payload).to_bytes(3, "big"), kind, 0
    )
    return head + payload


def _amf(text: str) -> bytes:
    return b"\x02" + struct.pack(">H", len(text)) + text.encode()


_NUMBER = b"\x00" + struct.pack(">d", 1)
_NO_TC_URL = _amf("connect") + _NUMBER + b"\x03\x00\x03app" + _amf("live") + b"\x00\x00\x09"


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(_message(20, _NO_TC_URL), id="connect-without-tcUrl"),
        pytest.param(_message(20, b"\x02\xff\xff"), id="truncated-amf"),
        pytest.param(_message(20, b"\x03" * 120), id="nested-amf"),
        pytest.param(_message(20, _amf("publish") + _NUMBER + b"\x05"), id="publish-nothing"),
        pytest.param(_message(1, b"\x00\x00\x00\x00"), id="chunk-size-0"),
        pytest.param(_message(1, b"\x00"), id="chunk-size-cut"),
        pytest.param(_message(9, b""), id="empty-video"),
        pytest.param(b"".join(_message(18, b"", n) for n in range(3, 64)) * 2, id="many-streams"),
        pytest.param(bytes(range(256)) * 64, id="noise"),
    ],
)
async def test_5_a_malformed_packet_ends_its_own_connection_only(
    server: MediaServer, packet: bytes
) -> None:
    with publisher(server.publish_url(OUT)) as one:
        await up(server, OUT)
        source = (await server.ready_paths())[OUT]
        raw = await asyncio.to_thread(_handshaken, server.settings.rtmp_port)
        with raw:
            raw.sendall(packet)
            await asyncio.sleep(0.3)
        assert one.running
        assert (await server.ready_paths())[OUT] == source


async def test_6_a_silent_publisher_is_dropped_and_its_path_is_free(server: MediaServer) -> None:
    with publisher(f"{server.publish_url(IN)}?key={KEY}") as one:
        await up(server, IN)
        one.signal(signal.SIGSTOP)
        await eventually(lambda: _is_gone(server, IN), 4)
        with publisher(f"{server.publish_url(IN)}?key={KEY}"):
            await up(server, IN)


async def test_6_a_worker_may_be_silent_while_its_publisher_is_away(server: MediaServer) -> None:
    with publisher(server.publish_url(OUT)) as one:
        await up(server, OUT)
        one.signal(signal.SIGSTOP)
        await asyncio.sleep(2 * server.settings.silent_s)
        assert await _is_ready(server, OUT)


async def test_6_a_connection_that_says_nothing_does_not_last(server: MediaServer) -> None:
    raw = await asyncio.to_thread(_handshaken, server.settings.rtmp_port)
    with raw:
        raw.settimeout(13)
        received = await asyncio.to_thread(raw.recv, 1)
        assert received == b""


async def test_7_a_refused_publisher_is_told_so(server: MediaServer) -> None:
    with publisher(server.publish_url(IN) + "?key=wrong") as one:
        await one.ended()
        assert b"publish is not allowed" in one.output()[1]


async def test_7_a_refused_path_is_told_which_rule_it_breaks(server: MediaServer) -> None:
    with publisher(server.publish_url("live/MyShow/in") + f"?key={KEY}") as one:
        await one.ended()
        assert b"an id has no capital letters" in one.output()[1]


def _asking(port: int, verb: str) -> socket.socket:
    """A raw connection that has asked to `play` or `publish` the path."""
    raw = _handshaken(port)
    fields = {"app": "live/abc", "tcUrl": f"rtmp://127.0.0.1:{port}/live/abc"}
    command = b"".join(struct.pack(">H", len(k)) + k.encode() + _amf(v) for k, v in fields.items())
    raw.sendall(_message(20, _amf("connect") + _NUMBER + b"\x03" + command + b"\x00\x00\x09"))
    raw.sendall(_message(20, _amf("createStream") + _NUMBER + b"\x05"))
    raw.sendall(_message(20, _amf(verb) + _NUMBER + b"\x05" + _amf("out")))
    return raw


async def test_7_a_reader_cannot_put_media_into_the_stream(server: MediaServer) -> None:
    marker = b"\xaf\x01" + b"injected-by-a-reader" * 4
    with publisher(server.publish_url(OUT)):
        await up(server, OUT)
        raw = await asyncio.to_thread(_asking, server.settings.rtmp_port, "play")
        other = await asyncio.to_thread(_asking, server.settings.rtmp_port, "play")
        with raw, other:
            await asyncio.sleep(0.5)
            raw.sendall(_message(8, marker))
            await asyncio.sleep(1)
            other.settimeout(2)
            received = await asyncio.to_thread(other.recv, 4_000_000)
        assert len(received) > 10_000  # it does get the stream
        assert marker not in received


@pytest.mark.parametrize(("required", "accepted"), [(True, False), (False, True)])
async def test_7_without_the_orchestrator_publishers_with_keys_are_refused(
    required: bool, accepted: bool
) -> None:
    away = ControlPlane(None, Secret(""), "http://127.0.0.1:9/auth", auth_required=required)
    async with running_server(server_settings("embedded"), away) as server:
        with publisher(server.publish_url(IN)) as one:
            if accepted:
                await up(server, IN)
            else:
                assert await one.ended() != 0


async def test_8_http_is_for_this_machine_and_not_for_other_sites(server: MediaServer) -> None:
    base = f"http://127.0.0.1:{server.settings.http_port}"
    async with httpx2.AsyncClient(trust_env=False) as client:
        rebound = await client.get(f"{base}/paths", headers={"host": "evil.example"})
        assert rebound.status_code == 403
        with publisher(server.publish_url(OUT)):
            await up(server, OUT)
            without_header = await client.post(f"{base}/kick", params={"path": OUT})
            assert without_header.status_code == 404
            assert await _is_ready(server, OUT)
        for path in ("/../etc/passwd", "/live/x/elsewhere.flv", "/admin/"):
            assert (await client.get(base + path)).status_code == 404


async def test_a_reader_that_waits_gets_the_stream_when_it_comes(
    server: MediaServer, tmp_path: Path
) -> None:
    with child(read_argv(server.read_url(OUT), tmp_path / "a.flv", 1)) as reader:
        await asyncio.sleep(0.5)
        with publisher(server.publish_url(OUT)):
            assert await reader.ended() == 0


async def test_it_ends_when_its_parent_is_gone(plane: StubPlane) -> None:
    settings = server_settings("embedded")
    modules = embedded_server.install(settings)
    own = embedded_server.EmbeddedServer(settings, plane.control())
    script = embedded_server._PACKAGE / "server.cjs"
    process = subprocess.Popen(
        [embedded_server.find_node(), str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(own._wrapper_settings(modules)).encode() + b"\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["ready"] is True
    process.stdin.close()  # what the kernel does when the parent dies
    assert process.wait(5) == 0
    process.stdout.close()
    await own.close()


def test_installing_twice_does_nothing_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = server_settings("embedded")
    embedded_server.install(settings)

    def must_not_run(folder: Path) -> None:
        raise AssertionError("npm ran again")

    monkeypatch.setattr(embedded_server, "_npm_ci", must_not_run)
    assert embedded_server.install(settings) == embedded_server.install_dir(settings)


def test_an_installation_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = MediaServerSettings(embedded_dir=tmp_path / "server")

    def fails(folder: Path) -> None:
        (folder / "node_modules").mkdir()
        raise MissingPartError("no network")

    monkeypatch.setattr(embedded_server, "_npm_ci", fails)
    with pytest.raises(MissingPartError):
        embedded_server.install(settings)
    assert list(tmp_path.iterdir()) == []


def test_an_old_node_is_a_missing_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v18.1.0\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(embedded_server, "_wheel_node", lambda: None)
    with pytest.raises(MissingPartError, match="20"):
        embedded_server.find_node()


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((embedded_server._PACKAGE / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/node-media-server"]["version"] == "4.4.3"
    assert not [name for name, item in lock["packages"].items() if "resolved" in item]


def test_the_child_helper_ends_what_it_started() -> None:
    one = Child(["sleep", "60"])
    one.close()
    assert not one.running
