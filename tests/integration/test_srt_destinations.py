"""Destinations by SRT: what MediaMTX takes of them, and receivers that misbehave."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from dubcast.cli.main import application
from dubcast.config import DestinationSettings, Secret, parse_srt_url
from dubcast.contract.streams import EgressStatus
from dubcast.egress import targets, trial
from dubcast.egress.forwarder import Forwarder
from dubcast.flv import AUDIO, VIDEO, Tag, aac_config, aac_head, audio_packet, digest, video_packet
from dubcast.measure.recording import iter_tags
from dubcast.mediaserver.interface import ControlPlane, MediaServer
from dubcast.rtmp.address import parse
from dubcast.srt.connection import SrtConnection
from dubcast.testing.srt_receiver import SrtReceiver
from rig import (
    Child,
    child,
    eventually,
    free_ingest_ports,
    mediamtx_found,
    publisher,
    read_argv,
    running_server,
    server_settings,
)

on_mediamtx = pytest.mark.skipif(
    not mediamtx_found(), reason="no mediamtx binary on PATH or in media_server.mediamtx_path"
)
OUT, THERE = "live/abc/out", "live/other/in"
OPEN = ControlPlane(None, Secret(""), "http://127.0.0.1:9/", auth_required=False)
PASSPHRASE = "of ten or more"


@pytest.fixture
async def source() -> AsyncIterator[MediaServer]:
    async with running_server(server_settings("embedded"), OPEN) as one:
        yield one


@pytest.fixture
def media(source: MediaServer) -> Iterator[Child]:
    with publisher(source.publish_url(OUT), seconds=90) as one:
        yield one


def url_of(there: MediaServer, path: str = THERE, more: str = "") -> str:
    port = there.settings.ingest.srt_port
    return f"srt://127.0.0.1:{port}?streamid=publish:{path}{more}"


@asynccontextmanager
async def forwarding(source: MediaServer, url: str) -> AsyncIterator[Forwarder]:
    one = DestinationSettings.model_validate({"name": "there", "url": url})
    where = (parse(source.read_url(OUT)), targets.target(one))
    forwarder = Forwarder("abc", "there", *where, secrets=(url,))
    task = asyncio.create_task(forwarder.run())
    try:
        yield forwarder
    finally:
        forwarder.stop()
        async with asyncio.timeout(6):
            assert await task == 0


async def state(one: Forwarder, wanted: str, timeout_s: float = 10) -> EgressStatus:
    await eventually(lambda: one.status().state == wanted, timeout_s)
    return one.status()


def contents(file: Path) -> dict[bytes, int]:
    """The pictures and frames of sound of a recording that are there once, with their PTS in ms."""
    found: dict[bytes, list[int]] = {}
    for tag in iter_tags(file):
        if tag.kind == VIDEO and (picture := video_packet(tag)) and picture.config is None:
            unit = digest("h264", picture.payload, 4).picture
            found.setdefault(unit, []).append(tag.dts_ms + picture.cts_ms)
        elif tag.kind == AUDIO and (sound := audio_packet(tag)) and sound.payload:
            found.setdefault(sound.payload, []).append(tag.dts_ms)
    return {unit: times[0] for unit, times in found.items() if len(times) == 1}


@on_mediamtx
@pytest.mark.parametrize("passphrase", ["", PASSPHRASE])
async def test_mediamtx_takes_it_bit_for_bit_and_in_step(
    source: MediaServer, media: Child, tmp_path: Path, passphrase: str
) -> None:
    ingest = free_ingest_ports() | ({"srt_passphrase": passphrase} if passphrase else {})
    more = f"&passphrase={passphrase.replace(' ', '%20')}" if passphrase else ""
    ours, theirs = tmp_path / "ours.flv", tmp_path / "theirs.flv"
    async with (
        running_server(server_settings("mediamtx", ingest=ingest), OPEN) as there,
        forwarding(source, url_of(there, more=more)) as one,
    ):
        await state(one, "live")
        with (
            child(read_argv(source.read_url(OUT), ours, 5.5)) as first,
            child(read_argv(there.read_url(THERE), theirs, 4)) as second,
        ):
            assert await second.ended(20) == 0
            assert await first.ended(20) == 0
    sent, taken = contents(ours), contents(theirs)
    both = [unit for unit in taken if unit in sent]
    assert len(both) > 100
    # One constant for both tracks, but for the milliseconds that FLV counts in.
    offsets = [taken[unit] - sent[unit] for unit in both]
    assert max(offsets) - min(offsets) <= 2


@on_mediamtx
async def test_a_refusal_is_told_and_no_key_with_it(
    source: MediaServer, media: Child, capfd: pytest.CaptureFixture[str]
) -> None:
    async with (
        running_server(server_settings("mediamtx"), OPEN) as there,
        forwarding(source, url_of(there, "elsewhere/secret-name")) as one,
    ):
        status = await state(one, "refused")
    assert status.reason == "refused"
    assert "SRT 2" in status.last_error and "is the key right" in status.last_error
    assert "secret-name" not in status.last_error + capfd.readouterr().err


@on_mediamtx
async def test_a_second_publisher_is_refused(source: MediaServer, media: Child) -> None:
    """MediaMTX takes the connection, and closes it at the first data."""
    async with (
        running_server(server_settings("mediamtx"), OPEN) as there,
        forwarding(source, url_of(there)) as one,
    ):
        await state(one, "live")
        async with forwarding(source, url_of(there)) as two:
            assert "closed the connection" in (await state(two, "refused")).last_error
        assert one.status().state == "live"


@on_mediamtx
async def test_a_frozen_server_is_stalled_and_one_that_returns_is_live(
    source: MediaServer, media: Child
) -> None:
    settings = server_settings("mediamtx")
    async with running_server(settings, OPEN) as there, forwarding(source, url_of(there)) as one:
        await state(one, "live")
        pid = there._process.pid  # type: ignore[attr-defined]
        os.kill(pid, signal.SIGSTOP)
        struck = time.monotonic()
        await eventually(lambda: one.status().reason == "stalled", 10)
        assert time.monotonic() - struck <= 10
        os.kill(pid, signal.SIGKILL)
        async with running_server(settings, OPEN) as again:
            await eventually(again.ready_paths, 15)
            assert (await state(one, "live")).connects == 2


async def test_a_receiver_that_reads_nothing_more_is_stalled(
    source: MediaServer, media: Child
) -> None:
    """Its libsrt goes on taking for megabytes; the room that is left there tells."""
    async with (
        SrtReceiver("freeze_after", seconds=4).running() as there,
        forwarding(source, there.url()) as one,
    ):
        await state(one, "live")
        await eventually(lambda: one.status().reason == "stalled", 14)


async def test_a_slow_receiver_is_told_with_its_lag(source: MediaServer, media: Child) -> None:
    async with (
        SrtReceiver("slow", bytes_per_s=20_000).running() as there,
        forwarding(source, there.url()) as one,
    ):
        status = await state(one, "slow")
        assert status.lag_s > 1 and " Mbit/s, " in status.detail
        assert one.metrics.registry.get_sample_value(
            "dubcast_egress_lag_seconds", {"stream": "abc", "destination": "there"}
        )


async def test_a_receiver_that_holds_back_for_long_is_not_slow(
    source: MediaServer, media: Child
) -> None:
    async with (
        SrtReceiver(latency_ms=3000).running() as there,
        forwarding(source, there.url()) as one,
    ):
        await state(one, "live")
        await eventually(lambda: there.visits and len(there.visits[0]) > 100, 10)
        lags = []
        for _ in range(30):
            await asyncio.sleep(0.1)
            lags.append(one.status().lag_s)
    assert max(lags) < 1


async def test_the_statistics_are_where_the_header_says() -> None:
    async with SrtReceiver(latency_ms=700).running() as there:
        one = SrtConnection(parse_srt_url(there.url("&latency=300")))
        await one.open()
        assert one._socket is not None
        told = one._socket.statistics()
        await one.leave()
    assert (told.mss, told.latency_ms) == (1500, 700)
    assert 1000 < told.flow_window <= 25_600


async def test_what_is_sent_together_shares_a_packet() -> None:
    sound = [Tag(AUDIO, 20 * n, aac_head() + bytes(100)) for n in range(2)]
    async with SrtReceiver().running() as there:
        one = SrtConnection(parse_srt_url(there.url()))
        await one.open()
        for tag in (Tag(AUDIO, 0, aac_config(b"\x11\x90")), *sound):
            one.send(tag)
        one.flush()
        await eventually(lambda: there.visits and there.visits[0])
        await one.leave()
    ((_, packet),) = there.visits[0]
    assert len(packet) == one.sent == 188 * (2 + 1 + 2)  # tables, the clock, a frame each


@pytest.mark.parametrize(
    ("passphrase", "words"),
    [("another-passphrase", "wrong passphrase"), ("", "has a passphrase, the other has none")],
)
async def test_a_passphrase_that_does_not_fit_is_refused(
    source: MediaServer, media: Child, passphrase: str, words: str
) -> None:
    more = f"&passphrase={passphrase}" if passphrase else ""
    async with (
        SrtReceiver(passphrase=Secret(PASSPHRASE)).running() as there,
        forwarding(source, there.url(more)) as one,
    ):
        status = await state(one, "refused")
    assert words in status.last_error
    assert "another" not in status.last_error and "the-key" not in status.last_error


TRIED = {
    "ok": (0, "accepted: it takes the key"),
    "close_at_once": (3, "closed the connection: is the key right"),
}


@pytest.mark.parametrize("manner", TRIED)
async def test_one_is_tried_without_going_live(
    manner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_WATCH_S", 0.5)
    async with SrtReceiver(manner).running() as there:  # type: ignore[arg-type]
        words = ["destination", "test", "-"]
        typed = there.url() + "\n"
        done = await asyncio.to_thread(CliRunner().invoke, application(), words, input=typed)
    code, said = TRIED[manner]
    assert done.exit_code == code
    assert said in done.output and "the-key" not in done.output
    assert not any(there.visits)


async def test_nobody_there_is_unreachable() -> None:
    words = ["destination", "test", "srt://127.0.0.1:9?streamid=the-key"]
    done = await asyncio.to_thread(CliRunner().invoke, application(), words)
    assert done.exit_code == 3
    assert "not accepted: it does not answer" in done.output


async def test_the_process_shows_no_key(source: MediaServer, media: Child, tmp_path: Path) -> None:
    """As the orchestrator starts it: the URL is in the environment of this process alone."""
    async with SrtReceiver(passphrase=Secret(PASSPHRASE)).running() as there:
        config = tmp_path / "dubcast.yaml"
        url = there.url(f"&passphrase={PASSPHRASE.replace(' ', '%20')}")
        config.write_text(
            f'orchestrator: {{destinations: [{{name: there, url: "{url}"}}]}}', encoding="utf-8"
        )
        words = ("--stream-id", "abc", "--input", source.read_url(OUT), "--destination", "there")
        argv = [sys.executable, "-m", "dubcast", "egress", *words, "--config", str(config)]
        with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
            await eventually(lambda: any(there.visits), 15)
            told = psutil.Process(process.pid)
            shown = " ".join(told.cmdline()) + " ".join(told.environ().values())
            memory = told.memory_info().rss / 2**20
            process.terminate()
            _, logged = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0
    assert "the-key" not in shown + logged and PASSPHRASE not in shown + logged
    assert memory <= 45
