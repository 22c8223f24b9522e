"""The FLV container: bytes in, tags out, and back. Pure; no files, no processes.

FLV is what RTMP carries, so a recorded connection is looked at tag by tag, with the exact
timestamps that were sent. All times are milliseconds, as in the container.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dubcast.errors import ProbeError

AUDIO = 8
VIDEO = 9
SCRIPT = 18

_HEADER_SIZE = 9
_TAG_HEADER = 11
_BACK_POINTER = 4
# Bytes of a tag beside its body.
OVERHEAD = _TAG_HEADER + _BACK_POINTER
_WRAP_MS = 1 << 32

AAC = 10
_AUDIO_CODECS = {
    0: "pcm", 1: "adpcm", 2: "mp3", 3: "pcm", 4: "nellymoser", 5: "nellymoser", 6: "nellymoser",
    7: "pcm_alaw", 8: "pcm_mulaw", AAC: "aac", 11: "speex", 14: "mp3",
}  # fmt: skip
AVC = 7
_VIDEO_CODECS = {2: "flv1", 3: "screen", 4: "vp6", 5: "vp6a", 6: "screen2", AVC: "h264", 12: "hevc"}
_FOURCC = {b"avc1": "h264", b"hvc1": "hevc", b"av01": "av1", b"vp09": "vp9"}

# Parameter sets and delimiters: framing that containers move in and out of band. They are
# compared as sets, not as part of a picture.
_AVC_FRAMING = frozenset({7, 8, 9})
_HEVC_FRAMING = frozenset({32, 33, 34, 35})

_AAC_RATES = (
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
)  # fmt: skip


class FlvError(ProbeError):
    """The bytes are not FLV."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One FLV tag: `kind` AUDIO, VIDEO or SCRIPT, the DTS as carried, the body."""

    kind: int
    dts_ms: int
    body: bytes


class FlvParser:
    """Splits bytes into tags as they come. A cut last tag is kept back, and never returned."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._in_tags = False

    @property
    def pending(self) -> int:
        """Bytes that wait for the rest of their tag."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Tag]:
        """The tags that `data` completes. Raises `FlvError` when the bytes are not FLV."""
        self._buffer += data
        if not self._in_tags and not self._skip_header():
            return []
        tags, position = [], 0
        while (found := self._tag_at(position)) is not None:
            tag, position = found
            tags.append(tag)
        del self._buffer[:position]
        return tags

    def _skip_header(self) -> bool:
        if len(self._buffer) < _HEADER_SIZE:
            return False
        if self._buffer[:3] != b"FLV":
            raise FlvError(f"not FLV: it starts with {bytes(self._buffer[:4])!r}")
        size = int.from_bytes(self._buffer[5:9]) + _BACK_POINTER
        if len(self._buffer) < size:
            return False
        del self._buffer[:size]
        self._in_tags = True
        return True

    def _tag_at(self, at: int) -> tuple[Tag, int] | None:
        head = self._buffer[at : at + _TAG_HEADER]
        if len(head) < _TAG_HEADER:
            return None
        kind = head[0] & 0x1F
        if kind not in (AUDIO, VIDEO, SCRIPT):
            raise FlvError(f"not an FLV tag: type {kind}")
        size = int.from_bytes(head[1:4])
        end = at + _TAG_HEADER + size
        if len(self._buffer) < end + _BACK_POINTER:
            return None
        dts = int.from_bytes(head[4:7]) | head[7] << 24
        return Tag(kind, dts, bytes(self._buffer[at + _TAG_HEADER : end])), end + _BACK_POINTER


def parse(data: bytes) -> list[Tag]:
    """Every whole tag of `data`."""
    return FlvParser().feed(data)


def header(*, audio: bool = True, video: bool = True) -> bytes:
    """The file header, with the back pointer that follows it."""
    flags = (4 if audio else 0) | (1 if video else 0)
    return b"FLV\x01" + bytes([flags]) + _HEADER_SIZE.to_bytes(4) + bytes(_BACK_POINTER)


def encode(tag: Tag) -> bytes:
    """The tag as bytes, back pointer included."""
    dts = tag.dts_ms % _WRAP_MS
    head = bytes([tag.kind]) + len(tag.body).to_bytes(3)
    head += (dts & 0xFFFFFF).to_bytes(3) + bytes([dts >> 24]) + bytes(3)
    return head + tag.body + (_TAG_HEADER + len(tag.body)).to_bytes(4)


def write(tags: Iterable[Tag]) -> bytes:
    """A whole file of `tags`."""
    return header() + b"".join(encode(tag) for tag in tags)


def is_media(tag: Tag) -> bool:
    """True for sound and pictures: neither a sequence header nor script data."""
    return tag.kind != SCRIPT and not is_header(tag)


def is_picture(tag: Tag) -> bool:
    """True for a video tag that is no sequence header."""
    return tag.kind == VIDEO and is_media(tag)


def is_key(tag: Tag) -> bool:
    """True for a picture from which on a decoder can begin."""
    return is_picture(tag) and bool(tag.body) and tag.body[0] >> 4 & 7 == 1


