"""`python -m` this: what one engine takes to speak, as JSON on standard output.

In a process of its own, so that the memory of an engine that is not taken is given back, and one
that crashes on this processor takes nothing with it.
"""

from __future__ import annotations

import json
import re
import sys
import time
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np

from dubcast.native import single_blas_thread
from dubcast.sts.providers.kokoro_engines import RATE, STYLE, Network, open_network
from dubcast.sts.synthesis import Engine, Trial

# Three clauses as they come: a few words, a sentence, a long one.
_SOUNDS = (
    "ɡʊd ˈivnɪŋ ˈɛvɹiwˌʌn.",
    "ðə wˈɛðəɹ ɪz ɡˈʊd tədˈeɪ, ænd wi wɪl plˈeɪ ɪn ðə pˈɑɹk.",
    "hi skˈɔɹd ə ɡˈoʊl ɪn ðə lˈæst mˈɪnɪt ʌv ðə mˈætʃ, ænd ðə kɹˈaʊd ɪz stˈɪl sˈɪŋɪŋ hɪz nˈeɪm.",
)
_ROUNDS = 2


def measure(network: Network, texts: list[list[int]], styles: np.ndarray) -> tuple[float, float]:
    """Seconds per second of speech: by the clock in the best of the runs, since others may take
    the processor meanwhile, and of CPU time in all of them."""
    network.audio(texts[0], styles[len(texts[0]) - 1])  # the first run is slow
    walls, cpu_s, speech_s = [], 0.0, 0.0
    for _, tokens in product(range(_ROUNDS), texts):
        wall, cpu = time.perf_counter(), time.process_time()
        audio_s = len(network.audio(tokens, styles[len(tokens) - 1])) / RATE
        walls.append((time.perf_counter() - wall) / audio_s)
        cpu_s += time.process_time() - cpu
        speech_s += audio_s
    return min(walls), cpu_s / speech_s


def memory_mb() -> int:
    """What this process has in memory now."""
    told = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"^VmRSS:\s*(\d+) kB", told, re.MULTILINE)
    return int(found[1]) // 1000 if found else 0


def main(engine: str, model: str, voices: str, threads: str) -> None:
    """Measure and print. Raises what the engine raises."""
    vocab = json.loads((Path(model) / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    texts = [[vocab[char] for char in sounds if char in vocab] for sounds in _SOUNDS]
    voice = sorted(Path(voices).glob("*.bin"))[0]
    styles = np.fromfile(voice, dtype="<f4").reshape(-1, STYLE)
    network = open_network(cast(Engine, engine), Path(model), int(threads))
    wall, cpu = measure(network, texts, styles)
    print(Trial(wall=wall, cpu=cpu, memory_mb=memory_mb()).model_dump_json())


if __name__ == "__main__":
    single_blas_thread()
    main(*sys.argv[1:])
