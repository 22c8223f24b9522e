"""The streams that are carried against those of the plain way: the same models, whole fragments,
faster-whisper's `transcribe`, one request at a time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path

from rich.console import Console

from bench.parts import Found, Part
from bench.sts import services
from bench.sts.capacity import DELAY_S, LIMIT, SECONDS
from dubcast.config import Settings
from dubcast.errors import MissingPartError
from dubcast.measure import live_speech, live_streams
from dubcast.measure.figures import Bar
from dubcast.measure.live_streams import Capacity, Target
from dubcast.measure.stage import free_port

# Not among dubcast's own: only what it is compared with needs them.
_PACKAGES = ("faster-whisper==1.2.1", "av==18.1.0", "tqdm==4.70.1")


def _installed(folder: Path) -> Path:
    """A folder with what the plain way needs beside the environment's packages."""
    if not (folder / "faster_whisper").is_dir():
        argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        done = subprocess.run([*argv, "--target", str(folder), *_PACKAGES], check=False)
        if done.returncode:
            raise MissingPartError(f"pip cannot bring {', '.join(_PACKAGES)}")
    return folder


def _carried(url: str, settings: Settings) -> Capacity:
    cut = partial(live_speech.cut, live_speech.samples(settings))
    return asyncio.run(live_streams.capacity(Target(url, delay_s=DELAY_S), cut, LIMIT, SECONDS))


def _measure(settings: Settings, out: Path, console: Console) -> Found:
    packages = _installed(out.parent / "plain-packages")
    port = free_port()
    paths = [services.HERE / "src", services.HERE, packages]
    environment = {"PYTHONPATH": ":".join(map(str, paths))}
    argv = [sys.executable, "-m", "bench.sts.plain_service", str(port)]
    with services.process(argv, port, out / "plain.log", environment) as running:
        plain = _carried(running.url, settings)
    with services.service(out) as running:
        ours = _carried(running.url, settings)
    console.print(f"  plain {plain.streams}, dubcast {ours.streams} streams", highlight=False)
    detail = {
        name: {"streams": one.streams, "levels": [level.as_json() for level in one.levels]}
        for name, one in (("plain", plain), ("dubcast", ours))
    }
    return Found({"streams_vs_plain": ours.streams / max(1, plain.streams)}, detail)


PART = Part("plain", (Bar("streams_vs_plain", ">=", 2.0),), _measure)
