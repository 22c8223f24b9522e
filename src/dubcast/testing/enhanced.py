"""HEVC and AV1 in the tags of enhanced RTMP, which ffmpeg 5 cannot write.

Formats: Veovera's "Enhanced RTMP" v2; the NAL units of ITU-T H.265, annex B; the IVF container.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from dubcast import flv
from dubcast.errors import MediaError
from dubcast.flv import Tag
from dubcast.measure.recording import ffmpeg_program

_KEY, _INTER = 0x90, 0xA0  # enhanced, and the kind of frame
_BEGIN = 0  # sequence start
_FRAME, _FRAME_X = 1, 3  # coded frames: as they are, and with a composition time of 0
_ACCESS_UNIT = 35  # NAL unit type of the delimiter
_RANDOM_ACCESS = range(16, 24)
_IVF_HEADER, _IVF_FRAME = 32, 12

Frame = tuple[bool, bytes]  # whether it is a key frame, and what a tag holds of it


def enhanced_tags(clip: Path, codec: str, frame_ms: int) -> Iterator[Tag]:
    """The pictures of a clip without B-frames, one each `frame_ms`; `codec`: hevc or av1.

    Raises MediaError if ffmpeg cannot read it.
    """
    fourcc, box, kind, frames = _CODECS[codec]
    yield Tag(flv.VIDEO, 0, bytes([_KEY | _BEGIN]) + fourcc + _configuration(clip, box))
    for number, (key, body) in enumerate(frames(clip)):
        head = bytes([(_KEY if key else _INTER) | kind]) + fourcc
        yield Tag(flv.VIDEO, number * frame_ms, head + body)


def _configuration(clip: Path, box: bytes) -> bytes:
    """The decoder's configuration record, out of the box of an MP4 that holds it."""
    data = _converted(clip, "mp4", "-movflags", "frag_keyframe+empty_moov")
    at = data.find(box)
    if at < 4:
        raise MediaError(f"{clip.name} holds no {box.decode()}")
    return data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at])]


def _hevc_frames(clip: Path) -> Iterator[Frame]:
    for units in _access_units(_converted(clip, "hevc")):
        key = any(unit[0] >> 1 & 0x3F in _RANDOM_ACCESS for unit in units)
        yield key, b"".join(len(unit).to_bytes(4) + unit for unit in units)


def _av1_frames(clip: Path) -> Iterator[Frame]:
    data = _converted(clip, "ivf")
    at = _IVF_HEADER
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        yield at == _IVF_HEADER, data[at + _IVF_FRAME : at + _IVF_FRAME + size]
        at += _IVF_FRAME + size


_CODECS: dict[str, tuple[bytes, bytes, int, Callable[[Path], Iterator[Frame]]]] = {
    "hevc": (b"hvc1", b"hvcC", _FRAME_X, _hevc_frames),
    "av1": (b"av01", b"av1C", _FRAME, _av1_frames),
}


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
