"""How fast this machine's processor is at the work that separators do: a yardstick for CPU figures.

A figure in CPU seconds says as much of the processor as of what was measured. Against a fixed
computation, timed on the same machine at the same time, it can have a bar anywhere.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import numpy as np

_ROUNDS = 5
_FRAMES = 400
_SIZE = 4096
_WIDTH = 512
_STEPS = 1200
# A library that shares its sums out to several threads would count their waiting, too.
_ONE_THREAD = ("env", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")


def yardstick_s() -> float:
    """CPU seconds that the fixed computation takes now: the median of five, in a process apart."""
    command = [*_ONE_THREAD, sys.executable, "-m", "dubcast.measure.cpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return statistics.median(float(line) for line in done.stdout.split())


def _compute(random: np.random.Generator) -> float:
    """Spectra there and back, and the layers of a recurrent net: what separators are made of."""
    sound = random.standard_normal((_FRAMES, _SIZE)).astype(np.float32)
    layers = (random.standard_normal((_WIDTH, _WIDTH)) / np.sqrt(_WIDTH)).astype(np.float32)
    state = np.ones(_WIDTH, dtype=np.float32)
    began = time.process_time()
    for _ in range(2):
        np.fft.irfft(np.fft.rfft(sound) * np.float32(0.5))
    for _ in range(_STEPS):
        state = np.maximum(layers @ state, np.float32(0))
    np.matmul(layers, sound[:, :_WIDTH].T)
    return time.process_time() - began


if __name__ == "__main__":
    generator = np.random.default_rng(1)
    _compute(generator)  # of a processor that is not awake yet
    for _ in range(_ROUNDS):
        print(_compute(generator))
