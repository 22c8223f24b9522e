"""`dubcast up` as people start it: real roles, the real worker, no speech service."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import yaml

from rig import child, eventually, free_ports, publisher, read_argv, server_settings


class Up:
    """A running `dubcast up`."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        media = server_settings().model_dump(exclude={"mediamtx_path", "embedded_dir"})
        (port,) = free_ports(1)
        own = {"port": port, "state_dir": str(folder / "state"), "reconcile_s": 0.5}
        config = folder / "dubcast.yaml"
        config.write_text(yaml.safe_dump({"media_server": media, "orchestrator": own}))
        self.ready_file = folder / "ready.json"
        self.rtmp = f"rtmp://127.0.0.1:{media['rtmp_port']}"
        self.base = f"http://127.0.0.1:{port}"
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

    async def live(self) -> dict[str, Any]:
        async def now() -> dict[str, Any] | None:
            async with httpx2.AsyncClient(trust_env=False) as client:
                try:
                    value = (await client.get(f"{self.base}/v1/streams/demo")).json()
                except httpx2.HTTPError:
                    return None
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


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Up]:
    one = Up(tmp_path)
    try:
        yield one
    finally:
        one.close()


async def test_a_stream_goes_through_and_everything_ends_in_order(up: Up, tmp_path: Path) -> None:
    summary = await up.ready()
    assert summary["publish_server"] == f"{up.rtmp}/live"
    with publisher(f"{up.rtmp}/live/demo/in"):
        await up.live()
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
        with child(read_argv(url, tmp_path / "a.flv", 14)) as reader:
            await asyncio.sleep(9)  # the delay, so that media flows when it happens
            os.kill(summary["pids"]["orchestrator"], signal.SIGKILL)
            after = await up.live()
            assert after["worker"]["pid"] == before["worker"]["pid"]
            assert after["worker"]["restarts"] == 0
            assert await reader.ended(30) == 0


async def test_a_killed_up_takes_everything_with_it(up: Up) -> None:
    await up.ready()
    with publisher(f"{up.rtmp}/live/demo/in"):
        await up.live()
        running = up.descendants()
        up.process.kill()
        await eventually(lambda: not [one for one in running if one.is_running()], 20)


async def test_a_bad_destination_is_refused_at_once(tmp_path: Path) -> None:
    one = Up(tmp_path, "--destination", "bad")
    assert await asyncio.to_thread(one.process.wait, 20) == 2
    one.close()
