"""`dubcast up` as people start it: real roles, the real worker, no speech service."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import yaml

from dubcast.testing.enhanced import enhanced_tags
from dubcast.testing.media import ClipSpec, build_clip
from dubcast.testing.publisher import paced, publish
from rig import (
    child,
    eventually,
    first_timestamps,
    free_ports,
    growing,
    on_air,
    publisher,
    read_argv,
    server_settings,
)

DELAY_S = 3


class Up:
    """A running `dubcast up`."""

    def __init__(self, server_kind: str, folder: Path, *arguments: str, drain_s: float = 0) -> None:
        media = server_settings(server_kind).model_dump(mode="json", exclude_none=True)
        (port,) = free_ports(1)
        own = {"port": port, "state_dir": str(folder / "state"), "reconcile_s": 0.5}
        config = folder / "dubcast.yaml"
        tree: dict[str, Any] = {"media_server": media, "orchestrator": own}
        tree |= {"worker": {"drain_s": drain_s}, "stream": {"delay_s": DELAY_S}}
        if not config.exists():  # a second `up` in the folder has the settings of the first
            config.write_text(yaml.safe_dump(tree))
        media, own = (yaml.safe_load(config.read_text())[key] for key in list(tree)[:2])
        self.ready_file = folder / "ready.json"
        self.ready_file.unlink(missing_ok=True)
        self.rtmp = f"rtmp://127.0.0.1:{media['rtmp_port']}"
        self.base = f"http://127.0.0.1:{own['port']}"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "dubcast", "up", "--no-sts", "-c", str(config)),
                *("--ready-file", str(self.ready_file), *arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    async def ready(self) -> dict[str, Any]:
        await eventually(self.ready_file.exists, 30)
        return dict(json.loads(self.ready_file.read_text()))

    async def stream(self) -> dict[str, Any]:
        async with httpx2.AsyncClient(trust_env=False) as client:
            try:
                return dict((await client.get(f"{self.base}/v1/streams/demo")).json())
            except httpx2.HTTPError:
                return {}

    async def live(self) -> dict[str, Any]:
        async def now() -> dict[str, Any] | None:
            value = await self.stream()
            return value if value.get("state") == "live" else None

        return dict(await eventually(now, 25))

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.communicate()


def _runs(one: psutil.Process) -> bool:
    """An orphan's zombie waits for the machine's init; it does not run."""
    return one.is_running() and one.status() != psutil.STATUS_ZOMBIE


@pytest.fixture
async def up(server_kind: str, tmp_path: Path) -> AsyncIterator[Up]:
    one = Up(server_kind, tmp_path)
    try:
        yield one
    finally:
        one.close()


async def test_a_stream_goes_through_and_everything_ends_in_order(up: Up, tmp_path: Path) -> None:
    summary = await up.ready()
    assert summary["publish_server"] == f"{up.rtmp}/live"
    with publisher(f"{up.rtmp}/live/demo/in"):
        await up.live()
        await on_air(f"{up.rtmp}/live/demo/out")
        with child(read_argv(f"{up.rtmp}/live/demo/out", tmp_path / "a.flv", 2)) as reader:
            assert await reader.ended(20) == 0
        running = up.descendants()
        assert len(running) >= 4  # media server and node, orchestrator, worker
        up.process.terminate()
        assert await asyncio.to_thread(up.process.wait, 20) == 0
    assert not [one for one in running if one.is_running()]
    assert json.loads(up.process.stdout.readline())["ready"] is True  # type: ignore[union-attr]


async def test_a_killed_orchestrator_cuts_no_stream(up: Up, tmp_path: Path) -> None:
    summary = await up.ready()
    with publisher(f"{up.rtmp}/live/demo/in", seconds=90):
        before = await up.live()
        url = f"{up.rtmp}/live/demo/out"
        await on_air(url)
        with child(read_argv(url, tmp_path / "a.flv", 10)) as reader:
            await growing(tmp_path / "a.flv")
            os.kill(summary["pids"]["orchestrator"], signal.SIGKILL)
            after = await up.live()
            assert after["worker"]["pid"] == before["worker"]["pid"]
            assert after["worker"]["restarts"] == 0
            assert await reader.ended(30) == 0


async def test_what_a_killed_up_leaves_plays_on_and_is_taken_over(
    server_kind: str, tmp_path: Path
) -> None:
    first = Up(server_kind, tmp_path)
    await first.ready()
    with publisher(f"{first.rtmp}/live/demo/in", seconds=90):
        before = await first.live()
        left = first.descendants()
        await on_air(f"{first.rtmp}/live/demo/out")
        with child(read_argv(f"{first.rtmp}/live/demo/out", tmp_path / "a.flv", 12)) as reader:
            await growing(tmp_path / "a.flv")
            first.process.kill()
            first.close()
            second = Up(server_kind, tmp_path)
            try:
                summary = await second.ready()
                assert sorted(summary["adopted"]) == ["media-server", "orchestrator"]
                after = await second.live()
                assert after["worker"]["pid"] == before["worker"]["pid"]
                assert {one.pid for one in left if _runs(one)} >= {*summary["pids"].values()}
                assert await reader.ended(30) == 0
                second.process.terminate()
                assert await asyncio.to_thread(second.process.wait, 20) == 0
                assert not [one for one in left if _runs(one)]
            finally:
                second.close()


async def test_a_codec_that_will_not_do_is_told_to_people_and_mended_on_the_spot(
    up: Up, tmp_path: Path
) -> None:
    await up.ready()
    spec = ClipSpec(seconds=30, codec="hevc", container="ts", bframes=0, audio=False)
    url = f"{up.rtmp}/live/demo/in"
    hevc = paced(enhanced_tags(build_clip(spec, tmp_path), "hevc", round(1000 / spec.fps)))
    sending = asyncio.create_task(publish(url, hevc))

    async def failed() -> dict[str, Any] | None:
        value = await up.stream()
        return value if value.get("state") == "failed" else None

    found = await eventually(failed, 15)
    assert found["reason"] == "video_codec"
    assert "hevc" in found["message"].lower()
    assert "to H.264" in found["message"]
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    with publisher(url):
        await up.live()


async def test_a_second_up_is_refused_while_the_first_one_runs(
    server_kind: str, up: Up, tmp_path: Path
) -> None:
    await up.ready()
    second = Up(server_kind, tmp_path)
    try:
        assert await asyncio.to_thread(second.process.wait, 20) == 2
    finally:
        second.close()


async def test_a_killed_worker_is_back_soon_and_steps_back_to_the_delay(up: Up) -> None:
    await up.ready()
    with publisher(f"{up.rtmp}/live/demo/in", seconds=90):
        before = await up.live()
        os.kill(before["worker"]["pid"], signal.SIGKILL)
        killed = time.monotonic()

        async def resumed() -> dict[str, Any] | None:
            now = await up.stream()
            worker = now["worker"]["status"] or {}
            on_air = worker.get("resuming") and worker["state"] == "live"
            return now if on_air else None

        degraded = await eventually(resumed, 10)
        # The server may list the output when the worker has stepped back already.
        assert degraded["reason"] in ("resuming", "output_not_ready")
        assert degraded["worker"]["last_end"] == "crashed"
        # Media left `since_s` ago, but for the second until it is believed.
        assert time.monotonic() - killed < 8
        after = await up.live()
        assert not after["worker"]["status"]["resuming"]
        assert after["worker"]["restarts"] == 1


async def test_beyond_its_budget_a_worker_is_replaced_by_the_original(
    server_kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBCAST__ORCHESTRATOR__CRASH_BUDGET", "1")
    monkeypatch.setenv("DUBCAST__ORCHESTRATOR__QUIET_S", "12")
    one = Up(server_kind, tmp_path)
    try:
        await one.ready()
        with publisher(f"{one.rtmp}/live/demo/in", seconds=90):
            os.kill((await one.live())["worker"]["pid"], signal.SIGKILL)

            async def original_on_air() -> bool:
                now = await one.stream()
                worker = now.get("worker") or {}
                return (now.get("reason"), worker.get("state")) == ("passthrough", "live")

            await eventually(original_on_air, 15)
            file = tmp_path / "a.flv"
            await on_air(f"{one.rtmp}/live/demo/out")
            with child(read_argv(f"{one.rtmp}/live/demo/out", file, 1)) as reader:
                assert await reader.ended(20) == 0
            assert set(first_timestamps(file)) == {"video", "audio"}
            back = await one.live()
            assert (back["worker"]["mode"], back["worker"]["last_end"]) == ("normal", "quiet_over")
    finally:
        one.close()


async def test_sigterm_plays_out_what_is_held(server_kind: str, tmp_path: Path) -> None:
    one = Up(server_kind, tmp_path, drain_s=15)
    try:
        await one.ready()
        with publisher(f"{one.rtmp}/live/demo/in", seconds=90):
            await one.live()
            await on_air(f"{one.rtmp}/live/demo/out")
            with child(read_argv(f"{one.rtmp}/live/demo/out", tmp_path / "a.flv", 60)) as reader:
                await growing(tmp_path / "a.flv")
                told = time.monotonic()
                one.process.terminate()
                await reader.ended(20)
                assert DELAY_S - 1 < time.monotonic() - told < DELAY_S + 6
        assert await asyncio.to_thread(one.process.wait, 10) == 0
    finally:
        one.close()


async def test_a_bad_destination_is_refused_at_once(tmp_path: Path) -> None:
    one = Up("embedded", tmp_path, "--destination", "bad")
    assert await asyncio.to_thread(one.process.wait, 20) == 2
    one.close()
