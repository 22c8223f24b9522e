"""A separation process gone wrong, at the process border: real frames, and faults to order.

`python fake_separator.py MODE JOURNAL` and the process's own arguments. It halves the sound, and
after 0.5 s of audio does what the mode says: `crash`, `abort`, `hang`, `garbage`, `liar` (audio
that nobody fed), `mute` (never ready), `missing` (no model), `well` (nothing). A mode
`crash:dfn3` holds for that separator alone.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

from dubcast.audio.pcm import RATE, Float
from dubcast.errors import MissingPartError
from dubcast.separation import process
from dubcast.separation.separator import Separated
from dubcast.separation.wire import Background, encode

AFTER = RATE // 2


class Faulty:
    """Halves the sound without delay until its fault strikes."""

    latency = 0

    def __init__(self, name: str, fault: str) -> None:
        self.name = name
        self._fault = fault
        self._fed = 0

    def reset(self) -> None:
        self._fed = 0

    def process(self, block: Float) -> Separated:
        self._fed += len(block)
        if self._fed > AFTER and READY:
            strike(self._fault)
        return Separated(block * np.float32(0.5), np.full(len(block) // 480, -3, dtype=np.float32))


READY: list[bool] = []
OUT = os.dup(1)


def strike(fault: str) -> None:
    if fault == "crash":
        raise RuntimeError("a fault to order")
    if fault == "abort":
        os.abort()
    if fault == "hang":
        time.sleep(3600)
    if fault == "garbage":
        os.write(OUT, b"thread 'main' panicked at src/tract.rs")
        time.sleep(3600)
    if fault == "liar":
        wrong = Background(1 << 50, np.zeros((1, 2), np.int16), np.zeros(1, np.float32))
        os.write(OUT, encode(wrong))
        time.sleep(3600)


def main() -> None:
    mode, _, only = sys.argv[1].partition(":")
    journal = Path(sys.argv[2])

    def make(name: str) -> Faulty:
        with journal.open("a") as file:
            file.write(f"{name} {os.getpid()}\n")
        fault = mode if only in ("", name) else "well"
        if fault == "missing":
            raise MissingPartError("model x is not here: run `dubcast models pull x`")
        if fault == "mute":
            time.sleep(3600)
        return Faulty(name, fault)

    # The benchmark of the start must not set the fault off.
    original = process.benchmark

    def benchmark(separator: Faulty, cpu_ns: object) -> float:  # type: ignore[misc]
        cost = original(separator, cpu_ns)  # type: ignore[arg-type]
        READY.append(True)
        return cost

    process.benchmark = benchmark  # type: ignore[assignment]
    code = process.main(sys.argv[3:], make)
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
