"""What a listener could still understand: Whisper base on a sound, through the service's provider.

The clip is read as a whole, as the research did; what the provider drops as not credible was not
read. Reading is most of the benchmark's work and the same for the same sound, so it is remembered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np

from bench.separation.metrics import words
from dubcast.audio.pcm import RATE, Float, to_int16
from dubcast.config import Settings, cache_dir
from dubcast.models.store import ModelStore
from dubcast.sts.providers import asr_whisper, mel
from dubcast.sts.providers.interface import ASR_RATE, AsrTask

Read = Callable[[Float], list[str]]
"""A sound (frames, 2) in; the words in it out."""

_MODEL = "whisper-base"
_THREADS = 1  # pinned: another number finds other words


@contextmanager
def reader(settings: Settings) -> Iterator[Read]:
    """Reads English. Raises MissingPartError without the model."""
    import soxr

    folder = ModelStore(settings.models).path(_MODEL)
    asr = asr_whisper.WhisperAsr(folder, _MODEL, "cpu", _THREADS)
    asr.load()

    def read(sound: Float) -> list[str]:
        mono = sound.mean(axis=1, dtype=np.float32)
        samples = soxr.resample(mono, RATE, ASR_RATE).astype(np.float32)
        return words(asr.run([AsrTask(samples, "en")])[0].text)

    try:
        yield remembered(read, cache_dir() / "bench" / f"read-{_engine(folder)}")
    finally:
        asr.close()


def remembered(read: Read, folder: Path) -> Read:
    """The same, asking only once for each sound: what was read is kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)

    def again(sound: Float) -> list[str]:
        known = folder / hashlib.sha256(to_int16(sound).tobytes()).hexdigest()[:24]
        if not known.exists():
            text = json.dumps(read(sound))
            part = known.with_suffix(".part")
            part.write_text(text, encoding="utf-8")
            part.replace(known)
        found: list[str] = json.loads(known.read_text(encoding="utf-8"))
        return found

    return again


def _engine(model: Path) -> str:
    """Names everything on which a reading depends."""
    parts = [model.name, metadata.version("ctranslate2"), str(_THREADS)]
    parts += [Path(module.__file__ or "").read_text("utf-8") for module in (asr_whisper, mel)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
