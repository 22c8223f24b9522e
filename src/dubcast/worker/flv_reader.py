"""A source that speaks FLV (RTMP, HTTP-FLV), tag by tag: what each is, and when it belongs. Pure.

Read here and not by a demuxer, because a demuxer gives PTS its own order, ends at a tag that it
does not know, drops script data, and moves the tracks against each other when time steps back.
Every timestamp is the publisher's own: unwrapped from its 32 bits, without leaps (`rebase`), a PTS
before its DTS included. A tag that cannot be right is dropped, and never ends a stream; a source
of which nothing is right is refused by the name of its codec.

Formats: Adobe's "Video File Format Specification" 10.1, annex E; Veovera's "Enhanced RTMP" v2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dubcast import flv
from dubcast.clock import NS_PER_MS
from dubcast.worker.parameter_sets import config_for
from dubcast.worker.rebase import Rebaser, Track

# Bytes of a tag's body that tell what it is; the rest is read of headers alone.
HEAD = 12
_ENHANCED_VIDEO = 0x80
_ENHANCED_AUDIO = 9
# So many tags of a track with not one that is right: that is no damage.
_ALL_WRONG = 10
# A codec without a header is what so many tags in a row say.
_AGREED = 3
_LONGEST_AAC_CONFIG = 64
_HALF_WRAP_MS = 1 << 31
# Script data between a server and its reader, or made anew for each connection: no programme.
_OF_THE_CONNECTION = (b"onMetaData", b"|RtmpSampleAccess", b"onStatus", b"onClearCache")
_LONGEST_NAME = 40  # so far into script data a name is looked for

_PLAIN_RTMP = (
    "the source's video comes by enhanced RTMP, which is not read: switch that off in the encoder"
)

Refusal = tuple[str, str]  # a reason code, and words with the way out


def video_refusal(codec: str) -> Refusal:
    """Of a source whose video is not H.264."""
    return (
        "video_codec",
        f"the source's video is {codec}; RTMP output needs H.264: set the encoder to H.264",
    )


def audio_refusal(codec: str) -> Refusal:
    """Of a source whose audio has no decoder."""
    return (
        "audio_codec",
        f"the source's audio is {codec}, which is not decoded: set the encoder to AAC",
    )


@dataclass(frozen=True, slots=True)
class RawTag:
    """A tag as it came: `body` is read where the first `HEAD` bytes do not say enough."""

    kind: int
    dts_ms: int
    size: int  # of the body, in bytes
    head: bytes
    body: Callable[[], bytes]

    @classmethod
    def of(cls, tag: flv.Tag) -> RawTag:
        """Of a tag whose bytes are here already."""
        return cls(tag.kind, tag.dts_ms, len(tag.body), tag.body[:HEAD], lambda: tag.body)


@dataclass(frozen=True, slots=True)
class Picture:
    """An access unit. Times in ns; its NAL units begin `skip` bytes into the tag's body."""

    pts: int
    dts: int
    key: bool
    skip: int
    config: bytes  # AVCDecoderConfigurationRecord


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """How a sound track is coded: what a decoder has to know, as far as FLV tells."""

    codec: str
    config: bytes = b""  # AAC: AudioSpecificConfig
    rate_hz: int = 0
    channels: int = 0
    bits: int = 16


@dataclass(frozen=True, slots=True)
class Sound:
    """A coded frame, at its PTS in ns; it begins `skip` bytes into the tag's body."""

    pts: int
    skip: int
    format: SoundFormat


@dataclass(frozen=True, slots=True)
class Script:
    """Script data that belongs to the programme (captions, cue points), at its time in ns."""

    pts: int


Media = Picture | Sound | Script


