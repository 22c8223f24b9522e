"""HEVC in the tags of enhanced RTMP, which ffmpeg 5 cannot write.

Formats: Veovera's "Enhanced RTMP" v2; the NAL units of ITU-T H.265, annex B.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from dubcast import flv
from dubcast.errors import MediaError
from dubcast.flv import Tag
from dubcast.measure.recording import ffmpeg_program

_FOURCC = b"hvc1"
_KEY, _INTER = 0x90, 0xA0  # enhanced, and the kind of frame
_BEGIN, _FRAME_X = 0, 3  # sequence start; coded frames whose composition time is 0
_ACCESS_UNIT = 35  # NAL unit type of the delimiter
_RANDOM_ACCESS = range(16, 24)


def hevc_tags(clip: Path, frame_ms: int) -> Iterator[Tag]:
    """The pictures of an HEVC clip in MPEG-TS without B-frames, one each `frame_ms`.

    Raises MediaError if ffmpeg cannot read it.
    """
    config = _configuration(clip)
    yield Tag(flv.VIDEO, 0, bytes([_KEY | _BEGIN]) + _FOURCC + config)
    for number, units in enumerate(_access_units(_converted(clip, "hevc"))):
        key = any(unit[0] >> 1 & 0x3F in _RANDOM_ACCESS for unit in units)
        body = b"".join(len(unit).to_bytes(4) + unit for unit in units)
        head = bytes([(_KEY if key else _INTER) | _FRAME_X]) + _FOURCC
        yield Tag(flv.VIDEO, number * frame_ms, head + body)


def _configuration(clip: Path) -> bytes:
    """The HEVCDecoderConfigurationRecord, out of the box of an MP4 that holds it."""
    data = _converted(clip, "mp4", "-movflags", "frag_keyframe+empty_moov")
    at = data.find(b"hvcC")
    if at < 4:
        raise MediaError(f"{clip.name} holds no HEVC")
    return data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at])]


def _converted(clip: Path, container: str, *options: str) -> bytes:
    argv = [ffmpeg_program(), "-v", "error", "-nostdin", "-i", str(clip), "-map", "0:v"]
    done = subprocess.run(
        [*argv, "-c", "copy", *options, "-f", container, "-"], capture_output=True, check=False
    )
    if done.returncode:
        raise MediaError(f"ffmpeg: {done.stderr.decode(errors='replace').strip()[-200:]}")
    return done.stdout


def _access_units(stream: bytes) -> Iterator[list[bytes]]:
    units: list[bytes] = []
    for unit in re.split(rb"\x00\x00\x00?\x01", stream)[1:]:
        if unit[0] >> 1 & 0x3F == _ACCESS_UNIT:
            if units:
                yield units
            units = []
        else:
            units.append(unit)
    if units:
        yield units