def is_header(tag: Tag) -> bool:
    """True for a sequence header: the configuration of a decoder."""
    head = tag.body[:2]
    if len(head) < 2:
        return False
    if tag.kind == AUDIO:
        enhanced = head[0] >> 4 == 9
        return head[0] & 15 == 0 if enhanced else head[0] >> 4 == AAC and head[1] == 0
    if head[0] & 0x80:
        return head[0] & 15 == 0
    return head[0] & 15 in (AVC, 12) and head[1] == 0


@dataclass(frozen=True, slots=True)
class VideoPacket:
    """What a video tag holds.

    `config` is a sequence header's body (then there is no picture); `payload` the length-prefixed
    NAL units of one access unit.
    """

    codec: str
    key: bool
    cts_ms: int
    config: bytes | None
    payload: bytes


def video_packet(tag: Tag) -> VideoPacket | None:
    """The packet of a video tag; None for one that carries no picture and no configuration."""
    body = tag.body
    if len(body) < 2:
        return None
    if body[0] & 0x80:
        return _enhanced_packet(body)
    codec_id, key = body[0] & 0x0F, body[0] >> 4 == 1
    codec = _VIDEO_CODECS.get(codec_id, f"video-{codec_id}")
    if codec_id not in (AVC, 12):
        return VideoPacket(codec, key, 0, None, body[1:])
    if len(body) < 5 or body[1] > 1:
        return None
    if body[1] == 0:
        return VideoPacket(codec, key, 0, body[5:], b"")
    return VideoPacket(codec, key, _signed24(body[2:5]), None, body[5:])


def _enhanced_packet(body: bytes) -> VideoPacket | None:
    """Enhanced RTMP: a FourCC in place of the codec number."""
    if len(body) < 5:
        return None
    kind, key = body[0] & 0x0F, body[0] >> 4 & 7 == 1
    codec = _FOURCC.get(body[1:5], body[1:5].decode("latin-1"))
    if kind == 0:
        return VideoPacket(codec, key, 0, body[5:], b"")
    if kind == 1 and codec in ("h264", "hevc"):
        return VideoPacket(codec, key, _signed24(body[5:8]), None, body[8:])
    return VideoPacket(codec, key, 0, None, body[5:]) if kind in (1, 3) else None


def _signed24(data: bytes) -> int:
    return int.from_bytes(data, signed=True)


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """An AAC stream's AudioSpecificConfig: core sample rate in Hz, samples of a frame."""

    rate_hz: int
    channels: int
    frame_samples: int

    @property
    def frame_ms(self) -> float:
        return 1000 * self.frame_samples / self.rate_hz


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """What an audio tag holds: a configuration, or the payload of one frame."""

    codec: str
    config: AudioConfig | None
    payload: bytes


def audio_packet(tag: Tag) -> AudioPacket | None:
    """The packet of an audio tag; None for an empty one."""
    body = tag.body
    if len(body) < 2:
        return None
    codec_id = body[0] >> 4
    codec = _AUDIO_CODECS.get(codec_id, f"audio-{codec_id}")
    if codec_id != AAC:
        return AudioPacket(codec, None, body[1:])
    if body[1] == 0:
        # ffmpeg writes an empty header first where the configuration comes with the stream.
        config = parse_audio_config(body[2:]) if len(body) > 3 else None
        return AudioPacket(codec, config, b"")
    return AudioPacket(codec, None, body[2:])


def parse_audio_config(data: bytes) -> AudioConfig:
    """An AudioSpecificConfig (at least 2 bytes). Raises `FlvError` when it makes no sense."""
    bits = Bits(data)
    kind = bits.read(5)
    if kind == 31:
        bits.read(6)
    index = bits.read(4)
    rate = bits.read(24) if index == 15 else (_AAC_RATES[index] if index < 13 else 0)
    channels = bits.read(4)
    if not rate:
        raise FlvError(f"AAC configuration {data[:8].hex()}: sample rate index {index}")
    short = kind in (1, 2, 3, 4) and bits.read(1)
    return AudioConfig(rate, {7: 8}.get(channels, channels), 960 if short else 1024)


