"""`dubcast doctor`: it names what is missing, and how to get it."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dubcast.cli import doctor
from dubcast.cli.main import app
from dubcast.config import MediaServerSettings, ModelsSettings, Settings
from dubcast.egress.ffmpeg import queued_bytes


def found(settings: Settings) -> dict[str, doctor.Finding]:
    return {one.name: one for one in doctor.examine(settings)}


def test_missing_parts_are_named_with_the_way_to_get_them(tmp_path: Path) -> None:
    settings = Settings(
        models=ModelsSettings(dir=tmp_path / "models"),
        media_server=MediaServerSettings(kind="embedded", embedded_dir=tmp_path / "server"),
    )
    report = found(settings)
    model = report["model whisper-base"]
    assert (model.ok, model.needed) == (False, True)
    assert model.detail == "missing: dubcast models pull whisper-base"
    embedded = report["embedded media server"]
    assert (embedded.ok, embedded.needed, embedded.detail) == (
        False,
        True,
        "dubcast doctor --install",
    )


def test_without_programs_each_gets_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    report = found(Settings())
    assert report["ffmpeg"].detail == "apt install ffmpeg"
    assert report["GStreamer"].detail == "apt install gstreamer1.0-tools"
    assert not report["MediaMTX"].ok
    assert not report["MediaMTX"].needed


def test_a_port_in_use_is_said_and_is_no_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        report = found(Settings(media_server=MediaServerSettings(rtmp_port=port)))
    line = report[f"port {port} for RTMP"]
    assert (line.ok, line.needed) == (False, False)


def test_the_exit_code_says_it(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"models: {{dir: {tmp_path / 'none'}}}\n")
    result = CliRunner().invoke(app, ["doctor", "-c", str(config)])
    assert result.exit_code == 1
    assert "MISSING  model whisper-base" in result.output


def test_bytes_that_a_peer_does_not_take_are_seen() -> None:
    """What a destination that freezes looks like from outside of ffmpeg."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as sender,
        server.accept()[0] as receiver,
    ):
        sender.setblocking(False)
        written = 0
        with suppress(BlockingIOError):
            while True:
                written += sender.send(bytes(65536))
        before = queued_bytes(os.getpid())
        assert 0 < before.unsent < written
        assert 0 < before.unread < written
        receiver.settimeout(5)
        while written > 0:
            written -= len(receiver.recv(1 << 20))
        after = queued_bytes(os.getpid())
        assert after.unsent < before.unsent
        assert after.unread < before.unread
    assert queued_bytes(2**22 + 1) == (0, 0)
