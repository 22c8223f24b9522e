"""How many streams one GPU carries, at the pace of speech, with a deadline of 4 s.

The speech is read by the service's own voice, so nothing is downloaded. The service runs in several
processes, which share the GPU.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import httpx2
import numpy as np
import soxr
from rich.console import Console

from bench.onair.sayings import ENGLISH
from bench.parts import Found, Part
from bench.sts import paced
from bench.sts.paced import Said, Tally
from dubcast.config import ENV_PREFIX, Settings
from dubcast.errors import MediaError
from dubcast.measure.figures import Bar
from dubcast.measure.stage import free_port
from dubcast.processes.ladder import end_popen
from dubcast.sts.build import build_engine
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import TtsTask

DEADLINE_S = 4.0
IN_TIME = 0.95
_LEVEL_S = 25.0
_SHORTEST_S, _LONGEST_S = 2.7, 6.0
_LOADED_S = 240.0
_STOP_S = 30.0
_READY_IN_A_ROW = 40
# A process of the service spends its time in Python's lock long before such a GPU is busy.
PROCESSES = 4
_RATE = 48_000
_PENDING = 1024
# Tried in this order until one is not carried.
LEVELS = (50, 100, 150, 200, 250, 300, 400)

BARS = (Bar("gpu_streams", ">=", 150, "on an H100-class card, 95 % within 4 s"),)


def measure(settings: Settings, folder: Path, console: Console) -> Found:
    """The figures, or none of them where there is no GPU."""
    card = card_name()
    if card is None:
        console.print("gpu: there is none here: nothing is measured")
        return Found({"gpu": None})
    folder.mkdir(parents=True, exist_ok=True)
    fragments = read_aloud(settings)
    before_gb = used_gb()
    with service(folder, PROCESSES) as url:
        levels = list(climb(url, fragments, console))
        memory = round(used_gb() - before_gb, 2)
    carried = [level["streams"] for level in levels if level["in_time"] >= IN_TIME]
    figures = {"gpu": card, "gpu_streams": max(carried, default=0), "gpu_memory_gb": memory}
    return Found(figures, {"processes": PROCESSES, "levels": levels}, BARS)


def climb(url: str, fragments: list[Said], console: Console) -> Iterator[dict[str, float]]:
    """Each load, up to the first that is not carried."""
    asyncio.run(paced.load(url, fragments, 4 * PROCESSES, 8.0))  # first uses of everything
    for streams in LEVELS:
        tally = asyncio.run(paced.load(url, fragments, streams, _LEVEL_S))
        level = summary(streams, tally)
        console.print(json.dumps(level), highlight=False)
        yield level
        if level["in_time"] < IN_TIME:
            return


def summary(streams: int, tally: Tally) -> dict[str, float]:
    """A load in numbers."""
    points = quantiles(tally.took_s, n=20) if len(tally.took_s) > 1 else [0.0] * 19
    return {
        "streams": streams,
        "in_time": round(tally.share_in_time(DEADLINE_S), 4),
        "p50_s": round(points[9], 3),
        "p95_s": round(points[18], 3),
        "dubbed": len(tally.took_s),
        "refused": tally.refused,
        "failed": tally.failed,
        "silent": tally.silent,
        "gpu_memory_gb": round(used_gb(), 2),
    }


def read_aloud(settings: Settings) -> list[Said]:
    """English fragments of 2.7 to 6 s."""
    server = settings.sts_server.model_copy(update={"device": "cuda"})
    voice_provider = build_engine(settings.model_copy(update={"sts_server": server})).providers.tts
    voice_provider.load()
    voice = next(v for v in voice_provider.capabilities.voices if v.default and v.speaks("en"))
    lines = [line for line in ENGLISH.strip().splitlines() if len(line) > 30]
    texts = lines + [f"{a} {b}" for a, b in itertools.pairwise(lines) if len(a + b) < 90]
    found = []
    for text in texts:
        (speech,) = voice_provider.run([TtsTask(text, voice)])
        samples = soxr.resample(speech.samples, speech.rate_hz, _RATE)
        # A fragment is cut in the pauses around what is said.
        samples = np.pad(samples, (_RATE // 10, _RATE // 10))
        if _SHORTEST_S <= len(samples) / _RATE <= _LONGEST_S:
            pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
            found.append(paced.said(pcm, DEADLINE_S, "pt-BR"))
    voice_provider.close()
    return found


@contextlib.contextmanager
def service(folder: Path, processes: int) -> Iterator[str]:
    """The address of a speech service on the GPU that has loaded; it is stopped at the end."""
    port = free_port()
    environment = {
        **os.environ,
        f"{ENV_PREFIX}STS_SERVER__DEVICE": "cuda",
        f"{ENV_PREFIX}STS_SERVER__PROCESSES": str(processes),
        f"{ENV_PREFIX}STS_SERVER__MAX_PENDING": str(_PENDING),
        f"{ENV_PREFIX}STS_SERVER__NICE": "0",
    }
    command = [sys.executable, "-m", "dubcast", "sts", "--port", str(port)]
    with (folder / f"sts-{processes}.log").open("w") as log:
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, running)
            yield url
        finally:
            end_popen(running, _STOP_S)


def _wait_until_ready(url: str, running: subprocess.Popen[bytes]) -> None:
    """All of the processes: a new connection may come to any of them."""
    until, ready = time.monotonic() + _LOADED_S, 0
    while ready < _READY_IN_A_ROW:
        if running.poll() is not None:
            raise MediaError("the speech service ended while it loaded; its log says why")
        if time.monotonic() > until:
            raise MediaError(f"{url} was not ready within {_LOADED_S:.0f} s")
        time.sleep(0.1)
        with contextlib.suppress(httpx2.HTTPError):
            is_ready = httpx2.get(f"{url}/readyz", trust_env=False).status_code == 200
            ready = ready + 1 if is_ready else 0


def card_name() -> str | None:
    """The GPU's name, or None."""
    try:
        import torch
    except ImportError:
        return None
    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def used_gb() -> float:
    """Memory of the GPU that is taken, by whomever."""
    return registry.gpu_memory_used() / 1e9


PART = Part("gpu", (), measure)