class Bits:
    """Reads the bits of an AudioSpecificConfig, most significant first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        """A number of `count` bits. Raises FlvError past the end."""
        if count > self._left:
            raise FlvError("AAC configuration is too short")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1


def nal_units(payload: bytes, length_size: int = 4) -> Iterator[bytes]:
    """The NAL units of an access unit with length prefixes; stops at one that is cut."""
    at = 0
    while at + length_size <= len(payload):
        size = int.from_bytes(payload[at : at + length_size])
        at += length_size
        if at + size > len(payload):
            return
        yield payload[at : at + size]
        at += size


def length_size(codec: str, config: bytes) -> int:
    """Bytes of a NAL length prefix, from an AVC or HEVC decoder configuration record."""
    at = 21 if codec == "hevc" else 4
    return (config[at] & 3) + 1 if len(config) > at else 4


@dataclass(frozen=True, slots=True)
class UnitDigest:
    """A fingerprint of one access unit, and of the parameter sets that came in it."""

    picture: bytes
    parameter_sets: frozenset[bytes]


def digest(codec: str, payload: bytes, prefix: int) -> UnitDigest:
    """BLAKE2b over every NAL unit but parameter sets and delimiters, with their lengths.

    Slices, SEI and filler data all count; codecs without NAL units are hashed as a whole.
    """
    picture = hashlib.blake2b(digest_size=16)
    sets = set()
    if codec not in ("h264", "hevc"):
        picture.update(payload)
        return UnitDigest(picture.digest(), frozenset())
    for unit in nal_units(payload, prefix):
        if not unit:
            continue
        if _is_framing(codec, unit[0]):
            if not _is_delimiter(codec, unit[0]):
                sets.add(unit)
            continue
        picture.update(len(unit).to_bytes(4))
        picture.update(unit)
    return UnitDigest(picture.digest(), frozenset(sets))


def _is_framing(codec: str, first: int) -> bool:
    return (first & 31) in _AVC_FRAMING if codec == "h264" else (first >> 1 & 63) in _HEVC_FRAMING


def _is_delimiter(codec: str, first: int) -> bool:
    return first & 31 == 9 if codec == "h264" else first >> 1 & 63 == 35


def parameter_sets(codec: str, config: bytes) -> frozenset[bytes]:
    """SPS and PPS of an AVC decoder configuration record; empty for other codecs."""
    if codec != "h264" or len(config) < 7:
        return frozenset()
    found, at = set(), 5
    for mask in (0x1F, 0xFF):
        if at >= len(config):
            break
        count, at = config[at] & mask, at + 1
        for _ in range(count):
            size = int.from_bytes(config[at : at + 2])
            found.add(config[at + 2 : at + 2 + size])
            at += 2 + size
    return frozenset(found)


def tag_head(kind: int, dts_ms: int, size: int) -> bytes:
    """The 11 bytes before a tag's body of `size` bytes."""
    dts = dts_ms % _WRAP_MS
    return (
        bytes([kind])
        + size.to_bytes(3)
        + (dts & 0xFFFFFF).to_bytes(3)
        + bytes([dts >> 24, 0, 0, 0])
    )


def tag_tail(size: int) -> bytes:
    """The back pointer that follows a tag's body of `size` bytes."""
    return (_TAG_HEADER + size).to_bytes(_BACK_POINTER)


def avc_config(config: bytes) -> bytes:
    """The body of a sequence header of H.264, from an AVCDecoderConfigurationRecord."""
    return bytes([0x10 | AVC, 0, 0, 0, 0]) + config


def avc_head(*, key: bool, cts_ms: int) -> bytes:
    """What goes before an access unit's NAL units. `cts_ms`: PTS minus DTS, may be negative."""
    return bytes([(0x10 if key else 0x20) | AVC, 1]) + cts_ms.to_bytes(3, signed=True)


# 44.1 kHz, 16 bits, stereo: what annex E.4.2.1 asks for with AAC, whose own header says the truth.
_AAC_FLAGS = AAC << 4 | 0x0F


def aac_config(config: bytes) -> bytes:
    """The body of a sequence header of AAC, from an AudioSpecificConfig."""
    return bytes([_AAC_FLAGS, 0]) + config


def aac_head() -> bytes:
    """What goes before a raw AAC frame."""
    return bytes([_AAC_FLAGS, 1])


# Enhanced RTMP: sound of a second track, one of them in a tag (multitrack), by its name and number.
_SECOND_TRACK = b"Opus\x01"
_EX_AUDIO_MULTITRACK = 0x95
# RFC 7845, 5.1: two channels, 312 samples before the first, 48 kHz.
_OPUS_HEAD = b"OpusHead\x01\x02" + struct.pack("<HIhB", 312, 48_000, 0, 0)


def opus_config() -> bytes:
    """The body of a sequence header of Opus, as a second track beside AAC."""
    return bytes([_EX_AUDIO_MULTITRACK, 0]) + _SECOND_TRACK + _OPUS_HEAD


def opus_head() -> bytes:
    """What goes before a packet of Opus of the second track."""
    return bytes([_EX_AUDIO_MULTITRACK, 1]) + _SECOND_TRACK


def metadata(values: Mapping[str, float | bool | str]) -> bytes:
    """The body of an onMetaData tag (AMF 0: a name, then an ECMA array)."""
    body = b"".join(_amf_name(name) + _amf(value) for name, value in values.items())
    return (
        b"\x02" + _amf_name("onMetaData") + b"\x08" + len(values).to_bytes(4) + body + b"\0\0\x09"
    )


def _amf_name(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2) + data


def _amf(value: float | bool | str) -> bytes:
    if isinstance(value, bool):
        return b"\x01" + bytes([value])
    if isinstance(value, str):
        return b"\x02" + _amf_name(value)
    return b"\0" + struct.pack(">d", value)