class FlvReader:
    """Reads the tags of one connection. `refusal` is set when the source will not do."""

    def __init__(self) -> None:
        self.refusal: Refusal | None = None
        self.metadata: bytes = b""  # the body of the latest onMetaData
        self._rebaser = Rebaser()
        self._last_ms: int | None = None
        self._shift_ns = 0  # what was added to the time of the last picture or frame
        self._video_config = b""
        self._sound = SoundFormat("")
        self._agreed: tuple[int, int] = (-1, 0)  # a codec, and how many tags in a row named it
        self._wrong = {flv.VIDEO: 0, flv.AUDIO: 0}  # of each kind, before the first that is right
        self._good: set[int] = set()

    def read(self, tag: RawTag, now: int) -> Media | None:
        """What a tag that arrived at `now` (monotonic ns) holds; None: nothing to pass on."""
        if tag.kind == flv.SCRIPT:
            return self._script(tag)
        found = self._picture(tag, now) if tag.kind == flv.VIDEO else self._frame(tag, now)
        if found is None and tag.kind not in self._good:
            self._count_wrong(tag)
        return found

    def _script(self, tag: RawTag) -> Script | None:
        name = tag.body()[:_LONGEST_NAME]
        if b"onMetaData" in name:
            self.metadata = tag.body()
        if any(one in name for one in _OF_THE_CONNECTION):
            return None
        return Script(self._unwrapped(tag.dts_ms) * NS_PER_MS + self._shift_ns)

    # -- video ---------------------------------------------------------------------------

    def _picture(self, tag: RawTag, now: int) -> Picture | None:
        head = tag.head
        if not _is_avc(head):
            return None
        self._good.add(flv.VIDEO)
        if head[1] == 0:
            self._video_config = tag.body()[5:]
            return None
        if head[1] == 2 or not self._video_config:  # the end of a sequence
            return None
        key = head[0] >> 4 == 1
        if key:
            self._video_config = config_for(tag.body()[5:], self._video_config)
        given, dts = self._time("video", tag.dts_ms, now)
        # A DTS that stands still is lifted a little: the PTS stays where it was.
        pts = given + self._shift_ns + int.from_bytes(head[2:5], signed=True) * NS_PER_MS
        return Picture(pts, dts, key, 5, self._video_config)

    # -- audio ---------------------------------------------------------------------------

    def _frame(self, tag: RawTag, now: int) -> Sound | None:
        format_ = self._format(tag)
        if format_ is None or not self._is_agreed(tag.head[0] >> 4, format_):
            return None
        self._good.add(flv.AUDIO)
        self._sound = format_
        if format_.codec == "aac" and (tag.head[1] == 0 or not format_.config):
            return None
        skip = 2 if format_.codec == "aac" else 1
        if tag.size <= skip:
            return None
        _, pts = self._time("audio", tag.dts_ms, now)
        return Sound(pts, skip, format_)

    def _format(self, tag: RawTag) -> SoundFormat | None:
        """The format that a tag belongs to; None if it cannot be right."""
        head = tag.head
        if len(head) < 2:
            return None
        codec_id = head[0] >> 4
        if codec_id != flv.AAC:
            return _plain_sound(head[0])
        if head[1] == 1:
            return self._sound if self._sound.codec == "aac" else SoundFormat("aac")
        if head[1] != 0 or tag.size > 2 + _LONGEST_AAC_CONFIG:
            return None
        return self._aac(tag.body()[2:])

    def _aac(self, config: bytes) -> SoundFormat | None:
        if len(config) < 2:  # ffmpeg writes an empty one where the real one comes later
            return self._sound if self._sound.codec == "aac" else SoundFormat("aac")
        try:
            found = flv.parse_audio_config(config)
        except flv.FlvError:
            return None
        if not 0 <= found.channels <= 8:
            return None
        return SoundFormat("aac", config, found.rate_hz, found.channels)

    def _is_agreed(self, codec_id: int, format_: SoundFormat) -> bool:
        """Whether the track's codec is this: AAC says so once, by its header."""
        if self._sound.codec == format_.codec or (format_.codec == "aac" and format_.config):
            self._agreed = (-1, 0)
            return True
        before, count = self._agreed
        self._agreed = (codec_id, count + 1 if before == codec_id else 1)
        return self._agreed[1] >= _AGREED

    # -- time ----------------------------------------------------------------------------

    def _time(self, track: Track, dts_ms: int, now: int) -> tuple[int, int]:
        """A timestamp as it was given, unwrapped, and as it is handed out; in ns."""
        given = self._unwrapped(dts_ms) * NS_PER_MS
        out = self._rebaser.steady(track, given, now)
        self._shift_ns = self._rebaser.offset(track)
        return given, out

    def _unwrapped(self, dts_ms: int) -> int:
        """RTMP counts milliseconds in 32 bits: 49.7 days (RTMP 1.0, section 3)."""
        if self._last_ms is None:
            self._last_ms = dts_ms
        step = (dts_ms - self._last_ms + _HALF_WRAP_MS) % (2 * _HALF_WRAP_MS) - _HALF_WRAP_MS
        self._last_ms += step
        return self._last_ms

    # -- refusal -------------------------------------------------------------------------

    def _count_wrong(self, tag: RawTag) -> None:
        self._wrong[tag.kind] += 1
        if self._wrong[tag.kind] >= _ALL_WRONG:
            self.refusal = self.refusal or _refusal(tag)


def _is_avc(head: bytes) -> bool:
    """A picture or a sequence header of H.264, as far as its first bytes tell."""
    if len(head) < 6 or head[0] & 0x8F != flv.AVC or not 1 <= head[0] >> 4 <= 5:
        return False
    if head[1] != 0:
        return head[1] <= 2
    # The version and the reserved bits of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15).
    return len(head) > 10 and head[5] == 1 and head[9] >= 0xFC and head[10] >= 0xE0


# The rates that two bits of a sound tag name (annex E.4.2.1); 8 kHz where the codec fixes it.
_RATES = (5512, 11025, 22050, 44100)
_FIXED_RATES = {"nellymoser": 8000, "pcm_alaw": 8000, "pcm_mulaw": 8000, "speex": 16000}
_DECODED = {
    0: "pcm", 2: "mp3", 3: "pcm", 4: "nellymoser", 5: "nellymoser", 6: "nellymoser",
    7: "pcm_alaw", 8: "pcm_mulaw", 11: "speex", 14: "mp3",
}  # fmt: skip


def _plain_sound(flags: int) -> SoundFormat | None:
    codec_id = flags >> 4
    codec = _DECODED.get(codec_id)
    if codec is None:
        return None
    rate = 16000 if codec_id == 4 else _FIXED_RATES.get(codec, _RATES[flags >> 2 & 3])
    return SoundFormat(codec, b"", rate, 1 + (flags & 1), 16 if flags & 2 else 8)


def _refusal(tag: RawTag) -> Refusal | None:
    head = tag.head
    if tag.kind == flv.VIDEO and head:
        packet = flv.video_packet(flv.Tag(tag.kind, tag.dts_ms, head))
        if packet is not None and packet.codec != "h264":
            return video_refusal(_named(packet.codec))
        if head[0] & _ENHANCED_VIDEO:
            return "video_codec", _PLAIN_RTMP
    if tag.kind == flv.AUDIO and head:
        if head[0] >> 4 == _ENHANCED_AUDIO:
            return audio_refusal(f"{_named(head[1:5].decode('latin-1'))} by enhanced RTMP")
        if head[0] >> 4 not in _DECODED and head[0] >> 4 != flv.AAC:
            return audio_refusal(f"FLV's number {head[0] >> 4}")
    return None


def _named(codec: str) -> str:
    return codec if codec.isascii() and codec.isprintable() else "of an unknown codec"
