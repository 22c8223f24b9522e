"""Which engine speaks on this machine: measured once, and remembered in the cache folder.

Engines run the same network; which is the quickest depends on the processor, by a factor of two
either way. Another processor, number of threads, model or version is measured anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from dubcast import __version__
from dubcast.config import cache_dir
from dubcast.errors import MissingPartError

Engine = Literal["onnxruntime", "openvino"]
AskedEngine = Literal["auto", Engine]
USUAL: Engine = "onnxruntime"
OTHERS: tuple[Engine, ...] = ("openvino",)
# Another engine takes a gigabyte more, and was installed for this: the gain must only be sure.
_WORTH = 0.95
_TIMEOUT_S = 180.0
# Of /proc/cpuinfo; x86 calls what it can do flags, Arm Features.
_TELLING = ("model name", "flags", "Features")
MODEL = "model.onnx"
# The same network for onnxruntime, made at the pull: exact and quicker on processors that add up
# products of bytes in 32 bits; others do it in 16, and overflow.
PRODUCTS = "products.onnx"
_ADDING_UP_BYTES = frozenset({"avx512_vnni", "avx_vnni"})
_TRIAL = "dubcast.sts.providers.kokoro_trial"


class Trial(BaseModel):
    """What an engine took: seconds per second of speech, by the clock and of CPU time, and the
    memory of its process in MB."""

    model_config = ConfigDict(frozen=True)

    wall: float
    cpu: float
    memory_mb: int

    def __str__(self) -> str:
        return f"{self.wall:.2f} of real time, {self.memory_mb / 1000:.1f} GB"


class Choice(BaseModel):
    """The engine that was chosen, and what each one took; one that failed is not among them."""

    model_config = ConfigDict(frozen=True)

    engine: Engine
    trials: dict[Engine, Trial]

    def __str__(self) -> str:
        """`openvino: 0.26 of real time, 1.4 GB; onnxruntime: 0.47 of real time, 0.4 GB`."""
        first = {name: trial for name, trial in self.trials.items() if name == self.engine}
        return "; ".join(f"{name}: {trial}" for name, trial in {**first, **self.trials}.items())


@dataclass(frozen=True)
class Subject:
    """What is measured: a model and its voices on this machine with so many threads."""

    model: Path
    voices: Path
    threads: int

    @property
    def file(self) -> Path:
        """Where the choice is remembered."""
        told = json.dumps(
            {
                "processor": processor(),
                "threads": self.threads,
                "model": [self.model.name, network_file(self.model).stat().st_size],
                "versions": [__version__, *map(version, (USUAL, *OTHERS))],
            }
        )
        digest = hashlib.sha256(told.encode()).hexdigest()[:16]
        return cache_dir() / "synthesis" / f"{digest}.json"

    def remembered(self) -> Choice | None:
        """The choice that was made here before."""
        try:
            return Choice.model_validate_json(self.file.read_bytes())
        except (OSError, ValidationError):
            return None

    def measured(self) -> Choice:
        """Try every engine that is installed, each in a process of its own, and remember what
        came of it; some 20 s. A folder that cannot be written is no fault."""
        found = {name: run_trial(self, name) for name in (USUAL, *installed())}
        trials = {name: trial for name, trial in found.items() if trial is not None}
        choice = Choice(engine=choose(trials), trials=trials)
        remember(self.file, choice)
        return choice


def choose(trials: Mapping[Engine, Trial]) -> Engine:
    """The engine to take: the usual one, unless another is never slower and does it for clearly
    less. Pure."""
    usual = trials.get(USUAL)
    if usual is None:
        return USUAL
    better = [
        name
        for name, trial in trials.items()
        if trial.cpu <= _WORTH * usual.cpu and trial.wall <= usual.wall
    ]
    return min(better, key=lambda name: trials[name].cpu, default=USUAL)


def installed() -> list[Engine]:
    """The other engines that are here; none is loaded."""
    return [name for name in OTHERS if util.find_spec(name) is not None]


def run_trial(
    subject: Subject, engine: Engine, run: Callable[..., str] | None = None
) -> Trial | None:
    """Try one engine; None if it fails, crashes or hangs. `run`: runs a command, for tests."""
    command = [sys.executable, "-m", _TRIAL, engine]
    command += [str(subject.model), str(subject.voices), str(subject.threads)]
    try:
        return Trial.model_validate_json((run or _output)(command))
    except (OSError, subprocess.SubprocessError, ValidationError):
        return None


def _output(command: list[str]) -> str:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
    ).stdout


def remember(file: Path, choice: Choice) -> None:
    """Write a choice, whole or not at all."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".choice-")
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(choice.model_dump_json())
        Path(name).replace(file)
    except OSError:
        return


def processor() -> str:
    """The processor's name and what it can compute; "" where the kernel does not tell."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = (re.search(rf"^{name}\s*:\s*(.+)$", told, re.MULTILINE) for name in _TELLING)
    return " | ".join(match[1] for match in found if match)


def network_file(folder: Path) -> Path:
    """The file from which onnxruntime speaks on this processor."""
    products = folder / PRODUCTS
    return products if _gains_by_products() and products.is_file() else folder / MODEL


def slower_than_could_be(folder: Path) -> str | None:
    """What would make onnxruntime quicker on this processor, if anything would."""
    if not _gains_by_products() or (folder / PRODUCTS).is_file():
        return None
    return (
        f"no {PRODUCTS} in {folder}, with which speech takes a third less CPU time here: "
        f"`dubcast models pull` makes it beside its own {MODEL}"
    )


def _gains_by_products() -> bool:
    return not _ADDING_UP_BYTES.isdisjoint(processor().split())


def version(package: str) -> str:
    """The version of a package; "" if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def engine_for(asked: AskedEngine, subject: Subject) -> tuple[Engine, Choice | None]:
    """The engine to take, and what was measured, if it was.

    Raises MissingPartError if one is asked for that is not installed.
    """
    here = installed()
    if asked != "auto":
        if asked in OTHERS and asked not in here:
            raise MissingPartError(f"{asked} is missing: pip install 'dubcast[{asked}]'")
        return asked, None
    if not here:
        return USUAL, None
    choice = subject.remembered() or subject.measured()
    return choice.engine, choice
