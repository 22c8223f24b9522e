"""What people say in the recordings, how it is translated, and how they sound."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from bench.separation import sources
from dubcast.audio.pcm import Float

MANIFEST = Path(__file__).with_name("sources.yaml")
_TEXTS = Path(__file__).with_name("texts.yaml")
# Only this part (s) of a recording is used: the rest is call signs that nobody could write down.
_USED: dict[str, tuple[float, float]] = {"radio": (6.1, 106.3)}


@dataclass(frozen=True)
class Said:
    """What is said in a recording. `known_from`: who wrote the text (see `texts.yaml`)."""

    text: str
    translation: str
    known_from: str


@functools.cache
def said() -> dict[str, Said]:
    """What is said in every recording of speech, by name."""
    entries = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    return {
        name: Said(entry["text"], entry["translation"], entry["from"])
        for name, entry in entries.items()
    }


def fetch() -> None:
    """Bring every recording that is missing into the cache. Raises SourceError."""
    sources.fetch(MANIFEST)
    sources.fetch()


def used(name: str) -> tuple[float, float] | None:
    """Which part of a recording is used, in s; None: all of it."""
    return _USED.get(name)


def sound(name: str) -> Float:
    """A recording, as much of it as is used: mono, 48 kHz. Raises SourceError."""
    start_s, end_s = used(name) or (0.0, None)
    seconds = None if end_s is None else end_s - start_s
    both = sources.decoded(name, start_s, seconds, MANIFEST)
    return np.asarray(both.mean(axis=1), dtype=np.float32)
