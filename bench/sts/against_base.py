"""What a second of speech costs the whole service, against an earlier commit in the same run."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
from pathlib import Path

from rich.console import Console

from bench.parts import Found, Part
from bench.sts import services
from bench.sts.services import Running
from dubcast.audio.pcm import RATE
from dubcast.config import Settings
from dubcast.errors import MissingPartError
from dubcast.measure import live_speech, live_streams
from dubcast.measure.figures import Bar
from dubcast.measure.live_load import Programme
from dubcast.measure.live_streams import Target
from dubcast.sts import synthesis

BASE = "32f4b96"
_ROUNDS = 2
_SECONDS = 30.0
_LONGEST_S = 6.0


def unpacked(commit: str, folder: Path) -> Path:
    """The tree of a commit. Raises MissingPartError if this is no clone that has it."""
    done = subprocess.run(
        ["git", "-C", str(services.HERE), "archive", commit], capture_output=True, check=False
    )
    if done.returncode:
        raise MissingPartError(f"commit {commit} is not in this clone: git fetch --unshallow")
    root = folder / "base"
    root.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-x", "-C", str(root)], input=done.stdout, check=True)
    return root


def cpu_share(running: Running, known: Programme) -> float:
    """CPU seconds per second of speech of a programme whose fragments come one by one."""
    before = running.cpu_s()
    answers = asyncio.run(live_streams.one_by_one(Target(running.url), known))
    failed = [one.error for one in answers if one.error is not None]
    if failed:
        raise MissingPartError(f"{running.url} does not dub: {failed[0]}")
    return (running.cpu_s() - before) / known.speech_s


def _measure(settings: Settings, out: Path, console: Console) -> Found:
    sound = live_speech.samples(settings)[: round(_SECONDS * RATE)]
    known = live_speech.cut(sound, _LONGEST_S)
    old: list[float] = []
    new: list[float] = []
    root = unpacked(BASE, out)
    with services.service(out, root) as before, services.service(out) as now:
        for one in (before, now):
            cpu_share(one, known)  # the first fragments of a process are dearer
        for _ in range(_ROUNDS):
            old.append(cpu_share(before, known))
            new.append(cpu_share(now, known))
            console.print(f"  {BASE} {old[-1]:.3f}, now {new[-1]:.3f}", highlight=False)
    has_amx = "amx_bf16" in synthesis.processor()
    share = statistics.mean(new) / statistics.mean(old)
    bar = Bar("cpu_vs_base", "<=", 0.75 if has_amx else 1.0, "AMX" if has_amx else "no AMX")
    detail = {"base": BASE, "base_cpu": old, "now_cpu": new, "speech_s": known.speech_s}
    return Found({"cpu_vs_base": round(share, 3)}, detail, (bar,))


PART = Part("against_base", (), _measure)
