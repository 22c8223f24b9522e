"""A worker by itself: what it holds before its stream begins."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil

from dubcast.config import Settings, child_env
from rig import eventually, free_ports

NOWHERE = "rtmp://127.0.0.1:9/live/abc"
MOST_MB = 100


async def test_a_worker_that_waits_has_its_decoder_and_little_else() -> None:
    """Measured: 82 MB with the libraries of the AAC decoder, of which 60 are its own."""
    (port,) = free_ports(1)
    ends = ("--stream-id", "abc", "--input", f"{NOWHERE}/in", "--output", f"{NOWHERE}/out")
    argv = [sys.executable, "-m", "dubcast", "worker", *ends, "--status-port", str(port)]
    quiet = Settings.model_validate({"stream": {"separation": {"separator": "off"}}})
    with subprocess.Popen(argv, env=child_env(quiet), stderr=subprocess.DEVNULL) as one:
        try:
            await eventually(lambda: _answers(port))
            assert "libgstlibav" in Path(f"/proc/{one.pid}/maps").read_text()
            assert psutil.Process(one.pid).memory_info().rss / 1e6 < MOST_MB
        finally:
            one.kill()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=1) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
