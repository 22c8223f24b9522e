"""Pictures' mean luma and sound samples of a recording, decoded by the ffmpeg program.

Our own parser feeds ffmpeg one track at a time, so that every decoded frame can be put at its
own timestamp: a hole in a track shifts nothing that comes after it.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from dubcast import flv
from dubcast.errors import ProbeError
from dubcast.measure.flashbeep import Samples
from dubcast.measure.recording import AudioFrame, Recording, ffmpeg_program, iter_tags

_FRAME = re.compile(rb"pts:(-?\d+)\b")
_LUMA = re.compile(rb"lavfi\.signalstats\.YAVG=([0-9.]+)")
# FLV times are whole ms: frames of one unbroken run stray by less than this from their place.
_RUN_TOLERANCE_MS = 3.0
_PIECE_S = 30.0
_OVERLAP_S = 0.5


def luma(recording: Recording) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(PTS in ms, mean luma 0-255) of every decoded frame, in order of presentation.

    Raises `ProbeError` when nothing can be decoded.
    """
    # Damaged pictures count too: a step to white shows in them as well.
    damaged = ["-flags", "+output_corrupt", "-flags2", "+showall"]
    command = ["-copyts", "-skip_loop_filter", "all", *damaged, "-f", "flv", "-i", "pipe:0", "-an"]
    chain = "scale=64:36:flags=area,format=yuv420p,signalstats"
    chain += ",metadata=mode=print:key=lavfi.signalstats.YAVG:file=-"
    command += ["-vsync", "passthrough", "-vf", chain]
    times: list[float] = []
    levels: list[float] = []

    def read(pipe: IO[bytes]) -> None:
        for line in pipe:
            if found := _LUMA.match(line):
                levels.append(float(found[1]))
            elif found := _FRAME.search(line):
                times.append(float(found[1]))

    _run([*command, "-f", "null", "-"], _tags(recording.path, flv.VIDEO), read)
    if not levels:
        raise ProbeError("no picture could be decoded")
    order = np.argsort(times[: len(levels)], kind="stable")
    return np.array(times)[order], np.array(levels)[order]


@dataclass(frozen=True)
class SoundRun:
    """Sound without a hole: mono samples from `start_ms` on."""

    start_ms: float
    samples: Samples
    rate_hz: int


def sound(recording: Recording) -> Iterator[SoundRun]:
    """The sound in unbroken runs, each at its own timestamp; long ones in overlapping pieces.

    A decoder gives the samples of frame n when frame n goes in, so they belong at its PTS: what
    a player does. Raises `ProbeError` when frames and samples do not fit together.
    """
    pcm = np.frombuffer(_decode_sound(recording, "s16le", 1), dtype="<i2")
    per_frame, rate = _frame_size(recording, len(pcm))
    for first, last in runs(recording.audio):
        start = _start_ms(recording.audio[first:last])
        yield from _pieces(pcm[first * per_frame : last * per_frame], rate, start)


@dataclass(frozen=True)
class Sound:
    """All sound of a recording: float32 of shape (frames, 2), the first at `start_ms`.

    Every sample lies at its own timestamp, and holes are silent. A decoder's overshoot above full
    scale is kept.
    """

    samples: Samples
    rate_hz: int
    start_ms: float


def whole_sound(recording: Recording) -> Sound:
    """The sound as one piece. Raises `ProbeError` as `sound` does."""
    pcm = np.frombuffer(_decode_sound(recording, "f32le", 2), dtype="<f4").reshape(-1, 2)
    per_frame, rate = _frame_size(recording, len(pcm))
    parts = [
        (_start_ms(recording.audio[first:last]), pcm[first * per_frame : last * per_frame])
        for first, last in runs(recording.audio)
    ]
    start = min(at for at, _ in parts)
    places = [(round((at - start) * rate / 1000), part) for at, part in parts]
    out = np.zeros((max(first + len(part) for first, part in places), 2), dtype=np.float32)
    for first, part in places:
        out[first : first + len(part)] = part
    return Sound(out, rate, start)


def _frame_size(recording: Recording, count: int) -> tuple[int, int]:
    """(samples of one frame, rate in Hz) when all frames gave `count` samples."""
    assert recording.audio_config is not None
    per_frame, rest = divmod(count, max(len(recording.audio), 1))
    if not per_frame or rest:
        frames = len(recording.audio)
        raise ProbeError(f"{frames} audio frames gave {count} samples: a damaged track")
    return per_frame, round(per_frame / (recording.audio_config.frame_ms / 1000))


def _pieces(pcm: NDArray[np.int16], rate: int, start_ms: float) -> Iterator[SoundRun]:
    """The run in overlapping pieces, so that an hour of sound needs no gigabyte as floats."""
    step, size = round(_PIECE_S * rate), round((_PIECE_S + _OVERLAP_S) * rate)
    for at in range(0, max(1, len(pcm)), step):
        part = np.divide(pcm[at : at + size], 32768, dtype=np.float32)
        yield SoundRun(start_ms + 1000 * at / rate, part, rate)


def runs(frames: list[AudioFrame]) -> Iterator[tuple[int, int]]:
    """Half-open index ranges of frames that follow each other without a hole or a jump."""
    first = 0
    for index, frame in enumerate(frames):
        here = frames[first]
        expected = here.dts_ms + (index - first) * here.duration_ms
        if abs(frame.dts_ms - expected) > _RUN_TOLERANCE_MS:
            yield first, index
            first = index
    if frames:
        yield first, len(frames)


def _start_ms(frames: list[AudioFrame]) -> float:
    """The run's start from all its frames, so that rounding to whole ms averages out."""
    duration = frames[0].duration_ms
    return float(np.mean([frame.dts_ms - k * duration for k, frame in enumerate(frames)]))


def _decode_sound(recording: Recording, form: str, channels: int) -> bytearray:
    """All samples in ffmpeg's format `form`, of one frame after the other."""
    if recording.audio_config is None or recording.audio_codec != "aac":
        raise ProbeError(f"audio codec {recording.audio_codec} is not measured, only AAC is")
    command = ["-f", "flv", "-i", "pipe:0", "-vn", "-ac", str(channels), "-f", form, "-"]
    chunks = bytearray()

    def read(pipe: IO[bytes]) -> None:
        while block := pipe.read(1 << 16):
            chunks.extend(block)

    _run(command, _tags(recording.path, flv.AUDIO), read)
    return chunks


def _tags(path: Path, kind: int) -> Iterator[bytes]:
    yield flv.header(audio=kind == flv.AUDIO, video=kind == flv.VIDEO)
    for tag in iter_tags(path):
        if tag.kind == kind:
            yield flv.encode(tag)


def _run(command: list[str], data: Iterator[bytes], read: Callable[[IO[bytes]], None]) -> None:
    """Run ffmpeg, feed it `data` from a thread of its own, and let `read` take its output."""
    full = [ffmpeg_program(), "-hide_banner", "-v", "error", "-nostats", "-threads", "1"]
    process = subprocess.Popen(
        [*full, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None and process.stdout is not None
    feeder = threading.Thread(target=_feed, args=(process.stdin, data), name="probe-feed")
    feeder.start()
    try:
        read(process.stdout)
    except BaseException:  # Ctrl-C too: no child is left behind, and it goes on up
        process.kill()
        raise
    finally:
        process.stdout.close()
        feeder.join()
        process.wait()


def _feed(pipe: IO[bytes], data: Iterator[bytes]) -> None:
    # A broken pipe: ffmpeg gave up early; what it decoded until then is judged by the reader.
    with contextlib.suppress(BrokenPipeError), pipe:
        for block in data:
            pipe.write(block)
