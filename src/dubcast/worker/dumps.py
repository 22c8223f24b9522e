"""Rolling recordings of each stem, for debugging. They hold what was said: off by default.

One WAV file per stem and `segment_s` of the stream, `<stream>.<run>.<second>.<stem>.wav`: full
length from its first sample on (what is not written is silence, and takes no room), every sample at
its place on the timeline, so that the stems of a segment lie exactly over each other. Written by
a thread of its own; whoever hands samples over never waits.
"""

from __future__ import annotations

import os
import re
import struct
import threading
import time
from collections import deque
from pathlib import Path
from typing import BinaryIO

import numpy as np

from dubcast import log
from dubcast.audio.pcm import BYTES_PER_FRAME, CHANNELS, RATE, Float, Int16, to_int16
from dubcast.config import DumpSettings

_QUEUE_SAMPLES = 16 * RATE  # of all stems together; a dub waits as one item
_OPEN_FILES = 8
_HEADER = 44
# Nothing else in the folder is counted or deleted.
_OURS = re.compile(r".+\.\d{7,}\.(original|background|dub|output)\.wav")
_ADDED = {"dub"}
_log = log.get("dumps")


class RollingDumps:
    """Takes stems as they pass and writes them; `dropped` counts samples that were not written.

    `settings.dir` must be set. A disk that is full, or a folder that cannot be written, is
    reported once; what cannot be written is dropped, and written again as soon as it can be.
    """

    def __init__(self, settings: DumpSettings, stream_id: str, run_id: str) -> None:
        assert settings.dir is not None
        self._files = _Segments(settings, settings.dir, f"{stream_id}.{run_id}")
        self._queue: deque[tuple[str, int, Int16 | Float]] = deque()
        self._waiting = 0
        self._ready = threading.Condition()
        self._closing = False
        self._broken = False
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="dumps", daemon=True)
        self._thread.start()

    def offer(self, stem: str, start: int, samples: Int16 | Float) -> None:
        """Take samples of a stem at a stream position; from any thread, never blocks on the disk.

        int16 (frames, 2), or float32 (frames,). They must not be changed afterwards.
        """
        with self._ready:
            if self._closing or self._waiting + len(samples) > _QUEUE_SAMPLES:
                self.dropped += len(samples)
                return
            self._queue.append((stem, start, samples))
            self._waiting += len(samples)
            self._ready.notify()

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits, and stop. Closing twice is harmless."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (item := self._take()) is not None:
            stem, start, samples = item
            try:
                self._files.write(stem, start, samples)
                self._broken = False
            except OSError as error:
                self._failed(error, len(samples))
        self._files.close()

    def _take(self) -> tuple[str, int, Int16 | Float] | None:
        with self._ready:
            self._ready.wait_for(lambda: self._queue or self._closing)
            if not self._queue:
                return None
            item = self._queue.popleft()
            self._waiting -= len(item[2])
            return item

    def _failed(self, error: OSError, samples: int) -> None:
        self.dropped += samples
        self._files.close()
        if not self._broken:
            _log.warning("audio dumps cannot be written", reason=str(error))
        self._broken = True


class _Segments:
    """The files. Every method may raise OSError."""

    def __init__(self, settings: DumpSettings, folder: Path, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix
        self._length = settings.segment_s * RATE
        self._most_bytes = settings.max_mb * 1_000_000
        self._keep_s = settings.retention_h * 3600
        self._open: dict[tuple[str, int], BinaryIO] = {}

    def write(self, stem: str, start: int, samples: Int16 | Float) -> None:
        """Put samples at their place; they may reach over several segments.

        Dubs cross over in fixed mode: where two of them sound, both are heard.
        """
        while len(samples):
            number, offset = divmod(start, self._length)
            part = samples[: self._length - offset]
            file = self._file(stem, number)
            place = _HEADER + offset * BYTES_PER_FRAME
            frames = _stereo(part)
            if stem in _ADDED:
                file.seek(place)
                frames = _sum(file.read(len(frames) * BYTES_PER_FRAME), frames)
            file.seek(place)
            file.write(frames.astype("<i2").tobytes())
            start, samples = start + len(part), samples[len(part) :]

    def close(self) -> None:
        """Close all files; nothing is raised, what could not be written is lost."""
        for file in self._open.values():
            try:
                file.close()
            except OSError as error:
                _log.debug("dump not closed in order", reason=str(error))
        self._open.clear()

    def _file(self, stem: str, number: int) -> BinaryIO:
        if (stem, number) not in self._open:
            while len(self._open) >= _OPEN_FILES:
                self._open.pop(next(iter(self._open))).close()
            self._open[stem, number] = self._create(stem, number)
        return self._open[stem, number]

    def _create(self, stem: str, number: int) -> BinaryIO:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        second = number * self._length // RATE
        path = self._folder / f"{self._prefix}.{second:07d}.{stem}.wav"
        self._make_room(path)
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        try:
            file.write(_header(self._length))
            file.truncate(_HEADER + self._length * BYTES_PER_FRAME)
        except OSError:
            file.close()
            raise
        return file

    def _make_room(self, for_path: Path) -> None:
        """Delete what is too old, then the oldest until another file fits."""
        kept = []
        for path in self._folder.iterdir():
            if not _OURS.fullmatch(path.name):
                continue
            stat = path.lstat()
            if stat.st_mtime < time.time() - self._keep_s:
                path.unlink()
            elif path != for_path:
                kept.append((stat.st_mtime, stat.st_size, path))
        room = self._most_bytes - _HEADER - self._length * BYTES_PER_FRAME
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total <= room:
                return
            path.unlink()
            total -= size


def _stereo(samples: Int16 | Float) -> Int16:
    if samples.ndim == 1:
        mono = to_int16(samples.astype(np.float32, copy=False))
        return np.stack([mono, mono], axis=1)
    return samples.astype(np.int16, copy=False)


def _sum(there: bytes, frames: Int16) -> Int16:
    """What is there already and `frames` together, limited to full scale."""
    both = frames.astype(np.int32)
    before = np.frombuffer(there, "<i2").reshape(-1, CHANNELS)
    both[: len(before)] += before
    return np.clip(both, -32768, 32767).astype(np.int16)


def _header(frames: int) -> bytes:
    """The header of a 16-bit PCM file (RIFF)."""
    size = frames * BYTES_PER_FRAME
    form = struct.pack("<HHIIHH", 1, CHANNELS, RATE, RATE * BYTES_PER_FRAME, BYTES_PER_FRAME, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + (form + b"data" + struct.pack("<I", size))
    )
