"""A recording as two tracks of units with exact times. Anything but FLV is remuxed first.

Payloads are hashed while reading and not kept, so that an hour of video fits in memory.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dubcast import flv
from dubcast.errors import MissingPartError, ProbeError
from dubcast.measure import arrivals

_BLOCK = 1 << 20
_LIVE_SCHEMES = ("rtmp", "rtmps", "rtsp", "rtsps", "srt", "http", "https")


@dataclass(frozen=True, slots=True)
class VideoUnit:
    """One access unit: when it is decoded and shown, and what it holds (a hash)."""

    dts_ms: int
    pts_ms: int
    key: bool
    digest: bytes
    size: int
    tag_index: int


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """One coded audio frame of `duration_ms` (0 when the codec does not say)."""

    dts_ms: int
    duration_ms: float
    size: int
    tag_index: int


@dataclass
class Recording:
    """Both tracks of a file, in file order; `arrival_ns` is by tag index, or None.

    `cut_bytes`: what is left over behind the last whole tag."""

    path: Path
    video: list[VideoUnit] = field(default_factory=list)
    audio: list[AudioFrame] = field(default_factory=list)
    video_codec: str | None = None
    audio_codec: str | None = None
    audio_config: flv.AudioConfig | None = None
    parameter_sets: frozenset[bytes] = frozenset()
    cut_bytes: int = 0
    arrival_ns: NDArray[np.int64] | None = None

    def video_arrivals_ns(self) -> NDArray[np.int64] | None:
        """Arrival of each video unit; None without a sidecar, or with one that is too short."""
        indices = np.array([unit.tag_index for unit in self.video], dtype=np.int64)
        if self.arrival_ns is None or not len(indices) or indices[-1] >= len(self.arrival_ns):
            return None
        return self.arrival_ns[indices]


def iter_tags(path: Path) -> Iterator[flv.Tag]:
    """The tags of an FLV file, read in blocks; a damaged end ends the iteration quietly.

    Raises `flv.FlvError` when the file does not start as FLV.
    """
    parser = flv.FlvParser()
    seen = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            try:
                tags = parser.feed(block)
            except flv.FlvError:
                if not seen:
                    raise
                return
            seen += len(tags)
            yield from tags


def read(path: Path) -> Recording:
    """Read an FLV file and its arrivals. Raises `ProbeError` when it has no media."""
    reader = _Reader(Recording(path))
    left = path.stat().st_size - len(flv.header())
    for index, tag in enumerate(iter_tags(path)):
        reader.add(index, tag)
        left -= len(tag.body) + flv.OVERHEAD
    recording = reader.recording
    recording.cut_bytes = max(0, left)
    if not recording.video and not recording.audio:
        raise ProbeError(f"{path.name} holds no audio and no video")
    recording.arrival_ns = arrivals.load(path)
    return recording


class _Reader:
    """Sorts tags into the tracks of a recording."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._prefix = 4

    def add(self, index: int, tag: flv.Tag) -> None:
        if tag.kind == flv.VIDEO:
            self._add_video(index, tag)
        elif tag.kind == flv.AUDIO:
            self._add_audio(index, tag)

    def _add_video(self, index: int, tag: flv.Tag) -> None:
        packet = flv.video_packet(tag)
        if packet is None:
            return
        out = self.recording
        out.video_codec = packet.codec
        if packet.config is not None:
            self._prefix = flv.length_size(packet.codec, packet.config)
            out.parameter_sets |= flv.parameter_sets(packet.codec, packet.config)
            return
        digest = flv.digest(packet.codec, packet.payload, self._prefix)
        out.parameter_sets |= digest.parameter_sets
        pts = tag.dts_ms + packet.cts_ms
        size = len(packet.payload)
        out.video.append(VideoUnit(tag.dts_ms, pts, packet.key, digest.picture, size, index))

    def _add_audio(self, index: int, tag: flv.Tag) -> None:
        packet = flv.audio_packet(tag)
        if packet is None:
            return
        out = self.recording
        out.audio_codec = packet.codec
        if packet.config is not None:
            out.audio_config = packet.config
            return
        if not packet.payload:
            return
        duration = out.audio_config.frame_ms if out.audio_config else 0.0
        out.audio.append(AudioFrame(tag.dts_ms, duration, len(packet.payload), index))


@contextlib.contextmanager
def opened(target: str | Path, *, seconds: float | None = None) -> Iterator[Recording]:
    """The recording at `target`; what had to be remuxed is deleted on leaving.

    `seconds` bounds how much of a live URL is taken (10 s when not given). Raises `ProbeError`
    when it cannot be read, `MissingPartError` without the ffmpeg program.
    """
    path = Path(target)
    if path.exists() and _is_flv(path):
        yield read(path)
        return
    if not path.exists() and not is_url(str(target)):
        raise ProbeError(f"no such file: {target}")
    with tempfile.TemporaryDirectory(prefix="dubcast-probe-") as folder:
        copy = Path(folder) / "remuxed.flv"
        _remux(str(target), copy, seconds)
        yield read(copy)


def is_url(target: str) -> bool:
    """Whether `target` is read over a network."""
    return target.partition("://")[0].lower() in _LIVE_SCHEMES and "://" in target


def ffmpeg_program() -> str:
    """The ffmpeg program. Raises `MissingPartError` when it is not installed."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise MissingPartError("the ffmpeg program is not installed (apt-get install ffmpeg)")
    return found


def _is_flv(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3) == b"FLV"


def _remux(target: str, out: Path, seconds: float | None) -> None:
    limit: list[str] = []
    if is_url(target):
        limit = ["-t", f"{seconds or 10.0:g}"]
        if target.lower().startswith("rtsp"):
            limit = ["-rtsp_transport", "tcp", *limit]
    elif seconds:
        limit = ["-t", f"{seconds:g}"]
    command = [ffmpeg_program(), "-hide_banner", "-v", "error", "-nostdin", "-y", *limit]
    command += ["-i", target, "-map", "0:v:0?", "-map", "0:a:0?", "-c", "copy", "-f", "flv"]
    result = subprocess.run([*command, str(out)], capture_output=True, text=True, check=False)
    if result.returncode or not out.exists() or not out.stat().st_size:
        # The first line names the cause, what follows are its consequences.
        lines = result.stderr.strip().splitlines() or ["no media"]
        raise ProbeError(f"cannot be read as FLV: {lines[0].rpartition('] ')[2]}")
